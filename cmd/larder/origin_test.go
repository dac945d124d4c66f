// origin_test.go is the server that the scripts fetch from, with all that a bad one does.

package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// origin counts what it is asked.
type origin struct {
	server        *httptest.Server
	asked, unsent atomic.Int64 // requests, and the 304s among them
	version       atomic.Int64
	flaky         sync.Map
}

// startOrigin starts an origin for a script and sets $URL.
func startOrigin(ts *testscript.TestScript, _ bool, _ []string) {
	o := &origin{}
	o.server = httptest.NewServer(o)
	ts.Defer(func() { o.server.CloseClientConnections(); o.server.Close() })
	ts.Setenv("URL", o.server.URL)
	ts.Setenv("HOST", strings.TrimPrefix(o.server.URL, "http://"))
	running.Store(o.server.URL, o)
}

// running finds the origin of a script by its address: commands of scripts have no other state.
var running sync.Map

func originOf(ts *testscript.TestScript) *origin {
	o, ok := running.Load(ts.Getenv("URL"))
	if !ok {
		ts.Fatalf("serve first")
	}
	return o.(*origin)
}

// asked N [M] fails unless the origin had N requests since the last time, M of them answered by 304.
func asked(ts *testscript.TestScript, _ bool, args []string) {
	o := originOf(ts)
	got := fmt.Sprint(o.asked.Swap(0))
	unsent := fmt.Sprint(o.unsent.Swap(0))
	if got != args[0] || len(args) > 1 && unsent != args[1] {
		ts.Fatalf("the origin had %s requests, %s of them answered by 304; want %v", got, unsent, args)
	}
}

// change gives all pages of the origin a new version.
func change(ts *testscript.TestScript, _ bool, _ []string) { originOf(ts).version.Add(1) }

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked.Add(1)
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch name {
	case "robots.txt":
		fmt.Fprint(w, "User-agent: *\nDisallow: /private/\n")
	case "p":
		o.page(w, r, rest)
	case "private":
		fmt.Fprint(w, "secret")
	case "flaky":
		o.sometimes(w, r)
	case "cookie":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "not-to-be-kept"})
		o.page(w, r, "cookie")
	case "loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "moved":
		http.Redirect(w, r, "/p/moved", http.StatusMovedPermanently)
	case "out":
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	case "huge":
		w.Header().Set("Content-Length", strconv.Itoa(10<<30))
		endless(w, r)
	case "endless":
		endless(w, r)
	case "stuck":
		fmt.Fprint(w, "<h1>half")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case "cut":
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "<h1>half")
	case "bomb":
		bomb(w)
	default:
		http.NotFound(w, r)
	}
}

func (o *origin) page(w http.ResponseWriter, r *http.Request, name string) {
	version := o.version.Load()
	etag := fmt.Sprintf(`"%s-%d"`, name, version)
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.Header.Get("If-None-Match") == etag {
		o.unsent.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	fmt.Fprintf(w, "<title>T %s</title><h1>Page %s</h1><p>x<h2>Version <em>%d</em></h2>"+
		`<a href="/p/next">next</a><h4>no</h4>`, name, name, version)
}

// sometimes is busy the first time.
func (o *origin) sometimes(w http.ResponseWriter, r *http.Request) {
	if _, again := o.flaky.LoadOrStore(r.URL.Path, true); again {
		o.page(w, r, "flaky")
		return
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "busy", http.StatusServiceUnavailable)
}

// endless writes until nobody reads any more.
func endless(w http.ResponseWriter, r *http.Request) {
	line := []byte(strings.Repeat("<p>and on it goes ", 1000))
	for r.Context().Err() == nil {
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

// bomb is a page of 1 GiB in 1 MiB.
func bomb(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	zeros := make([]byte, 1<<20)
	for range 1 << 10 {
		if _, err := z.Write(zeros); err != nil {
			return
		}
	}
	io.WriteString(z, "<h1>boom</h1>")
	z.Close()
}
