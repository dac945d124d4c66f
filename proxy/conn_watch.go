// conn_watch.go spares calls of the kernel and of timers that net/http makes for each request.

package proxy

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// lookAfter is how long a request must take for net/http to look whether its client is still there.
// It does so by reading one byte, in vain as a rule, and breaking that off: two calls of the kernel
// and two switches of goroutines. An answer out of memory is on its way long before anybody could
// act on what the look would show.
const lookAfter = 5 * time.Millisecond

// watch puts off reads of one byte, and read deadlines, of which net/http sets three for each
// request: the connection is told of one only if it is earlier than the one it has. When that passes
// the next one is looked at.
type watch struct {
	net.Conn

	mu       sync.Mutex // guards the fields below
	reading  int        // reads of the connection that are under way
	over     bool       // the read deadline has passed, and the connection was not told
	deadline time.Time  // of reads, as it was set
	told     time.Time  // the one that the connection has; not later, zero is never
	pausing  bool
	wake     chan struct{} // ends the pause
	timer    *time.Timer
}

// Read implements net.Conn.
func (w *watch) Read(p []byte) (int, error) {
	if len(p) == 1 {
		w.pause()
	}
	if !w.begin() {
		return 0, os.ErrDeadlineExceeded
	}
	defer w.end()
	for {
		n, err := w.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !w.moveOn() {
			return n, err
		}
	}
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reading--
}

// moveOn tells the connection of the next deadline, and reports whether that is still to come.
func (w *watch) moveOn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.deadline.IsZero() && !time.Now().Before(w.deadline) {
		return false
	}
	return w.tellLocked(w.deadline) == nil
}

func (w *watch) tellLocked(t time.Time) error {
	w.told = t
	return w.Conn.SetReadDeadline(t)
}

// begin counts a read that begins, unless its deadline has passed.
func (w *watch) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return false
	}
	w.reading++
	return true
}

// pause waits for lookAfter, or until the deadline has passed.
func (w *watch) pause() {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return
	}
	if w.timer == nil {
		w.wake, w.timer = make(chan struct{}, 1), time.NewTimer(lookAfter)
	} else {
		w.timer.Reset(lookAfter)
	}
	w.pausing = true
	w.mu.Unlock()
	select {
	case <-w.wake:
	case <-w.timer.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pausing = false
	w.timer.Stop()
	select {
	case <-w.wake: // came with the timer
	default:
	}
}

// SetReadDeadline implements net.Conn.
func (w *watch) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	if w.over = isPast(t); w.over && w.reading == 0 {
		w.wakeLocked()
		return nil
	}
	if t.IsZero() || !w.told.IsZero() && !t.Before(w.told) {
		return nil
	}
	return w.tellLocked(t)
}

// SetDeadline implements net.Conn.
func (w *watch) SetDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline, w.told = t, t
	if w.over = isPast(t); w.over {
		w.wakeLocked()
	}
	return w.Conn.SetDeadline(t)
}

// wakeLocked ends a pause, if there is one.
func (w *watch) wakeLocked() {
	if !w.pausing {
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// isPast reports whether a deadline is one of those that are set to end a read at once.
func isPast(t time.Time) bool { return !t.IsZero() && t.Before(time.Unix(1<<20, 0)) }

// CloseWrite tells the client that nothing more will come.
func (w *watch) CloseWrite() error { return closeWrite(w.Conn) }
