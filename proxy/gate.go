// gate.go bounds the connections that are open at a time.

package proxy

import (
	"net"
	"sync"
	"time"
)

// gate counts connections. Who comes when it is full waits, most in the queue of the kernel. Unlike
// netutil.LimitListener it holds for several listeners together, and can be moved.
type gate struct {
	mu     sync.Mutex // guards the fields below
	free   sync.Cond  // told when there may be room, or the gate closed
	most   int
	open   int
	closed bool
}

func newGate(most int) *gate {
	g := &gate{most: most}
	g.free.L = &g.mu
	return g
}

// enter waits for room and takes it; it is false if the gate was closed.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.open >= g.most && !g.closed {
		g.free.Wait()
	}
	if !g.closed {
		g.open++
	}
	return !g.closed
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	g.free.Signal()
}

// set changes the bound. Connections beyond a smaller one stay.
func (g *gate) set(most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.most = most
	g.free.Broadcast()
}

// close lets nobody in any more.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.free.Broadcast()
}

func (g *gate) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// gated is a listener behind a gate.
type gated struct {
	net.Listener
	gate  *gate
	stall func() time.Duration
	wrap  func(*conn) net.Conn
}

// Accept implements net.Listener. A connection that has no room waits here, the others behind it.
func (l *gated) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.gate.enter() {
		c.Close()
		return nil, net.ErrClosed
	}
	return l.wrap(&conn{Conn: &watch{Conn: c}, stall: l.stall, leave: l.gate.leave}), nil
}

// Close implements net.Listener. It wakes those that wait for room.
func (l *gated) Close() error {
	l.gate.close()
	return l.Listener.Close()
}
