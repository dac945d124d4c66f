// room.go changes the size of things: one process at a time is in the room, the others wait.

package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"github.com/larder-go/larder/store"
)

// room is proof that this goroutine alone, of all processes, may change the size of files. The
// lock is the kernel's (flock), so a process that dies in the room has left it. What it had begun
// is in shared.dirty, and the next one to enter puts it right.
type room struct {
	s          *Store
	keeping    bool // while a segment leaves, its survivors may use the headroom
	compacting bool // all that can be found survives, read or not
}

const (
	dirtyFiles = 1 // segments or the index were changing
	dirtyLarge = 2 // large files were changing, too
)

// roomPatience is how long to wait for a process that lives but does not leave the room.
const roomPatience = 30 * time.Second

// inRoom runs fn in the room, in rm if the caller is there already.
func (s *Store) inRoom(ctx context.Context, rm *room, fn func(*room) error) error {
	if rm != nil {
		return fn(rm)
	}
	select {
	case s.inside <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.inside }()
	if err := s.lockRoom(ctx); err != nil {
		return err
	}
	defer unlockFile(s.roomFile)
	if !s.intact() {
		s.suspect.Store(true)
		return errMoved
	}
	rm = &room{s: s}
	if left := s.ix.dirty.Load(); left != 0 {
		if err := rm.recount(left == dirtyLarge); err != nil {
			return err
		}
	}
	s.ix.dirty.Store(dirtyFiles)
	err := fn(rm)
	s.ix.dirty.Store(0) // not deferred: after a panic the next one counts anew
	return err
}

// lockRoom waits for the room.
func (s *Store) lockRoom(ctx context.Context) error {
	wait := 20 * time.Microsecond
	for begin := time.Now(); ; {
		ok, err := tryLock(s.roomFile)
		if ok || err != nil {
			return err
		}
		if time.Since(begin) > roomPatience {
			return fmt.Errorf("disk: %s: a process holds the folder's lock since %v and does not "+
				"answer (was it stopped?)", s.dir, roomPatience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Millisecond)
	}
}

// segmentLimit is the size of new segments: small enough that one of them leaving is no loss.
func (s *Store) segmentLimit() int64 { return segmentLimit(s.ix.limit.Load()) }

func segmentLimit(folder int64) int64 {
	limit := int64(64 << 10)
	for limit*2 <= folder/64 && limit < maxSegment {
		limit *= 2
	}
	return limit
}

// survivors is how many bytes of a leaving segment may stay: enough for what is in use, and each
// segment that leaves still makes room for others.
func (s *Store) survivors() int64 { return s.segmentLimit() / 4 * 3 }

// largeFrom is the length of the longest value that lies in a segment.
func (s *Store) largeFrom() int64 { return min(s.segmentLimit()/8, 256<<10) }

// fits reports whether n bytes more keep the limit. Survivors of a leaving segment may use the
// headroom; the leaving one gives more back.
func (rm *room) fits(n int64) bool {
	limit := rm.s.ix.limit.Load()
	if !rm.keeping {
		limit -= rm.s.headroom()
	}
	return rm.s.ix.bytes.Load()+n <= limit
}

// headroom is what is left free: a segment for survivors, and so much that somebody who walks over
// the folder, adding up sizes of different moments, does not find more than the limit either.
func (s *Store) headroom() int64 {
	return max(s.segmentLimit(), min(s.ix.limit.Load()/16, 4<<20))
}

// ensure makes room for n bytes: files of dead writers go first, then the oldest segments.
func (rm *room) ensure(n int64) error {
	if rm.fits(n) {
		return nil
	}
	if err := rm.sweepTemp(); err != nil {
		return err
	}
	for !rm.fits(n) {
		place, ok := rm.victim()
		if !ok || rm.keeping {
			return rm.lastRoom(n)
		}
		if err := rm.drop(place, rm.s.survivors()); err != nil {
			return err
		}
	}
	return nil
}

// lastRoom counts anew before it says that there is no room: files may have been removed by others.
func (rm *room) lastRoom(n int64) error {
	if !rm.keeping {
		if err := rm.recount(true); err != nil {
			return err
		}
	}
	if rm.fits(n) {
		return nil
	}
	return fmt.Errorf("%w: no room for %d bytes within the limit of %d of %s",
		store.ErrTooLarge, n, rm.s.ix.limit.Load(), rm.s.dir)
}

// victim returns the place of the segment that leaves next: always the oldest, because marks and
// deletions count on that order. The active one stays.
func (rm *room) victim() (place int, ok bool) {
	active := rm.s.activePlace()
	oldest := ^uint64(0)
	for i := range rm.s.ix.segments {
		id := rm.s.ix.segments[i].id.Load()
		if id != 0 && id < oldest && i != active {
			place, oldest, ok = i, id, true
		}
	}
	return place, ok
}

// extend makes the file of g at least end bytes long.
func (rm *room) extend(g *segment, end int64) error {
	info := &rm.s.ix.segments[g.place]
	for rm.s.stands(g) { // else publish will notice
		alloc, limit := info.alloc.Load(), info.limit.Load()
		if alloc >= end {
			return nil
		}
		size := min(limit, max(end, alloc+min(alloc, limit/4, 4<<20)))
		if rm.fits(size - alloc) {
			if err := rm.enlarge(g.file, alloc, size); err != nil {
				return err
			}
			info.alloc.Store(size)
			return nil
		}
		if err := rm.ensure(size - alloc); err != nil { // survivors may have extended g
			return err
		}
	}
	return nil
}

// enlarge makes f grow from one size to another; the caller has made sure that it fits. The bytes
// are counted before they exist: who dies in between leaves the count too high, never too low.
func (rm *room) enlarge(f *os.File, from, size int64) error {
	rm.s.ix.bytes.Add(size - from)
	if err := grow(f, from, size); err != nil {
		_ = f.Truncate(from) // a part may have been made; if not even that works, recount will tell
		rm.s.ix.bytes.Add(from - size)
		return fmt.Errorf("disk: make room in %s: %w", f.Name(), err)
	}
	return nil
}

// roll makes a new active segment, unless that has been done since place was active.
func (rm *room) roll(place int) error {
	s := rm.s
	limit := s.segmentLimit()
	first := min(limit, 64<<10)
	free, err := rm.makePlace(first)
	if err != nil {
		return err
	}
	if now := s.activePlace(); now != place {
		return nil // by another process, or for the survivors of a segment that has just left
	}
	info := &s.ix.segments[free]
	id := s.ix.lastSegment.Add(1)
	if err := rm.createSegment(id, first); err != nil {
		return err
	}
	info.limit.Store(limit)
	info.alloc.Store(first)
	info.live.Store(0)
	info.large.Store(0)
	info.created.Store(time.Now().UnixNano())
	info.tail.Store(segmentHead)
	info.state.Store(segmentLive)
	info.id.Store(id)
	s.ix.active.Store(uint64(free))
	return nil
}

// makePlace makes room for n bytes and returns a free place in the table of segments.
func (rm *room) makePlace(n int64) (int, error) {
	for {
		if err := rm.ensure(n); err != nil {
			return 0, err
		}
		for i := range rm.s.ix.segments {
			if rm.s.ix.segments[i].id.Load() == 0 {
				return i, nil
			}
		}
		place, ok := rm.victim()
		if !ok || rm.keeping {
			return 0, fmt.Errorf("disk: %s: all %d segments in use", rm.s.dir, segmentCount)
		}
		if err := rm.drop(place, rm.s.survivors()); err != nil {
			return 0, err
		}
	}
}

func (rm *room) createSegment(id uint64, size int64) error {
	path := rm.s.path(segmentName(id))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	defer f.Close()
	if err := rm.enlarge(f, 0, size); err != nil {
		os.Remove(path)
		return err
	}
	head := appendSegmentHead(nil, id, rm.s.ix.head.folder, rand.Uint32())
	if _, err := f.WriteAt(head, 0); err != nil {
		os.Remove(path)
		rm.s.ix.bytes.Add(-size)
		return fmt.Errorf("disk: %w", err)
	}
	return nil
}

// grow doubles the slots of r. Most of the time the index file has room for them already.
func (s *Store) grow(ctx context.Context, r *region, rm *room) error {
	n := int64(grownSlots(r.slots(s.ix.m))) * 8
	off := s.ix.indexEnd.Add(n) - n
	if off+n > s.ix.indexBytes.Load() {
		err := s.inRoom(ctx, rm, func(rm *room) error { return rm.extendIndex(off + n) })
		if err != nil {
			s.ix.indexEnd.CompareAndSwap(off+n, off)
			return err
		}
	}
	defer s.ix.unlock(r, s.ix.lock(r))
	if int64(grownSlots(r.slots(s.ix.m)))*8 == n { // else another process has grown it
		s.ix.growLocked(r, off)
	}
	return nil
}

func (rm *room) extendIndex(end int64) error {
	x := rm.s.ix
	size := x.indexBytes.Load()
	if end <= size {
		return nil
	}
	if end > int64(len(x.m)) {
		return fmt.Errorf("disk: %s: index is full at %d bytes", rm.s.dir, size)
	}
	bigger := min(int64(len(x.m)), max(end, size+max(size/8, 64<<10)))
	if err := rm.ensure(bigger - size); err != nil {
		return err
	}
	if err := rm.enlarge(x.file, size, bigger); err != nil {
		return err
	}
	x.indexBytes.Store(bigger)
	return nil
}

// remove deletes a file whose bytes are counted. Others may still have it open. One that is gone
// already was counted by whoever removed it.
func (rm *room) remove(path string, size int64) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	rm.s.ix.bytes.Add(-size)
	return nil
}
