// drop.go has a segment leave: what was read since it was written moves on, the rest goes.

package disk

import (
	"context"
	"time"
)

// drop removes the segment at place. Up to budget bytes of its records move to the active segment:
// those that were read since they were written. Marks go: as segments leave in the order they were
// made in, all that a mark is about has left, or was checked against it when it moved.
func (rm *room) drop(place int, budget int64) error {
	s := rm.s
	info := &s.ix.segments[place]
	rm.keeping = true
	defer func() { rm.keeping = false }()
	info.state.Store(segmentLeaving) // from now on nobody publishes a record of it
	l := leaving{rm: rm, place: place, budget: budget, now: time.Now().UnixNano()}
	if err := l.leave(); err != nil {
		return err
	}
	if l.marks {
		l.dropMarks = true // now that no item is left that they are about
		if err := l.leave(); err != nil {
			return err
		}
	}
	return rm.discard(place)
}

// leaving is what there is to know while a segment leaves.
type leaving struct {
	rm        *room
	place     int
	budget    int64 // bytes of survivors
	now       int64
	marks     bool // there are marks in the segment
	dropMarks bool
}

func (l *leaving) leave() error {
	for i := range l.rm.s.ix.regions {
		if err := l.leaveRegion(&l.rm.s.ix.regions[i]); err != nil {
			return err
		}
	}
	return nil
}

// discard removes the file of a segment that no slot leads to.
func (rm *room) discard(place int) error {
	s := rm.s
	info := &s.ix.segments[place]
	id, size := info.id.Load(), info.alloc.Load()
	if g := s.segment(place); g != nil && g.id == id {
		punch(g.file, size)
	}
	if err := rm.remove(s.path(segmentName(id)), size); err != nil {
		return err
	}
	info.id.Store(0)
	info.state.Store(0)
	s.ix.drops.Add(1)
	return nil
}

// leaveRegion removes or moves all slots of r that lead to the segment.
func (l *leaving) leaveRegion(r *region) error {
	s := l.rm.s
	s.ix.lock(r)
	defer s.ix.unlock(r)
	slots := r.slots(s.ix.m)
	for i := 0; i < len(slots); {
		v := slot(slots[i].Load())
		if v == 0 || v.place() != l.place {
			i++
			continue
		}
		f, ok := s.follow(v)
		f.spot, f.at = &slots[i], i
		if ok && l.stays(&f) {
			i++
			continue
		}
		s.ix.removeLocked(r, slots, i) // another slot may stand at i now
		if err := l.forget(&f, ok); err != nil {
			return err
		}
	}
	return nil
}

// stays reports whether the slot of f stays: because it leads elsewhere now, or for a mark because
// items have to be checked against it first.
func (l *leaving) stays(f *found) bool {
	if f.kind == kindMark {
		l.marks = true
		return !l.dropMarks
	}
	return l.survive(f)
}

// forget accounts for a record that is gone; ok is false if it cannot be read.
func (l *leaving) forget(f *found, ok bool) error {
	if !ok {
		l.rm.s.ix.entries.Add(-1)
		return nil
	}
	l.rm.s.tally(f, -1)
	if f.kind != kindMark {
		l.rm.s.ix.evicted.Add(1)
	}
	return l.rm.forgetLarge(f)
}

// survive moves f to the active segment if it deserves that, and reports whether it did.
func (l *leaving) survive(f *found) bool {
	rm, s := l.rm, l.rm.s
	if f.slot&usedBit == 0 && !rm.compacting || f.size() > l.budget || f.expired(l.now) {
		return false
	}
	meta, value, err := f.seg.read(f.off, &f.recordInfo)
	if err != nil {
		return false
	}
	item, err := f.item(meta)
	if err != nil {
		return false
	}
	seq := s.ix.seq.Load()
	if s.marked(item.Tags, f.seq) {
		return false
	}
	v, ok := rm.moveTo(f, meta, value)
	if !ok || s.marked(item.Tags, seq) {
		return false
	}
	l.budget -= f.size()
	f.spot.Store(uint64(v))
	s.tally(f, -1)
	if moved, ok := s.follow(v); ok {
		s.tally(&moved, 1)
		rm.moveLarge(f, &moved)
	}
	return true
}

// moveTo writes a copy of f to the active segment and returns the slot that leads to it.
func (rm *room) moveTo(f *found, meta, value []byte) (slot, bool) {
	key := f.seg.key(f.off, &f.recordInfo)
	prefix := f.appendHead(make([]byte, 0, recordHead+len(key)+len(meta)))
	prefix = append(append(prefix, key...), meta...)
	g, off, err := rm.s.append(context.Background(), &f.recordInfo, prefix, value, rm)
	if err != nil {
		return 0, false
	}
	return newSlot(f.slot.fingerprint(), g.place, off), true
}
