// lane_reply.go writes an answer out of memory in one piece.

package proxy

import (
	"cmp"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// lean is the http.ResponseWriter of an answer that lies in memory.
type lean struct {
	header http.Header
	code   int
	body   []byte
	ours   bool // the body, and not what the cache has in memory
	isHead bool
	out    []byte
}

// mostSpare is the largest buffer that is kept for the next answer, in bytes.
const mostSpare = 64 << 10

var spareLeans = sync.Pool{New: func() any { return &lean{header: http.Header{}} }}

// leanFor returns what the answer to r is written to, which must be freed. The cache writes a whole
// body as it lies in memory, where it does not change; but parts of one through a buffer, which it
// uses again.
func leanFor(r *http.Request) *lean {
	w := spareLeans.Get().(*lean)
	w.isHead, w.ours = r.Method == http.MethodHead, r.Header["Range"] != nil
	return w
}

// free makes w ready for another answer.
func (w *lean) free() {
	clear(w.header)
	w.code, w.body = 0, nil
	if cap(w.out) <= mostSpare {
		spareLeans.Put(w)
	}
}

// Header implements http.ResponseWriter.
func (w *lean) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *lean) WriteHeader(code int) { w.code = cmp.Or(w.code, code) }

// Write implements http.ResponseWriter.
func (w *lean) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.ours:
		w.body = append(w.body, p...)
	case w.body == nil:
		w.body = p
	default:
		w.body, w.ours = slices.Concat(w.body, p), true
	}
	return len(p), nil
}

// sendTo writes the answer, and returns how much of its body went out. After an error nothing may
// follow: the client has a part of the answer.
func (w *lean) sendTo(c io.Writer) (int64, error) {
	w.WriteHeader(http.StatusOK)
	w.appendHead()
	head := len(w.out)
	if w.isHead || !hasBody(w.code) {
		w.body = nil
	}
	first := min(len(w.body), mostSpare-min(head, mostSpare))
	w.out = append(w.out, w.body[:first]...)
	n, err := c.Write(w.out)
	n = max(n-head, 0)
	if err == nil && first < len(w.body) {
		var more int
		more, err = c.Write(w.body[first:])
		n += more
	}
	return int64(n), err
}

// hasBody reports whether an answer with a status has a body, be it empty.
func hasBody(code int) bool {
	return code != http.StatusNoContent && code != http.StatusNotModified
}

// appendHead makes the head of the answer in w.out, as net/http would.
func (w *lean) appendHead() {
	b := append(w.out[:0], "HTTP/1.1 "...)
	b = append(strconv.AppendInt(b, int64(w.code), 10), ' ')
	if text := http.StatusText(w.code); text != "" {
		b = append(b, text...)
	} else {
		b = strconv.AppendInt(append(b, "status code "...), int64(w.code), 10)
	}
	b = append(b, "\r\n"...)
	for name, values := range w.header {
		if w.leavesOut(name) {
			continue
		}
		for _, value := range values {
			b = appendField(b, name, value)
		}
	}
	if w.header["Date"] == nil {
		b = time.Now().UTC().AppendFormat(append(b, "Date: "...), http.TimeFormat)
		b = append(b, "\r\n"...)
	}
	if !w.isHead && hasBody(w.code) {
		b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(w.body)), 10)
		b = append(b, "\r\n"...)
	}
	w.out = append(b, "\r\n"...)
}

// leavesOut reports whether a field is not for the client: where the answer ends, and that the
// connection stays, is said by us alone.
func (w *lean) leavesOut(name string) bool {
	switch name {
	case "Content-Length":
		return !w.isHead || !hasBody(w.code)
	case "Content-Type":
		return w.code == http.StatusNotModified
	case "Transfer-Encoding", "Connection":
		return true
	}
	return !httpguts.ValidHeaderFieldName(name)
}

// appendField appends a line of a header, which a value cannot end.
func appendField(b []byte, name, value string) []byte {
	if strings.ContainsAny(value, "\r\n") {
		value = lineEnds.Replace(value)
	}
	b = append(append(b, name...), ": "...)
	return append(append(b, textproto.TrimString(value)...), "\r\n"...)
}

var lineEnds = strings.NewReplacer("\r", " ", "\n", " ")
