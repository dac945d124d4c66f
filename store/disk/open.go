// open.go maps the index of a folder, and makes it where there is none.

package disk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/larder-go/larder/store"
)

// tagText marks the folder as a cache for backup programs (https://bford.info/cachedir/).
const tagText = "Signature: 8a477f597d28d172789f06886806bc55\n" +
	"# This folder is a cache made by larder. It may be deleted at any time.\n"

// open opens the folder; no call is under way. It tries again if another process replaces the
// folder meanwhile.
func (s *Store) open() error {
	var err error
	for tries := range maxTries {
		if err = s.openOnce(); err == nil {
			s.suspect.Store(false)
			s.looked.Store(time.Now().UnixNano())
			return nil
		}
		readOnly := s.readOnly
		s.release()
		// A reader cannot wait in the room until what others change is whole again.
		if !errors.Is(err, errMoved) && !(readOnly && tries < 5 && errors.Is(err, errDamagedIndex)) {
			return err
		}
	}
	return err
}

func (s *Store) openOnce() (err error) {
	defer s.guard(debug.SetPanicOnFault(true), &err)
	s.readOnly = s.o.ReadOnly
	var why error
	if !s.readOnly {
		if why = s.openRoom(); why != nil && !refused(why) {
			return why
		}
		s.readOnly = why != nil
	}
	err = s.mapIndex()
	if errors.Is(err, fs.ErrNotExist) && why != nil {
		return why // there is nothing to read, so say why nothing can be made
	}
	if s.readOnly || err != nil && !canBeMade(err) {
		return err
	}
	if err != nil {
		err = s.makeIndex()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return errMoved // somebody removes what we make
	}
	if err != nil {
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	s.seen.Store(s.ix.drops.Load())
	return nil
}

// canBeMade reports whether an index that cannot be opened can be made anew.
func canBeMade(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamagedIndex)
}

// refused reports whether the system does not let us write there.
func refused(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// openRoom makes the folder and opens the file whose lock is the room's.
func (s *Store) openRoom() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path(lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return errMoved // removed since it was made
	}
	if err != nil {
		return err
	}
	s.roomFile = f
	return nil
}

// mapIndex maps the index file and checks its head.
func (s *Store) mapIndex() error {
	flag := os.O_RDWR
	if s.readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(s.path(indexFile), flag, 0)
	if !s.readOnly && err != nil && refused(err) {
		s.readOnly = true
		f, err = os.OpenFile(s.path(indexFile), os.O_RDONLY, 0)
	}
	if err != nil {
		return err
	}
	x, err := newIndex(f, s.readOnly)
	if err == nil {
		err = x.check(s.dir)
	}
	if err != nil {
		if x != nil {
			unmapFile(x.m)
		}
		f.Close()
		return err
	}
	s.ix = x
	return nil
}

func newIndex(f *os.File, readOnly bool) (*index, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if stat.Size() < sharedBytes {
		return nil, fmt.Errorf("%w: %d bytes", errDamagedIndex, stat.Size())
	}
	m, err := mapFile(f, indexSpan, readOnly)
	if err != nil {
		return nil, err
	}
	x := &index{shared: overlay(m), m: m, file: f, process: processToken()}
	x.nonce.Store(rand.Uint64())
	return x, nil
}

// check looks at what an index must hold whatever happened to the machine.
func (x *index) check(dir string) error {
	if err := x.head.check(dir); err != nil {
		return err
	}
	stat, err := x.file.Stat()
	if err != nil {
		return err
	}
	if x.replaced.Load() != 0 {
		if !sameFile(x.file, filepath.Join(dir, indexFile)) {
			return errMoved
		}
		return fmt.Errorf("%w: replaced by none", errDamagedIndex)
	}
	if end := x.indexEnd.Load(); end < slotsAt || end > stat.Size()+indexSpan/4 {
		return fmt.Errorf("%w: it ends at %d", errDamagedIndex, end)
	}
	for i := range x.regions {
		off, n, _ := parseExtent(x.regions[i].extent.Load())
		if x.regions[i].slots(x.m) == nil || off+n*8 > stat.Size() {
			return fmt.Errorf("%w: region %d is not where it says", errDamagedIndex, i)
		}
	}
	for i := range x.segments {
		if info := &x.segments[i]; info.id.Load() != 0 && !info.plausible() {
			return fmt.Errorf("%w: segment %d cannot be so", errDamagedIndex, i)
		}
	}
	if limit := x.limit.Load(); limit < MinMaxBytes || x.active.Load() >= segmentCount {
		return fmt.Errorf("%w: limit of %d bytes", errDamagedIndex, limit)
	}
	return nil
}

// plausible reports whether the sizes of a segment can be so.
func (info *segmentInfo) plausible() bool {
	limit, alloc := info.limit.Load(), info.alloc.Load()
	return segmentHead <= alloc && alloc <= limit && limit <= maxSegment && info.tail.Load() >= 0
}

// makeIndex makes an index, from the segments if there are any. Another process may be faster.
func (s *Store) makeIndex() error {
	if err := s.lockRoom(context.Background()); err != nil {
		return err
	}
	defer unlockFile(s.roomFile)
	if !sameFile(s.roomFile, s.path(lockFile)) {
		return errMoved
	}
	err := s.mapIndex()
	if err == nil || !canBeMade(err) {
		return err
	}
	files, err := s.segmentFiles()
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path(tagFile), []byte(tagText), 0o600); err != nil {
		return err
	}
	limit, err := s.keepLimit()
	if err != nil {
		return err
	}
	os.Remove(s.path(indexFile)) // damaged: it would count, and two may be more than the limit
	if err := s.freshIndex(s.path(newIndexFile), s.folderOf(files)); err != nil {
		return err
	}
	if err := s.rebuild(files, limit); err != nil {
		return fmt.Errorf("rebuild the index: %w", err)
	}
	return os.Rename(s.path(newIndexFile), s.path(indexFile))
}

// keepLimit returns the limit of the folder, which is also in the lock file for the day on which
// the index is lost.
func (s *Store) keepLimit() (int64, error) {
	var limit int64
	text := make([]byte, limitDigits+1)
	if _, err := s.roomFile.ReadAt(text, 0); err == nil {
		limit, _ = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	}
	if limit < MinMaxBytes {
		limit = DefaultMaxBytes
	}
	return limit, s.writeLimit(limit)
}

// limitDigits is the fixed length of the limit in the lock file.
const limitDigits = 20

func (s *Store) writeLimit(limit int64) error {
	_, err := s.roomFile.WriteAt(fmt.Appendf(nil, "%0*d\n", limitDigits, limit), 0)
	return err
}

// freshIndexBytes is the size of an empty index.
func freshIndexBytes() int64 { return slotsAt + regionCount*firstSlots*8 }

// slotsAt is where the slots of an empty index begin.
const slotsAt = (sharedBytes + 63) &^ 63

// freshIndex makes an empty index at path and maps it.
func (s *Store) freshIndex(path string, folder uint64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	size := freshIndexBytes()
	if err := grow(f, 0, size); err != nil {
		f.Close()
		os.Remove(path)
		return err
	}
	x, err := newIndex(f, false)
	if err != nil {
		f.Close()
		os.Remove(path)
		return err
	}
	x.head = newHeader(rand.Uint64(), folder)
	for i := range x.regions {
		at := slotsAt + int64(i)*firstSlots*8
		x.regions[i].extent.Store(extentWord(at, 6)) // 1<<6 is firstSlots
	}
	x.indexBytes.Store(size)
	x.indexEnd.Store(size)
	x.limit.Store(DefaultMaxBytes)
	x.boot.Store(bootID())
	s.ix = x
	return nil
}

// settle brings the limit and, after a crash of the machine, all counters up to date.
func (s *Store) settle() error {
	if stat, err := s.roomFile.Stat(); err == nil && stat.Size() == 0 { // somebody removed it
		if err := s.writeLimit(s.ix.limit.Load()); err != nil {
			return err
		}
	}
	limit, boot := s.o.MaxBytes, bootID()
	if s.ix.boot.Load() == boot && (limit == 0 || limit == s.ix.limit.Load()) {
		return nil
	}
	return s.inRoom(context.Background(), nil, func(rm *room) error {
		if s.ix.boot.Load() != boot {
			if err := rm.recount(true); err != nil {
				return err
			}
			s.ix.boot.Store(boot)
		}
		if limit == 0 {
			return rm.shrink()
		}
		if least := s.ix.indexBytes.Load() + 2*MinMaxBytes/4; limit < least {
			return fmt.Errorf("%w: the index alone takes %d bytes, so the limit must be at least %d; "+
				"Clear makes it small again", store.ErrTooLarge, s.ix.indexBytes.Load(), least)
		}
		s.ix.limit.Store(limit)
		if err := s.writeLimit(limit); err != nil {
			return err
		}
		return rm.shrink()
	})
}

// shrink makes the folder keep a limit that may be lower than before.
func (rm *room) shrink() error {
	if rm.ensure(0) == nil {
		return nil
	}
	active := rm.s.activePlace() // made when a segment could be larger
	if rm.s.ix.segments[active].id.Load() != 0 {
		if err := rm.drop(active, 0); err != nil {
			return err
		}
	}
	return rm.ensure(0)
}

// folderOf returns the folder number that the newest readable segment names, or a new one.
func (s *Store) folderOf(files []segmentFile) uint64 {
	for i := len(files) - 1; i >= 0; i-- {
		head := make([]byte, segmentHead)
		f, err := os.Open(files[i].path)
		if err != nil {
			continue
		}
		_, err = f.ReadAt(head, 0)
		f.Close()
		folder := binary.LittleEndian.Uint64(head[24:])
		if err != nil {
			continue
		}
		if _, err := parseSegmentHead(head, files[i].id, folder); err == nil {
			return folder
		}
	}
	return rand.Uint64()
}

// fold makes one number of b.
func fold(b []byte) uint64 {
	return uint64(crc32.ChecksumIEEE(b))<<32 | uint64(crc32.Checksum(b, castagnoli))
}
