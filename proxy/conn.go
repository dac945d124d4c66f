// conn.go cuts connections whose client stands still, and spares those that are slow.

package proxy

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection of a client. A write fails when for the time of stall nothing of it was
// taken. It costs one look at the clock per write.
type conn struct {
	net.Conn
	stall   func() time.Duration
	leave   func() // the gate
	left    sync.Once
	until   atomic.Int64 // when our deadline is, in Unix nanoseconds
	foreign atomic.Bool  // somebody else set a deadline, which we leave alone
}

// Write implements net.Conn. It waits for half of the time, then tries anew, and gives up if after
// the second half nothing was taken. To try anew matters: a kernel wakes a writer when a third of
// its buffer is free, which at the pace of a slow client may take minutes, but takes what there is
// room for when it is asked.
func (c *conn) Write(p []byte) (n int, err error) {
	for tried := false; ; tried = true {
		c.extend(time.Now())
		m, err := c.Conn.Write(p[n:])
		n += m
		if n == len(p) || !errors.Is(err, os.ErrDeadlineExceeded) || c.foreign.Load() ||
			tried && m == 0 {
			return n, err
		}
	}
}

// extend moves our deadline on, if less than half of it is left.
func (c *conn) extend(now time.Time) {
	half := c.stall() / 2
	if c.foreign.Load() || c.until.Load()-now.UnixNano() > int64(half/2) {
		return
	}
	c.until.Store(now.Add(half).UnixNano())
	_ = c.Conn.SetWriteDeadline(now.Add(half)) // a closed connection fails in Write
}

// SetWriteDeadline implements net.Conn for those who know better.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.foreign.Store(!t.IsZero())
	c.until.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.foreign.Store(!t.IsZero())
	c.until.Store(0)
	return c.Conn.SetDeadline(t)
}

// CloseWrite tells the client that nothing more will come.
func (c *conn) CloseWrite() error { return closeWrite(c.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.left.Do(c.leave)
	return c.Conn.Close()
}
