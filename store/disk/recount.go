// recount.go puts the folder right after a process died in the room, or the whole machine did.

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// recount compares the table of segments and the counted bytes with the files that are there.
// With large it also removes large files that no record names.
func (rm *room) recount(large bool) error {
	if fresh := rm.s.path(newIndexFile); !sameFile(rm.s.ix.file, fresh) {
		os.Remove(fresh) // who was making it has died
	}
	if err := rm.checkSegments(); err != nil {
		return err
	}
	if err := rm.sweepTemp(); err != nil {
		return err
	}
	if large {
		if err := rm.sweepLarge(); err != nil {
			return err
		}
	}
	bytes, err := folderBytes(rm.s.dir)
	if err != nil {
		return err
	}
	rm.s.ix.bytes.Store(bytes)
	size, err := rm.s.ix.file.Stat()
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	rm.s.ix.indexBytes.Store(size.Size())
	return nil
}

// checkSegments removes segments that were leaving or have lost their file, and files that no
// place in the table names.
func (rm *room) checkSegments() error {
	s, known := rm.s, map[string]bool{}
	for place := range s.ix.segments {
		info := &s.ix.segments[place]
		id := info.id.Load()
		if id == 0 {
			continue
		}
		size := int64(0)
		if stat, err := os.Stat(s.path(segmentName(id))); err == nil {
			size = stat.Size()
		}
		info.alloc.Store(min(size, info.limit.Load())) // what is not there must not be read
		if size < segmentHead || info.state.Load() != segmentLive || s.segment(place) == nil {
			if err := rm.drop(place, 0); err != nil {
				return err
			}
			continue
		}
		known[segmentName(id)] = true
	}
	return s.removeUnknown(known)
}

func (s *Store) removeUnknown(known map[string]bool) error {
	files, err := s.segmentFiles()
	if err != nil {
		return err
	}
	for _, f := range files {
		if !known[filepath.Base(f.path)] {
			if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("disk: %w", err)
			}
		}
	}
	return nil
}

// segmentFile is a file whose name is a segment's.
type segmentFile struct {
	path string
	id   uint64
}

// segmentFiles returns the segment files of the folder in the order they were made in.
func (s *Store) segmentFiles() ([]segmentFile, error) {
	names, err := os.ReadDir(s.dir) // sorted, and the names have one length
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	var all []segmentFile
	for _, e := range names {
		number, ok := strings.CutSuffix(e.Name(), ".seg")
		if id, err := strconv.ParseUint(number, 16, 64); ok && err == nil && len(number) == 16 {
			all = append(all, segmentFile{s.path(e.Name()), id})
		}
	}
	return all, nil
}

// sweepTemp removes the unfinished large files of writers that are gone: a living writer holds the
// lock of its file.
func (rm *room) sweepTemp() error {
	names, err := os.ReadDir(rm.s.path(tempDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("disk: %w", err)
	}
	for _, e := range names {
		if err := rm.sweepTempFile(rm.s.path(tempDir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (rm *room) sweepTempFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	defer f.Close()
	if free, err := tryLock(f); err != nil || !free {
		return err
	}
	stat, err := f.Stat()
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	return rm.remove(path, stat.Size())
}

// sweepLarge removes large files that no record names and counts the others.
func (rm *room) sweepLarge() error {
	s := rm.s
	named := s.namedLarge()
	s.ix.large.Store(int64(len(named)))
	return walkFiles(s.path(largeDir), func(path string, size int64) error {
		id, err := strconv.ParseUint(filepath.Base(path), 16, 64)
		if err == nil && named[id] {
			return nil
		}
		return rm.remove(path, size)
	})
}

// namedLarge returns the large files that records name.
func (s *Store) namedLarge() map[uint64]bool {
	named := map[uint64]bool{}
	for i := range s.ix.regions {
		for _, v := range s.ix.snapshot(&s.ix.regions[i]) {
			if f, ok := s.follow(v); ok && f.kind == kindLarge {
				if ref, ok := f.uncheckedRef(); ok {
					named[ref.id] = true
				}
			}
		}
	}
	return named
}

// folderBytes is the sum of the sizes of all files below dir.
func folderBytes(dir string) (sum int64, err error) {
	err = walkFiles(dir, func(_ string, size int64) error {
		sum += size
		return nil
	})
	return sum, err
}

// walkFiles calls fn for each file below dir. Files that vanish meanwhile are passed over.
func walkFiles(dir string, fn func(path string, size int64) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("disk: %w", err)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("disk: %w", err)
		}
		return fn(path, info.Size())
	})
}
