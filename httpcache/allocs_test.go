// allocs_test.go counts what a hit of the shared cache allocates.

package httpcache_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/httpcache"
)

// sink is a ResponseWriter that allocates nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// serve lets h answer r as net/http would, but for the network.
func (s *sink) serve(h http.Handler, r *http.Request) {
	clear(s.header)
	h.ServeHTTP(s, r)
}

// hitCase is a response that is asked for again and again.
type hitCase struct {
	name string
	body string
	vary string // the Vary field; "" means none
}

var hitCases = []hitCase{
	{"1 KB", strings.Repeat("x", 1<<10), ""},
	{"1 KB, one of two variants", strings.Repeat("x", 1<<10), "Accept-Encoding"},
	{"1 MB", strings.Repeat("x", 1<<20), ""},
}

func (hc hitCase) lines() []string {
	if hc.vary == "" {
		return pageHeader
	}
	return append([]string{"Vary: " + hc.vary}, pageHeader...)
}

// warmProxy returns a proxy and a request that it answers from memory.
func (hc hitCase) warmProxy(t testing.TB) (http.Handler, *http.Request) {
	t.Helper()
	c := httpcache.New(httpcache.Options{})
	t.Cleanup(func() { c.Close() })
	h := c.Proxy(httpcache.Origin{
		URL:       &url.URL{Scheme: "http", Host: "origin.example"},
		Transport: &origin{answer: always(http.StatusOK, hc.body, hc.lines()...)},
	})
	w := &sink{http.Header{}}
	for range 2 {
		w.serve(h, pageRequest("identity"))
		w.serve(h, pageRequest("gzip, br"))
	}
	r := pageRequest("gzip, br")
	ctx, result := httpcache.Track(r.Context())
	if w.serve(h, r.WithContext(ctx)); result.Outcome != httpcache.Hit {
		t.Fatalf("the request is no hit: %+v", *result)
	}
	return h, r
}

// pageRequest is a request as a server hands it to its handler.
func pageRequest(encodings string) *http.Request {
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, pageURL, nil)
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:1234"
	r.Header = header("Accept: */*", "Accept-Encoding: "+encodings, "User-Agent: test")
	return r
}

// plainHandler answers with the same by the means of net/http alone.
func (hc hitCase) plainHandler() http.Handler {
	fields, body := header(hc.lines()...), []byte(hc.body)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, values := range fields {
			h.Set(name, values[0])
		}
		w.Write(body)
	})
}

// mostAllocs is what a hit may allocate beyond a handler that writes the same.
const mostAllocs = 10

func TestAHitAllocatesLittle(t *testing.T) {
	for _, hc := range hitCases {
		t.Run(hc.name, func(t *testing.T) {
			w := &sink{http.Header{}}
			h, r := hc.warmProxy(t)
			hit := testing.AllocsPerRun(1000, func() { w.serve(h, r) })
			plain := hc.plainHandler()
			least := testing.AllocsPerRun(1000, func() { w.serve(plain, r) })
			t.Logf("a hit allocates %v objects, a plain handler %v", hit, least)
			if hit-least > mostAllocs {
				t.Errorf("%v objects more, want %d at most", hit-least, mostAllocs)
			}
		})
	}
}

func BenchmarkProxyHit(b *testing.B) {
	for _, hc := range hitCases {
		h, r := hc.warmProxy(b)
		for name, handler := range map[string]http.Handler{"proxy": h, "plain": hc.plainHandler()} {
			b.Run(hc.name+"/"+name, func(b *testing.B) {
				w := &sink{http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					w.serve(handler, r)
				}
			})
		}
	}
}
