// body.go bounds the bodies of requests, in bytes and in silence.

package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// BodyError is why the body of a request could not be read to its end. It says nothing about the
// origin.
type BodyError struct {
	Status int // what the client is to be told: 400, 408 or 413
	Err    error
}

// Error says what was wrong.
func (e *BodyError) Error() string { return fmt.Sprintf("proxy: body of the request: %v", e.Err) }

// Unwrap returns the error of the connection.
func (e *BodyError) Unwrap() error { return e.Err }

// StatusCode returns the status that the client is to be told.
func (e *BodyError) StatusCode() int { return e.Status }

// body is the body of a request, read with a deadline that moves on as bytes come.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	left    int64 // bytes that may still come

	mu    sync.Mutex // guards the fields below: a transport may read on when the handler has ended
	until time.Time
	ended bool
	err   *BodyError // why reading failed
}

// bodyKey finds the body of a request in its context.
type bodyKey struct{}

// guardBody returns r with bounds on its body, of which it has one. end must be called when r was
// answered.
func guardBody(
	w http.ResponseWriter, r *http.Request, l *Limits,
) (guarded *http.Request, end func()) {
	b := &body{
		ReadCloser: r.Body, control: http.NewResponseController(w),
		stall: time.Duration(l.Stall), left: int64(l.Body),
	}
	guarded = r.WithContext(context.WithValue(r.Context(), bodyKey{}, b))
	guarded.Body = b
	return guarded, b.end
}

// bodyError returns why the body of the request of ctx could not be read, nil if it could. A
// transport may have another error to tell, from the connection that it then gave up.
func bodyError(ctx context.Context) *BodyError {
	b, ok := ctx.Value(bodyKey{}).(*body)
	if !ok {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Read implements io.Reader. The deadline outlives an error: what the server reads on to keep the
// connection in step is bounded too.
func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 { // one more tells that it is too large
		p = p[:b.left+1]
	}
	b.extend(time.Now())
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	switch {
	case b.left < 0:
		return n + int(b.left), b.fail(http.StatusRequestEntityTooLarge, errors.New("too large"))
	case err == io.EOF:
		b.release()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, b.fail(http.StatusRequestTimeout, err)
	case err != nil:
		return n, b.fail(http.StatusBadRequest, err)
	}
	return n, err
}

// fail remembers and returns why reading failed.
func (b *body) fail(status int, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = &BodyError{status, err}
	return b.err
}

// settle finds out whether a GET has a body where its head does not say: in HTTP/3 only the end of
// the stream tells, and what has a body no cache answers. It changes r.
func settle(r *http.Request) error {
	if r.ProtoMajor < 3 || r.ContentLength >= 0 ||
		r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil
	}
	var first [1]byte
	n, err := io.ReadFull(r.Body, first[:])
	switch {
	case err == io.EOF:
		r.Body, r.ContentLength = http.NoBody, 0
		return nil
	case err != nil:
		return err
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(first[:n]), r.Body), r.Body}
	return nil
}

// extend moves the deadline on, if less than three quarters of it are left.
func (b *body) extend(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended && b.until.Sub(now) < b.stall*3/4 {
		b.until = now.Add(b.stall)
		b.control.SetReadDeadline(b.until) // where it cannot be set there is none
	}
}

// release takes the deadline back: from now on the server listens for the end of the client.
func (b *body) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.ended = true
		b.control.SetReadDeadline(time.Time{})
	}
}

// end leaves the connection to the server, and to the next request. A deadline that is set goes on:
// it bounds what the server reads to keep the connection in step.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}
