// clear.go empties the folder.

package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Clear implements [store.Clearer]. It also begins the folder's counters anew. A value that is
// being written piece by piece meanwhile is lost: its Commit fails.
func (s *Store) Clear(ctx context.Context) error {
	cleared := false
	return s.change(ctx, func() error {
		if cleared {
			return nil // change only wanted the new index to be opened
		}
		return s.inRoom(ctx, nil, func(rm *room) error {
			err := rm.clear()
			cleared = err == nil
			return err
		})
	})
}

// clear puts an empty index in the place of the one that leads to all there is, and then removes
// what nothing leads to any more.
func (rm *room) clear() error {
	s := rm.s
	fresh, err := rm.freshStore()
	if errors.Is(err, syscall.ENOSPC) { // make the room first
		if err := rm.dropAll(); err != nil {
			return err
		}
		fresh, err = rm.freshStore()
	}
	if err != nil {
		return err
	}
	defer fresh.ix.close()
	if err := os.Rename(s.path(newIndexFile), s.path(indexFile)); err != nil {
		os.Remove(s.path(newIndexFile))
		s.ix.bytes.Add(-freshIndexBytes())
		return fmt.Errorf("disk: %w", err)
	}
	s.ix.replaced.Store(1)
	s.ix.drops.Add(1) // all who have the old one open look at the folder again
	s.suspect.Store(true)
	if err := (&room{s: fresh}).sweepAll(); err != nil {
		return err // fresh stays dirty: the next one in the room tries again
	}
	fresh.ix.dirty.Store(0)
	return nil
}

// dropAll has all segments leave, the active one last.
func (rm *room) dropAll() error {
	for {
		place, ok := rm.victim()
		if !ok {
			place = rm.s.activePlace()
		}
		if rm.s.ix.segments[place].id.Load() == 0 {
			return nil
		}
		if err := rm.drop(place, 0); err != nil {
			return err
		}
	}
}

// freshStore makes an empty index that goes on where the old one ends. It is dirty, so that whoever
// comes after our death removes what it does not lead to.
func (rm *room) freshStore() (*Store, error) {
	s := rm.s
	size := freshIndexBytes()
	if err := rm.ensure(size); err != nil {
		return nil, err
	}
	s.ix.bytes.Add(size)
	fresh := &Store{dir: s.dir}
	if err := fresh.freshIndex(s.path(newIndexFile), s.ix.head.folder); err != nil {
		s.ix.bytes.Add(-size)
		return nil, fmt.Errorf("disk: %w", err)
	}
	fresh.ix.limit.Store(s.ix.limit.Load())
	fresh.ix.bytes.Store(s.ix.bytes.Load() - s.ix.indexBytes.Load())
	fresh.ix.seq.Store(s.ix.seq.Load())
	fresh.ix.lastSegment.Store(s.ix.lastSegment.Load())
	fresh.ix.lastLarge.Store(s.ix.lastLarge.Load())
	fresh.ix.dirty.Store(dirtyLarge)
	return fresh, nil
}

// sweepAll removes all files that hold items, of an index that leads to none.
func (rm *room) sweepAll() error {
	files, err := rm.s.segmentFiles()
	if err != nil {
		return err
	}
	for _, f := range files {
		punchFile(f.path)
	}
	return rm.recount(true)
}
