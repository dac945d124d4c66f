// get.go reads items, one or many.

package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/redis/rueidis"
)

// Get implements [store.Store]. An item with tags costs a second round trip, to their marks.
func (s *Store) Get(ctx context.Context, key string) (store.Item, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Item{}, err
	}
	item, err := s.get(ctx, key)
	if err != nil {
		s.count.asked(1, 0, err)
		return store.Item{}, err
	}
	s.count.asked(1, 1, nil)
	return item, nil
}

func (s *Store) get(ctx context.Context, key string) (store.Item, error) {
	c, err := s.begin(ctx)
	if err != nil {
		return store.Item{}, err
	}
	defer c.end()
	raw, err := c.read(func() rueidis.Completed {
		return c.client.B().Get().Key(s.keys.value(key)).Build()
	}).AsBytes()
	if err != nil {
		return store.Item{}, s.notFound(c.fail("get", err))
	}
	found, err := s.parse(raw, key, time.Now())
	if err != nil {
		return store.Item{}, s.notFound(err)
	}
	alive, err := c.alive(found)
	if err != nil {
		return store.Item{}, err
	}
	if !alive[0] {
		return store.Item{}, store.ErrNotFound
	}
	return found.item, nil
}

// notFound counts damage, and lets what is merely absent be ErrNotFound itself.
func (s *Store) notFound(err error) error {
	switch {
	case errors.Is(err, store.ErrDamaged):
		s.count.damaged.Add(1)
	case errors.Is(err, store.ErrNotFound):
		return store.ErrNotFound
	}
	return err
}

// read asks, and asks once more where the connection broke while it was idle: a read may be done
// twice, and the server may have come back on a new connection.
func (c *call) read(command func() rueidis.Completed) rueidis.RedisResult {
	r := c.do(command())
	if err := r.NonRedisError(); err == nil || isContext(err) || c.ctx.Err() != nil {
		return r
	}
	return c.do(command())
}

// found is an item as it was read, with the generations of its tags.
type found struct {
	item        store.Item
	generations []string
}

// parse reads an item that stood under key. What has expired is ErrNotFound.
func (s *Store) parse(raw []byte, key string, now time.Time) (found, error) {
	item, err := store.ParseItem(raw, key)
	if err != nil {
		return found{}, err
	}
	if item.Expired(now) {
		return found{}, store.ErrNotFound
	}
	f := found{item: item}
	f.item.Tags, f.generations, err = splitTags(item.Tags)
	if err != nil {
		return found{}, fmt.Errorf("%w: %.60q", err, key)
	}
	return f, nil
}

// GetMany implements [store.ManyGetter]. It takes one round trip to each server, and a second one
// where there are tags.
func (s *Store) GetMany(ctx context.Context, keys []string) (map[string]store.Item, error) {
	items := make(map[string]store.Item, len(keys))
	for _, key := range keys {
		if err := store.CheckKey(key); err != nil {
			return items, err
		}
	}
	c, err := s.begin(ctx)
	if err != nil {
		s.count.asked(len(keys), 0, err)
		return items, err
	}
	defer c.end()
	if len(keys) == 0 {
		return items, nil
	}
	read, names, err := c.readMany(keys)
	alive, markErr := c.alive(read...)
	for i, ok := range alive {
		if ok {
			items[names[i]] = read[i].item
		}
	}
	err = errors.Join(err, markErr)
	s.count.asked(len(keys), len(items), err)
	return items, err
}

// readMany returns what is there of keys, and under which of them each was found.
func (c *call) readMany(keys []string) (read []found, names []string, err error) {
	for len(keys) > 0 {
		n := min(len(keys), batch)
		raws, batchErr := c.mget(keys[:n])
		if batchErr != nil && err == nil {
			err = c.fail("get many", batchErr)
		}
		now := time.Now()
		for i, raw := range raws {
			if raw == nil {
				continue
			}
			f, parseErr := c.s.parse(raw, keys[i], now)
			if parseErr != nil {
				c.s.notFound(parseErr)
				continue
			}
			read, names = append(read, f), append(names, keys[i])
		}
		keys = keys[n:]
	}
	return read, names, err
}

// batch is how many keys one command names, so that no one waits long behind it.
const batch = 512

// mget reads values; what is absent is nil. It asks for each key where keys live on many servers:
// rueidis writes together what goes to one of them.
func (c *call) mget(keys []string) ([][]byte, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = c.s.keys.value(key)
	}
	raws, err := c.rawMany(names)
	for i, raw := range raws {
		if errors.Is(raw.err, store.ErrDamaged) { // a key of a wrong type
			c.s.count.damaged.Add(1)
		} else if raw.err != nil && err == nil {
			err = raw.err
		}
		raws[i] = raw
	}
	values := make([][]byte, len(raws))
	for i, raw := range raws {
		values[i] = raw.bytes
	}
	return values, err
}

// rawValue is what was read under a name. Absent is nil without an error.
type rawValue struct {
	bytes []byte
	err   error
}

// rawMany reads several names: by MGET, or by one GET each in a Cluster.
func (c *call) rawMany(names []string) ([]rawValue, error) {
	raws := make([]rawValue, len(names))
	if !c.client.cluster {
		answers, err := c.read(func() rueidis.Completed {
			return c.client.B().Mget().Key(names...).Build()
		}).ToArray()
		if err != nil {
			return raws, err
		}
		for i := range min(len(answers), len(raws)) {
			raws[i] = rawOf(answers[i].AsBytes())
		}
		return raws, nil
	}
	commands := make([]rueidis.Completed, len(names))
	for i, name := range names {
		commands[i] = c.client.B().Get().Key(name).Build()
	}
	for i, r := range c.doMulti(commands...) {
		raws[i] = rawOf(r.AsBytes())
	}
	return raws, nil
}

func rawOf(b []byte, err error) rawValue {
	switch {
	case err == nil && b == nil:
		return rawValue{bytes: []byte{}}
	case err == nil:
		return rawValue{bytes: b}
	case rueidis.IsRedisNil(err):
		return rawValue{}
	}
	return rawValue{err: classify(err)}
}
