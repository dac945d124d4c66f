// with.go puts a permission on what a handler answers.

package browsercache

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// With returns a handler that answers as next does, with the Cache-Control of permission where next
// sets none. Only successes get it, that is 200, 203, 204, 206 and 304: an error that is kept for a
// year would outlive its cause. A response that sets a cookie gets it for this browser alone, so
// that no shared cache hands the cookie on.
func With(permission Permission, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &hooked{rw: w, before: func(status int) { apply(permission, w.Header(), status) }}
		next.ServeHTTP(h, r)
		if !h.wrote { // an empty page: net/http writes its header
			h.before(http.StatusOK)
		}
	})
}

// apply sets Cache-Control where that is for permission to say.
func apply(permission Permission, h http.Header, status int) {
	switch status {
	default:
		return
	case http.StatusOK, http.StatusNonAuthoritativeInfo, http.StatusNoContent,
		http.StatusPartialContent, http.StatusNotModified:
	}
	if len(h["Cache-Control"]) > 0 {
		return
	}
	text := permission.String()
	if len(h["Set-Cookie"]) > 0 {
		text = permission.private()
	}
	h.Set("Cache-Control", text)
}

// hooked is a ResponseWriter that calls before once, with the status, just before the header goes.
type hooked struct {
	rw     http.ResponseWriter
	before func(status int)
	wrote  bool
}

// Header implements http.ResponseWriter.
func (h *hooked) Header() http.Header { return h.rw.Header() }

// WriteHeader implements http.ResponseWriter.
func (h *hooked) WriteHeader(status int) {
	if !h.wrote && !isInformational(status) {
		h.wrote = true
		h.before(status)
	}
	h.rw.WriteHeader(status)
}

// isInformational tells whether another header follows.
func isInformational(status int) bool {
	return status < 200 && status != http.StatusSwitchingProtocols
}

// begin writes the header of a success unless one was written.
func (h *hooked) begin() {
	if !h.wrote {
		h.WriteHeader(http.StatusOK)
	}
}

// Write implements http.ResponseWriter.
func (h *hooked) Write(b []byte) (int, error) {
	h.begin()
	return h.rw.Write(b)
}

// ReadFrom implements io.ReaderFrom, so that files go out without a copy where they can.
func (h *hooked) ReadFrom(r io.Reader) (int64, error) {
	h.begin()
	return io.Copy(h.rw, r)
}

// FlushError is what http.ResponseController calls.
func (h *hooked) FlushError() error {
	h.begin()
	return http.NewResponseController(h.rw).Flush()
}

// Flush implements http.Flusher.
func (h *hooked) Flush() { _ = h.FlushError() }

// Hijack implements http.Hijacker.
func (h *hooked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.rw).Hijack()
}

// Unwrap lets http.ResponseController reach what is below.
func (h *hooked) Unwrap() http.ResponseWriter { return h.rw }
