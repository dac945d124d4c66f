// lane.go answers requests for what lies in memory beside the server of net/http.

package proxy

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// lane is a connection of a client. While net/http waits for the next request on it, and has all of
// the last one behind it, a request for what lies in memory is read, answered and gone before
// net/http hears of it: the same answer, for half of the work. Everything else is handed over, byte
// for byte. When it is not certain that what comes begins a request, nothing is looked at: what a
// client calls one request must never be two.
type lane struct {
	*conn
	remote  string
	express func(w *lean, r *http.Request) bool // false: it has done nothing
	idle    func() time.Duration

	mu      sync.Mutex // guards the fields below
	open    bool       // what comes next begins a request
	certain bool       // net/http was handed nothing but whole requests without a body
	busy    bool       // an answer is under way
	closed  bool       // somebody wants the connection closed
}

func newLane(c *conn, s *Server) *lane {
	return &lane{
		conn: c, remote: c.RemoteAddr().String(), express: s.express, open: true, certain: true,
		idle: func() time.Duration { return s.now.Load().config.Limits.Idle.Std() },
	}
}

// leastLook is the smallest buffer that is looked into. net/http reads the beginning of a request
// into one of 4 KiB.
const leastLook = 1 << 10

// Read implements net.Conn for net/http, which gets what is not answered here.
func (l *lane) Read(p []byte) (int, error) {
	for {
		n, err := l.conn.Read(p)
		if n == 0 {
			return n, err
		}
		if !l.begin() || err != nil || len(p) < leastLook {
			l.handOver(doubtful)
			return n, err
		}
		r := parseHead(p[:n])
		if r == nil {
			l.handOver(doubtful)
			return n, nil
		}
		if !l.answer(r) {
			l.handOver(whole)
			return n, nil
		}
		if l.done() {
			return 0, io.EOF
		}
	}
}

// begin reports whether what was read is the beginning of a request.
func (l *lane) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = l.open && !l.closed
	return l.busy
}

// answer answers r if it is for what lies in memory; otherwise it does nothing.
func (l *lane) answer(r *http.Request) bool {
	r.RemoteAddr = l.remote
	w := spareLeans.Get().(*lean)
	defer w.free()
	if !l.express(w, r) || !w.sendTo(l.conn, r.Method == http.MethodHead) {
		return false
	}
	_ = l.conn.SetReadDeadline(time.Now().Add(l.idle())) // a closed connection fails in Read
	return true
}

// handed is what net/http was given.
type handed bool

const (
	whole    handed = true  // one request without a body, to its end
	doubtful handed = false // anything else
)

// handOver notes that net/http has got bytes: it reads on until it waits for the next request.
func (l *lane) handOver(what handed) {
	l.mu.Lock()
	l.certain = l.certain && what == whole
	l.open = false
	l.mu.Unlock()
	l.done()
}

// done notes the end of an answer, and reports whether the connection was to be closed meanwhile.
func (l *lane) done() bool {
	l.mu.Lock()
	l.busy = false
	closed := l.closed
	l.mu.Unlock()
	if closed {
		l.conn.Close()
	}
	return closed
}

// hear is told by net/http what it does with the connection.
func (l *lane) hear(s http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s {
	case http.StateNew: // nothing was read yet
	case http.StateIdle:
		l.open = l.certain
	default:
		l.open = false
	}
}

// Close implements net.Conn. An answer that is under way goes out first; a second call does not wait
// for it.
func (l *lane) Close() error {
	l.mu.Lock()
	wait := l.busy && !l.closed
	l.closed = true
	l.mu.Unlock()
	if wait {
		return nil
	}
	return l.conn.Close()
}

// hearLanes lets the lanes among the connections of a server hear.
func hearLanes(c net.Conn, s http.ConnState) {
	if l, ok := c.(*lane); ok {
		l.hear(s)
	}
}

// express answers a request if a fresh response to it lies in memory; otherwise it does nothing.
func (s *Server) express(w *lean, r *http.Request) bool {
	st := s.now.Load()
	if st.log == nil {
		return st.hit(w, r)
	}
	began := time.Now()
	out := &reply{ResponseWriter: w}
	r, result := tracked(r)
	if !st.hit(out, r) {
		return false
	}
	st.note(out, &access{request: r, began: began, took: time.Since(began), result: *result})
	return true
}

// hitter is a handler of a cache.
type hitter interface {
	ServeHit(w http.ResponseWriter, r *http.Request) bool
}

// hit answers a request that is not refused if a fresh response lies in memory.
func (st *state) hit(w http.ResponseWriter, r *http.Request) bool {
	if refuses(r, &st.config).code != 0 {
		return false
	}
	s, _ := st.siteOf(r)
	if s == nil {
		return false
	}
	strip(r.Header)
	door := s.doubting
	if st.trusted.hasPeer(r) {
		door = s.believing
	}
	return door.(hitter).ServeHit(w, r)
}
