// server_test.go runs Transport within an http.Client against real servers on the loopback.

package httpcache_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

// server counts the requests it answers.
type server struct {
	*httptest.Server
	requests atomic.Int64
}

// serve starts a server and a client of it with a cache.
func serve(t *testing.T, h http.HandlerFunc) (*server, *http.Client) {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h(w, r)
	}))
	base := &http.Transport{}
	t.Cleanup(func() {
		base.CloseIdleConnections()
		s.Close()
	})
	return s, &http.Client{
		Timeout: time.Minute, // the client then wraps the body, which must not hide the result
		Transport: &httpcache.Transport{
			Base: base, Store: store.NewMemory(store.MemoryOptions{}),
		},
	}
}

// fetch gets a URL with header lines and reads it to its end.
func fetch(t *testing.T, c *http.Client, url string, lines ...string) got {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header(lines...)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{resp, string(body), httpcache.ResultOf(resp)}
}

func TestServeContentIsRevalidated(t *testing.T) {
	modified := time.Now().Add(-time.Second)
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "a.txt", modified, strings.NewReader("hello"))
	})
	fetch(t, c, s.URL).want(t, miss, "hello")
	fetch(t, c, s.URL).want(t, revalidated, "hello")
	if g := fetch(t, c, s.URL, "Range: bytes=1-2"); g.body != "el" || g.StatusCode != 206 {
		t.Errorf("range: %d %q", g.StatusCode, g.body)
	}
	fetch(t, c, s.URL).want(t, revalidated, "hello")
}

func TestTransparentCompression(t *testing.T) {
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Vary", "Accept-Encoding")
		if r.URL.Path == "/forgets" {
			w.Header().Del("Vary")
		}
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			io.WriteString(w, "hello")
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "hello")
		z.Close()
	})
	const own = "Accept-Encoding: gzip"
	g := fetch(t, c, s.URL)
	g.want(t, miss, "hello")
	g = fetch(t, c, s.URL)
	g.want(t, hit, "hello")
	if !g.Uncompressed || g.Header.Get("Content-Encoding") != "" || g.ContentLength != 5 {
		t.Errorf("hit: uncompressed %v, %v", g.Uncompressed, g.Header)
	}
	for _, path := range []string{"/", "/forgets"} {
		encoded := fetch(t, c, s.URL+path+"?own", own)
		if g := fetch(t, c, s.URL+path+"?own", own); g.Outcome != hit || g.body != encoded.body {
			t.Errorf("%s encoded: %v %q", path, g.Outcome, g.body)
		}
		if g := fetch(t, c, s.URL+path+"?own"); g.body != "hello" {
			t.Errorf("%s: a caller without Accept-Encoding got %q", path, g.body)
		}
	}
}

func TestTruncatedBodyIsNotStored(t *testing.T) {
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "100")
		}
		io.WriteString(w, "hell")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for _, path := range []string{"/length", "/chunked", "/length", "/chunked"} {
		resp, err := c.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if o := httpcache.ResultOf(resp).Outcome; o != miss {
			t.Errorf("%s: %v", path, o)
		}
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("%s: no error at the end of a truncated body", path)
		}
		resp.Body.Close()
	}
}

func TestRedirectsAreStoredOneByOne(t *testing.T) {
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/a" {
			http.Redirect(w, r, "/b", http.StatusFound)
			return
		}
		io.WriteString(w, "hello")
	})
	c.Transport.(*httpcache.Transport).TTL = time.Hour
	fetch(t, c, s.URL+"/a").want(t, miss, "hello")
	g := fetch(t, c, s.URL+"/a")
	g.want(t, hit, "hello")
	if r := httpcache.ResultOf(g.Response.Request.Response); r.Outcome != hit {
		t.Errorf("the redirect: %+v", r)
	}
	if n := s.requests.Load(); n != 2 {
		t.Errorf("the server saw %d requests, want 2", n)
	}
}

func TestPostThroughClientInvalidates(t *testing.T) {
	n := 0
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			n++
			return
		}
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, strings.Repeat("+", n))
	})
	fetch(t, c, s.URL).want(t, miss, "")
	fetch(t, c, s.URL).want(t, hit, "")
	resp, err := c.Post(s.URL, "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	fetch(t, c, s.URL).want(t, miss, "+")
}

func TestUserInURLIsNotInTheKey(t *testing.T) {
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		user, _, _ := r.BasicAuth()
		io.WriteString(w, user)
	})
	at := func(user string) string { return strings.Replace(s.URL, "//", "//"+user+":secret@", 1) }
	for _, want := range []httpcache.Outcome{miss, hit} {
		fetch(t, c, at("alice")).want(t, want, "alice")
		fetch(t, c, at("bob")).want(t, want, "bob")
	}
	for _, key := range keys(t, c.Transport.(*httpcache.Transport).Store) {
		if strings.Contains(key, "secret") {
			t.Errorf("key %q", key)
		}
	}
}

func TestCookieJarWorksThroughTheCache(t *testing.T) {
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Vary", "Cookie")
		if ck, err := r.Cookie("id"); err == nil {
			io.WriteString(w, ck.Value)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "7"})
	})
	c.Jar, _ = cookiejar.New(nil)
	fetch(t, c, s.URL).want(t, miss, "")
	fetch(t, c, s.URL).want(t, miss, "7")
	fetch(t, c, s.URL).want(t, hit, "7")
}
