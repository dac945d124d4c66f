// verify.go checks every byte that could be served, and mends what it can.

package disk

import (
	"context"
	"errors"
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
	if err := s.change(ctx, func() error { return nil }); err != nil {
		return Report{}, err // nothing can be repaired there
	}
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

// inspect checks all items and calls mend for each damaged one.
func (s *Store) inspect(
	ctx context.Context, mend func(*region, slot) error,
) (report Report, err error) {
	for range maxTries {
		report, err = s.inspectAll(ctx, mend)
		if !errors.Is(err, errMoved) {
			break
		}
	}
	return report, err
}

func (s *Store) inspectAll(
	ctx context.Context, mend func(*region, slot) error,
) (report Report, err error) {
	for i := range regionCount {
		if err := s.inspectRegion(ctx, i, &report, mend); err != nil {
			return report, err
		}
	}
	return report, nil
}

func (s *Store) inspectRegion(
	ctx context.Context, i int, report *Report, mend func(*region, slot) error,
) (err error) {
	now := time.Now().UnixNano()
	c, err := s.enter(ctx, now)
	if err != nil {
		return err
	}
	defer s.leave(c)
	defer s.guard(debug.SetPanicOnFault(true), &err)
	r := &s.ix.regions[i]
	for _, v := range s.ix.snapshot(r) {
		damage, err := s.inspectSlot(i, v, report, now)
		if err != nil {
			return err
		}
		if damage == nil || place(r.slots(s.ix.m), v) < 0 {
			continue // sound, or it left while it was read
		}
		if s.ix.replaced.Load() != 0 {
			return errMoved
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

// inspectSlot checks what the slot v of region i leads to. The error is of something that is not
// damage, such as too many open files.
func (s *Store) inspectSlot(i int, v slot, report *Report, now int64) (*Damage, error) {
	f, ok, err := s.safeFollow(v)
	if err != nil {
		return nil, err
	}
	damage := &Damage{Offset: f.off}
	if f.seg != nil {
		damage.File = segmentName(f.seg.id)
	}
	if !ok {
		damage.Reason = "no record where the index says"
		return damage, nil
	}
	size, key, err := s.inspectRecord(i, &f)
	if err != nil {
		damage.Key, damage.Reason = key, err.Error()
		return damage, onlyDamage(err)
	}
	if f.kind != kindMark {
		report.Entries++
		report.Bytes += size
		if f.expired(now) {
			report.Expired++
		}
	}
	return nil, nil
}

// onlyDamage returns err unless it says that something is damaged or gone.
func onlyDamage(err error) error {
	if errors.Is(err, errDamaged) || errors.Is(err, errGone) {
		return nil
	}
	return err
}

// safeFollow is follow for a segment whose file may be cut short.
func (s *Store) safeFollow(v slot) (f found, ok bool, err error) {
	f, ok, err = s.tryFollow(v)
	if err != nil {
		return f, false, onlyDamage(err)
	}
	return f, ok, nil
}

func (s *Store) tryFollow(v slot) (f found, ok bool, err error) {
	defer s.guard(true, &err)
	f, ok = s.follow(v)
	return f, ok, nil
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
	ref.folder = s.ix.head.folder
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
	f, ok, err := rm.s.safeFollow(v)
	if err != nil {
		return err
	}
	if f.kind == kindLarge {
		rm.s.ix.dirty.Store(dirtyLarge)
	}
	if !rm.changeSlot(r, v, 0) || !ok {
		return nil
	}
	return rm.forget(&f)
}

// recountAll counts files and items anew.
func (rm *room) recountAll() error {
	if err := rm.recount(true); err != nil {
		return err
	}
	s := rm.s
	var entries, live int64
	perSegment := make([]int64, segmentCount)
	for i := range s.ix.regions {
		for _, v := range s.ix.snapshot(&s.ix.regions[i]) {
			f, ok := s.follow(v)
			if !ok {
				continue
			}
			if f.kind != kindMark {
				entries++
			}
			live += f.size() + f.largeSize()
			perSegment[v.place()] += f.size()
		}
	}
	s.ix.entries.Store(entries)
	s.ix.live.Store(live)
	for place, n := range perSegment {
		s.ix.segments[place].live.Store(n)
	}
	return nil
}
