// dial.go lets a transport read responses that net/http refuses though a client can make sense of
// them.

package httpcache

import (
	"bytes"
	"context"
	"net"
	"net/textproto"
	"strings"
	"sync/atomic"
)

// Dial returns a DialContext for an [http.Transport] to an origin. A response of HTTP/1 in a
// transfer coding that nobody knows ends with its connection (RFC 9112, section 6.3): net/http
// refuses it, over these connections it does not. What is encrypted they leave as it is.
func Dial(d *net.Dialer) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &mendingConn{Conn: c}, nil
	}
}

// mendingConn is a connection to an origin that changes the head of a response if it must. net/http
// writes from one goroutine and reads from another.
type mendingConn struct {
	net.Conn
	asked atomic.Bool // a request has begun whose response has not
	ready []byte      // read and not handed out yet; of the reader
}

// Write notes where a request begins that has no body. One whose body looks like a request makes
// the reader look twice, and nothing else.
func (c *mendingConn) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("GET ")) || bytes.HasPrefix(p, []byte("HEAD ")) {
		c.asked.Store(true)
	}
	return c.Conn.Write(p)
}

// Read implements net.Conn. A Read may have begun before the request was written.
func (c *mendingConn) Read(p []byte) (int, error) {
	if len(c.ready) == 0 {
		n, err := c.Conn.Read(p)
		if n == 0 || !c.asked.CompareAndSwap(true, false) {
			return n, err
		}
		c.readHead(p[:n], err)
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// mendLimit is how long a head may be that is looked at. Nobody sends a longer one by mistake.
const mendLimit = 64 << 10

// readHead reads the rest of the head of a response that begins with p, unless its connection has
// failed with err, and mends it. What failed will fail again.
func (c *mendingConn) readHead(p []byte, err error) {
	c.ready = append(c.ready[:0:0], p...)
	for err == nil && len(c.ready) < mendLimit && isHead(c.ready) && headEnd(c.ready) < 0 {
		var n int
		var more [4096]byte
		n, err = c.Conn.Read(more[:])
		c.ready = append(c.ready, more[:n]...)
	}
	if end := headEnd(c.ready); end >= 0 && isHead(c.ready) {
		if bytes.HasPrefix(c.ready[len("HTTP/1.x"):], []byte(" 1")) {
			c.asked.Store(true) // an interim response: another follows
		}
		c.ready = mend(c.ready, end)
	}
}

// isHead reports whether b may be the beginning of a response.
func isHead(b []byte) bool {
	const start = "HTTP/1."
	n := min(len(b), len(start))
	return string(b[:n]) == start[:n]
}

// headEnd returns where the empty line ends that ends a head, or -1.
func headEnd(b []byte) int {
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i + 4
	}
	if i := bytes.Index(b, []byte("\n\n")); i >= 0 {
		return i + 2
	}
	return -1
}

// mend returns b, whose first end bytes are a head, so that net/http can read it: with an unknown
// transfer coding taken out, and the connection closed after it.
func mend(b []byte, end int) []byte {
	var out []byte
	from, unknown := 0, false
	for from < end {
		line := b[from:end]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		from += len(line)
		if isUnknownCoding(string(line)) {
			unknown = true
			continue
		}
		if unknown && len(textproto.TrimBytes(line)) == 0 {
			out = append(out, "Connection: close\r\n"...)
		}
		out = append(out, line...)
	}
	if !unknown {
		return b
	}
	return append(out, b[end:]...)
}

// isUnknownCoding reports whether a line of a header says a transfer coding that is none of HTTP's
// (RFC 9112, section 7). Where chunked is in it somehow, who knows where the body ends: that is for
// net/http to refuse.
func isUnknownCoding(line string) bool {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !strings.EqualFold(name, "Transfer-Encoding") {
		return false
	}
	value = strings.ToLower(value)
	for _, known := range []string{"chunked", "gzip", "deflate", "compress", "identity"} {
		if strings.Contains(value, known) {
			return false
		}
	}
	return true
}
