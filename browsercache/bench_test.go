// bench_test.go measures what the handlers add to a request.

package browsercache_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/browsercache"
)

// blank is a ResponseWriter that keeps nothing.
type blank struct{ h http.Header }

func (b blank) Header() http.Header         { return b.h }
func (b blank) Write(p []byte) (int, error) { return len(p), nil }
func (b blank) WriteHeader(int)             {}

func BenchmarkServe(b *testing.B) {
	page := []byte(strings.Repeat("x", 32<<10))
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(page) })
	validated := browsercache.Validate(bare, browsercache.ValidateOptions{})
	assets := load(b, files(fields{"a.js": string(page)}), browsercache.AssetOptions{})
	w := httptest.NewRecorder()
	validated.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for _, c := range []struct {
		name, path, tag string
		h               http.Handler
	}{
		{"a page of 32 KiB alone", "/", "", bare},
		{"validated, sent", "/", "", validated},
		{"validated, not modified", "/", w.Header().Get("ETag"), validated},
		{"asset, sent", assets.Path("a.js"), "", assets},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", c.path, nil)
			if c.tag != "" {
				r.Header.Set("If-None-Match", c.tag)
			}
			b.ReportAllocs()
			for b.Loop() {
				c.h.ServeHTTP(blank{http.Header{}}, r)
			}
		})
	}
}
