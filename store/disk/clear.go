// clear.go empties the folder.

package disk

import (
	"context"
	"fmt"
	"os"
)

// Clear implements [store.Clearer]. It also begins the folder's counters anew. A value that is
// being written meanwhile may stay.
func (s *Store) Clear(ctx context.Context) error {
	return s.change(ctx, func() error {
		return s.inRoom(ctx, nil, func(rm *room) error {
			for place := range s.ix.segments {
				if s.ix.segments[place].id.Load() == 0 {
					continue
				}
				if err := rm.drop(place, 0); err != nil {
					return err
				}
			}
			if err := rm.recount(true); err != nil {
				return err
			}
			return rm.renewIndex()
		})
	})
}

// renewIndex puts an empty index in the place of one that has grown and now leads nowhere. All who
// have the old one open find no segment in it, and look at the folder again.
func (rm *room) renewIndex() error {
	s, temp := rm.s, rm.s.path(indexFile+".new")
	fresh := &Store{dir: s.dir}
	if err := fresh.freshIndex(temp, s.ix.head.folder); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	defer fresh.ix.close()
	size := fresh.ix.indexBytes.Load()
	fresh.ix.limit.Store(s.ix.limit.Load())
	fresh.ix.bytes.Store(s.ix.bytes.Load() - s.ix.indexBytes.Load() + size)
	fresh.ix.seq.Store(s.ix.seq.Load())
	fresh.ix.lastSegment.Store(s.ix.lastSegment.Load())
	fresh.ix.lastLarge.Store(s.ix.lastLarge.Load())
	if err := os.Rename(temp, s.path(indexFile)); err != nil {
		os.Remove(temp)
		return fmt.Errorf("disk: %w", err)
	}
	s.suspect.Store(true)
	return nil
}
