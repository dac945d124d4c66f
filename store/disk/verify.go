// verify.go checks every byte that could be served, and mends what it can.

package disk

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"
)

// Damage is one thing found wrong.
type Damage struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Key    string `json:"key,omitempty"` // as far as it can be read
	Reason string `json:"reason"`
}

// Report is what [Store.Verify] and [Store.Repair] found.
type Report struct {
	Entries int64    `json:"entries"` // sound items, expired ones among them
	Bytes   int64    `json:"bytes"`   // of their values
	Expired int64    `json:"expired"`
	Damaged []Damage `json:"damaged,omitempty"`
}

// maxDamages bounds a report; a folder with more is best cleared.
const maxDamages = 10_000

// Verify reads and checks every item. Others may read and write meanwhile. Parts of the folder that
// nothing leads to, such as what a killed process left half-written, cannot be served and are not
// damage.
func (s *Store) Verify(ctx context.Context) (Report, error) {
	return s.inspect(ctx, func(*region, slot) error { return nil })
}

// Repair is [Store.Verify] and also removes what is damaged and files that no item needs, and
// counts anew.
func (s *Store) Repair(ctx context.Context) (Report, error) {
	report, err := s.inspect(ctx, func(r *region, v slot) error {
		return s.inRoom(ctx, nil, func(rm *room) error { return rm.removeSlot(r, v) })
	})
	if err != nil {
		return report, err
	}
	return report, s.change(ctx, func() error {
		return s.inRoom(ctx, nil, func(rm *room) error { return rm.recountAll() })
	})
}

// GC removes expired items, items of deleted tags and files that no item needs, packs the items of
// old segments that are mostly empty, and returns by how many bytes the folder shrank.
func (s *Store) GC(ctx context.Context) (freed int64, err error) {
	err = s.change(ctx, func() error {
		before := s.ix.bytes.Load()
		if err := s.removeGone(ctx); err != nil {
			return err
		}
		return s.inRoom(ctx, nil, func(rm *room) error {
			if err := rm.compact(ctx); err != nil {
				return err
			}
			err := rm.recountAll()
			freed = max(0, before-s.ix.bytes.Load())
			return err
		})
	})
	return freed, err
}

// inspect checks all items and calls mend for each damaged one.
func (s *Store) inspect(
	ctx context.Context, mend func(*region, slot) error,
) (report Report, err error) {
	for i := range regionCount {
		err := s.inspectRegion(ctx, i, &report, mend)
		if err != nil {
			return report, err
		}
	}
	return report, nil
}

func (s *Store) inspectRegion(
	ctx context.Context, i int, report *Report, mend func(*region, slot) error,
) (err error) {
	now := time.Now().UnixNano()
	if err := s.enter(ctx, now); err != nil {
		return err
	}
	defer s.leave()
	defer s.guard(debug.SetPanicOnFault(true), &err)
	r := &s.ix.regions[i]
	for _, v := range s.ix.snapshot(r) {
		damage := s.inspectSlot(i, v, report, now)
		if damage == nil || !s.stillThere(r, v) {
			continue
		}
		if len(report.Damaged) < maxDamages {
			report.Damaged = append(report.Damaged, *damage)
		}
		if err := mend(r, v); err != nil {
			return err
		}
	}
	return nil
}

// stillThere reports whether v is still a slot of r: what left while it was read is no damage.
func (s *Store) stillThere(r *region, v slot) bool {
	slots := r.slots(s.ix.m)
	for i := range slots {
		if v.same(slot(slots[i].Load())) {
			return true
		}
	}
	return false
}

// inspectSlot checks what the slot v of region i leads to.
func (s *Store) inspectSlot(i int, v slot, report *Report, now int64) *Damage {
	f, ok := s.safeFollow(v)
	damage := &Damage{Offset: f.off}
	if f.seg != nil {
		damage.File = segmentName(f.seg.id)
	}
	if !ok {
		damage.Reason = "no record where the index says"
		return damage
	}
	size, key, err := s.inspectRecord(i, &f)
	if err != nil {
		damage.Key, damage.Reason = key, err.Error()
		return damage
	}
	if f.kind != kindMark {
		report.Entries++
		report.Bytes += size
		if f.expired(now) {
			report.Expired++
		}
	}
	return nil
}

// safeFollow is follow for a segment whose file may be cut short.
func (s *Store) safeFollow(v slot) (f found, ok bool) {
	var fault error
	defer func() {
		if fault != nil {
			ok = false
		}
	}()
	defer s.guard(true, &fault)
	f, ok = s.follow(v)
	return f, ok
}

// inspectRecord checks a record, that its slot is in the right place, and its large file.
func (s *Store) inspectRecord(i int, f *found) (size int64, key string, err error) {
	defer s.guard(true, &err)
	key = string(f.seg.key(f.off, &f.recordInfo))
	meta, value, err := f.seg.read(f.off, &f.recordInfo)
	if err != nil {
		return 0, key, err
	}
	hash := s.ix.hash(f.kind, key)
	if int(hash>>56) != i || hash&fingerprints != f.slot.fingerprint() {
		return 0, key, fmt.Errorf("%w: the index leads to another key", errDamaged)
	}
	if _, err := f.item(meta); err != nil || f.kind != kindLarge {
		return f.valueLen, key, err
	}
	ref, ok := parseLargeRef(value)
	if !ok {
		return 0, key, fmt.Errorf("%w: name of a large file", errDamaged)
	}
	return ref.size, key, s.inspectLarge(key, ref)
}

func (s *Store) inspectLarge(key string, ref largeRef) error {
	r, err := s.openLarge(key, ref)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// removeSlot removes the slot v of r, if it is still there, with all that belongs to it.
func (rm *room) removeSlot(r *region, v slot) error {
	f, ok, removed := rm.takeSlot(r, v)
	if !removed || !ok {
		return nil
	}
	rm.s.tally(&f, -1)
	return rm.forgetLarge(&f)
}

func (rm *room) takeSlot(r *region, v slot) (f found, ok, removed bool) {
	s := rm.s
	s.ix.lock(r)
	defer s.ix.unlock(r)
	slots := r.slots(s.ix.m)
	for i := range slots {
		if now := slot(slots[i].Load()); now != 0 && v.same(now) {
			f, ok = s.safeFollow(v)
			s.ix.removeLocked(r, slots, i)
			return f, ok, true
		}
	}
	return f, false, false
}

// removeGone removes items that are expired or whose tag was deleted.
func (s *Store) removeGone(ctx context.Context) error {
	now := time.Now().UnixNano()
	for i := range s.ix.regions {
		gone := s.goneSlots(&s.ix.regions[i], now)
		if len(gone) == 0 {
			continue
		}
		err := s.inRoom(ctx, nil, func(rm *room) error {
			return rm.removeSlots(&s.ix.regions[i], gone)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (rm *room) removeSlots(r *region, gone []slot) error {
	for _, v := range gone {
		if err := rm.removeSlot(r, v); err != nil {
			return err
		}
	}
	return nil
}

// goneSlots returns the slots of r whose items must no longer be returned.
func (s *Store) goneSlots(r *region, now int64) (gone []slot) {
	for _, v := range s.ix.snapshot(r) {
		f, ok := s.follow(v)
		if !ok || f.kind == kindMark {
			continue
		}
		if _, ok := s.info(&f); !ok || f.expired(now) {
			gone = append(gone, v)
		}
	}
	return gone
}

// compact has empty segments leave, and old ones that are more than half empty after their items
// moved. Segments leave in order: see drop.
func (rm *room) compact(ctx context.Context) error {
	s := rm.s
	if err := rm.roll(int(s.ix.active.Load() & placeMask)); err != nil {
		return err
	}
	rm.compacting = true
	defer func() { rm.compacting = false }()
	for ctx.Err() == nil {
		place, ok := rm.victim()
		info := &s.ix.segments[place]
		if !ok || info.live.Load() > info.alloc.Load()/2 {
			return nil
		}
		if err := rm.drop(place, info.limit.Load()); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// recountAll counts files and items anew.
func (rm *room) recountAll() error {
	if err := rm.recount(true); err != nil {
		return err
	}
	s := rm.s
	var entries, marks, live int64
	perSegment := make([]int64, segmentCount)
	for i := range s.ix.regions {
		for _, v := range s.ix.snapshot(&s.ix.regions[i]) {
			f, ok := s.follow(v)
			if !ok {
				continue
			}
			if f.kind == kindMark {
				marks++
			} else {
				entries++
			}
			live += f.size() + f.largeSize()
			perSegment[v.place()] += f.size()
		}
	}
	s.ix.entries.Store(entries)
	s.ix.marks.Store(marks)
	s.ix.live.Store(live)
	for place, n := range perSegment {
		s.ix.segments[place].live.Store(n)
	}
	return nil
}
