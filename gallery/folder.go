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
	top     *os.Root
	options Options
	current atomic.Pointer[catalog]
	tree    *tree // belongs to the goroutine that watches
	seen    seen

	looking   sync.Mutex // guards the fields below
	allLooked uint64     // the generation up to which all files were looked at, if not 0
	lookAt    bool       // somebody is at it

	stopping context.Context // ends when the folder is closed
	stop     context.CancelFunc
	done     sync.WaitGroup
}

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
	ctx, stop := context.WithCancel(context.Background())
	f := &folder{path: path, top: top, options: o, stopping: ctx, stop: stop}
	f.tree = newTree(f)
	f.current.Store(&catalog{generation: 1, reading: true})
	f.done.Go(func() { f.watch(ctx) })
	return f, nil
}

func (f *folder) title() string { return filepath.Base(f.path) }

func (f *folder) root() string { return f.path }

func (f *folder) local() bool { return true }

func (f *folder) catalog() *catalog { return f.current.Load() }

func (f *folder) close() error {
	f.stop()
	f.done.Wait()
	return f.top.Close()
}

// publish makes what is known by now the catalog.
func (f *folder) publish(pictures []*picture, reading bool) {
	byPath := make(map[string]*picture, len(pictures))
	for _, p := range pictures {
		byPath[p.path] = p
	}
	f.current.Store(&catalog{
		generation: f.catalog().generation + 1, pictures: pictures, byPath: byPath,
		reading: reading,
	})
}

// changed makes a new generation of the same pictures: one of them has other bytes.
func (f *folder) changed() {
	c := *f.catalog()
	c.generation++
	f.current.Store(&c)
}

func (f *folder) inspect(_ context.Context, p *picture) *info {
	f.seen.note(p)
	if i := p.info.Load(); i != nil && time.Since(i.looked) < lookAgain {
		return i
	}
	i := f.look(p)
	p.info.Store(i)
	return i
}

// look asks the file system for what is to be said of p.
func (f *folder) look(p *picture) *info {
	i := &info{err: p.wrong, looked: time.Now()}
	if i.err != nil {
		return i
	}
	stat, err := f.top.Stat(p.path)
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

// versionOf names the bytes of a file without reading them.
func versionOf(stat fs.FileInfo) string {
	return strconv.FormatInt(stat.ModTime().UnixNano(), 36) + "-" +
		strconv.FormatInt(stat.Size(), 36)
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
	file, err := f.top.OpenFile(p.path, os.O_RDONLY|nonBlocking, 0) // a pipe would block
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
	c := f.catalog()
	f.looking.Lock()
	defer f.looking.Unlock()
	if f.allLooked == c.generation {
		return true
	}
	if !f.lookAt {
		f.lookAt = true
		f.done.Go(f.lookAtAll)
	}
	return false
}

// lookAtAll looks at every file that nobody has looked at yet.
func (f *folder) lookAtAll() {
	c := f.catalog()
	inParallel(lookers, c.pictures, func(p *picture) {
		if p.info.Load() == nil && f.stopping.Err() == nil {
			p.info.Store(f.look(p))
		}
	})
	f.looking.Lock()
	defer f.looking.Unlock()
	f.allLooked, f.lookAt = c.generation, false
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
	dir, err := f.top.Open(path)
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
