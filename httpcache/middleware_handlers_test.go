// middleware_handlers_test.go puts Middleware before handlers that do what they should not, or
// what few do.

package httpcache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// badHandlers do what no handler should.
var badHandlers = map[string]http.HandlerFunc{
	"panics": func(http.ResponseWriter, *http.Request) { panic("a fault") },
	"aborts": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"panics halfway": func(w http.ResponseWriter, r *http.Request) {
		sayHalf(w)
		panic("a fault")
	},
	"aborts halfway": func(w http.ResponseWriter, r *http.Request) {
		sayHalf(w)
		panic(http.ErrAbortHandler)
	},
	"writes too little": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		sayHalf(w)
	},
	"writes too much": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		sayHalf(w)
	},
}

func sayHalf(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "max-age=60")
	io.WriteString(w, "half")
	w.(http.Flusher).Flush()
}

// TestABadHandlerIsNoBetterBehindTheCache has clients see that the answer is none, at once, and
// each anew, alone or together.
func TestABadHandlerIsNoBetterBehindTheCache(t *testing.T) {
	for name, h := range badHandlers {
		v := newView(t, httpcache.View{}, h)
		s := frontOf(t, v)
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				resp, err := http.Get(s.URL)
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				if err == nil {
					t.Errorf("%s: a whole answer %d", name, resp.StatusCode)
				}
			})
		}
		all.Wait()
		v.asked.Store(0)
		http.Get(s.URL) //nolint:bodyclose // there is none
		v.wantAsked(1)
	}
}

func TestSomebodyHearsOfAPanic(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"halfway": badHandlers["panics halfway"],
		"behind": func() http.HandlerFunc {
			var n atomic.Int64
			return func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) > 1 {
					panic("a fault")
				}
				w.Header().Set("Cache-Control", "max-age=0, stale-while-revalidate=60")
			}
		}(),
	} {
		heard := make(chan error, 100)
		c := openCache(t, httpcache.Options{OnError: func(err error) { heard <- err }})
		s := frontOf(t, viewOf(t, c, httpcache.View{}, h))
		for range 2 {
			if resp, err := http.Get(s.URL); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}
		select {
		case err := <-heard:
			if !strings.Contains(err.Error(), "a fault") {
				t.Errorf("%s: heard %v", name, err)
			}
		case <-time.After(patience):
			t.Errorf("%s: nobody heard of it", name)
		}
	}
}

// TestAHandlerThatHangsIsGivenUp has handlers that never look at their context.
func TestAHandlerThatHangsIsGivenUp(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	for name, c := range map[string]struct {
		before func(http.ResponseWriter)
		status int // 0: the answer is cut
	}{
		"before its header": {func(http.ResponseWriter) {}, http.StatusGatewayTimeout},
		"in mid-body":       {sayHalf, 0},
		"in mid-body, for one alone": {func(w http.ResponseWriter) {
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
		}, 0},
	} {
		cache := openCache(t, httpcache.Options{FillTimeout: 50 * time.Millisecond})
		v := viewOf(t, cache, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			c.before(w)
			<-end
		})
		a := serveRaw(t, v).get("/")
		if a.status == http.StatusOK && a.err == nil || c.status != 0 && a.status != c.status {
			t.Errorf("hangs %s: got %v, want %d", name, a, c.status)
		}
		if err := cache.Close(); err != nil {
			t.Errorf("hangs %s: Close: %v", name, err)
		}
	}
}

func TestTheFirstByteGoesBeforeTheLast(t *testing.T) {
	for name, says := range map[string]string{"kept": "max-age=60", "not kept": "no-store"} {
		more := make(chan struct{})
		v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", says)
			io.WriteString(w, "first ")
			http.NewResponseController(w).Flush()
			<-more
			io.WriteString(w, "last")
		})
		s := frontOf(t, v)
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		first := make([]byte, len("first "))
		if _, err := io.ReadFull(resp.Body, first); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		close(more)
		rest, err := io.ReadAll(resp.Body)
		if string(first)+string(rest) != "first last" || err != nil {
			t.Errorf("%s: got %q and %q, %v", name, first, rest, err)
		}
	}
}

// TestAStreamForOneEndsWithItsClient has a handler of events that says nothing for long: nobody
// else may have its answer, so nobody else needs it.
func TestAStreamForOneEndsWithItsClient(t *testing.T) {
	ended := make(chan struct{})
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: first\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	})
	s := frontOf(t, v)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, len("data: first\n\n"))
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	leave()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the handler goes on for nobody")
	}
}

// TestAFileServerIsAskedOnceForAllParts has net/http's file server, which answers parts and
// conditions itself, behind a cache that does.
func TestAFileServerIsAskedOnceForAllParts(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	files := fstest.MapFS{"a.txt": {Data: []byte(text), ModTime: time.Now().Add(-time.Hour)}}
	v := newView(t, httpcache.View{}, http.FileServerFS(files).ServeHTTP)
	for _, c := range []struct {
		line, want string
		status     int
	}{
		{"Range: bytes=5-9", "56789", 206},
		{"Range: bytes=-3", "789", 206},
		{"Range: bytes=20000-", "", 416},
		{"If-Modified-Since: " + time.Now().UTC().Format(http.TimeFormat), "", 304},
		{"X: whole", text, 200},
	} {
		if g := v.ask("GET", "/a.txt"); g.body != text {
			t.Errorf("got %.40q (%v)", g.body, g.Outcome)
		}
		g := v.ask("GET", "/a.txt", c.line)
		if g.StatusCode != c.status || c.status != 416 && g.body != c.want {
			t.Errorf("%s: %d %.40q", c.line, g.StatusCode, g.body)
		}
	}
	v.wantAsked(1)
}

// TestOddEndsOfHandlers has handlers that end in a way of their own.
func TestOddEndsOfHandlers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"an odd status":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(1000) },
		"no status":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(0) },
		"a nil panic":     func(http.ResponseWriter, *http.Request) { panic(any(nil)) },
		"its goroutine's": func(http.ResponseWriter, *http.Request) { runtime.Goexit() },
	} {
		v := newView(t, httpcache.View{}, h)
		s := frontOf(t, v)
		client := &http.Client{Timeout: patience}
		resp, err := client.Get(s.URL)
		if err == nil {
			resp.Body.Close()
		}
		if err == nil && resp.StatusCode < 500 || os.IsTimeout(err) {
			t.Errorf("%s: got %v, %v", name, resp, err)
		}
	}
}

// TestFieldsSetTooLateAreLeftOut has a handler that goes on to set fields while its answer is on
// its way, as one with trailers does.
func TestFieldsSetTooLateAreLeftOut(t *testing.T) {
	for _, flush := range []func(w http.ResponseWriter){
		func(http.ResponseWriter) {},
		func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
	} {
		v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Trailer", "Late")
			w.WriteHeader(http.StatusOK)
			for i := range 100 {
				w.Header().Set("Late", fmt.Sprint(i))
				io.WriteString(w, "x")
				flush(w)
			}
		})
		for range 2 {
			g := v.ask("GET", "/")
			if g.Header["Late"] != nil || g.Header["Trailer"] != nil || len(g.body) != 100 {
				t.Errorf("got %v, %d bytes", g.Header, len(g.body))
			}
		}
		v.wantAsked(1)
	}
}

func TestInterimResponsesReachWhoAskedFirst(t *testing.T) {
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "page")
	})
	s := frontOf(t, v)
	var hints []string
	hear := func(status int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(status, h["Link"]))
		return nil
	}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: hear})
	for range 2 { // the second is a hit
		r, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "page" || resp.Header["Link"] != nil {
			t.Errorf("got %q with Link %q", body, resp.Header["Link"])
		}
	}
	if want := "[103 [</a.css>; rel=preload]]"; fmt.Sprint(hints) != want {
		t.Errorf("interim responses %v, want %s", hints, want)
	}
}

func TestHeadIsAnsweredFromGetAndElseByTheHandler(t *testing.T) {
	v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Made-For", r.Method)
		if r.Method != http.MethodHead {
			io.WriteString(w, "hello")
		}
	})
	if g := v.ask("HEAD", "/"); g.Header.Get("Made-For") != "HEAD" || g.body != "" {
		t.Errorf("HEAD of what is not kept: %v %q", g.Header, g.body)
	}
	v.ask("GET", "/").want(t, miss, "hello")
	g := v.ask("HEAD", "/")
	if g.Header.Get("Made-For") != "GET" || g.body != "" || g.Header.Get("Content-Length") != "5" {
		t.Errorf("HEAD of what is kept: %v %q", g.Header, g.body)
	}
	v.wantAsked(2)
}

// TestHeadOfNothingForgetsNothing has a handler that writes nothing for HEAD, as most do: it has
// not said that the body is empty (RFC 9111, section 4.3.5).
func TestHeadOfNothingForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Etag", `"1"`)
			if r.Method != http.MethodHead {
				io.WriteString(w, "hello")
			}
		})
		v.ask("GET", "/")
		time.Sleep(2 * time.Minute)
		v.ask("HEAD", "/")
		v.ask("GET", "/").want(t, hit, "hello")
	})
}
