// disk.go opens and closes a folder; every call comes in through enter.

// Package disk keeps items in one folder that many processes read and write at once.
//
// Records are appended to segment files that all processes share; an index in shared memory leads
// from a key to its record, in one step whatever the size of the folder. A record carries its key
// and a CRC and is checked on every read: what does not check is a miss and is counted.
//
// There is no server and no lock that a dead process can leave behind. Nothing is forced to the
// disk: when the machine crashes the newest sets may be lost; when only a process dies (kill -9
// included) nothing that Set returned from is lost. The sum of all files of the folder is at no
// moment above Options.MaxBytes; room is made a segment at a time, the oldest first, and items of
// it that were read since they were written move to the front once more.
//
// The folder must be on a file system of this machine that can map files: a network share keeps
// the memory of two machines apart. One user at a time owns a folder (its files have mode 0600).
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/larder-go/larder/store"
)

// DefaultMaxBytes is the limit of a new folder whose Options name none.
const DefaultMaxBytes = 1 << 30

// MinMaxBytes is the smallest limit a folder can have.
const MinMaxBytes = 1 << 20

// ErrReadOnly is returned by calls that would change a folder that can only be read.
var ErrReadOnly = errors.New("disk: folder is read-only")

var errDamagedIndex = errors.New("disk: index damaged")

// Options of [Open]; the zero value works.
type Options struct {
	// MaxBytes bounds the sum of all files of the folder, in bytes, for all processes: the last
	// one to name a limit sets it. 0 keeps what the folder has, [DefaultMaxBytes] for a new one.
	MaxBytes int64
	// ReadOnly never writes, not even to create the folder; a folder that is not there is an
	// error that wraps fs.ErrNotExist.
	ReadOnly bool
}

// Store is an open folder. It implements [store.Store], [store.Lister], [store.TagDeleter],
// [store.Clearer], [store.Streamer] and [store.Leaser]. It starts no goroutine.
type Store struct {
	dir      string
	o        Options
	readOnly bool // by Options, or because the folder does not let us write

	mu       sync.RWMutex // held for reading while mapped memory is used, for writing to unmap it
	ix       *index       // nil when closed
	segments [segmentCount]atomic.Pointer[segment]

	opening sync.Mutex   // guards storing to segments while mu is held for reading, and retired
	retired []*segment   // left while calls may still read them; closed by refresh
	seen    uint64       // ix.drops when segments that left were last closed; guarded by mu
	looked  atomic.Int64 // when the folder was last looked at, Unix nanoseconds
	suspect atomic.Bool  // a mapped file was cut short: look again before the next call

	roomMu   sync.Mutex // one goroutine of this process in the room
	roomFile *os.File   // its lock keeps the other processes out

	hits, misses atomic.Uint64 // not yet added to the shared counters
}

// Open opens the folder dir, which it creates if need be. A folder that can be read but not written
// is opened all the same; its Set and Delete return [ErrReadOnly]. A damaged index is made anew
// from the segments; a folder of a newer format is refused.
func Open(dir string, o Options) (*Store, error) {
	if o.MaxBytes != 0 && o.MaxBytes < MinMaxBytes {
		return nil, fmt.Errorf("disk: MaxBytes %d is too small, it must be at least %d",
			o.MaxBytes, MinMaxBytes)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	s := &Store{dir: abs, o: o}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("disk: open %s: %w", dir, err)
	}
	return s, nil
}

// Dir returns the folder as an absolute path.
func (s *Store) Dir() string { return s.dir }

// Close implements [store.Store]. Items stay in the folder.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ix == nil {
		return nil
	}
	s.flushCounters()
	s.release()
	return nil
}

// release closes all files; s.mu is held for writing.
func (s *Store) release() {
	for i := range s.segments {
		s.retire(i)
	}
	s.closeRetired()
	s.ix.close()
	s.ix = nil
	if s.roomFile != nil {
		s.roomFile.Close()
		s.roomFile = nil
	}
}

func (x *index) close() {
	unmapFile(x.m)
	x.file.Close()
}

// lookEvery is how often a call looks whether the folder is still the one that was opened.
const lookEvery = int64(time.Second)

// enter prepares a call: afterwards mapped memory stays mapped until leave.
func (s *Store) enter(ctx context.Context, now int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	if s.ix != nil && s.ix.drops.Load() == s.seen && now-s.looked.Load() < lookEvery &&
		now >= s.looked.Load() && !s.suspect.Load() {
		return nil
	}
	s.mu.RUnlock()
	if err := s.refresh(now); err != nil {
		return err
	}
	s.mu.RLock()
	if s.ix == nil {
		s.mu.RUnlock()
		return store.ErrClosed
	}
	return nil
}

func (s *Store) leave() { s.mu.RUnlock() }

// refresh closes segments that have left, and opens the folder anew if it was removed or damaged
// under our feet.
func (s *Store) refresh(now int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ix == nil {
		return store.ErrClosed
	}
	s.looked.Store(now)
	if !s.intact() {
		s.release()
		return s.open()
	}
	s.suspect.Store(false)
	s.seen = s.ix.drops.Load()
	for i := range s.segments {
		if g := s.segments[i].Load(); g != nil && g.id != s.ix.segments[i].id.Load() {
			s.retire(i)
		}
	}
	s.closeRetired()
	return nil
}

// retire forgets the open segment at place; s.opening is held, or s.mu for writing.
func (s *Store) retire(place int) {
	if g := s.segments[place].Swap(nil); g != nil {
		s.retired = append(s.retired, g)
	}
}

// closeRetired closes what no call reads any more; s.mu is held for writing.
func (s *Store) closeRetired() {
	for _, g := range s.retired {
		g.close()
	}
	s.retired = nil
}

// intact reports whether the mapped index is still the file in the folder, in its full length.
func (s *Store) intact() bool {
	have, err := s.ix.file.Stat()
	if err != nil || have.Size() < sharedBytes || have.Size() < s.ix.indexBytes.Load() {
		return false
	}
	return sameFile(s.ix.file, s.path(indexFile))
}

const (
	indexFile = "index"
	lockFile  = "lock"
	largeDir  = "large"
	tempDir   = "tmp"
	leaseDir  = "lease"
	tagFile   = "CACHEDIR.TAG"
)

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// guard turns a fault in mapped memory, which is a file cut short or a disk that cannot be read,
// into an error. It is deferred first in every call that touches such memory.
func (s *Store) guard(old bool, err *error) {
	debug.SetPanicOnFault(old)
	r := recover()
	if r == nil {
		return
	}
	fault, ok := r.(interface{ Addr() uintptr })
	if !ok {
		panic(r)
	}
	s.suspect.Store(true)
	*err = fmt.Errorf("disk: %s: %w: file cut short or unreadable (address %#x)",
		s.dir, errDamaged, fault.Addr())
}

// hash is the place of a key in the index. Marks of tags have a space of their own.
func (x *index) hash(k kind, key string) uint64 {
	var d xxhash.Digest
	seed := x.head.seed
	if k == kindMark {
		seed = ^seed
	}
	d.ResetWithSeed(seed)
	_, _ = d.WriteString(key)
	return d.Sum64()
}

// segment returns the open segment at place, or nil if it has left or cannot be opened.
func (s *Store) segment(place int) *segment {
	info := &s.ix.segments[place]
	id := info.id.Load()
	if g := s.segments[place].Load(); g != nil && g.id == id {
		return g
	}
	if id == 0 {
		return nil
	}
	return s.openSegment(place, id)
}

func (s *Store) openSegment(place int, id uint64) *segment {
	s.opening.Lock()
	defer s.opening.Unlock()
	if g := s.segments[place].Load(); g != nil && g.id == id {
		return g
	}
	s.retire(place)
	g, err := s.mapSegment(place, id)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.countDamage()
		}
		return nil
	}
	s.segments[place].Store(g)
	return g
}

func (s *Store) countDamage() {
	if !s.readOnly {
		s.ix.damaged.Add(1)
	}
}
