// inprocess.go lets a handler of this process be asked like an origin.

package httpcache

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime/debug"
	"strconv"
	"sync"
)

// inProcess asks a handler.
type inProcess struct{ next http.Handler }

// panicError says that a handler panicked.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("httpcache: handler panicked: %v\n%s", e.value, e.stack)
}

// RoundTrip implements http.RoundTripper. The body arrives as the handler writes it.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answering{header: http.Header{}, ready: make(chan struct{}), head: r.Method == http.MethodHead}
	w.reader, w.pipe = io.Pipe()
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		w.interim = trace.Got1xxResponse
	}
	go w.serve(p.next, r)
	select {
	case <-w.ready:
		return w.resp, w.err
	case <-r.Context().Done():
		w.reader.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
}

// answering is the ResponseWriter of a handler that is asked like an origin.
type answering struct {
	header http.Header
	reader *io.PipeReader
	pipe   *io.PipeWriter
	head   bool
	// interim hears of interim responses; nil: nobody does.
	interim func(status int, h textproto.MIMEHeader) error

	once  sync.Once
	ready chan struct{} // closed when the fields below are set
	resp  *http.Response
	err   error
}

// serve runs the handler to its end.
func (w *answering) serve(next http.Handler, r *http.Request) {
	defer func() {
		if value := recover(); value != nil {
			err := &panicError{value, debug.Stack()}
			w.once.Do(func() { w.err = err; close(w.ready) })
			w.pipe.CloseWithError(err)
		}
	}()
	next.ServeHTTP(w, r)
	w.complete()
	w.pipe.Close()
}

// complete answers for a handler that wrote nothing.
func (w *answering) complete() {
	w.once.Do(func() { w.begin(http.StatusOK, 0) })
}

// Header implements http.ResponseWriter.
func (w *answering) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *answering) WriteHeader(status int) {
	if status >= 200 {
		w.once.Do(func() { w.begin(status, -1) })
		return
	}
	if w.interim != nil {
		_ = w.interim(status, textproto.MIMEHeader(w.header.Clone())) // who listens says nothing back
	}
}

// begin makes the response out of what the handler said so far.
func (w *answering) begin(status int, length int64) {
	if n := announced(w.header); n >= 0 {
		length = n
	}
	w.resp = newResponse(status, w.header.Clone())
	w.resp.Body, w.resp.ContentLength = w.reader, length
	if w.head || status == http.StatusNoContent || status == http.StatusNotModified {
		w.reader.CloseWithError(io.EOF)
		w.resp.Body = http.NoBody
	}
	close(w.ready)
}

// announced is the length that h gives its body, or -1.
func announced(h http.Header) int64 {
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// Write implements http.ResponseWriter.
func (w *answering) Write(p []byte) (int, error) {
	w.once.Do(func() {
		if w.header["Content-Type"] == nil && w.header["Content-Encoding"] == nil {
			w.header.Set("Content-Type", http.DetectContentType(p))
		}
		w.begin(http.StatusOK, -1)
	})
	if w.resp.Body == http.NoBody {
		return len(p), nil
	}
	return w.pipe.Write(p)
}

// Flush implements http.Flusher: nothing is held back.
func (w *answering) Flush() { w.WriteHeader(http.StatusOK) }
