// get.go finds a record and gives it out.

package disk

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/store"
)

// found is a record the index led to.
type found struct {
	recordInfo
	seg  *segment
	off  int64
	spot *atomic.Uint64 // its slot,
	at   int            // the slot's number in the region
	slot slot           // and what it said
}

// maxLooks is how often a lookup starts again because slots moved meanwhile.
const maxLooks = 1000

// is reports whether f is the record of key, an item's of either kind or a mark's.
func (f *found) is(k kind, key string) bool {
	return (f.kind == kindMark) == (k == kindMark) &&
		string(f.seg.key(f.off, &f.recordInfo)) == key
}

// find returns the record of key. The caller is between enter and leave.
func (s *Store) find(k kind, key string, hash uint64) (found, bool) {
	r := s.ix.region(hash)
	for range maxLooks {
		version := r.version.Load()
		f, ok, sure := s.scan(r, k, key, hash)
		if ok {
			return f, true
		}
		if sure && r.version.Load() == version && (version&1 == 0 || r.lock.Load() == 0) {
			return found{}, false
		}
		runtime.Gosched()
	}
	return found{}, false // a writer died here; whoever locks the region next mends it
}

// scan looks for key once. It is not sure that the key is absent if a slot changed while it looked
// where that leads; and it may miss a slot that moves.
func (s *Store) scan(r *region, k kind, key string, hash uint64) (f found, ok, sure bool) {
	slots := r.slots(s.ix.m)
	mask, sure := len(slots)-1, true
	for n, i := 0, int(hash&fingerprints); n < len(slots); n, i = n+1, i+1 {
		spot := &slots[i&mask]
		v := slot(spot.Load())
		if v == 0 {
			break
		}
		if v.fingerprint() != hash&fingerprints {
			continue
		}
		f, ok = s.follow(v)
		if ok && f.is(k, key) {
			f.spot, f.at = spot, i&mask
			return f, true, true
		}
		sure = sure && v.same(slot(spot.Load()))
	}
	return found{}, false, sure
}

// follow returns the record that v leads to, unread and unchecked.
func (s *Store) follow(v slot) (f found, ok bool) {
	f = found{slot: v, off: v.offset(), seg: s.segment(v.place())}
	if f.seg == nil {
		return f, false
	}
	f.recordInfo, ok = f.seg.head(f.off, s.ix.segments[v.place()].alloc.Load())
	return f, ok
}

// Get implements [store.Store]. A damaged record is a miss and is counted.
func (s *Store) Get(ctx context.Context, key string) (store.Item, error) {
	item, err := s.getWhole(ctx, key)
	s.count(err)
	return item, err
}

func (s *Store) getWhole(ctx context.Context, key string) (store.Item, error) {
	for range 3 {
		item, ref, err := s.get(ctx, key)
		if err == nil && ref != nil {
			item.Value, err = s.readLarge(key, *ref)
		}
		if err == nil {
			return item, nil
		}
		if !errors.Is(err, errGone) {
			return store.Item{}, s.missIfDamaged(err)
		}
	}
	return store.Item{}, store.ErrNotFound
}

// get returns the item of key. If its value lies in a file of its own it is missing, and ref says
// where it is.
func (s *Store) get(ctx context.Context, key string) (item store.Item, ref *largeRef, err error) {
	if err := store.CheckKey(key); err != nil {
		return item, nil, err
	}
	now := time.Now().UnixNano()
	c, err := s.enter(ctx, now)
	if err != nil {
		return item, nil, err
	}
	defer s.leave(c)
	defer s.guard(debug.SetPanicOnFault(true), &err)
	hash := s.ix.hash(kindItem, key)
	for range 3 {
		f, ok := s.find(kindItem, key, hash)
		if !ok {
			return item, nil, store.ErrNotFound
		}
		if item, ref, err = s.load(&f, now); !errors.Is(err, errDamaged) {
			return item, ref, err
		}
		if f.slot.same(slot(f.spot.Load())) {
			s.countDamage() // it did not leave while we read it
			return item, nil, store.ErrNotFound
		}
	}
	return item, nil, store.ErrNotFound
}

// load reads and checks the record f.
func (s *Store) load(f *found, now int64) (item store.Item, ref *largeRef, err error) {
	if f.expired(now) {
		return item, nil, store.ErrNotFound
	}
	meta, value, err := f.seg.read(f.off, &f.recordInfo)
	if err != nil {
		return item, nil, err
	}
	if item, err = f.item(meta); err != nil {
		return item, nil, err
	}
	if s.isMarked(item.Tags, f.seq) {
		return item, nil, store.ErrNotFound
	}
	if len(item.Tags) > 0 && !f.slot.same(slot(f.spot.Load())) {
		return item, nil, errDamaged // it has left, and perhaps the mark before we looked for it
	}
	s.touch(f)
	if f.kind != kindLarge {
		item.Value = value
		return item, nil, nil
	}
	large, ok := parseLargeRef(value)
	if !ok {
		return item, nil, errDamaged
	}
	large.folder = s.ix.head.folder
	return item, &large, nil
}

// touch notes that a record was read: it outlives its segment once.
func (s *Store) touch(f *found) {
	if f.slot&usedBit == 0 && !s.readOnly {
		f.spot.CompareAndSwap(uint64(f.slot), uint64(f.slot|usedBit))
	}
}

// isMarked reports whether one of tags was deleted after record seq was written.
func (s *Store) isMarked(tags []string, seq uint64) bool {
	if s.ix.marked.Load() == 0 {
		return false
	}
	for _, tag := range tags {
		if f, ok := s.find(kindMark, tag, s.ix.hash(kindMark, tag)); ok && f.seq > seq {
			return true
		}
	}
	return false
}

// count notes a hit or a miss of this process; Stats and Close add them to the folder's.
func (s *Store) count(err error) {
	switch {
	case err == nil:
		s.hits.Add(1)
	case errors.Is(err, store.ErrNotFound):
		s.misses.Add(1)
	}
}

// flushCounters adds what this process counted to the folder's counters.
func (s *Store) flushCounters() {
	if !s.readOnly {
		s.ix.hits.Add(s.hits.Swap(0))
		s.ix.misses.Add(s.misses.Swap(0))
	}
}
