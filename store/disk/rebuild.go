// rebuild.go makes a new index from the records of the segments.

package disk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// rebuild fills the fresh index s.ix from files. The room is held. Every record is found, whatever
// lies between: it begins at a multiple of 16 bytes and its CRC is right at its place alone.
func (s *Store) rebuild(files []segmentFile, limit int64) error {
	rm := &room{s: s}
	s.ix.limit.Store(1 << 62) // nothing leaves while we look at what there is
	if len(files) > segmentCount-1 {
		files = files[len(files)-segmentCount+1:]
	}
	now := time.Now().UnixNano()
	for place, file := range files {
		if err := rm.rebuildSegment(place, file, now); err != nil {
			return err
		}
	}
	if len(files) > 0 {
		s.ix.active.Store(uint64(len(files) - 1))
	}
	return rm.rebuildRest(limit)
}

// rebuildSegment puts the records of one segment in the index. The segment is full from now on.
func (rm *room) rebuildSegment(place int, file segmentFile, now int64) error {
	s := rm.s
	stat, err := os.Stat(file.path)
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	info, size := &s.ix.segments[place], stat.Size()
	info.id.Store(file.id)
	info.state.Store(segmentLive)
	info.tail.Store(size)
	info.alloc.Store(size)
	info.limit.Store(size)
	info.created.Store(stat.ModTime().UnixNano())
	s.ix.lastSegment.Store(max(s.ix.lastSegment.Load(), file.id))
	g := s.segment(place)
	if g == nil {
		return rm.discard(place) // not a segment of ours, or its head is damaged
	}
	for off := int64(segmentHead); off+recordHead <= size; {
		n, err := rm.rebuildRecord(g, off, size, now)
		if err != nil {
			return err
		}
		off += n
	}
	return nil
}

// rebuildRecord puts the record at off in the index, if there is one, and returns how far to go on.
func (rm *room) rebuildRecord(g *segment, off, size, now int64) (int64, error) {
	r, ok := g.head(off, size)
	if !ok {
		return recordAlign, nil
	}
	if _, _, err := g.read(off, &r); err != nil {
		return recordAlign, nil
	}
	s, key := rm.s, string(g.key(off, &r))
	s.ix.seq.Store(max(s.ix.seq.Load(), r.seq))
	if r.kind == kindMark {
		s.ix.marked.Store(1)
	}
	hash := s.ix.hash(r.kind, key)
	if old, had := s.find(r.kind, key, hash); had && old.seq > r.seq {
		return r.size(), nil
	}
	v := newSlot(hash, g.place, off)
	if g.m[off+deadOffset] != 0 || r.expired(now) {
		v = 0
	}
	return r.size(), s.publishRebuilt(rm, r.kind, key, v, g)
}

// publishRebuilt is publish without the removal of large files: the newest record may name the
// file that the old one named.
func (s *Store) publishRebuilt(rm *room, k kind, key string, v slot, g *segment) error {
	hash := s.ix.hash(k, key)
	for range maxTries {
		_, _, err := s.swap(k, key, hash, v, g, rm)
		if err != errGrow {
			return err
		}
		if err := s.grow(context.Background(), s.ix.region(hash), rm); err != nil {
			return err
		}
	}
	return fmt.Errorf("disk: %s: index fills faster than it grows", s.dir)
}

// rebuildRest counts files and large values, and keeps the limit.
func (rm *room) rebuildRest(limit int64) error {
	s := rm.s
	if err := rm.rebuildLarge(); err != nil {
		return err
	}
	bytes, err := folderBytes(s.dir)
	if err != nil {
		return err
	}
	s.ix.bytes.Store(bytes)
	s.ix.limit.Store(limit)
	return rm.shrink()
}

func (rm *room) rebuildLarge() error {
	s := rm.s
	if err := rm.sweepLarge(); err != nil {
		return err
	}
	return walkFiles(s.path(largeDir), func(path string, size int64) error {
		id, err := strconv.ParseUint(filepath.Base(path), 16, 64)
		if err == nil {
			s.ix.lastLarge.Store(max(s.ix.lastLarge.Load(), id))
		}
		s.ix.live.Add(size)
		return nil
	})
}
