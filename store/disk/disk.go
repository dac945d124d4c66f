// disk.go is the face of a folder: what it promises, its options, how it is opened.

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
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
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
	// Name says in a Snapshot which folder it is; "" means the last part of its path.
	Name string
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
	ix       *index       // nil when closed, or when a folder that was removed cannot be made again
	closed   bool         // by Close
	segments [segmentCount]atomic.Pointer[segment]

	opening sync.Mutex      // guards storing to segments while mu is held for reading, and
	retired []*segment      // left in this epoch: calls may still read them
	aged    []*segment      // left in the epoch before
	epoch   atomic.Uint64   // advanced by tidy
	calls   [2]atomic.Int64 // under way, by the epoch (even or odd) in which they began

	seen    atomic.Uint64 // ix.drops when segments that left were last closed
	looked  atomic.Int64  // when the folder was last looked at, Unix nanoseconds
	suspect atomic.Bool   // a mapped file was cut short: look again before the next call

	inside   chan struct{} // holds an element while a goroutine of this process is in the room
	roomFile *os.File      // its lock keeps the other processes out

	hits, misses atomic.Uint64          // not yet added to the shared counters
	reported     atomic.Pointer[counts] // the last that could be read for a Snapshot
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
	s := &Store{dir: abs, o: o, inside: make(chan struct{}, 1)}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("disk: open %s: %w", dir, err)
	}
	return s, nil
}

// Dir returns the folder as an absolute path.
func (s *Store) Dir() string { return s.dir }

const (
	indexFile = "index"
	// newIndexFile is an index that is not yet the folder's.
	newIndexFile = "index.new"
	lockFile     = "lock"
	largeDir     = "large"
	tempDir      = "tmp"
	leaseDir     = "lease"
	tagFile      = "CACHEDIR.TAG"
)

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
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
