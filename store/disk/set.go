// set.go writes records and lets the index lead to them.

package disk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/larder-go/larder/store"
)

var (
	errMoved     = errors.New("disk: folder was cleared, removed or made anew meanwhile")
	errLeft      = errors.New("disk: segment left meanwhile")
	errGrow      = errors.New("disk: region is full")
	errNeedsRoom = errors.New("disk: old value is a large file")
)

// maxTries bounds loops that start again because another process was faster.
const maxTries = 100

// Set implements [store.Store]. Values of more than an eighth of a segment (and of more than
// 256 KiB) go to files of their own; one larger than a quarter of the limit is refused with
// [store.ErrTooLarge].
func (s *Store) Set(ctx context.Context, key string, item store.Item) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	if item.Created.IsZero() {
		item.Created = time.Now()
	}
	return s.change(ctx, func() error {
		if int64(len(item.Value)) > s.largeFrom() {
			return s.setLarge(ctx, key, &item)
		}
		return s.put(ctx, kindItem, key, &item, item.Value, nil)
	})
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	return s.change(ctx, func() error {
		return s.publish(ctx, kindItem, key, 0, nil, nil)
	})
}

// DeleteTag implements [store.TagDeleter]: it takes one write, however many items have the tag.
// They are misses from then on; their room is free when their segments leave, or after [Store.GC].
func (s *Store) DeleteTag(ctx context.Context, tag string) error {
	if err := store.CheckKey(tag); err != nil {
		return fmt.Errorf("disk: tag: %w", err)
	}
	return s.change(ctx, func() error {
		s.ix.marked.Store(1)
		// In the room no segment leaves and none begins: no item of the tag can move on unseen, and
		// all that is older than the mark lies no later in the folder than the mark.
		return s.inRoom(ctx, nil, func(rm *room) error {
			return s.put(ctx, kindMark, tag, &store.Item{Created: time.Now()}, nil, rm)
		})
	})
}

// change runs fn with the folder entered. If the folder was replaced meanwhile it is opened anew;
// if a file turns out to be cut short the files are counted, and what is cut off is forgotten.
func (s *Store) change(ctx context.Context, fn func() error) (err error) {
	counted := false
	for range maxTries {
		err = s.changeOnce(ctx, fn)
		switch {
		case errors.Is(err, errDamaged) && !counted:
			counted = true
			if err := s.changeOnce(ctx, func() error { return s.countFiles(ctx) }); err != nil {
				return err
			}
		case !errors.Is(err, errMoved):
			return err
		}
	}
	return err
}

func (s *Store) countFiles(ctx context.Context) error {
	return s.inRoom(ctx, nil, func(rm *room) error { return rm.recount(false) })
}

func (s *Store) changeOnce(ctx context.Context, fn func() error) (err error) {
	c, err := s.enter(ctx, time.Now().UnixNano())
	if err != nil {
		return err
	}
	defer s.leave(c)
	if s.readOnly {
		return fmt.Errorf("%w: %s", ErrReadOnly, s.dir)
	}
	defer s.guard(debug.SetPanicOnFault(true), &err)
	if err = fn(); err == nil && s.ix.replaced.Load() != 0 {
		return errMoved // Clear has put another index in the place of the one that was changed
	}
	return err
}

// put appends a record and publishes it. rm is nil outside of the room.
func (s *Store) put(
	ctx context.Context, k kind, key string, item *store.Item, value []byte, rm *room,
) error {
	meta := appendMeta(nil, item)
	if len(meta) > maxMeta {
		return fmt.Errorf("%w: %d bytes of tags and validators, the limit is %d",
			store.ErrTooLarge, len(meta), maxMeta)
	}
	r := newRecordInfo(k, key, item, meta, value)
	prefix := r.appendHead(make([]byte, 0, recordHead+len(key)+len(meta)))
	prefix = append(append(prefix, key...), meta...)
	for range maxTries {
		g, off, err := s.append(ctx, &r, prefix, value, rm)
		if err != nil {
			return err
		}
		v := newSlot(s.ix.hash(k, key), g.place, off)
		if err = s.publish(ctx, k, key, v, g, rm); !errors.Is(err, errLeft) {
			return err
		}
	}
	return fmt.Errorf("disk: %s: segments leave faster than they are written", s.dir)
}

// append writes a record to the active segment. Nothing leads to it yet.
func (s *Store) append(
	ctx context.Context, r *recordInfo, prefix, value []byte, rm *room,
) (*segment, int64, error) {
	g, off, err := s.reserve(ctx, r.size(), rm)
	if err != nil {
		return nil, 0, err
	}
	// The number is drawn after the place: see DeleteTag.
	binary.LittleEndian.PutUint64(prefix[8:], s.ix.seq.Add(1))
	if err := g.write(off, prefix, value); err != nil {
		return nil, 0, fmt.Errorf("disk: write %s: %w", g.file.Name(), err)
	}
	return g, off, nil
}

// reserve returns a place for n bytes. Processes share the active segment: each takes its part by
// one addition.
func (s *Store) reserve(ctx context.Context, n int64, rm *room) (*segment, int64, error) {
	if n > s.segmentLimit()-segmentHead {
		return nil, 0, fmt.Errorf("%w: a record of %d bytes", store.ErrTooLarge, n)
	}
	for tries := range maxTries {
		if tries > 3 && rm == nil {
			return s.reserveInRoom(ctx, n)
		}
		place := s.activePlace()
		if g := s.segment(place); g != nil && s.stands(g) {
			off, err := s.reserveIn(ctx, g, n, rm)
			if err != nil || off > 0 {
				return g, off, err
			}
		}
		err := s.inRoom(ctx, rm, func(rm *room) error { return rm.roll(place) })
		if err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, fmt.Errorf("disk: %s: segments fill faster than they are made", s.dir)
}

// reserveInRoom is for those who found the new segment full again whenever they had waited for it.
func (s *Store) reserveInRoom(ctx context.Context, n int64) (g *segment, off int64, err error) {
	err = s.inRoom(ctx, nil, func(rm *room) error {
		g, off, err = s.reserve(ctx, n, rm)
		return err
	})
	return g, off, err
}

// reserveIn returns a place in g, or 0 if g is full or has left.
func (s *Store) reserveIn(ctx context.Context, g *segment, n int64, rm *room) (int64, error) {
	info := &s.ix.segments[g.place]
	off := info.tail.Add(n) - n
	alloc, limit := info.alloc.Load(), info.limit.Load()
	switch {
	case !s.stands(g): // what we read and changed was perhaps another segment's
		return 0, nil
	case off+n <= alloc:
		return off, nil
	case off+n > limit:
		return 0, nil
	}
	err := s.inRoom(ctx, rm, func(rm *room) error { return rm.extend(g, off+n) })
	if err != nil || !s.stands(g) || rm != nil && s.activePlace() != g.place {
		return 0, err // what was reserved stays empty; in the room all goes to the active segment
	}
	return off, nil
}

// activePlace is the place of the segment that is appended to.
func (s *Store) activePlace() int { return int(s.ix.active.Load() & placeMask) }

// stands reports whether g is still part of the folder.
func (s *Store) stands(g *segment) bool {
	info := &s.ix.segments[g.place]
	return info.state.Load() == segmentLive && info.id.Load() == g.id
}

// publish makes v the slot of key, or removes the slot if v is 0, and accounts for the old one.
func (s *Store) publish(
	ctx context.Context, k kind, key string, v slot, g *segment, rm *room,
) error {
	hash := s.ix.hash(k, key)
	for range maxTries {
		old, had, err := s.swap(k, key, hash, v, g, rm)
		switch {
		case errors.Is(err, errNeedsRoom):
			return s.inRoom(ctx, rm, func(rm *room) error {
				s.ix.dirty.Store(dirtyLarge) // before nothing leads to the file any more
				return s.publish(ctx, k, key, v, g, rm)
			})
		case err == nil && had && old.kind == kindLarge:
			return rm.forgetLarge(&old)
		case !errors.Is(err, errGrow):
			return err
		}
		if err := s.grow(ctx, s.ix.region(hash), rm); err != nil {
			return err
		}
	}
	return fmt.Errorf("disk: %s: index fills faster than it grows", s.dir)
}

// swap changes the slot of key under the region's lock and returns the record it led to before.
func (s *Store) swap(
	k kind, key string, hash uint64, v slot, g *segment, rm *room,
) (old found, had bool, err error) {
	r := s.ix.region(hash)
	defer s.ix.unlock(r, s.ix.lock(r))
	if g != nil && !s.stands(g) {
		return old, false, errLeft
	}
	old, had, _ = s.scan(r, k, key, hash)
	switch {
	case had && old.kind == kindLarge && rm == nil:
		return old, false, errNeedsRoom
	case had && v != 0:
		old.spot.Store(uint64(v))
	case had:
		old.seg.kill(old.off)
		s.ix.removeLocked(r, r.slots(s.ix.m), old.at)
	case v != 0:
		spot, ok := s.ix.spotLocked(r, hash)
		if !ok {
			return old, false, errGrow
		}
		s.ix.addLocked(r, spot, v)
	}
	s.account(&old, had, v)
	return old, had, nil
}

// account keeps the counters when the slot of old, if it had one, becomes v.
func (s *Store) account(old *found, had bool, v slot) {
	if had {
		s.tally(old, -1)
	}
	if f, ok := s.follow(v); ok {
		s.tally(&f, 1)
	}
}

// tally adds (sign 1) or takes away (-1) what f counts for.
func (s *Store) tally(f *found, sign int64) {
	if f.kind != kindMark {
		s.ix.entries.Add(sign)
	}
	s.ix.live.Add(sign * f.size())
	s.ix.segments[f.seg.place].live.Add(sign * f.size())
}
