// inprocess.go lets a handler of this process be asked like an origin.

package httpcache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime/debug"
	"strconv"
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

// RoundTrip implements http.RoundTripper. The body arrives as the handler writes it; with the end of
// the request's context it ends, whether the handler does or not.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answering{
		header: http.Header{}, ready: make(chan struct{}), head: r.Method == http.MethodHead,
		length: -1,
	}
	reader, pipe := io.Pipe()
	w.pipe, w.body = pipe, &answered{reader: reader}
	w.body.stop = context.AfterFunc(r.Context(), func() {
		reader.CloseWithError(context.Cause(r.Context()))
	})
	w.out = bufio.NewWriterSize(beginning{w}, sniffed)
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		w.interim = trace.Got1xxResponse
	}
	go w.serve(p.next, r)
	select {
	case <-w.ready:
		return w.resp, w.err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// answered is the body that a handler writes.
type answered struct {
	reader *io.PipeReader
	stop   func() bool
}

func (a *answered) Read(p []byte) (int, error) { return a.reader.Read(p) }

// Close implements io.Closer: what the handler writes from now on fails.
func (a *answered) Close() error {
	a.stop()
	return a.reader.Close()
}

// sniffed is how much of a body is held back, so that its type can be told, and small pieces go
// together.
const sniffed = 2 << 10

// answering is the ResponseWriter of a handler that is asked like an origin. Its fields are those of
// the goroutine of the handler, until it is ready.
type answering struct {
	header http.Header
	status int         // 0 until it is said
	said   http.Header // as it was then
	out    *bufio.Writer
	pipe   *io.PipeWriter
	body   *answered
	head   bool
	wrote  int64
	length int64 // of the body, or -1
	// interim hears of interim responses; nil: nobody does.
	interim func(status int, h textproto.MIMEHeader) error

	ready    chan struct{} // closed when the fields below are set
	begun    bool
	bodiless bool // what is written goes nowhere
	resp     *http.Response
	err      error
}

// serve runs the handler to its end.
func (w *answering) serve(next http.Handler, r *http.Request) {
	returned := false
	defer func() {
		if value := recover(); value != nil {
			w.fail(&panicError{value, debug.Stack()})
		} else if !returned {
			w.fail(errExit)
		}
	}()
	next.ServeHTTP(w, r)
	returned = true
	w.complete()
}

// errExit says that a handler has ended its goroutine.
var errExit = errors.New("httpcache: handler ended its goroutine")

// fail is for a handler that panicked.
func (w *answering) fail(err error) {
	if !w.begun {
		w.begun, w.err = true, err
		w.body.stop()
		close(w.ready)
	}
	w.pipe.CloseWithError(err)
}

// complete is for a handler that has returned. One that wrote little has said by that how much.
func (w *answering) complete() {
	if !w.begun {
		length := w.wrote
		if w.head && length == 0 {
			length = -1 // it knows that nobody reads it
		}
		w.length = length
		if w.out.Buffered() == 0 {
			w.begin(nil)
		}
	}
	w.out.Flush() // nobody may be reading
	w.pipe.Close()
}

// Header implements http.ResponseWriter.
func (w *answering) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *answering) WriteHeader(status int) {
	switch {
	case w.status != 0:
	case status >= 200:
		w.status, w.said = status, w.header.Clone() // what is set from now on is too late
	case w.interim != nil:
		_ = w.interim(status, textproto.MIMEHeader(w.header.Clone())) // who listens says nothing back
	}
}

// begin makes the response out of what the handler said so far, and the first bytes of its body.
func (w *answering) begin(first []byte) {
	w.begun = true
	w.WriteHeader(http.StatusOK) // unless another is said
	h := w.said
	if n := announced(h); n >= 0 {
		w.length = n
	}
	if _, said := h["Content-Type"]; !said && len(first) > 0 && h["Content-Encoding"] == nil {
		h["Content-Type"] = []string{http.DetectContentType(first)}
	}
	w.resp = newResponse(w.status, h)
	w.resp.Body, w.resp.ContentLength = w.body, w.length
	if w.head || w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		w.body.Close()
		w.resp.Body, w.bodiless = http.NoBody, true
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

// beginning is where held back bytes go.
type beginning struct{ w *answering }

func (b beginning) Write(p []byte) (int, error) {
	if !b.w.begun {
		b.w.begin(p)
	}
	if b.w.bodiless {
		return len(p), nil
	}
	return b.w.pipe.Write(p)
}

// Write implements http.ResponseWriter.
func (w *answering) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	n, err := w.out.Write(p)
	w.wrote += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (w *answering) Flush() {
	w.WriteHeader(http.StatusOK)
	if w.out.Buffered() == 0 && !w.begun {
		w.begin(nil)
	}
	w.out.Flush() // an error is that of the next Write
}
