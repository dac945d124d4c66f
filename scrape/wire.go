// wire.go is the polite way to the network: what lies below the cache.

package scrape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/store"
)

// wire is an [http.RoundTripper] that sends a request only if guard and robots.txt let it, when
// its host and the limits let it, and again if the host was busy. It is only asked for what the
// cache cannot answer. A response comes back whole, its body in memory, or not at all.
type wire struct {
	o     *Options
	base  http.RoundTripper
	store store.Store // where robots.txt is kept
	hosts hosts
	jobs  chan struct{} // one element for each request in flight
	loads loads
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.o.Offline {
		return nil, failed(req.URL.String(), ErrNotCached)
	}
	h := w.hosts.get(origin(req.URL))
	defer w.hosts.put(h)
	if err := w.mayFetch(req, h); err != nil {
		return nil, failed(req.URL.String(), err)
	}
	res, err := w.tries(req, h, w.readWhole)
	if err != nil {
		return nil, failed(req.URL.String(), err)
	}
	return res, nil
}

// mayFetch asks guard and robots.txt.
func (w *wire) mayFetch(req *http.Request, h *host) error {
	if err := w.guard(req); err != nil {
		return err
	}
	if req.URL.Path == "/robots.txt" {
		return nil
	}
	robots, err := w.robotsOf(req.Context(), h)
	if err != nil {
		return err
	}
	if rule, ok := robots.Rule(w.o.UserAgent, req.URL.RequestURI()); ok && !rule.Allow {
		return fmt.Errorf("%w, %s", ErrDisallowed, rule)
	}
	return nil
}

// guard refuses what needs no look at the network; the dialler refuses the rest.
func (w *wire) guard(req *http.Request) error {
	if err := checkURL(req.URL); err != nil {
		return err
	}
	if w.o.AllowPrivate {
		return nil
	}
	return refuseLiteral(req.URL)
}

// A bodyReader reads the body of a response under a limit of its own.
type bodyReader func(*http.Response) ([]byte, error)

// tries sends req until it succeeds, cannot succeed, or has been sent once and Retries times more.
func (w *wire) tries(req *http.Request, h *host, read bodyReader) (*http.Response, error) {
	ctx := req.Context()
	for n := 0; ; n++ {
		res, err := w.once(req, h, read)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && !isTemporary(err) || err == nil && !isBusy(res.StatusCode) {
			return res, err
		}
		wait, busy := w.pause(h, res, n)
		if busy != nil {
			return nil, busy
		}
		if n >= w.o.Retries {
			return res, err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// pause returns how long to wait before the next try. For a host that asks for a pause itself the
// wait is at its next turn, as for all others.
func (w *wire) pause(h *host, res *http.Response, n int) (time.Duration, error) {
	if res == nil {
		return backoff(n), nil
	}
	asked := retryAfter(res.Header, time.Now())
	if asked == 0 {
		return backoff(n), nil
	}
	if asked > w.o.MaxWait {
		return 0, fmt.Errorf("%d: %w", res.StatusCode, busyError(asked, w.o.MaxWait))
	}
	w.o.Notice(fmt.Sprintf("%s answers %d; it gets the pause of %v it asks for",
		h.origin, res.StatusCode, asked.Round(time.Second)))
	return 0, nil
}

// once sends req one time, when it is its turn.
func (w *wire) once(req *http.Request, h *host, read bodyReader) (*http.Response, error) {
	parent := req.Context()
	if err := h.enter(parent); err != nil {
		return nil, err
	}
	defer h.leave()
	select {
	case w.jobs <- struct{}{}:
		defer func() { <-w.jobs }()
	case <-parent.Done():
		return nil, parent.Err()
	}
	ctx, cancel := context.WithTimeoutCause(parent, w.o.Timeout, ErrTimeout)
	defer cancel()
	res, err := w.send(req.WithContext(ctx), read)
	if err == nil && isBusy(res.StatusCode) { // before the next one gets the slot
		h.pauseUntil(time.Now().Add(retryAfter(res.Header, time.Now())))
	}
	if err != nil && parent.Err() == nil && errors.Is(context.Cause(ctx), ErrTimeout) {
		return nil, ErrTimeout
	}
	return res, err
}

// send exchanges one request for one response with its body in memory, and counts that.
func (w *wire) send(req *http.Request, read bodyReader) (*http.Response, error) {
	tallyOf(req.Context()).Add(1)
	began := time.Now()
	res, err := w.exchange(req, read)
	w.loads.end(time.Since(began), res, err)
	return res, err
}

func (w *wire) exchange(req *http.Request, read bodyReader) (*http.Response, error) {
	res, err := w.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if code := res.Header.Get("Content-Encoding"); code != "" && !strings.EqualFold(code, "identity") {
		return nil, fmt.Errorf("%w %.40q", ErrEncoding, code)
	}
	body, err := read(res)
	if err != nil {
		return nil, err
	}
	res.Header.Del("Set-Cookie") // nobody's session belongs into a cache
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return res, nil
}

// readWhole reads a body of at most MaxBody bytes, counted after decompression.
func (w *wire) readWhole(res *http.Response) ([]byte, error) {
	if res.ContentLength > w.o.MaxBody {
		return nil, fmt.Errorf("%w: %d bytes announced, MaxBody is %d",
			ErrBodyTooLarge, res.ContentLength, w.o.MaxBody)
	}
	body, err := readUpTo(res, w.o.MaxBody+1)
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > w.o.MaxBody {
		return nil, fmt.Errorf("%w: over %d bytes", ErrBodyTooLarge, w.o.MaxBody)
	}
	return body, nil
}

// readUpTo reads at most limit bytes of a body. An announced length saves copies, but only up to a
// megabyte is taken on trust.
func readUpTo(res *http.Response, limit int64) ([]byte, error) {
	var b bytes.Buffer
	if n := res.ContentLength; n > 0 {
		b.Grow(int(min(n, limit, 1<<20)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(res.Body, limit))
	return b.Bytes(), err
}

// tallyKey finds the count of requests of one Fetch. It travels in the context, through the cache.
type tallyKey struct{}

func withTally(ctx context.Context) (context.Context, *atomic.Int64) {
	t := &atomic.Int64{}
	return context.WithValue(ctx, tallyKey{}, t), t
}

func tallyOf(ctx context.Context) *atomic.Int64 {
	if t, ok := ctx.Value(tallyKey{}).(*atomic.Int64); ok {
		return t
	}
	return &atomic.Int64{}
}
