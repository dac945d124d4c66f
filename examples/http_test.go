// http_test.go runs the examples about HTTP and checks what they print.

package examples_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
)

// fingerprint is the part of an asset's name that changes with what is in the file.
var fingerprint = regexp.MustCompile(`\.[0-9a-f]{16}\.`)

func TestBrowserCaching(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "browser-caching.txt"))
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, "browser-caching")
	wantOutput(t, fingerprint.ReplaceAllString(got, ".HASH."), string(want))
	if names := fingerprint.FindAllString(got, -1); len(names) == 6 && names[0] == names[3] {
		t.Errorf("a deploy left the fingerprint %s as it was", names[0])
	}
}

func TestPageFragments(t *testing.T) {
	wantOutput(t, run(t, "page-fragments"), lines(
		"Ann: basket of Ann, news, teas",
		"Ann again: nothing is asked",
		"Bob: basket of Bob",
		"Ann, at another front end: nothing is asked",
		"a price changes: nothing is asked",
		"Ann: teas",
		"everything is forgotten: nothing is asked",
		"32 readers at once: basket of Ann, news, teas",
	))
}

func TestCDNAndPurge(t *testing.T) {
	wantOutput(t, run(t, "cdn-and-purge"), lines(
		`at first, from the origin: ["/news/1 by Ann" "/news/2 by Ann" "tea 3.20" "your cart"]`,
		`again, from the origin: ["your cart"]`,
		`the author purged, 2 responses, from the origin: `+
			`["/news/1 by Anna" "/news/2 by Anna" "your cart"]`,
		`one page purged, 1 responses, from the origin: ["tea 3.20" "your cart"]`,
		`a section purged, 2 responses, from the origin: `+
			`["/news/1 by Anna" "/news/2 by Anna" "your cart"]`,
		`everything purged, 3 responses, from the origin: `+
			`["/news/1 by Anna" "/news/2 by Anna" "tea 3.20" "your cart"]`,
		`the author purged softly: /news/1 by Anna`,
		`the author purged softly: /news/1 by Annie`))
}

func TestReverseProxy(t *testing.T) {
	addr, to := servers.FreeAddr(t), origin(t).URL
	p := start(t, "reverse-proxy", "-to", to, "-listen", addr)
	where := addr + " is in front of " + to
	p.await(where + "\n")
	for range 3 {
		resp, err := http.Get("http://" + addr + "/page")
		for late := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(late); {
			time.Sleep(time.Millisecond) // it says so just before it listens
			resp, err = http.Get("http://" + addr + "/page")
		}
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body) // what has been read to its end is kept
		resp.Body.Close()
	}
	p.cmd.Process.Signal(os.Interrupt)
	wantOutput(t, p.ended(), lines(where, "2 from the cache, 1 from the origin, 0 stale"))
}

func TestPerViewCache(t *testing.T) {
	wantOutput(t, run(t, "per-view-cache"), lines(
		"GET /search?q=tea&page=1: page 1 of results for tea (miss)",
		"GET /search?page=1&utm_source=mail&q=tea: page 1 of results for tea (hit)",
		"GET /search?q=tea&page=2: page 2 of results for tea (miss)",
		"GET /account: account of ann (miss)",
		"GET /account: account of bob (miss)",
		"GET /account: account of ann (hit)",
		"POST /account: changed (bypass, not kept: method POST)",
		"GET /account: account of ann (miss)",
		"GET /welcome: willkommen (miss)",
		"GET /welcome: willkommen (hit)",
		"GET /welcome: welcome (miss)",
		"GET /login: hello (miss, not kept: Set-Cookie)",
		"GET /login: hello (miss, not kept: Set-Cookie)",
		"the texts have changed: 2 answers left",
		"GET /welcome: willkommen (miss)"))
}

func TestResponsesInRedis(t *testing.T) {
	wantOutput(t, run(t, "responses-in-redis", "-redis", servers.Redis(t).Addr), lines(
		"first front end: /menu, made 1 times (miss)",
		"second front end: /menu, made 1 times (hit)",
		"second front end: /menu, made 1 times (hit)",
		"purged at the first, and made again at the second",
		"first front end: /menu, made 2 times (hit)"))
}
