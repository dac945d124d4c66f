// lane.go answers requests for what lies in memory beside the server of net/http.

package proxy

import (
	"bytes"
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
//
// The first request is always for net/http, which reads the beginning of a connection in pieces to
// see what protocol it is.
type lane struct {
	*conn
	remote string
	// express answers a request by writing to c, or does nothing and returns false.
	express func(c io.Writer, r *http.Request) (bool, error)
	limits  func() *Limits
	late    *sync.WaitGroup // answers that are under way when the server ends

	mu      sync.Mutex // guards the fields below
	first   []byte     // of the first head, what net/http was handed; nil when it has that
	open    bool       // what comes next begins a request
	certain bool       // net/http was handed nothing but whole requests without a body
	busy    bool       // an answer is under way
	closed  bool       // somebody wants the connection closed
}

func newLane(c *conn, s *Server) *lane {
	return &lane{
		conn: c, remote: c.RemoteAddr().String(), express: s.express, first: []byte{},
		limits: func() *Limits { return &s.now.Load().config.Limits }, late: &s.watching,
	}
}

// Read implements net.Conn for net/http, which gets what is not answered here.
func (l *lane) Read(p []byte) (int, error) {
	for {
		n, err := l.conn.Read(p)
		if n == 0 {
			return n, err
		}
		if !l.begin() {
			l.follow(p[:n])
			return n, err
		}
		switch l.take(p[:n]) {
		case doubtful, whole:
			return n, err
		case broken:
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

// follow notes what net/http gets when no request is expected. Unless it is the first one, nobody
// knows where it ends.
func (l *lane) follow(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.certain = false
	if l.first == nil {
		return
	}
	l.first = append(l.first, b...)
	if len(l.first) > mostFirst || bytes.Contains(l.first, []byte("\r\n\r\n")) {
		l.certain = parseHead(l.first) != nil
		l.first = nil
	}
}

// mostFirst is the longest head that is put together again, in bytes. It is what net/http reads at
// once of the others.
const mostFirst = 4 << 10

// turn is what became of bytes that were expected to be a request.
type turn int

const (
	doubtful turn = iota // handed over; they may be anything
	whole                // handed over: one request without a body, to its end
	answered
	broken // nothing may be sent any more
)

// take answers the request that b is, or leaves it to net/http.
func (l *lane) take(b []byte) (did turn) {
	defer func() { did = l.done(did) }() // also of a panic, which net/http tells
	r := parseHead(b)
	if r == nil {
		return doubtful
	}
	r.RemoteAddr = l.remote
	switch ok, err := l.express(l.conn, r); {
	case !ok:
		return whole
	case err != nil: // half of an answer may be on its way
		return broken
	}
	// A closed connection fails in Read.
	_ = l.conn.SetReadDeadline(time.Now().Add(l.limits().Idle.Std()))
	return answered
}

// done notes what became of bytes, and closes the connection if it has to be closed.
func (l *lane) done(did turn) turn {
	l.mu.Lock()
	awaited := l.busy && l.closed
	l.busy = false
	if did != answered {
		l.open, l.certain = false, l.certain && did == whole
	}
	closed := l.closed || did == broken
	l.mu.Unlock()
	if !closed {
		return did
	}
	l.conn.Close()
	if awaited {
		l.late.Done()
	}
	if did == answered {
		return broken
	}
	return did
}

// hear is told by net/http what it does with the connection.
func (l *lane) hear(s http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s {
	case http.StateNew:
	case http.StateIdle:
		l.open, l.first = l.certain, nil
	default:
		l.open = false
	}
}

// Close implements net.Conn. An answer that is under way may go out first, for as long as requests
// may go on when the server ends: net/http takes the connection for idle, and does not wait.
func (l *lane) Close() error {
	l.mu.Lock()
	again := l.closed
	l.closed = true
	if !l.busy || again {
		l.mu.Unlock()
		return l.conn.Close()
	}
	l.late.Add(1)
	l.mu.Unlock()
	return l.conn.SetWriteDeadline(time.Now().Add(l.limits().Shutdown.Std()))
}

// hearLanes lets the lanes among the connections of a server hear.
func hearLanes(c net.Conn, s http.ConnState) {
	if l, ok := c.(*lane); ok {
		l.hear(s)
	}
}

// express answers a request if a fresh response to it lies in memory; otherwise it does nothing.
func (s *Server) express(c io.Writer, r *http.Request) (bool, error) {
	st, w := s.now.Load(), leanFor(r)
	defer w.free()
	if st.log != nil {
		return s.expressLogged(c, w, r)
	}
	if !st.hit(w, r) {
		return false, nil
	}
	_, err := w.sendTo(c)
	return true, err
}

func (s *Server) expressLogged(c io.Writer, w *lean, r *http.Request) (bool, error) {
	began := time.Now()
	out := &reply{ResponseWriter: w}
	r, result := tracked(r)
	if !s.now.Load().hit(out, r) {
		return false, nil
	}
	var err error
	out.bytes, err = w.sendTo(c)
	if st := s.now.Load(); st.log != nil {
		st.note(out, &access{request: r, began: began, took: time.Since(began), result: *result})
	}
	return true, err
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
	if wait := s.origin.circuit.wait(time.Now()); wait > 0 {
		w = &retrying{w, wait}
	}
	door := s.doubting
	if st.trusted.hasPeer(r) {
		door = s.believing
	}
	return door.(hitter).ServeHit(w, r)
}
