// rows_http_test.go runs examples about HTTP once more, for what else their rows promise.

package examples_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
)

// validated serves a page that has to be asked for each time, by its ETag or Last-Modified.
func validated(t *testing.T, name, value string) (url string, sent *atomic.Int64) {
	t.Helper()
	sent = &atomic.Int64{}
	changed, _ := http.ParseTime(value) // the zero time is no Last-Modified
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set(name, value)
		c := &counter{ResponseWriter: w, sent: sent}
		http.ServeContent(c, r, "page.txt", changed, strings.NewReader("hello"))
	}))
	t.Cleanup(s.Close)
	return s.URL, sent
}

// counter counts the bytes of bodies.
type counter struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

func TestHTTPClientCacheAsksByValidators(t *testing.T) {
	for name, value := range map[string]string{
		"ETag": `"v1"`, "Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT",
	} {
		url, sent := validated(t, name, value)
		wantOutput(t, run(t, "http-client-cache", url), lines(
			"miss, 5 bytes, 1 requests",
			"revalidated, 5 bytes, 1 requests",
			"revalidated, 5 bytes, 1 requests"))
		if n := sent.Load(); n != 5 {
			t.Errorf("with %s: %d bytes were sent, want 5", name, n)
		}
	}
}

// TestPageTitlesAreReadPolitely has a host with a page that robots.txt forbids, and one that is
// busy.
func TestPageTitlesAreReadPolitely(t *testing.T) {
	var forbidden, busy atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "User-agent: *\nDisallow: /private\n")
	})
	mux.HandleFunc("/private", func(http.ResponseWriter, *http.Request) { forbidden.Add(1) })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		if busy.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<h1>Patience</h1><h3>pays</h3>")
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	begun := time.Now()
	got := run(t, "page-titles", t.TempDir(), s.URL+"/private", s.URL+"/busy")
	wantOutput(t, got, lines(s.URL+"/busy (miss)", "  Patience", "      pays"))
	if forbidden.Load() != 0 || busy.Load() != 2 || time.Since(begun) < time.Second {
		t.Errorf("asked for the forbidden page %d times, for the busy one %d times, within %v",
			forbidden.Load(), busy.Load(), time.Since(begun))
	}
}

// TestPageFragmentsAreTheirReadersOwn looks at the header that nothing between may overlook.
func TestPageFragmentsAreTheirReadersOwn(t *testing.T) {
	addr := servers.FreeAddr(t)
	p := start(t, "page-fragments", "-listen", addr)
	p.await("http://" + addr + "/\n")
	resp, err := http.Get("http://" + addr + "/?user=Bob")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "Bob") {
		t.Errorf("the page is %.300q, %v", body, err)
	}
	if got := resp.Header.Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("Cache-Control is %q", got)
	}
}
