// body_test.go checks bodies: whole, broken, large, abandoned, damaged, and stores that fail.

package httpcache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

const fresh = "Cache-Control: max-age=60"

// chunked is answer without a Content-Length.
func chunked(body io.Reader, lines ...string) func(*http.Request) *http.Response {
	return func(*http.Request) *http.Response {
		resp := answer(200, "", append(lines, fresh)...)
		resp.Body, resp.ContentLength = io.NopCloser(body), -1
		return resp
	}
}

func TestLargeBodyIsStreamed(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	for _, answer := range []func(*http.Request) *http.Response{
		validating(`"a"`, body, "Cache-Control: no-cache"),
		func(req *http.Request) *http.Response {
			resp := validating(`"a"`, body, "Cache-Control: no-cache")(req)
			resp.ContentLength = -1
			return resp
		},
	} {
		s := &streamStore{Store: store.NewMemory(store.MemoryOptions{})}
		rt := &httpcache.Transport{Base: &origin{answer: answer}, Store: s}
		get(t, rt).want(t, miss, body)
		if s.commits != 1 || s.streamed != 1<<20 {
			t.Errorf("%d bytes in %d commits", s.streamed, s.commits)
		}
		for range 2 {
			g := get(t, rt)
			g.want(t, revalidated, body)
			if g.ContentLength != 1<<20 {
				t.Errorf("ContentLength = %d", g.ContentLength)
			}
		}
		do(t, rt, "HEAD", pageURL).want(t, revalidated, "")
		do(t, rt, "DELETE", pageURL)
		if left := keys(t, s.Store); len(left) != 0 {
			t.Errorf("left after DELETE: %q", left)
		}
	}
}

func TestReplacedLargeBodyLeavesTheStore(t *testing.T) {
	s := store.NewMemory(store.MemoryOptions{})
	large := strings.Repeat("x", 300<<10)
	o := &origin{answer: always(200, large, fresh)}
	rt := &httpcache.Transport{Base: o, Store: s}
	get(t, rt)
	for range 3 {
		get(t, rt, "Cache-Control: no-cache").want(t, miss, large)
		if left := keys(t, s); len(left) != 2 {
			t.Errorf("in the store: %q", left)
		}
	}
	o.answer = always(200, "small", fresh)
	get(t, rt, "Cache-Control: no-cache").want(t, miss, "small")
	if left := keys(t, s); len(left) != 1 {
		t.Errorf("in the store: %q", left)
	}
	get(t, rt).want(t, hit, "small")
}

// zeros is n zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHugeBodyTakesLittleMemory(t *testing.T) {
	s := &streamStore{} // drops what it is given
	const size = 1 << 30
	rt := &httpcache.Transport{
		Base: &origin{answer: chunked(zeros(size))}, Store: discardStore{s}, MaxBody: 2 * size,
	}
	req, _ := http.NewRequest("GET", pageURL, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	runtime.ReadMemStats(&after)
	if n != size || err != nil || s.streamed != size || s.commits != 1 {
		t.Errorf("read %d, %v; stored %d in %d commits", n, err, s.streamed, s.commits)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("allocated %d bytes for a body of %d", used, n)
	}
}

// discardStore streams into nothing.
type discardStore struct{ *streamStore }

func (discardStore) Get(context.Context, string) (store.Item, error) {
	return store.Item{}, store.ErrNotFound
}
func (discardStore) Set(context.Context, string, store.Item) error { return nil }
func (discardStore) Delete(context.Context, string) error          { return nil }
func (discardStore) Close() error                                  { return nil }

func (s discardStore) Create(context.Context, string, store.Item) (store.Writer, error) {
	return &discardWriter{s.streamStore}, nil
}

type discardWriter struct{ s *streamStore }

func (w *discardWriter) Write(p []byte) (int, error) {
	w.s.streamed += int64(len(p))
	return len(p), nil
}
func (w *discardWriter) Commit() error { w.s.commits++; return nil }
func (w *discardWriter) Close() error  { return nil }

func TestBodyOverMaxBodyIsPassedOnAndNotStored(t *testing.T) {
	for _, tc := range []struct {
		max  int64
		size int
	}{{10, 11}, {300 << 10, 400 << 10}} {
		body := strings.Repeat("x", tc.size)
		for _, o := range []*origin{
			{answer: always(200, body, fresh)},
			{answer: func(req *http.Request) *http.Response {
				return chunked(strings.NewReader(body))(req)
			}},
		} {
			s := &streamStore{Store: store.NewMemory(store.MemoryOptions{})}
			rt := &httpcache.Transport{Base: o, Store: s, MaxBody: tc.max}
			get(t, rt).want(t, miss, body)
			get(t, rt).want(t, miss, body)
			if left := keys(t, s.Store); len(left) != 0 || s.commits != 0 {
				t.Errorf("in the store: %q, %d commits", left, s.commits)
			}
		}
	}
}

// failing reads body and then fails, once; who reads on sees an EOF.
func failing(body string) io.Reader {
	return io.MultiReader(strings.NewReader(body), &errReader{})
}

type errReader struct{ failed bool }

func (r *errReader) Read([]byte) (int, error) {
	if r.failed {
		return 0, io.EOF
	}
	r.failed = true
	return 0, io.ErrUnexpectedEOF
}

func TestIncompleteBodyIsNotStored(t *testing.T) { // RFC 9111, section 3.3
	large := strings.Repeat("x", 300<<10)
	short := func(*http.Request) *http.Response {
		resp := answer(200, "hell", fresh)
		resp.ContentLength = 5
		return resp
	}
	for what, answer := range map[string]func(*http.Request) *http.Response{
		"error":           chunked(failing("hell")),
		"error in stream": chunked(failing(large)),
		"short":           short,
	} {
		s := &streamStore{Store: store.NewMemory(store.MemoryOptions{})}
		rt := &httpcache.Transport{Base: &origin{answer: answer}, Store: s}
		req, _ := http.NewRequest("GET", pageURL, nil)
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if left := keys(t, s.Store); len(left) != 0 || s.commits != 0 {
			t.Errorf("%s: in the store: %q", what, left)
		}
	}
}

func TestAbandonedBodyIsNotStored(t *testing.T) {
	large := strings.Repeat("x", 400<<10)
	for _, size := range []int64{0, 1, 300 << 10} {
		s := &streamStore{Store: store.NewMemory(store.MemoryOptions{})}
		rt := &httpcache.Transport{Base: &origin{answer: always(200, large, fresh)}, Store: s}
		req, _ := http.NewRequest("GET", pageURL, nil)
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		io.CopyN(io.Discard, resp.Body, size)
		resp.Body.Close()
		if left := keys(t, s.Store); len(left) != 0 || s.commits != 0 {
			t.Errorf("after %d bytes: in the store: %q", size, left)
		}
		if size > 256<<10 && s.closes != 1 {
			t.Error("the writer was not closed")
		}
	}
}

func TestBodyOfKnownLengthNeedsNoEOF(t *testing.T) {
	rt := newTransport(&origin{answer: always(200, "hello", fresh)})
	req, _ := http.NewRequest("GET", pageURL, nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 5))
	resp.Body.Close()
	get(t, rt).want(t, hit, "hello")
}

func TestEmptyBodyIsStoredUnread(t *testing.T) {
	rt := newTransport(&origin{answer: always(301, "", "Location: /b")})
	req, _ := http.NewRequest("GET", pageURL, nil)
	rt.TTL = 1 << 40
	if _, err := rt.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if g := get(t, rt); g.Outcome != hit || g.StatusCode != 301 || g.Header.Get("Location") != "/b" {
		t.Errorf("got %d %+v", g.StatusCode, g.Result)
	}
}

func TestFailingStoreFailsNoRequest(t *testing.T) {
	var mu sync.Mutex
	noted := 0
	rt := &httpcache.Transport{
		Base: &origin{answer: always(200, "hello", fresh)}, Store: brokenStore{},
		OnError: func(err error) {
			mu.Lock()
			defer mu.Unlock()
			if noted++; !errors.Is(err, errBroken) {
				t.Errorf("noted %v", err)
			}
		},
	}
	for range 2 {
		g := get(t, rt)
		g.want(t, miss, "hello")
		if g.Reason != "store failed" {
			t.Errorf("reason %q", g.Reason)
		}
	}
	do(t, rt, "POST", pageURL).want(t, bypassed, "hello")
	large := strings.Repeat("x", 300<<10)
	rt.Base = &origin{answer: always(200, large, fresh)}
	get(t, rt).want(t, miss, large)
	if noted == 0 {
		t.Error("OnError heard of nothing")
	}
}

// begin makes a request whose body the test reads.
func begin(ctx context.Context, t *testing.T, rt http.RoundTripper) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, pageURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestConcurrentMissesLeaveOneLargeBody(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	rt := newTransport(&origin{answer: always(200, large, fresh, "Vary: L")})
	var all []*http.Response
	for range 3 {
		all = append(all, begin(t.Context(), t, rt))
	}
	for _, resp := range all {
		io.Copy(io.Discard, resp.Body)
		if left := keys(t, rt.Store); len(left) != 2 {
			t.Errorf("in the store: %q", left)
		}
	}
	get(t, rt).want(t, hit, large)
}

// setFails is a store that can only keep bodies.
type setFails struct{ store.Store }

func (s setFails) Set(ctx context.Context, key string, item store.Item) error {
	if strings.Contains(key, "#body=") {
		return s.Store.Set(ctx, key, item)
	}
	return errBroken
}

func TestFailedSetLeavesNoBody(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	rt := newTransport(&origin{answer: always(200, large, fresh)})
	rt.Store = setFails{rt.Store}
	get(t, rt).want(t, miss, large)
	if left := keys(t, rt.Store.(setFails).Store); len(left) != 0 {
		t.Errorf("in the store: %q", left)
	}
}

// contextStore heeds the context in all it does, and in what it has opened.
type contextStore struct{ *streamStore }

func (s contextStore) Get(ctx context.Context, key string) (store.Item, error) {
	if err := ctx.Err(); err != nil {
		return store.Item{}, err
	}
	return s.streamStore.Get(ctx, key)
}

func (s contextStore) Set(ctx context.Context, key string, item store.Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.streamStore.Set(ctx, key, item)
}

func (s contextStore) Open(
	ctx context.Context, key string,
) (store.Item, store.Reader, error) {
	item, r, err := s.streamStore.Open(ctx, key)
	return item, contextReader{r, ctx}, err
}

func (s contextStore) Create(
	ctx context.Context, key string, item store.Item,
) (store.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.streamStore.Create(ctx, key, item)
}

type contextReader struct {
	store.Reader
	ctx context.Context
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

func TestCallerWhoGaveUpIsNoFailureOfTheStore(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	o := &origin{answer: always(200, large, fresh)}
	s := contextStore{&streamStore{Store: store.NewMemory(store.MemoryOptions{})}}
	rt := &httpcache.Transport{Base: o, Store: s, OnError: func(err error) {
		t.Errorf("noted: %v", err)
	}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	io.Copy(io.Discard, begin(ctx, t, rt).Body) // find and Create fail
	o.answer = always(200, "small", fresh)
	io.Copy(io.Discard, begin(ctx, t, rt).Body) // find and Set fail

	o.answer = always(200, large, fresh)
	get(t, rt).want(t, miss, large)
	ctx, cancel = context.WithCancel(t.Context())
	resp := begin(ctx, t, rt)
	cancel()
	if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("the body of who gave up ended in %v", err)
	}
	get(t, rt).want(t, hit, large) // not forgotten
}

func TestDamagedEnvelopeIsAMiss(t *testing.T) {
	ctx := context.Background()
	var noted int
	rt := newTransport(&origin{answer: always(200, "hello", fresh, "X: 1")})
	rt.OnError = func(error) { noted++ }
	get(t, rt)
	item, err := rt.Store.Get(ctx, pageURL)
	if err != nil {
		t.Fatal(err)
	}
	good := bytes.Clone(item.Value)
	check := func(what string, value []byte) {
		t.Helper()
		before := noted
		item.Value = value
		if err := rt.Store.Set(ctx, pageURL, item); err != nil {
			t.Fatal(err)
		}
		g := get(t, rt)
		if g.Outcome != miss || g.body != "hello" || g.Reason != "damaged" || noted == before {
			t.Errorf("%s: %+v", what, g.Result)
		}
	}
	for i := range len(good) - len("hello") {
		damaged := bytes.Clone(good)
		damaged[i] ^= 1 << (i % 8)
		check("bit flipped", damaged)
	}
	for i := range good {
		check("cut", good[:i])
	}
	check("longer", append(bytes.Clone(good), 'x'))
	check("another version", append([]byte("LHC\x01"), good[4:]...))
}

func TestLargeBodyThatIsMissingOrDamaged(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	s := &streamStore{Store: store.NewMemory(store.MemoryOptions{})}
	o := &origin{answer: validating(`"a"`, large, "Cache-Control: no-cache")}
	rt := &httpcache.Transport{Base: o, Store: s}
	get(t, rt)
	for _, key := range keys(t, s.Store) {
		if strings.Contains(key, "#body=") {
			s.Delete(context.Background(), key)
		}
	}
	g := get(t, rt)
	g.want(t, miss, large) // and no conditional request was made, whose 304 would be of no use
	if g.Loads != 1 || g.Reason != "body not stored" {
		t.Errorf("got %+v", g.Result)
	}

	for _, key := range keys(t, s.Store) {
		if strings.Contains(key, "#body=") {
			s.Set(context.Background(), key, store.Item{Value: []byte("other")})
		}
	}
	g = get(t, rt)
	g.want(t, miss, large)
	if g.Loads != 1 || g.Reason != "damaged" {
		t.Errorf("got %+v", g.Result)
	}

	s.opened = []byte("too short")
	req, _ := http.NewRequest("GET", pageURL, nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short body ended in %v", err)
	}
	resp.Body.Close()
	s.opened = nil
	get(t, rt).want(t, miss, large)
}

func TestConcurrentRequests(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	o := &origin{answer: func(req *http.Request) *http.Response {
		return validating(`"a"`, req.Header.Get("L")+large, "Cache-Control: no-cache",
			"Vary: L")(req)
	}}
	rt := newTransport(o)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			l := string(rune('a' + i%3))
			for range 20 {
				if g := get(t, rt, "L: "+l); g.body != l+large {
					t.Errorf("%s: %v %.10q", l, g.Outcome, g.body)
				}
				if i == 0 {
					do(t, rt, "DELETE", pageURL)
				}
			}
		})
	}
	wg.Wait()
}

func TestBodyClosedWhileItIsRead(t *testing.T) {
	r, w := io.Pipe()
	rt := newTransport(&origin{answer: func(*http.Request) *http.Response {
		resp := answer(200, "", fresh)
		resp.Body, resp.ContentLength = r, -1
		return resp
	}})
	req, _ := http.NewRequest("GET", pageURL, nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { io.Copy(io.Discard, resp.Body) })
	io.WriteString(w, "part")
	resp.Body.Close()
	wg.Wait()
	if left := keys(t, rt.Store); len(left) != 0 {
		t.Errorf("in the store: %q", left)
	}
}
