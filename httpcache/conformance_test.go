// conformance_test.go holds the caches against the public suite and against docs/conformance.md.

package httpcache_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/internal/cachetests"
	"github.com/larder-go/larder/store"
)

func TestTheProxyPassesThePublicSuite(t *testing.T) {
	results := cachetests.Run(t, func(origin *url.URL) string {
		c := httpcache.New(httpcache.Options{StaleIfError: 24 * time.Hour})
		t.Cleanup(func() { c.Close() })
		return front(t, c.Proxy(httpcache.Origin{
			URL: origin, View: httpcache.View{Cookies: httpcache.ShareCookies},
		}))
	})
	t.Log(results)
	if os.Getenv(cachetests.Only) != "" {
		return
	}
	wantAtLeast(t, results.Of(cachetests.Required), 150, 150)
	wantAtLeast(t, results.Of(cachetests.Optimal), 92, 98)
	wantListed(t, results.NotPassed(), "The proxy")
}

func TestTheTransportPassesThePublicSuiteForAPrivateCache(t *testing.T) {
	results := cachetests.Run(t, func(origin *url.URL) string {
		base := &http.Transport{}
		t.Cleanup(base.CloseIdleConnections)
		proxy := httputil.NewSingleHostReverseProxy(origin)
		proxy.ErrorLog = log.New(io.Discard, "", 0)
		proxy.Transport = &httpcache.Transport{
			Base: base, Store: store.NewMemory(store.MemoryOptions{}),
		}
		return front(t, proxy)
	})
	t.Log(results)
	if os.Getenv(cachetests.Only) == "" {
		wantListed(t, results.NotPassed().Of(cachetests.Required), "Transport")
	}
}

// front starts a server with h and returns its URL.
func front(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func wantAtLeast(t *testing.T, results cachetests.Results, want, all int) {
	t.Helper()
	if got := results.Passed(); got < want || len(results) != all {
		t.Errorf("%d of %d passed, want %d of %d", got, len(results), want, all)
	}
}

// wantListed checks that the page lists, under a headline, exactly the results it should.
func wantListed(t *testing.T, notPassed cachetests.Results, headline string) {
	t.Helper()
	listed := listedUnder(t, headline)
	for _, r := range notPassed {
		i := slices.Index(listed, r.ID)
		if i < 0 {
			t.Errorf("not passed and not in docs/conformance.md: %v", r)
			continue
		}
		listed = slices.Delete(listed, i, i+1)
	}
	if len(listed) > 0 {
		t.Errorf("passed, but listed under %q in docs/conformance.md: %q", headline, listed)
	}
}

var (
	section = regexp.MustCompile(`(?m)^## `)
	row     = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
)

// listedUnder returns the tests that have a row in a section of the page.
func listedUnder(t *testing.T, headline string) (ids []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range section.Split(string(page), -1) {
		if !strings.HasPrefix(text, headline+"\n") {
			continue
		}
		for _, found := range row.FindAllStringSubmatch(text, -1) {
			ids = append(ids, found[1])
		}
		return ids
	}
	t.Fatalf("docs/conformance.md has no section %q", headline)
	return nil
}
