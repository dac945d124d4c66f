// drop.go has a segment leave: what was read since it was written moves on, the rest goes.

package disk

import (
	"context"
	"fmt"
	"os"
	"time"
)

// drop removes the segment at place. Up to budget bytes of its records move to the active segment:
// those that were read since they were written. Marks go: as segments leave in the order they were
// made in, all that a mark is about has left, or was checked against it when it moved.
func (rm *room) drop(place int, budget int64) error {
	s := rm.s
	info := &s.ix.segments[place]
	if s.ix.large.Load() > 0 {
		s.ix.dirty.Store(dirtyLarge) // before nothing leads to the files any more
	}
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

// discard removes the file of a segment that no slot leads to.
func (rm *room) discard(place int) error {
	s := rm.s
	info := &s.ix.segments[place]
	id := info.id.Load()
	path := s.path(segmentName(id))
	punchFile(path)
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("disk: %w", err)
	}
	s.ix.bytes.Add(-info.alloc.Load())
	info.id.Store(0)
	info.state.Store(0)
	s.ix.drops.Add(1)
	return nil
}

// punchFile frees the blocks of a file that others may still have mapped. Where that cannot be
// done they are free when the last of them has closed it.
func punchFile(path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if stat, err := f.Stat(); err == nil {
		punch(f, stat.Size())
	}
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
		r := &l.rm.s.ix.regions[i]
		for _, v := range l.slotsOf(r) {
			if err := l.part(r, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// slotsOf returns the slots of r that lead to the segment. None comes to them any more.
func (l *leaving) slotsOf(r *region) (all []slot) {
	x := l.rm.s.ix
	defer x.unlock(r, x.lock(r))
	slots := r.slots(x.m)
	for i := range slots {
		if v := slot(slots[i].Load()); v != 0 && v.place() == l.place {
			all = append(all, v)
		}
	}
	return all
}

// part lets one record survive or go. The region is locked for the change of the slot alone, not
// while files are read and written.
func (l *leaving) part(r *region, v slot) error {
	rm := l.rm
	f, ok := rm.s.follow(v)
	if ok && f.kind == kindMark && !l.dropMarks {
		l.marks = true
		return nil
	}
	if ok && f.kind != kindMark && l.survive(r, &f) {
		return nil
	}
	if !rm.changeSlot(r, v, 0) || !ok {
		return nil
	}
	if f.kind != kindMark {
		rm.s.ix.evicted.Add(1)
	}
	return rm.forget(&f)
}

// forget accounts for a record that no slot leads to any more, and removes its large file.
func (rm *room) forget(f *found) error {
	rm.s.tally(f, -1)
	return rm.forgetLarge(f)
}

// survive moves f to the active segment if it deserves that, and reports whether it did. DeleteTag
// is in the room too, so no tag is deleted between the look at the marks and the move.
func (l *leaving) survive(r *region, f *found) bool {
	rm, s := l.rm, l.rm.s
	if f.slot&usedBit == 0 && !rm.compacting || f.size() > l.budget || f.expired(l.now) {
		return false
	}
	meta, value, err := f.seg.read(f.off, &f.recordInfo)
	if err != nil {
		return false
	}
	item, err := f.item(meta)
	if err != nil || s.isMarked(item.Tags, f.seq) {
		return false
	}
	v, ok := rm.copyRecord(f, meta, value)
	if !ok || !rm.changeSlot(r, f.slot, v) {
		return false
	}
	l.budget -= f.size()
	s.tally(f, -1)
	if moved, ok := s.follow(v); ok {
		s.tally(&moved, 1)
		rm.moveLarge(f, &moved)
	}
	return true
}

// copyRecord writes a copy of f to the active segment and returns the slot that leads to it.
func (rm *room) copyRecord(f *found, meta, value []byte) (slot, bool) {
	key := f.seg.key(f.off, &f.recordInfo)
	prefix := f.appendHead(make([]byte, 0, recordHead+len(key)+len(meta)))
	prefix = append(append(prefix, key...), meta...)
	g, off, err := rm.s.append(context.Background(), &f.recordInfo, prefix, value, rm)
	if err != nil {
		return 0, false
	}
	return newSlot(f.slot.fingerprint(), g.place, off), true
}

// changeSlot makes the slot old of r the slot v, or removes it if v is 0. It reports whether old was
// still there.
func (rm *room) changeSlot(r *region, old, v slot) bool {
	x := rm.s.ix
	defer x.unlock(r, x.lock(r))
	slots := r.slots(x.m)
	i := place(slots, old)
	switch {
	case i < 0:
		return false
	case v == 0:
		x.removeLocked(r, slots, i)
	default:
		slots[i].Store(uint64(v))
	}
	return true
}
