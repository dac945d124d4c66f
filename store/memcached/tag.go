// tag.go deletes the items of a tag, of which Memcached has no list.

package memcached

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/larder-go/larder/store"
)

// mark is what Memcached holds for a tag: a number that no other mark of the prefix has. Items
// remember the numbers of their tags, so that a new number deletes them all. Numbers are drawn from
// one counter on the server, as are the tokens of leases: whoever drew later has the larger one,
// and no clocks have to agree.
type mark struct {
	number  uint64
	deleted bool // by DeleteTag; else made for the first item of the tag
}

func (m mark) String() string {
	if m.deleted {
		return "d" + strconv.FormatUint(m.number, 10)
	}
	return "a" + strconv.FormatUint(m.number, 10)
}

func parseMark(b []byte) (mark, bool) {
	kind, digits := "", ""
	if len(b) > 0 {
		kind, digits = string(b[:1]), string(b[1:])
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return mark{n, kind == "d"}, err == nil && (kind == "d" || kind == "a")
}

// maxTries is how often an operation tries to be the only one to change a key for a moment.
const maxTries = 100

// draw returns the next number. A counter that is missing begins with the time in microseconds:
// after a restart of the server numbers go on growing, unless it drew a million a second or the
// clock was set back.
func (s *Store) draw(ctx context.Context) (uint64, error) {
	name := s.o.Prefix + counterName
	for range maxTries {
		n, err := call(ctx, s, again, func() (uint64, error) { return s.client.Increment(name, 1) })
		if !errors.Is(err, memcache.ErrCacheMiss) {
			return n, wrap("draw a number", "", err)
		}
		first := strconv.FormatInt(time.Now().UnixMicro(), 10)
		_, err = call(ctx, s, once, func() (struct{}, error) {
			return struct{}{}, s.client.Add(&memcache.Item{Key: name, Value: []byte(first)})
		})
		if err != nil && !errors.Is(err, memcache.ErrNotStored) {
			return 0, wrap("draw a number", "", err)
		}
	}
	return 0, fmt.Errorf("memcached: %w: the counter does not stay", store.ErrRefused)
}

// readMarks returns the marks of tags that have one.
func (s *Store) readMarks(ctx context.Context, tags []string) (map[string]mark, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	names := make(map[string]string, len(tags))
	for _, tag := range tags {
		names[s.name(kindTag, tag)] = tag
	}
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	found, err := s.readMany(ctx, list)
	if err != nil {
		return nil, err
	}
	marks := make(map[string]mark, len(found))
	for name, entry := range found {
		if m, ok := parseMark(entry.Value); ok {
			marks[names[name]] = m
		} else {
			s.damaged.Add(1)
		}
	}
	return marks, nil
}

// makeMarks returns the marks of all tags, and makes those that are missing.
func (s *Store) makeMarks(ctx context.Context, tags []string) (map[string]mark, error) {
	marks, err := s.readMarks(ctx, tags)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if _, ok := marks[tag]; ok {
			continue
		}
		if marks[tag], err = s.makeMark(ctx, tag); err != nil {
			return nil, err
		}
	}
	return marks, nil
}

// makeMark makes the mark of tag, unless somebody else just did.
func (s *Store) makeMark(ctx context.Context, tag string) (mark, error) {
	for range maxTries {
		old, m, err := s.getMark(ctx, tag)
		if err != nil || old != nil && m.number != 0 {
			return m, err
		}
		if m.number, err = s.draw(ctx); err != nil {
			return mark{}, err
		}
		if ok, err := s.putMark(ctx, tag, old, m); ok || err != nil {
			return m, err
		}
	}
	return mark{}, busy(tag)
}

func busy(key string) error {
	return fmt.Errorf("memcached: %w: %.60q is changed all the time", store.ErrUnavailable, key)
}

// getMark returns the mark of tag and the entry it stands in: nil where there is none, and number 0
// where it is damaged.
func (s *Store) getMark(ctx context.Context, tag string) (*memcache.Item, mark, error) {
	name := s.name(kindTag, tag)
	old, err := call(ctx, s, again, func() (*memcache.Item, error) { return s.client.Get(name) })
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil, mark{}, nil
	}
	if err != nil {
		return nil, mark{}, wrap("get the mark of", tag, err)
	}
	if m, ok := parseMark(old.Value); ok {
		return old, m, nil
	}
	return old, mark{}, nil
}

// putMark replaces old by m if it is still there, or adds m where old is nil.
func (s *Store) putMark(
	ctx context.Context, tag string, old *memcache.Item, m mark,
) (ok bool, err error) {
	entry := &memcache.Item{Key: s.name(kindTag, tag), Value: []byte(m.String())}
	return s.swap(ctx, tag, old, entry)
}

// swap stores entry where old was read, or nothing where old is nil. It is not ok if somebody else
// was there before.
func (s *Store) swap(
	ctx context.Context, key string, old, entry *memcache.Item,
) (ok bool, err error) {
	_, err = call(ctx, s, once, func() (struct{}, error) {
		if old == nil {
			return struct{}{}, s.client.Add(entry)
		}
		entry.CasID = old.CasID
		return struct{}{}, s.client.CompareAndSwap(entry)
	})
	switch {
	case errors.Is(err, memcache.ErrNotStored), errors.Is(err, memcache.ErrCASConflict),
		errors.Is(err, memcache.ErrCacheMiss):
		return false, nil
	case err != nil:
		return false, wrap("set", key, err)
	}
	return true, nil
}

// DeleteTag implements [store.TagDeleter]. Every item remembers a number for each of its tags, and
// DeleteTag changes the number: it takes the same few round trips however many items there are,
// which stay in the server's memory until they leave by themselves. If a tag's number is evicted
// its items are misses, as if it had been deleted.
func (s *Store) DeleteTag(ctx context.Context, tag string) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m := mark{deleted: true}
	for range maxTries {
		old, now, err := s.getMark(ctx, tag)
		if err != nil {
			return err
		}
		// Numbers of a tag only grow: a lease compares them with its token.
		if m.number == 0 || m.number <= now.number {
			if m.number, err = s.draw(ctx); err != nil {
				return err
			}
		}
		if ok, err := s.putMark(ctx, tag, old, m); ok || err != nil {
			return err
		}
	}
	return busy(tag)
}
