// spool.go holds a body that arrives, for all who read it at their own pace.

package httpcache

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// spool is a body that one goroutine writes while any number read it, each from its beginning. It
// holds up to a limit in memory and the rest in a file without a name. A body that is longer than
// may be kept goes on through a window of the file: then the writer waits for the slowest reader,
// and nobody can join any more. It is safe for concurrent use.
type spool struct {
	dir      string
	memory   int64         // bytes that are held in memory at most
	window   int64         // bytes that are held at all
	patience time.Duration // how long the writer waits for a reader that stands still
	budget   *atomic.Int64 // bytes that all spools together may yet take

	mu       sync.Mutex    // guards the fields below
	changed  chan struct{} // closed and replaced when there is news; nil: nobody waits
	bytes    []byte        // the body, while it fits into memory; appended to, never changed
	file     *os.File      // all of the body, once it does not; offsets are modulo window
	n        int64         // bytes written
	reserved int64         // of the budget
	err      error         // io.EOF when the body is whole; otherwise why it never will be
	readers  map[*spoolReader]struct{}
	lonely   time.Time // since when nobody reads it; zero: somebody does
	expected int       // readers that are yet to join, and begin at the beginning
	left     bool      // nobody reads any more, and nobody may join
}

// errSlow is what a reader gets that others no longer wait for.
var errSlow = errors.New("httpcache: the body went on without a reader that stood still")

var errAbandoned = errors.New("httpcache: nobody reads the body any more")

// allot makes room for a body of want bytes, if that is known and little.
func (s *spool) allot(want int64) {
	const atOnce = 1 << 20
	if want > 0 && want <= min(s.memory, atOnce) && s.reserve(want) {
		s.bytes = make([]byte, 0, want)
	}
}

// reserve takes n bytes of the budget, if there are so many.
func (s *spool) reserve(n int64) bool {
	if s.budget.Add(-n) < 0 {
		s.budget.Add(n)
		return false
	}
	s.reserved += n
	return true
}

// growLocked appends p to what is in memory, if it may.
func (s *spool) growLocked(p []byte) bool {
	n := s.n + int64(len(p))
	if s.file != nil || n > s.memory || n > s.reserved && !s.reserve(max(n, 2*s.reserved)-s.reserved) {
		return false
	}
	s.bytes = append(s.bytes, p...)
	s.n = n
	return true
}

// Write adds to the body. It waits while a reader is a whole window behind, and returns an error
// when the body is longer than the window and nobody reads it.
func (s *spool) Write(p []byte) (int, error) {
	for n := 0; n < len(p); {
		part, err := s.write(p[n:])
		n += part
		if err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// last adds the last piece of the body, which nobody sees before the end. It returns false if that
// is for Write.
func (s *spool) last(p []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.n
	ok := s.growLocked(p)
	s.n = n
	return ok
}

// write adds what there is room for, once there is some.
func (s *spool) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.growLocked(p) {
		s.tellLocked()
		return len(p), nil
	}
	if err := s.spillLocked(); err != nil {
		return 0, err
	}
	room, err := s.roomLocked()
	if err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), room, s.window-s.n%s.window)]
	n, err := s.file.WriteAt(p, s.n%s.window)
	s.n += int64(n)
	s.tellLocked()
	return n, err
}

// spillLocked moves the body from memory to a file.
func (s *spool) spillLocked() error {
	if s.file != nil {
		return nil
	}
	file, err := os.CreateTemp(s.dir, "larder-spool-*")
	if err != nil {
		return err
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return err
	}
	if _, err := file.WriteAt(s.bytes, 0); err != nil {
		file.Close()
		return err
	}
	s.file, s.bytes = file, nil
	s.release()
	return nil
}

// roomLocked waits until the slowest reader leaves room in the window, and returns how much.
func (s *spool) roomLocked() (int64, error) {
	for {
		slowest := s.n
		for r := range s.readers {
			slowest = min(slowest, r.pos)
		}
		if s.n < s.window || s.expected > 0 {
			slowest = 0 // who joins begins at the beginning
		}
		room := s.window - (s.n - slowest)
		if s.n >= s.window && s.expected == 0 && len(s.readers) == 0 {
			s.left = true
			return 0, errAbandoned
		}
		if room > 0 {
			return room, nil
		}
		if !s.waitForLocked(s.patience) {
			s.cutLocked(slowest)
		}
	}
}

// cutLocked lets go of the readers that are no further than pos: they have stood still for too long.
func (s *spool) cutLocked(pos int64) {
	s.expected = 0
	for r := range s.readers {
		if r.pos <= pos {
			r.cut = true
			delete(s.readers, r)
		}
	}
}

// waitForLocked waits for news, and reports whether there was some before d had passed.
func (s *spool) waitForLocked(d time.Duration) bool {
	late := make(chan struct{})
	timer := time.AfterFunc(d, func() { close(late) })
	defer timer.Stop()
	s.waitLocked(late)
	select {
	case <-late:
		return false
	default:
		return true
	}
}

// waitLocked waits for news, or for done.
func (s *spool) waitLocked(done <-chan struct{}) {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	changed := s.changed
	s.mu.Unlock()
	select {
	case <-changed:
	case <-done:
	}
	s.mu.Lock()
}

// tellLocked wakes all who wait.
func (s *spool) tellLocked() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// end says that no more comes: io.EOF if the body is whole.
func (s *spool) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	if s.file == nil {
		s.n = int64(len(s.bytes))
	}
	s.release()
	s.tellLocked()
	s.closeLocked()
}

// release gives back what was taken of the budget.
func (s *spool) release() {
	s.budget.Add(s.reserved)
	s.reserved = 0
}

// whole returns the body if all of it is in memory.
func (s *spool) whole() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		return nil
	}
	return s.bytes[:len(s.bytes):len(s.bytes)]
}

// closeLocked closes the file when nobody needs it any more.
func (s *spool) closeLocked() {
	if s.file != nil && s.err != nil && s.expected <= 0 && len(s.readers) == 0 {
		s.left = true
		s.file.Close()
	}
}

// spoolReader reads a spool from its beginning. It must be closed.
type spoolReader struct {
	s   *spool
	ctx context.Context
	pos int64 // guarded by s.mu, like the next
	cut bool  // what comes next is no longer there
}

// expect keeps the beginning for n more readers; n may be negative.
func (s *spool) expect(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected += n
	s.noteReadersLocked()
	s.tellLocked()
	s.closeLocked()
}

// join returns a reader, whose waits end with ctx, or nil if the beginning of the body is gone.
func (s *spool) join(ctx context.Context) *spoolReader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left || s.n > s.window {
		return nil
	}
	r := &spoolReader{s: s, ctx: ctx}
	s.readers[r] = struct{}{}
	s.noteReadersLocked()
	return r
}

// noteReadersLocked notes whether there are any.
func (s *spool) noteReadersLocked() {
	switch {
	case len(s.readers) > 0 || s.expected > 0:
		s.lonely = time.Time{}
	case s.lonely.IsZero():
		s.lonely = time.Now()
	}
}

// isLeft reports whether nobody has read the body for d.
func (s *spool) isLeft(d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.lonely.IsZero() && time.Since(s.lonely) > d
}

// Read implements io.Reader. It returns what there is, and waits only if there is nothing.
func (r *spoolReader) Read(p []byte) (int, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.awaitLocked(); err != nil {
		return 0, err
	}
	n, err := 0, error(nil)
	if s.file == nil {
		n = copy(p, s.bytes[r.pos:])
	} else {
		at := r.pos % s.window
		n, err = s.file.ReadAt(p[:min(int64(len(p)), s.n-r.pos, s.window-at)], at)
	}
	r.pos += int64(n)
	if s.n >= s.window {
		s.tellLocked() // the writer may wait for this reader
	}
	return n, err
}

// awaitLocked waits until there is something to read.
func (r *spoolReader) awaitLocked() error {
	if r.cut {
		return errSlow
	}
	for r.pos == r.s.n {
		if r.s.err != nil {
			return r.s.err
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		r.s.waitLocked(r.ctx.Done())
	}
	return nil
}

// waiting reports whether a Read would have to wait.
func (r *spoolReader) waiting() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.pos == r.s.n && r.s.err == nil
}

// Close implements io.Closer.
func (r *spoolReader) Close() error {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.readers[r]; ok {
		delete(s.readers, r)
		s.noteReadersLocked()
		s.tellLocked()
		s.closeLocked()
	}
	return nil
}
