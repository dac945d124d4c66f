// files.go is the face of the package: a list of files, and the next one.

// Package files copies files of a slow share to this machine before they are asked for.
//
// Whoever works through many files of a network share waits for each of them. [New] takes their
// names; [Files.Hold] gives the path of a local copy, and while somebody works with it the next ones
// are being copied, as many at a time as the share is worth. Copies are bounded in bytes; the last
// ones used stay for a while, the others are removed.
//
//	scans, err := files.New(names, files.Options{MaxBytes: 1 << 30})
//	if err != nil { ... }
//	defer scans.Close()
//	for i := range names {
//		path, release, err := scans.Hold(ctx, i)
//		...
//		release()
//	}
//
// Copies are for reading: what is written into them goes nowhere. A copy of a file that grows is as
// long as the file was when the copying began.
package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/prefetch"
	"github.com/larder-go/larder/store"
)

// DefaultMaxBytes bounds the copies of whoever names no bound.
const DefaultMaxBytes = 1 << 30

// Options says how much is copied ahead. The zero value is good.
type Options struct {
	// Name says in a Snapshot which files they are. "" means "files".
	Name string
	// Dir is a folder for the copies, in a subfolder that is removed at Close. What programs that
	// were killed have left there is removed by New. "" means os.TempDir.
	Dir string
	// MaxBytes bounds the copies that are there and those that are being made, together. What
	// is asked for is copied in any case: the bound is exceeded by a file that is larger, which is
	// removed at once when it is released, by more that are held at a time than it has room for,
	// and for a moment by a copy that is given up for it. 0 means DefaultMaxBytes. Where the disk
	// is full before, what the copies had until then is the bound from there on.
	MaxBytes int64
	// Keep is how many of the files used last stay, so that going back needs no copying. 0 means
	// prefetch.DefaultKeep, less than 0 none.
	Keep int
	// MaxWidth is how many files are copied ahead at a time at most; fewer are where more are not
	// faster. 0 means prefetch.DefaultMaxWidth.
	MaxWidth int
	// Store, if set, keeps what was read for TTL, so that a second program reads nothing from the
	// share. A file is known by its path, size and time; one whose size or time changes while it
	// is read is not kept. It is not closed.
	Store store.Store
	// TTL is how long Store keeps a file. 0 means for ever.
	TTL time.Duration
	// OnError hears of errors of Store, none of which fail a file. Several goroutines may call it.
	OnError func(error)
}

// Files is a list of files that are copied in their order. Its methods may be called by many
// goroutines at once.
type Files struct {
	names   []string
	options Options
	folder  *folder
	ahead   *prefetch.Prefetcher[int, copied]

	mu    sync.Mutex // guards the fields below
	begun bool       // somebody has asked
	bound int64      // MaxBytes, or less: what the disk has room for
	share busy
	bytes int64
	found int
	// Files that the store had not, and those that it failed to say of.
	missed, broken int
}

// copied is a file on this machine.
type copied struct {
	path  string
	bytes int64
}

// New returns the files at names, in that order. Nothing is read before the first is asked for, and
// a name that leads to no file is an error only then.
func New(names []string, o Options) (*Files, error) {
	if o.MaxBytes < 0 || o.TTL < 0 {
		panic(fmt.Sprintf("files: options make no sense: %+v", o))
	}
	o.Name = cmp.Or(o.Name, "files")
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	folder, err := newFolder(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	f := &Files{names: names, options: o, folder: folder, bound: o.MaxBytes}
	f.ahead = prefetch.New(f.load, prefetch.Range(0, len(names)), prefetch.Options[int, copied]{
		MaxWeight: o.MaxBytes, Weigh: func(_ int, c copied) int64 { return c.bytes },
		WeighAhead: f.size, Keep: o.Keep, MaxWidth: o.MaxWidth,
		OnEvict: func(_ int, c copied) { f.folder.remove(c.path) },
	})
	return f, nil
}

// Hold returns the path of a copy of the i-th file, with its name, mode and time, and waits for it
// if it must. It stays until release is called, which must be done once it is not needed any more.
// The error is that of the file, or of ctx.
func (f *Files) Hold(ctx context.Context, i int) (path string, release func(), err error) {
	f.begin(i)
	c, release, err := f.ahead.Hold(ctx, i)
	return c.path, release, err
}

// begin says once that all files will be asked for, from the first that is.
func (f *Files) begin(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun {
		return
	}
	f.begun = true
	order := make([]int, len(f.names)-i)
	for n := range order {
		order[n] = i + n
	}
	f.ahead.Expect(order...)
}

// Close stops all copying and removes all copies, also those that are held. It may be called twice.
func (f *Files) Close() error {
	return errors.Join(f.ahead.Close(), f.folder.close())
}

// Stats is what the files have cost so far.
type Stats struct {
	prefetch.Stats
	Busy  time.Duration // while at least one file was being read from the share
	Bytes int64         // read from the share
	Found int           // files that the store had
}

// Stats returns the numbers up to now.
func (f *Files) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Stats{
		Stats: f.ahead.Stats(), Busy: f.share.until(time.Now()), Bytes: f.bytes, Found: f.found,
	}
}

// stat looks at a file that is to be copied.
func stat(name string) (fs.FileInfo, error) {
	stat, err := os.Stat(name)
	if err == nil && !stat.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	return stat, err
}

// size returns what a copy of the i-th file will weigh.
func (f *Files) size(_ context.Context, i int) (int64, error) {
	stat, err := stat(f.names[i])
	if err != nil {
		return 0, err
	}
	return max(stat.Size(), 1), nil
}

// tries is how often a copy is made for which the disk had no room. What leaves for it is removed
// by others, who may need some time: it waits firstWait, and then twice as long each time.
const (
	tries     = 8
	firstWait = 5 * time.Millisecond
)

// load makes a copy of the i-th file, and makes room for it if there is none on the disk.
func (f *Files) load(ctx context.Context, i int) (c copied, err error) {
	for try := range tries {
		if c, err = f.try(ctx, i); !isFull(err) {
			return c, err
		}
		select {
		case <-time.After(firstWait << try):
		case <-ctx.Done():
			return c, err
		}
	}
	return c, err
}

// try makes a copy of the i-th file.
func (f *Files) try(ctx context.Context, i int) (c copied, err error) {
	name := f.names[i]
	stat, err := stat(name)
	if err != nil {
		return c, err
	}
	bound := f.bounded()
	c.path, err = f.folder.place(i, filepath.Base(name))
	if err == nil {
		c.bytes, err = f.copy(ctx, name, stat, c.path)
	}
	if isFull(err) {
		f.shrink(bound)
	}
	if err != nil {
		f.folder.remove(c.path)
	}
	return c, err
}

// bounded returns the bound of the copies.
func (f *Files) bounded() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bound
}

// shrink bounds the copies by what they have at this moment, at which the disk is full, but for a
// part that they take besides their bytes. It does nothing if another has done so since the bound
// was the one given.
func (f *Files) shrink(since int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bound < since {
		return
	}
	room := f.folder.size()
	f.bound = max(min(f.bound, room-room/16), 1)
	f.ahead.Limit(f.bound)
}

// key names a file in the store.
func key(name string, stat fs.FileInfo) (string, error) {
	abs, err := filepath.Abs(name)
	return "file:" + abs + "\x00" + strconv.FormatInt(stat.Size(), 36) + "-" +
		strconv.FormatInt(stat.ModTime().UnixNano(), 36), err
}

// busy adds up the times at which something was going on.
type busy struct {
	count int
	since time.Time
	total time.Duration
}

func (b *busy) enter(now time.Time) {
	if b.count == 0 {
		b.since = now
	}
	b.count++
}

func (b *busy) leave(now time.Time) {
	if b.count--; b.count == 0 {
		b.total += now.Sub(b.since)
	}
}

func (b *busy) until(now time.Time) time.Duration {
	if b.count > 0 {
		return b.total + now.Sub(b.since)
	}
	return b.total
}
