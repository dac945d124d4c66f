// gc.go gives back the room of what nobody can find any more.

package disk

import (
	"context"
	"errors"
	"syscall"
	"time"
)

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

// compact packs the segments if they are more than half empty on the whole, or else those at the
// beginning that are. Segments leave in order: see victim.
func (rm *room) compact(ctx context.Context) error {
	s := rm.s
	err := rm.roll(s.activePlace())
	if errors.Is(err, syscall.ENOSPC) {
		return rm.dropEmpty() // there is nowhere to pack to
	}
	if err != nil {
		return err
	}
	rm.compacting = true
	defer func() { rm.compacting = false }()
	segments, sparse := rm.sparse()
	for range segments {
		place, ok := rm.victim()
		info := &s.ix.segments[place]
		if !ok || !sparse && info.live.Load() > info.alloc.Load()/2 {
			return nil
		}
		if err := rm.drop(place, info.limit.Load()); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// dropEmpty has the oldest segments leave as long as nothing is in them.
func (rm *room) dropEmpty() error {
	for {
		place, ok := rm.victim()
		if !ok || rm.s.ix.segments[place].live.Load() > 0 {
			return nil
		}
		if err := rm.drop(place, 0); err != nil {
			return err
		}
	}
}

// sparse counts the segments before the active one, and says whether they are mostly empty.
func (rm *room) sparse() (segments int, sparse bool) {
	active := rm.s.activePlace()
	var live, alloc int64
	for i := range rm.s.ix.segments {
		if info := &rm.s.ix.segments[i]; info.id.Load() != 0 && i != active {
			segments++
			live += info.live.Load()
			alloc += info.alloc.Load()
		}
	}
	return segments, live < alloc/2
}
