// raw_test.go holds an origin that writes bytes, right or wrong ones, and a client that looks at
// the bytes of what comes back.

package httpcache_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/httpcache"
)

// rawOrigin is a server that reads a request of each connection and answers it with a script. Then
// it closes the connection.
type rawOrigin struct {
	t        testing.TB
	addr     string
	requests atomic.Int64
	script   atomic.Pointer[func(*rawConn)]
	work     sync.WaitGroup

	mu       sync.Mutex // guards the fields below
	listener net.Listener
	open     map[*rawConn]bool
}

// rawConn is a connection to an origin, and the request that came.
type rawConn struct {
	*net.TCPConn
	req *http.Request
}

func newRawOrigin(t testing.TB, script func(*rawConn)) *rawOrigin {
	t.Helper()
	o := &rawOrigin{t: t, addr: "127.0.0.1:0", open: map[*rawConn]bool{}}
	o.answer(script)
	o.start()
	o.addr = o.listener.Addr().String()
	t.Cleanup(o.stop)
	return o
}

// answer says what is done with the requests to come.
func (o *rawOrigin) answer(script func(*rawConn)) { o.script.Store(&script) }

// start listens, again at the same address after stop.
func (o *rawOrigin) start() {
	o.t.Helper()
	l, err := net.Listen("tcp", o.addr)
	if err != nil {
		o.t.Fatal(err)
	}
	o.mu.Lock()
	o.listener = l
	o.mu.Unlock()
	o.work.Go(func() { o.accept(l) })
}

// stop refuses connections, closes those that are there, and waits for the scripts to end. It may
// be called twice.
func (o *rawOrigin) stop() {
	o.mu.Lock()
	o.listener.Close()
	for c := range o.open {
		c.Close()
	}
	o.mu.Unlock()
	o.work.Wait()
}

func (o *rawOrigin) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		o.work.Go(func() { o.serve(&rawConn{TCPConn: c.(*net.TCPConn)}) })
	}
}

func (o *rawOrigin) serve(c *rawConn) {
	o.mu.Lock()
	o.open[c] = true
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		delete(o.open, c)
		o.mu.Unlock()
		c.Close()
	}()
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	io.Copy(io.Discard, req.Body)
	o.requests.Add(1)
	c.req = req
	(*o.script.Load())(c)
}

// say writes to the connection and reports whether that was possible.
func (c *rawConn) say(format string, args ...any) bool {
	_, err := fmt.Fprintf(c, format, args...)
	return err == nil
}

// repeat writes block until the other side has gone.
func (c *rawConn) repeat(block []byte) {
	for err := error(nil); err == nil; {
		_, err = c.Write(block)
	}
}

// hang says nothing more until the other side has gone.
func (c *rawConn) hang() { io.Copy(io.Discard, c) }

// dribble writes text byte by byte until the other side has gone.
func (c *rawConn) dribble(text string, pause time.Duration) {
	for i := range len(text) {
		if !c.say("%s", text[i:i+1]) {
			return
		}
		time.Sleep(pause)
	}
}

// reset closes the connection so that the other side gets an error instead of an end.
func (c *rawConn) reset() {
	c.SetLinger(0)
	c.Close()
}

// rawFront is a server with a proxy of a cache in front of an origin.
type rawFront struct {
	t     testing.TB
	addr  string
	cache *httpcache.Cache
	asked atomic.Int64 // requests that reached the proxy
}

// newRawFront starts a proxy, which ends with the test.
func newRawFront(t testing.TB, o *rawOrigin, options httpcache.Options) *rawFront {
	t.Helper()
	c := httpcache.New(options)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	f := serveRaw(t, c.Proxy(httpcache.Origin{URL: &url.URL{Scheme: "http", Host: o.addr}}))
	f.cache = c
	return f
}

// serveRaw starts a server with h, without a cache.
func serveRaw(t testing.TB, h http.Handler) *rawFront {
	f := &rawFront{t: t}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	f.addr = s.Listener.Addr().String()
	return f
}

// leavesNothing checks that the goroutines of the test have ended with it. It comes first.
func leavesNothing(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// rawAnswer is what came back.
type rawAnswer struct {
	status int
	header http.Header
	body   string
	err    error // that the client met where the body should have gone on, or instead of a header
}

// String is for messages of tests.
func (a rawAnswer) String() string {
	body := a.body
	if len(body) > 80 {
		body = body[:80] + "..."
	}
	return fmt.Sprintf("%d %q, error %v", a.status, body, a.err)
}

// patience is how long a client waits for the end of an answer. Nothing may take that long.
const patience = 30 * time.Second

// dial connects and asks for path.
func (f *rawFront) dial(path string, lines ...string) net.Conn {
	f.t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	request := append([]string{
		"GET " + path + " HTTP/1.1", "Host: example.com", "Connection: close",
	}, lines...)
	if _, err := io.WriteString(c, strings.Join(request, "\r\n")+"\r\n\r\n"); err != nil {
		f.t.Fatal(err)
	}
	return c
}

// get asks for path and reads to the end.
func (f *rawFront) get(path string, lines ...string) rawAnswer {
	f.t.Helper()
	c := f.dial(path, lines...)
	defer c.Close()
	wire, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		f.t.Fatalf("%s: no end within %v after %.200q", path, patience, wire)
	}
	checkWire(f.t, wire)
	return parseRaw(wire)
}

// parseRaw reads the final response off what came.
func parseRaw(wire []byte) (a rawAnswer) {
	r := bufio.NewReader(bytes.NewReader(wire))
	for a.status < 200 {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			a.err = err
			return a
		}
		a.status, a.header = resp.StatusCode, resp.Header
		body, err := io.ReadAll(resp.Body)
		a.body, a.err = string(body), err
	}
	return a
}

// checkWire checks that nobody can read the header of what came in another way.
func checkWire(t testing.TB, wire []byte) {
	t.Helper()
	head, _, _ := bytes.Cut(wire, []byte("\r\n\r\n"))
	lengths, codings := 0, 0
	_, fields, _ := strings.Cut(string(head), "\r\n")
	for line := range strings.SplitSeq(fields, "\r\n") {
		name, _, _ := strings.Cut(strings.ToLower(line), ":")
		if strings.ContainsAny(line, "\r\n\x00") || strings.ContainsAny(name, " \t") {
			t.Errorf("a bare CR, LF, NUL, a folded line or a broken name: %q", line)
		}
		switch name {
		case "content-length":
			lengths++
		case "transfer-encoding":
			codings++
		}
	}
	if lengths+codings > 1 {
		t.Errorf("the end of the body is told %d times:\n%s", lengths+codings, head)
	}
}
