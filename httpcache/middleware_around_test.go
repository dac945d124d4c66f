// middleware_around_test.go looks at what is around a handler behind Middleware: methods that
// change, connections that are taken over, clients that leave, the end of the cache, other
// middleware.

package httpcache_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/websocket"

	"github.com/larder-go/larder/httpcache"
)

func TestPostForgetsWhatItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var version atomic.Int64
		v := newView(t, httpcache.View{Query: []string{"page"}, Scope: byHeader("User")},
			func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					version.Add(1)
					return // and writes nothing
				}
				w.Header().Set("Cache-Control", "max-age=60")
				fmt.Fprint(w, "version ", version.Load())
			})
		for _, user := range []string{"User: ann", "User: bob"} {
			v.ask("GET", "/?page=1", user).want(t, miss, "version 0")
		}
		v.ask("POST", "/?utm=x&page=1", "User: ann")
		for _, user := range []string{"User: ann", "User: bob"} {
			v.ask("GET", "/?page=1", user).want(t, miss, "version 1")
		}
	})
}

// TestPostForgetsWhateverThePathLooksLike has paths that URLs write in another way, and a handler
// that does not see all of the path.
func TestPostForgetsWhateverThePathLooksLike(t *testing.T) {
	v := newView(t, httpcache.View{}, numbered(forAMinute))
	f := serveRaw(t, http.StripPrefix("/api", v))
	for _, path := range []string{"/api/x", "/api/a|b", "/api/%7e", "/api//c", "/api/d?"} {
		first := f.get(path)
		if again := f.get(path); again.body != first.body || first.status != http.StatusOK {
			t.Errorf("%s is not kept: %v, then %v", path, first, again)
		}
		post(t, f, path)
		if after := f.get(path); after.body == first.body {
			t.Errorf("%s is still kept after a POST", path)
		}
	}
}

// TestPostForgetsInAStoreThatCanDoLittle has a handler behind http.StripPrefix, and a store that
// only knows Get, Set and Delete.
func TestPostForgetsInAStoreThatCanDoLittle(t *testing.T) {
	c := openCache(t, httpcache.Options{Store: strictStore{memoryStore(t)}})
	v := viewOf(t, c, httpcache.View{}, numbered(forAMinute))
	h := http.StripPrefix("/api", v)
	askHandler(t, h, "GET", "/api/x").want(t, miss, "answer 1")
	askHandler(t, h, "POST", "/api/x")
	askHandler(t, h, "GET", "/api/x").want(t, miss, "answer 3")
}

// post sends an empty POST, byte for byte.
func post(t *testing.T, f *rawFront, path string) {
	t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const rest = " HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	io.WriteString(c, "POST "+path+rest)
	if wire, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(wire), "HTTP/1.1 200") {
		t.Errorf("POST %s: %.60q, %v", path, wire, err)
	}
}

func TestTheClientOfAPostLeavesAndItForgetsAllTheSame(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	heard := make(chan error, 10)
	c := openCache(t, httpcache.Options{
		Store: strictStore{memoryStore(t)}, OnError: func(err error) { heard <- err },
	})
	v := viewOf(t, c, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		if r.Method == http.MethodPost {
			leave()
		}
		io.WriteString(w, "x")
	})
	v.ask("GET", "/").want(t, miss, "x")
	v.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", "/", nil))
	v.ask("GET", "/").want(t, miss, "x")
	if len(heard) > 0 {
		t.Errorf("heard %v", <-heard)
	}
}

func TestWebSocketsPass(t *testing.T) {
	v := newView(t, httpcache.View{TTL: time.Minute},
		websocket.Handler(func(c *websocket.Conn) { io.Copy(c, c) }).ServeHTTP)
	s := frontOf(t, v)
	for range 2 {
		c, err := websocket.Dial("ws"+strings.TrimPrefix(s.URL, "http"), "", s.URL)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "echo")
		answer := make([]byte, 4)
		if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "echo" {
			t.Errorf("got %q, %v", answer, err)
		}
		c.Close()
	}
	v.wantAsked(2)
	await(t, "the count", func() bool { return v.cache.Stats().Bypassed == 2 })
}

func TestUpgradesByTheControllerPass(t *testing.T) {
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n" +
			"Upgrade: echo\r\nConnection: Upgrade\r\n\r\nhello")
		rw.Flush()
	})
	c := serveRaw(t, v).dial("/", "Upgrade: echo")
	defer c.Close()
	r := bufio.NewReader(c)
	if status, err := r.ReadString('\n'); !strings.Contains(status, "101") {
		t.Fatalf("got %q, %v", status, err)
	}
	if rest, _ := io.ReadAll(r); !strings.HasSuffix(string(rest), "hello") {
		t.Errorf("got %q", rest)
	}
}

func TestTheResponseControllerSaysWhatItCannot(t *testing.T) {
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if err := control.Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
		_, _, hijack := control.Hijack()
		for _, err := range []error{
			hijack, control.SetReadDeadline(time.Now()), control.SetWriteDeadline(time.Now()),
		} {
			if !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("got %v, want that it is not supported", err)
			}
		}
		io.WriteString(w, "x")
	})
	v.ask("GET", "/").want(t, miss, "x")
}

func TestValuesOfTheContextArriveAndItsEndDoesNot(t *testing.T) {
	type key struct{}
	ctx, leave := context.WithCancel(context.WithValue(t.Context(), key{}, "a value"))
	goOn := make(chan struct{})
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		leave()
		<-goOn
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, r.Context().Value(key{}), " ", r.Context().Err())
	})
	v.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	close(goOn)
	await(t, "the load that nobody waits for", func() bool { return v.cache.Stats().Entries == 1 })
	v.ask("GET", "/").want(t, hit, "a value <nil>")
	v.wantAsked(1)
}

func TestRequestsAtOnceRunTheHandlerOnce(t *testing.T) {
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		sayHalf(w)
		<-goOn
		io.WriteString(w, " whole")
	})
	s := frontOf(t, v)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			r, _ := http.NewRequest("GET", s.URL, nil)
			if i%4 == 1 {
				r.Header.Set("If-None-Match", `"x"`)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); string(body) != "half whole" {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
	await(t, "all to wait", func() bool { return v.cache.Stats().Misses == 32 })
	release()
	all.Wait()
	v.wantAsked(1)
	if n := v.cache.Stats(); n.Shared != 31 || n.Misses != 32 || n.Entries != 1 {
		t.Errorf("counted %+v", n)
	}
}

// TestAnErrorDoesNotLetTheCrowdIn has a handler that fails once: after that, many at once are one
// again.
func TestAnErrorDoesNotLetTheCrowdIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			time.Sleep(time.Second)
			w.Header().Set("Cache-Control", "max-age=60")
			io.WriteString(w, "well again")
		})
		v.ask("GET", "/")
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() { v.ask("GET", "/") })
		}
		all.Wait()
		v.wantAsked(2)
	})
}

// TestCloseEndsWhatRuns closes while handlers of all kinds run, and while requests come.
func TestCloseEndsWhatRuns(t *testing.T) {
	leavesNothing(t)
	for range 20 {
		closed := make(chan struct{})
		v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", r.URL.Path[1:])
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-closed: // those that pass a closed cache
			}
		})
		s := httptest.NewServer(v)
		var all sync.WaitGroup
		for i := range 32 {
			path := []string{"/max-age=60", "/private", "/no-store", "/max-age=1"}[i%4]
			all.Go(func() {
				if resp, err := s.Client().Get(s.URL + path); err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
		}
		await(t, "a load", func() bool { return v.asked.Load() > 0 })
		v.cache.Close()
		close(closed)
		all.Wait()
		s.Close()
	}
}

func TestAClosedCacheLetsRequestsPass(t *testing.T) {
	v := newView(t, httpcache.View{}, numbered(forAMinute))
	v.ask("GET", "/").want(t, miss, "answer 1")
	for range 2 {
		if err := v.cache.Close(); err != nil {
			t.Error(err)
		}
	}
	v.ask("GET", "/").want(t, httpcache.Bypass, "answer 2")
	v.ask("POST", "/").want(t, httpcache.Bypass, "answer 3")
}

func TestEachAnswerIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60, stale-while-revalidate=60")
			w.Header().Set("Etag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
			}
			io.WriteString(w, "x")
		})
		for _, wait := range []time.Duration{0, 1, 90, 1, 200} { // miss, hit, stale, hit, checked
			time.Sleep(wait * time.Second)
			v.ask("GET", "/")
			synctest.Wait()
		}
		v.ask("POST", "/")
		v.ask("GET", "/x", "Cache-Control: only-if-cached")
		got := v.cache.Stats()
		want := httpcache.Stats{Hits: 2, Stale: 1, Misses: 1, Checked: 1, Bypassed: 1, Failed: 1}
		if got.Weight, got.Entries = 0, 0; got != want {
			t.Errorf("counted %+v, want %+v", got, want)
		}
	})
}

func TestMiddlewaresAroundEachOther(t *testing.T) {
	named := openCache(t, httpcache.Options{Name: "outer"})
	other := openCache(t, httpcache.Options{})
	same := openCache(t, httpcache.Options{FillTimeout: 10 * time.Second})
	for name, c := range map[string]struct{ outer, inner *httpcache.Cache }{
		"of two caches": {named, other},
		"of one cache":  {same, same},
	} {
		var n atomic.Int64
		inner := c.inner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			w.Header().Set("Cache-Control", "max-age=60")
			io.WriteString(w, "x")
		}), httpcache.View{})
		outer := c.outer.Middleware(inner, httpcache.View{})
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				g := askHandler(t, outer, "GET", "/")
				if g.body != "x" || g.Outcome == httpcache.Unknown {
					t.Errorf("%s: got %d %q (%v)", name, g.StatusCode, g.body, g.Outcome)
				}
			})
		}
		all.Wait()
		askHandler(t, outer, "GET", "/").want(t, hit, "x")
		if n.Load() != 1 {
			t.Errorf("%s: the handler ran %d times", name, n.Load())
		}
	}
}

func TestPatternsOfAMuxReachTheHandler(t *testing.T) {
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprintf(w, "%s of %s", r.PathValue("id"), r.Pattern)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /user/{id}", v)
	for range 2 {
		for _, id := range []string{"1", "2"} {
			g := askHandler(t, mux, "GET", "/user/"+id)
			if want := id + " of GET /user/{id}"; g.body != want {
				t.Errorf("got %q, want %q", g.body, want)
			}
		}
	}
	v.wantAsked(2)
}

// zip is middleware that compresses, for who says so.
func zip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if r.Header.Get("Accept-Encoding") != "gzip" {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipped{ResponseWriter: w, z: gzip.NewWriter(w)}
		next.ServeHTTP(z, r)
		z.z.Close()
	})
}

type zipped struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (z *zipped) WriteHeader(status int) {
	z.Header().Del("Content-Length")
	z.Header().Set("Content-Encoding", "gzip")
	z.ResponseWriter.WriteHeader(status)
}

func (z *zipped) Write(p []byte) (int, error) { return z.z.Write(p) }

func (z *zipped) Flush() {
	z.z.Flush()
	http.NewResponseController(z.ResponseWriter).Flush()
}

func TestCompressionOutsideAndInside(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, strings.Repeat("text ", 1000))
	})
	for name, h := range map[string]http.Handler{
		"outside": zip(newView(t, httpcache.View{}, handler)),
		"inside":  newView(t, httpcache.View{}, zip(handler).ServeHTTP),
	} {
		s := frontOf(t, h)
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
		t.Cleanup(client.CloseIdleConnections)
		var all sync.WaitGroup
		for i := range 32 {
			accept := []string{"gzip", "identity"}[i%2]
			all.Go(func() { wantText(t, name, client, s.URL, accept) })
		}
		all.Wait()
		if v, ok := h.(*view); ok {
			v.wantAsked(2)
		}
	}
}

// wantText fetches what TestCompressionOutsideAndInside serves.
func wantText(t *testing.T, name string, c *http.Client, url, accept string) {
	r, _ := http.NewRequest("GET", url, nil)
	r.Header.Set("Accept-Encoding", accept)
	resp, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if coding := resp.Header.Get("Content-Encoding"); (coding == "gzip") != (accept == "gzip") {
		t.Errorf("%s: %s asked for, got %q", name, accept, coding)
	} else if coding == "gzip" {
		if body, err = gzip.NewReader(resp.Body); err != nil {
			t.Error(err)
			return
		}
	}
	if text, err := io.ReadAll(body); len(text) != 5000 || err != nil {
		t.Errorf("%s, %s: %d bytes, %v", name, accept, len(text), err)
	}
}
