// bench_test.go measures what a hit costs beyond the store's Get.

package httpcache_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

// fixedStore keeps one value and hands it out without a copy, so that its Get costs nothing.
type fixedStore struct {
	brokenStore
	item store.Item
}

func (s *fixedStore) Get(context.Context, string) (store.Item, error) { return s.item, nil }
func (s *fixedStore) Set(_ context.Context, _ string, item store.Item) error {
	s.item = item
	return nil
}

var pageHeader = []string{
	"Cache-Control: public, max-age=3600", "Content-Type: text/html; charset=utf-8",
	`Etag: "5f3-62b1c0a7d2e40"`, "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT",
	"Server: nginx", "Strict-Transport-Security: max-age=63072000",
	"X-Content-Type-Options: nosniff", "X-Frame-Options: DENY",
}

func BenchmarkHit(b *testing.B) {
	body := strings.Repeat("x", 40<<10)
	for _, bc := range []struct {
		name  string
		store store.Store
		lines []string
	}{
		{"fixed", &fixedStore{}, pageHeader},
		{"fixed-vary", &fixedStore{}, append(pageHeader, "Vary: Accept-Encoding")},
		{"memory", store.NewMemory(store.MemoryOptions{}), pageHeader},
	} {
		b.Run(bc.name, func(b *testing.B) {
			rt := &httpcache.Transport{
				Base: &origin{answer: always(200, body, bc.lines...)}, Store: bc.store,
			}
			req, _ := http.NewRequest("GET", pageURL, nil)
			load(b, rt, req)
			b.ReportAllocs()
			for b.Loop() {
				if resp := load(b, rt, req); httpcache.ResultOf(resp).Outcome != httpcache.Hit {
					b.Fatal(httpcache.ResultOf(resp))
				}
			}
		})
	}
}

// load makes a request and reads its body.
func load(b *testing.B, rt http.RoundTripper, req *http.Request) *http.Response {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp
}

// BenchmarkMemoryGet is what a hit from Memory costs at least.
func BenchmarkMemoryGet(b *testing.B) {
	s := store.NewMemory(store.MemoryOptions{})
	s.Set(b.Context(), pageURL, store.Item{Value: make([]byte, 40<<10)})
	for b.Loop() {
		s.Get(b.Context(), pageURL)
	}
}

func BenchmarkMiss(b *testing.B) {
	body := strings.Repeat("x", 40<<10)
	rt := &httpcache.Transport{
		Base:  &origin{answer: always(200, body, append(pageHeader, "Cache-Control: no-cache")...)},
		Store: &fixedStore{},
	}
	req, _ := http.NewRequest("GET", pageURL, nil)
	b.ReportAllocs()
	for b.Loop() {
		load(b, rt, req)
	}
}
