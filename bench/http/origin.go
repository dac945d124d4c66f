// origin.go holds the bodies, the origin that has them, and the plain server.

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
)

// body is something to serve.
type body struct {
	name string
	size int
}

var bodies = []body{{"1 KB", 1 << 10}, {"32 KB", 32 << 10}, {"1 MB", 1 << 20}}

func (b body) path() string { return fmt.Sprint("/", b.size) }

// header is what every contestant sends with a body; some add fields of their own.
func header(b body) map[string]string {
	return map[string]string{
		"Content-Type": "text/plain", "Cache-Control": "max-age=86400",
		"Etag": fmt.Sprintf(`"%d"`, b.size),
	}
}

// fromMap writes bodies from a map.
func fromMap() http.Handler {
	type page struct {
		header map[string]string
		bytes  []byte
	}
	pages := map[string]page{}
	for _, b := range bodies {
		pages[b.path()] = page{header(b), bytes.Repeat([]byte("x"), b.size)}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		for name, value := range p.header {
			w.Header().Set(name, value)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(p.bytes)))
		w.Write(p.bytes)
	})
}

// origin is asked by the caches, and counts.
type origin struct {
	server   *httptest.Server
	requests atomic.Int64
}

func startOrigin() *origin {
	o, pages := &origin{}, fromMap()
	o.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.requests.Add(1)
		pages.ServeHTTP(w, r)
	}))
	return o
}

// servePlain is the argument that makes this program the plain server.
const servePlain = "serve-plain"

// serving serves the bodies without an origin until it is killed, if the program was called for
// that. It returns true if it could not, false if it was called for something else.
func serving() bool {
	if len(os.Args) != 3 || os.Args[1] != servePlain {
		return false
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[2], fromMap()))
	return true
}
