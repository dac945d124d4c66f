// lane_reply.go writes an answer out of memory in one piece.

package proxy

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// lean is the http.ResponseWriter of an answer that lies in memory.
type lean struct {
	header http.Header
	code   int
	body   []byte // what was written at first, which is not ours
	more   []byte // all of it, if that was not all
	out    []byte
}

// mostSpare is the largest buffer that is kept for the next answer, in bytes.
const mostSpare = 64 << 10

var spareLeans = sync.Pool{New: func() any { return &lean{header: http.Header{}} }}

// free makes w ready for another answer.
func (w *lean) free() {
	clear(w.header)
	w.code, w.body, w.more = 0, nil, nil
	if cap(w.out) <= mostSpare {
		spareLeans.Put(w)
	}
}

// Header implements http.ResponseWriter.
func (w *lean) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *lean) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
}

// Write implements http.ResponseWriter. The first piece is not copied: it is in the cache, and does
// not change.
func (w *lean) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.body == nil:
		w.body = p
	case w.more == nil:
		w.more = append(append(make([]byte, 0, 2*(len(w.body)+len(p))), w.body...), p...)
	default:
		w.more = append(w.more, p...)
	}
	return len(p), nil
}

// sendTo writes the answer, and reports whether it could be written down: if not, nothing was sent.
// An error of the connection is one of its next Read, too.
func (w *lean) sendTo(c io.Writer, isHead bool) bool {
	body := w.body
	if w.more != nil {
		body = w.more
	}
	if !w.appendHead(len(body), isHead) {
		return false
	}
	if isHead || w.code == http.StatusNotModified || w.code == http.StatusNoContent {
		body = nil
	}
	first := min(len(body), mostSpare-min(len(w.out), mostSpare))
	w.out = append(w.out, body[:first]...)
	if _, err := c.Write(w.out); err == nil && first < len(body) {
		_, _ = c.Write(body[first:])
	}
	return true
}

// appendHead makes the head of the answer in w.out, and reports whether that is possible.
func (w *lean) appendHead(length int, isHead bool) bool {
	b := append(w.out[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(w.code), 10)
	b = append(append(append(b, ' '), http.StatusText(w.code)...), "\r\n"...)
	for name, values := range w.header {
		for _, value := range values {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
				return false
			}
			b = append(append(b, name...), ": "...)
			b = append(append(b, value...), "\r\n"...)
		}
	}
	if w.header["Date"] == nil {
		b = time.Now().UTC().AppendFormat(append(b, "Date: "...), http.TimeFormat)
		b = append(b, "\r\n"...)
	}
	if w.header["Content-Length"] == nil && !isHead && w.code == http.StatusOK {
		b = strconv.AppendInt(append(b, "Content-Length: "...), int64(length), 10)
		b = append(b, "\r\n"...)
	}
	w.out = append(b, "\r\n"...)
	return true
}
