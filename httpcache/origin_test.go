// origin_test.go holds the origins and stores that the tests of Transport play with.

package httpcache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

// origin is a server without a network, so that it works within a synctest bubble.
type origin struct {
	mu       sync.Mutex
	requests []*http.Request
	answer   func(*http.Request) *http.Response // nil: a network error
}

var errDown = errors.New("origin is down")

func (o *origin) RoundTrip(req *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = append(o.requests, req)
	if o.answer == nil {
		return nil, errDown
	}
	return o.answer(req), nil
}

// last is the request that came last.
func (o *origin) last() *http.Request { return o.requests[len(o.requests)-1] }

// always answers with the same response.
func always(status int, body string, lines ...string) func(*http.Request) *http.Response {
	return func(*http.Request) *http.Response { return answer(status, body, lines...) }
}

// answer makes a response with a Date of now.
func answer(status int, body string, lines ...string) *http.Response {
	h := header(lines...)
	if h.Get("Date") == "" {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// validating answers with body and etag, or with 304 to who knows the etag.
func validating(etag, body string, lines ...string) func(*http.Request) *http.Response {
	lines = append(lines, "Etag: "+etag)
	return func(req *http.Request) *http.Response {
		if req.Header.Get("If-None-Match") == etag {
			return answer(http.StatusNotModified, "", lines...)
		}
		return answer(http.StatusOK, body, lines...)
	}
}

// header makes a header of lines such as "Age: 3".
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

const pageURL = "http://example.com/page"

// got is what a test looks at of a response.
type got struct {
	*http.Response
	body string
	httpcache.Result
}

// do makes a request with header lines and reads the response to its end.
func do(t *testing.T, rt http.RoundTripper, method, url string, lines ...string) got {
	t.Helper()
	return doHeader(t, rt, method, url, header(lines...))
}

// doHeader is do with a header as it is, canonical or not.
func doHeader(t *testing.T, rt http.RoundTripper, method, url string, h http.Header) got {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: read body: %v", method, url, err)
	}
	return got{resp, string(body), httpcache.ResultOf(resp)}
}

func get(t *testing.T, rt http.RoundTripper, lines ...string) got {
	t.Helper()
	return do(t, rt, http.MethodGet, pageURL, lines...)
}

// want checks outcome and body.
func (g got) want(t *testing.T, o httpcache.Outcome, body string) {
	t.Helper()
	if g.Outcome != o || g.body != body {
		t.Errorf("got %v (%s) %d %.40q, want %v %.40q",
			g.Outcome, g.Reason, g.StatusCode, g.body, o, body)
	}
}

// newTransport returns a Transport over o and a memory store.
func newTransport(o *origin) *httpcache.Transport {
	return &httpcache.Transport{Base: o, Store: store.NewMemory(store.MemoryOptions{})}
}

// brokenStore fails at everything.
type brokenStore struct{}

var errBroken = errors.New("store is broken")

func (brokenStore) Get(context.Context, string) (store.Item, error) {
	return store.Item{}, errBroken
}
func (brokenStore) Set(context.Context, string, store.Item) error { return errBroken }
func (brokenStore) Delete(context.Context, string) error          { return errBroken }
func (brokenStore) Close() error                                  { return nil }

// streamStore is a memory store that counts what passes through its streams.
type streamStore struct {
	store.Store
	mu       sync.Mutex
	streamed int64 // bytes written
	commits  int
	closes   int    // without Commit
	opened   []byte // if set, what Open reads in place of the value
}

func (s *streamStore) Open(ctx context.Context, key string) (store.Item, store.Reader, error) {
	item, err := s.Get(ctx, key)
	if err != nil {
		return store.Item{}, nil, err
	}
	r := store.NewReader(item.Value)
	if s.opened != nil {
		r = shortReader{Reader: store.NewReader(s.opened), size: r.Size()}
	}
	return item, r, nil
}

// shortReader claims more than it has.
type shortReader struct {
	store.Reader
	size int64
}

func (r shortReader) Size() int64 { return r.size }

func (s *streamStore) Create(
	_ context.Context, key string, item store.Item,
) (store.Writer, error) {
	return &streamWriter{s: s, key: key, item: item}, nil
}

type streamWriter struct {
	s    *streamStore
	key  string
	item store.Item
	done bool
}

func (w *streamWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.streamed += int64(len(p))
	if w.s.Store != nil {
		w.item.Value = append(w.item.Value, p...)
	}
	return len(p), nil
}

func (w *streamWriter) Commit() error {
	w.done = true
	w.s.mu.Lock()
	w.s.commits++
	w.s.mu.Unlock()
	return w.s.Set(context.Background(), w.key, w.item)
}

func (w *streamWriter) Close() error {
	if !w.done {
		w.s.mu.Lock()
		w.s.closes++
		w.s.mu.Unlock()
	}
	w.done = true
	return nil
}

// keys returns the keys in s.
func keys(t *testing.T, s store.Store) []string {
	t.Helper()
	var all []string
	for info, err := range store.List(context.Background(), s, "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Key)
	}
	return all
}
