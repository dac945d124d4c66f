// shared_test.go proves what only the shared cache does: QUERY, No-Vary-Search, groups, codings.

package httpcache_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/internal/contentcoding"
)

// counted is a handler that counts its runs, before a cache.
type counted struct {
	t     *testing.T
	runs  atomic.Int64
	cache http.Handler
}

// newCounted caches what answer writes; the number of the run is its second argument.
func newCounted(
	t *testing.T, o httpcache.Options, answer func(w http.ResponseWriter, r *http.Request, run int64),
) *counted {
	c := &counted{t: t}
	cache := httpcache.New(o)
	t.Cleanup(func() { cache.Close() })
	c.cache = cache.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, c.runs.Add(1))
	}), httpcache.View{})
	return c
}

// ask asks the cache; lines are fields.
func (c *counted) ask(method, target, body string, lines ...string) *http.Response {
	c.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	if method == http.MethodGet {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	c.cache.ServeHTTP(w, r)
	return w.Result()
}

// wants checks the body of an answer, and how often the handler has run by then.
func (c *counted) wants(resp *http.Response, body string, runs int64) {
	c.t.Helper()
	got, err := io.ReadAll(resp.Body)
	if err != nil || string(got) != body || c.runs.Load() != runs {
		c.t.Errorf("%s: got %d %q, %v after %d runs, want %q after %d",
			resp.Header.Get("Cache-Status"), resp.StatusCode, got, err, c.runs.Load(), body, runs)
	}
}

func TestTheSameQuestionOfAQueryIsAnsweredOnce(t *testing.T) {
	c := newCounted(t, httpcache.Options{}, func(w http.ResponseWriter, r *http.Request, run int64) {
		question, _ := io.ReadAll(r.Body)
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprintf(w, "%s %s %d", r.Method, question, run)
	})
	c.wants(c.ask("QUERY", "/a", "one", "Content-Type: text/plain"), "QUERY one 1", 1)
	c.wants(c.ask("QUERY", "/a", "one", "Content-Type: text/plain"), "QUERY one 1", 1)
	c.wants(c.ask("QUERY", "/a", "one", "Content-Type: text/csv"), "QUERY one 2", 2)
	c.wants(c.ask("QUERY", "/a", "two", "Content-Type: text/plain"), "QUERY two 3", 3)
	c.wants(c.ask("GET", "/a", ""), "GET  4", 4)
	c.wants(c.ask("QUERY", "/a", "one", "Content-Type: text/plain"), "QUERY one 1", 4) // it is safe
	long := strings.Repeat("x", 100<<10)
	for run := int64(5); run < 7; run++ {
		c.wants(c.ask("QUERY", "/a", long), fmt.Sprintf("QUERY %s %d", long, run), run)
	}
	c.wants(c.ask("POST", "/a", "change"), "POST change 7", 7)
	c.wants(c.ask("QUERY", "/a", "one", "Content-Type: text/plain"), "QUERY one 8", 8)
}

func TestQueriesThatNoVarySearchSaysAreTheSameAreOneResponse(t *testing.T) {
	c := newCounted(t, httpcache.Options{}, func(w http.ResponseWriter, r *http.Request, run int64) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("No-Vary-Search", `key-order, params=("utm_source")`)
		fmt.Fprint(w, run)
	})
	c.wants(c.ask("GET", "/a?x=1&y=2", ""), "1", 1)
	c.wants(c.ask("GET", "/a?y=2&utm_source=mail&x=1", ""), "1", 1)
	c.wants(c.ask("GET", "/a?y=3&x=1", ""), "2", 2)
	c.wants(c.ask("GET", "/b?y=2&x=1", ""), "3", 3) // another path has not said so
	c.wants(c.ask("POST", "/a?x=1&y=2", ""), "4", 4)
	c.wants(c.ask("GET", "/a?y=2&x=1", ""), "5", 5)
}

func TestAGroupIsForgottenTogether(t *testing.T) {
	c := newCounted(t, httpcache.Options{}, func(w http.ResponseWriter, r *http.Request, run int64) {
		h := w.Header()
		h.Set("Cache-Control", "max-age=60")
		if r.Method == http.MethodPost {
			h.Set("Cache-Group-Invalidation", `"cart"`)
		} else if r.URL.Path != "/other" {
			h.Set("Cache-Groups", `"cart", "all"`)
		}
		fmt.Fprint(w, run)
	})
	c.wants(c.ask("GET", "/cart", ""), "1", 1)
	c.wants(c.ask("GET", "/other", ""), "2", 2)
	c.wants(c.ask("GET", "http://another.example/cart", ""), "3", 3)
	c.wants(c.ask("POST", "/add", ""), "4", 4)
	c.wants(c.ask("GET", "/cart", ""), "5", 5)
	c.wants(c.ask("GET", "/other", ""), "2", 5)
	c.wants(c.ask("GET", "http://another.example/cart", ""), "3", 5)
}

var page = strings.Repeat("<p>a page of text that says little, and says it often</p>\n", 100)

// encoded asks until the body comes in a coding, and returns that answer.
func (c *counted) encoded(coding, accept string) *http.Response {
	c.t.Helper()
	for range 10_000 {
		resp := c.ask("GET", "/", "", "Accept-Encoding: "+accept)
		if resp.Header.Get("Content-Encoding") == coding {
			return resp
		}
		c.wants(resp, page, 1)
	}
	c.t.Fatalf("%s: never in %s", accept, coding)
	return nil
}

func TestTextIsKeptInTheCodingsThatClientsRead(t *testing.T) {
	o := httpcache.Options{Encodings: []string{"zstd", "br", "gzip"}}
	c := newCounted(t, o, func(w http.ResponseWriter, r *http.Request, run int64) {
		h := w.Header()
		h.Set("Cache-Control", "max-age=60")
		h.Set("Content-Type", "text/html")
		h.Set("Etag", `"a"`)
		io.WriteString(w, page)
	})
	c.wants(c.ask("GET", "/", "", "Accept-Encoding: br"), page, 1)
	for _, coding := range o.Encodings {
		resp := c.encoded(coding, coding)
		body, _ := io.ReadAll(resp.Body)
		plain, err := contentcoding.Decode(coding, body, 1<<20)
		if err != nil || string(plain) != page || resp.ContentLength != int64(len(body)) {
			t.Errorf("%s: %d bytes of %d, %v", coding, len(body), resp.ContentLength, err)
		}
		etag, vary := resp.Header.Get("Etag"), resp.Header.Get("Vary")
		if etag != `"a-`+coding+`"` || vary != "Accept-Encoding" {
			t.Errorf("%s: ETag %s, Vary %s", coding, etag, vary)
		}
		again := c.ask("GET", "/", "", "Accept-Encoding: "+coding, "If-None-Match: "+etag)
		if again.StatusCode != http.StatusNotModified || again.Header.Get("Etag") != etag {
			t.Errorf("%s: %d, ETag %s", coding, again.StatusCode, again.Header.Get("Etag"))
		}
	}
	plain := c.ask("GET", "/", "")
	if plain.Header.Get("Vary") != "Accept-Encoding" || plain.Header.Get("Etag") != `"a"` {
		t.Errorf("plain: %v", plain.Header)
	}
	c.wants(plain, page, 1)
	c.wants(c.ask("GET", "/", "", "Accept-Encoding: br", "Range: bytes=0-2"), page[:3], 1)
	if got := c.encoded("br", "gzip;q=0.5, br"); got == nil {
		t.Error("q values do not count")
	}
}

func TestWhatIsNoTextOrMustNotBeTransformedIsKeptAsItCame(t *testing.T) {
	for _, lines := range []string{
		"Content-Type: image/png", "Content-Type: text/css\nCache-Control: max-age=60, no-transform",
		"Content-Type: text/css\nContent-Encoding: deflate", "Content-Type: text/event-stream",
	} {
		c := newCounted(t, httpcache.Options{Encodings: []string{"br"}},
			func(w http.ResponseWriter, r *http.Request, run int64) {
				w.Header().Set("Cache-Control", "max-age=60")
				for line := range strings.Lines(lines) {
					name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
					w.Header().Set(name, value)
				}
				io.WriteString(w, page)
			})
		for range 50 {
			resp := c.ask("GET", "/", "", "Accept-Encoding: br, deflate")
			body, _ := io.ReadAll(resp.Body)
			if !bytes.Equal(body, []byte(page)) || resp.Header.Get("Content-Encoding") == "br" {
				t.Fatalf("%q: %v", lines, resp.Header)
			}
		}
	}
}
