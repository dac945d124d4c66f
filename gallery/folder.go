// folder.go is a folder of files as a source of pictures: what is in it, and what has changed.

package gallery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/gallery/thumb"
)

// lookAgain is how long what is known of a file is taken as true where somebody looks at it.
const lookAgain = time.Second

// folder is a source of pictures. Nothing outside of top is ever opened: os.Root sees to that.
type folder struct {
	path    string // absolute, as far as that can be known
	handle  atomic.Pointer[os.Root]
	options Options
	current atomic.Pointer[edition]
	tree    *tree // belongs to the goroutine that watches
	seen    seen
	looks   chan struct{} // has room for as many looks as there may be at once

	looking   sync.Mutex // guards the fields below
	allLooked uint64     // the listing of which all files were looked at, if not 0
	lookAt    bool       // somebody is at it

	stopping context.Context // ends when the folder is closed
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// edition is a catalog, and which listing of names that is.
type edition struct {
	catalog
	listing uint64
}

// mostLooks is how many requests may look at a file at once: where a share hangs each of them keeps
// a thread of the system until it answers.
const mostLooks = 128

// firstGeneration is where generations begin: at the clock, in milliseconds since 1970, so that a
// page that is still open does not take those of the next process for what it knows. It leaves room
// below 2^53, up to which JavaScript counts.
func firstGeneration() uint64 { return uint64(time.Now().UnixMilli()) }

// openFolder returns the folder at path; it is being read and watched until it is closed.
func openFolder(path string, o Options) (*folder, error) {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	top, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	if f, err := top.Open("."); err != nil { // a folder that cannot be read is better said now
		top.Close()
		return nil, err
	} else {
		f.Close()
	}
	f := newFolder(path, top, o)
	f.done.Go(func() { f.watch(f.stopping) })
	return f, nil
}

// newFolder returns a folder of which nothing is known yet.
func newFolder(path string, top *os.Root, o Options) *folder {
	ctx, stop := context.WithCancel(context.Background())
	f := &folder{
		path: path, options: o, looks: make(chan struct{}, mostLooks), stopping: ctx, stop: stop,
	}
	f.handle.Store(top)
	f.tree = newTree(f)
	f.current.Store(&edition{catalog{generation: firstGeneration(), reading: true}, 1})
	return f
}

func (f *folder) title() string { return filepath.Base(f.path) }

func (f *folder) root() string { return f.path }

func (f *folder) local() bool { return true }

func (f *folder) catalog() *catalog { return &f.current.Load().catalog }

// top is the folder as it is open at the moment.
func (f *folder) top() *os.Root { return f.handle.Load() }

// reopen opens the folder that is at its path by now, and tells whether that is another one: it was
// made anew, or something was mounted there. One that has only gone stays open: it may come back.
func (f *folder) reopen() bool {
	there, err := os.Stat(f.path)
	if err != nil {
		return false
	}
	here, err := f.top().Stat(".")
	if err == nil && os.SameFile(here, there) {
		return false
	}
	top, err := os.OpenRoot(f.path)
	if err != nil {
		return false
	}
	f.handle.Store(top) // the old one may be in use; it is closed when it is garbage
	return true
}

// closeWithin is how long closing waits for what is asked of the file system at that moment.
const closeWithin = 2 * time.Second

// errHangs is returned if the file system does not answer while its folder is closed.
var errHangs = errors.New("gallery: close: the folder does not answer; its files stay open")

// close ends the watching, and waits until nobody looks at files any more; for two seconds, since
// nothing that hangs on a share can be called back. Then it returns errHangs, and the rest ends by
// itself when the share answers.
func (f *folder) close() error {
	f.stop()
	ended := make(chan struct{})
	go func() {
		f.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return f.top().Close()
	case <-time.After(closeWithin):
		return errHangs
	}
}

// publish makes what is known by now the catalog.
func (f *folder) publish(pictures []*picture, reading bool) {
	byPath := make(map[string]*picture, len(pictures))
	for _, p := range pictures {
		byPath[p.path] = p
	}
	f.revise(func(e *edition) {
		e.pictures, e.byPath, e.reading = pictures, byPath, reading
		e.listing++
	})
}

// changed makes a new generation of the same pictures: one of them has other bytes.
func (f *folder) changed() { f.revise(func(*edition) {}) }

// revise makes a new generation. Several goroutines may do so at once.
func (f *folder) revise(change func(*edition)) {
	for {
		was := f.current.Load()
		now := *was
		now.generation++
		change(&now)
		if f.current.CompareAndSwap(was, &now) {
			return
		}
	}
}

// inspect returns what is to be said of p: what was known if ctx ends before there is room to look.
// A look itself cannot be called back. If it finds another version than was known, there is a new
// generation: whoever has listed the old one is told.
func (f *folder) inspect(ctx context.Context, p *picture) *info {
	f.seen.note(p)
	i := p.info.Load()
	if i != nil && time.Since(i.looked) < lookAgain {
		return i
	}
	if ctx.Err() == nil {
		select {
		case f.looks <- struct{}{}:
			defer func() { <-f.looks }()
			now, other := f.look(p)
			if other {
				f.changed()
			}
			return now
		case <-ctx.Done():
		}
	}
	if i == nil {
		i = &info{err: ctx.Err()}
	}
	return i
}

// look asks the file system for what is to be said of p, and notes it, unless somebody has who began
// later. It tells whether that is another version than was known.
func (f *folder) look(p *picture) (now *info, other bool) {
	now = f.stat(p)
	for {
		was := p.info.Load()
		if was != nil && was.looked.After(now.looked) {
			return was, false
		}
		if p.info.CompareAndSwap(was, now) {
			other = was != nil && (now.version != was.version || (now.err == nil) != (was.err == nil))
			return now, other
		}
	}
}

// stat asks the file system for what is to be said of p.
func (f *folder) stat(p *picture) *info {
	i := &info{err: p.wrong, looked: time.Now()}
	if i.err != nil {
		return i
	}
	stat, err := f.top().Stat(p.path)
	switch {
	case err != nil:
		i.err = plain(err)
	case !stat.Mode().IsRegular():
		i.err = errNoFile
	default:
		i.bytes, i.time = stat.Size(), stat.ModTime()
		i.version = versionOf(stat)
	}
	return i
}

// versionOf names the bytes of a file without reading them: by its size and its times. A file that
// takes the place of another of the same size, with its time (cp -p), is told from it by when it was
// changed in any way, which nobody can set. That is another time after chmod, or a new hard link, as
// well: then thumbnails are made once more. The number of the file would do without that, but on
// shares it may be another one after each mount. Two writes within one tick of the file system's
// clock, some milliseconds, look the same.
func versionOf(stat fs.FileInfo) string {
	modified, changed := stat.ModTime().UnixNano(), changeTime(stat)
	version := strconv.FormatInt(modified, 36) + "-" + strconv.FormatInt(stat.Size(), 36)
	if changed != 0 && changed != modified {
		version += "-" + strconv.FormatInt(changed, 36)
	}
	return version
}

// The errors of files, as a tile says them.
var (
	errOutside = errors.New("a link out of the folder")
	errGone    = errors.New("gone")
	errNoFile  = errors.New("not a file")
	errDenied  = errors.New("not readable")
	errNoDir   = errors.New("folder not readable")
)

// plain turns an error of the file system into one that a tile can say: without paths.
func plain(err error) error {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errGone
	case errors.Is(err, fs.ErrPermission):
		return errDenied
	case errors.As(err, &p) && p.Err.Error() == "path escapes from parent":
		return errOutside
	case errors.As(err, &p):
		return p.Err
	}
	return err
}

func (f *folder) open(ctx context.Context, p *picture) (*opened, error) {
	if p.wrong != nil {
		return nil, p.wrong
	}
	file, err := f.top().OpenFile(p.path, os.O_RDONLY|nonBlocking, 0) // a pipe would block
	if err != nil {
		return nil, plain(err)
	}
	stat, err := file.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = errNoFile
	}
	if err != nil {
		file.Close()
		return nil, plain(err)
	}
	return &opened{
		File:     thumb.File{Reader: file, Size: stat.Size(), Name: path.Base(p.path)},
		modified: stat.ModTime(), version: versionOf(stat), close: file.Close,
		now: func() string { return versionNow(file) },
	}, nil
}

// versionNow is the version of an open file at this moment, "" if that cannot be told.
func versionNow(file *os.File) string {
	stat, err := file.Stat()
	if err != nil {
		return ""
	}
	return versionOf(stat)
}

// lookers is how many files are looked at in parallel: on a share each takes a round trip.
const lookers = 16

func (f *folder) inspectAll() bool {
	e := f.current.Load()
	f.looking.Lock()
	defer f.looking.Unlock()
	if f.allLooked == e.listing {
		return true
	}
	if !f.lookAt && f.stopping.Err() == nil {
		f.lookAt = true
		f.done.Go(f.lookAtAll)
	}
	return false
}

// lookAtAll looks at every file that nobody has looked at yet. Then there is a new generation, since
// views were arranged without knowing; it is the same listing, of which all is known now.
func (f *folder) lookAtAll() {
	e := f.current.Load()
	inParallel(lookers, e.pictures, func(p *picture) {
		if p.info.Load() == nil && f.stopping.Err() == nil {
			f.look(p)
		}
	})
	f.looking.Lock()
	defer f.looking.Unlock()
	f.allLooked, f.lookAt = e.listing, false
	f.changed()
}

// inParallel calls do for each of all, n at a time, and returns when it is done with them.
func inParallel[T any](n int, all []T, do func(T)) {
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(n, len(all)) {
		done.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				do(all[i])
			}
		})
	}
	done.Wait()
}

// readDir returns what is in the folder at path, in no order, and reports what it has read so far
// every now and then: a share may take long for a hundred thousand names.
func (f *folder) readDir(ctx context.Context, path string, sofar func([]fs.DirEntry)) error {
	// without waiting, if it has become a pipe
	dir, err := f.top().OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	for ctx.Err() == nil {
		entries, err := dir.ReadDir(readAtOnce)
		sofar(entries)
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	return ctx.Err()
}

// readAtOnce is how many names are read between two looks at the clock.
const readAtOnce = 4096
