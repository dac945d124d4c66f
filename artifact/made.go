// made.go holds what was made here in temporary files, for as long as somebody reads it.

package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/store"
)

// made is an artifact that this process has made.
type made struct {
	file  *os.File
	size  int64
	path  string       // "" if the file has no name
	place *place       // of a file that has one
	users atomic.Int32 // who have not let go of it
}

// release is called by each user, once.
func (m *made) release() {
	if m.users.Add(-1) == 0 {
		m.remove()
	}
}

func (m *made) remove() {
	m.file.Close()
	if m.place != nil {
		m.place.remove()
	} else {
		os.Remove(m.file.Name()) // where an open file cannot be removed it still has its name
	}
}

func (m *made) section() *io.SectionReader { return io.NewSectionReader(m.file, 0, m.size) }

// reader reads it for one of its users.
func (m *made) reader() store.Reader {
	return &madeReader{from: m.section(), release: sync.OnceFunc(m.release)}
}

// madeReader reads a temporary file.
type madeReader struct {
	from    *io.SectionReader
	release func()
	closed  bool
}

func (r *madeReader) Size() int64 { return r.from.Size() }

func (r *madeReader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, store.ErrClosed
	}
	return r.from.Read(p)
}

func (r *madeReader) Close() error {
	r.closed = true
	r.release()
	return nil
}

// makeStream lets work write to a file without a name: nothing is left if the process is killed.
func (c *Cache) makeStream(
	ctx context.Context, work func(context.Context, io.Writer) error,
) (_ *made, err error) {
	f, err := os.CreateTemp(c.o.TempDir, placePrefix)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // where that does not work it goes at the end
	m, done := &made{file: f}, false
	defer func() {
		if !done { // also if work panics
			m.remove()
		}
	}()
	w := &writer{to: f}
	err = work(ctx, w)
	if err = errors.Join(err, w.failed()); err != nil {
		return nil, err
	}
	m.size, done = w.n, true
	return m, nil
}

// writer counts what work writes, and remembers what went wrong: work might not look.
type writer struct {
	mu  sync.Mutex // guards the fields below
	to  *os.File
	n   int64
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.to.Write(p)
	w.n += int64(n)
	w.err = err
	return n, err
}

// failed returns what went wrong, and lets nothing more be written.
func (w *writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	w.err = os.ErrClosed
	return err
}

// makeFile lets work make a file.
func (c *Cache) makeFile(
	ctx context.Context, work func(context.Context, string) error,
) (*made, error) {
	p, err := newPlace(c.o.TempDir)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done { // also if work panics
			p.remove()
		}
	}()
	path := filepath.Join(p.path, c.o.Name)
	if err := work(ctx, path); err != nil {
		return nil, err
	}
	m, err := adopt(p, path)
	done = err == nil
	return m, err
}

// adopt opens the file that work has made.
func adopt(p *place, path string) (*made, error) {
	stat, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("the computation made no file: %w", err)
	}
	if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("the computation made no plain file: %s", path)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &made{file: f, size: stat.Size(), path: path, place: p}, nil
}

// pour copies r, which it closes, to a file of the caller's own.
func (c *Cache) pour(ctx context.Context, r store.Reader) (path string, release func(), err error) {
	defer r.Close()
	p, err := newPlace(c.o.TempDir)
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(p.path, c.o.Name)
	if err := writeFile(ctx, path, r); err != nil {
		p.remove()
		return "", nil, err
	}
	return path, p.remove, nil
}

func writeFile(ctx context.Context, path string, r store.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, reader{ctx, r})
	if err == nil && n != r.Size() {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, f.Close())
}

// reader reads until its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
