// warm_test.go warms a cache that counts, by the command as people call it.

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// coldCache is a cache in front of every site there is. It notes who is asked for.
type coldCache struct {
	*httptest.Server
	mu     sync.Mutex // guards the fields below
	asked  []string   // "host/path" or, with coding, "host/path coding"
	kept   map[string]bool
	files  map[string]string // by "host/path"
	status map[string]int
	busy   int // answers of 503 before the first other one
}

func newColdCache(t *testing.T, files map[string]string) *coldCache {
	t.Helper()
	c := &coldCache{files: files, kept: map[string]bool{}, status: map[string]int{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *coldCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	page := r.Host + r.URL.RequestURI()
	file, ok := c.files[page]
	switch {
	case ok:
		io.WriteString(w, file)
		return
	case strings.HasSuffix(page, "/robots.txt"), strings.HasSuffix(page, ".xml"):
		http.NotFound(w, r)
		return
	}
	c.asked = append(c.asked, page)
	if c.busy > 0 {
		c.busy--
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	c.page(w, r, page)
}

// page answers as a cache does that keeps everything.
func (c *coldCache) page(w http.ResponseWriter, r *http.Request, page string) {
	variant := page + " " + r.Header.Get("Accept-Encoding") + r.Header.Get("Accept-Language")
	how := `Origin; hit, "Front; \"x\""; fwd=uri-miss; stored`
	if c.kept[variant] {
		how = `Origin; fwd=miss, Front; hit; ttl=5`
	}
	c.kept[variant] = true
	w.Header().Set("Cache-Status", how)
	if strings.Contains(page, "/private") {
		w.Header().Set("Cache-Control", "Private, max-age=5")
	}
	if strings.Contains(page, "/moved") {
		w.Header().Set("Location", strings.Replace(r.URL.Path, "moved", "here", 1))
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	if status := c.status[page]; status != 0 {
		w.WriteHeader(status)
	}
	io.WriteString(w, "0123456789")
}

// set changes what the cache answers.
func (c *coldCache) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// takes returns what was asked for since the last time.
func (c *coldCache) takes() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	return strings.Join(asked, " ")
}

// warmed is how larder warm ended.
type warmed struct {
	code        int
	out, errors string
}

func runWarm(t *testing.T, stdin string, args ...string) warmed {
	t.Helper()
	usual := []string{"warm", "--rate", "0", "--jobs", "1"}
	cmd := exec.Command("larder", append(usual, args...)...)
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions, "LARDER_CACHE_DIR="+t.TempDir())
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return warmed{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// totals returns the last line of --json.
func (w warmed) totals(t *testing.T) (all warmTotals) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(w.out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &all); err != nil {
		t.Fatalf("%s: %v", w.out, err)
	}
	all.Milliseconds = 0
	return all
}

func TestWarmCountsWhatTheCacheHadAndWhatItLoaded(t *testing.T) {
	c := newColdCache(t, nil)
	pages := []string{"--through", c.URL, "--json", "https://a.example/1",
		"http://b.example:8080/2", "https://a.example/1#again"}
	got := runWarm(t, "", pages...)
	want := warmTotals{Asked: 2, Loaded: 2, Bytes: 20}
	if all := got.totals(t); got.code != 0 || all != want || got.errors != "" {
		t.Errorf("cold: got %+v, %+v", got, all)
	}
	if asked := c.takes(); asked != "a.example/1 b.example:8080/2" {
		t.Errorf("asked for %s", asked)
	}
	got = runWarm(t, "", pages...)
	want = warmTotals{Asked: 2, Hits: 2, Bytes: 20}
	if all := got.totals(t); got.code != 0 || all != want {
		t.Errorf("warm: got %+v", got)
	}
	if !strings.HasPrefix(got.out, `{"url":"https://a.example/1","outcome":"hit","status":200,`) {
		t.Errorf("got %s", got.out)
	}
	got = runWarm(t, "", "--through", c.URL, "https://a.example/1", "https://a.example/private")
	if !strings.HasPrefix(got.out, "asked for 2 pages in ") ||
		!strings.Contains(got.out, "1 hit, 1 loaded, 0 failed; 20B\n") ||
		!strings.Contains(got.out, "1 entry loaded that no shared cache may keep\n") {
		t.Errorf("for people: %s", got.out)
	}
}

func TestWarmFillsACacheOfOurOwn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		io.WriteString(w, "a page")
	}))
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	cache := httpcache.New(httpcache.Options{})
	t.Cleanup(func() { cache.Close() })
	proxy := httptest.NewServer(cache.Proxy(httpcache.Origin{URL: to}))
	t.Cleanup(proxy.Close)
	cold, warm := warmTotals{Asked: 1, Loaded: 1, Bytes: 6}, warmTotals{Asked: 1, Hits: 1, Bytes: 6}
	for _, want := range []warmTotals{cold, warm} {
		got := runWarm(t, "", "--through", proxy.URL, "--json", "http://a.example/")
		if all := got.totals(t); got.code != 0 || all != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestWarmSpeaksTheSchemeOfTheCache(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere no variable names the certificates to trust")
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host)
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "cert.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", path) // it is for example.com
	got := runWarm(t, "", "--through", server.URL, "--json", "http://example.com/")
	if all := got.totals(t); got.code != 0 || all.Bytes != int64(len("example.com")) {
		t.Errorf("got %+v", got)
	}
	got = runWarm(t, "", "--through", server.URL, "http://elsewhere.example/")
	if got.code != 1 || !strings.Contains(got.errors, "certificate is valid for") {
		t.Errorf("another host: got %+v", got)
	}
}

func TestWarmAsksForManyAtOnce(t *testing.T) {
	c := newColdCache(t, nil)
	var urls strings.Builder
	for i := range 200 {
		fmt.Fprintf(&urls, "https://%d.example/%d\n", i%7, i)
	}
	got := runWarm(t, urls.String(), "--jobs", "8", "--through", c.URL, "--from", "-", "--json")
	if all := got.totals(t); got.code != 0 || all.Loaded != 200 || all.Bytes != 2000 {
		t.Errorf("got %+v", all)
	}
	if lines := strings.Count(got.out, "\n"); lines != 201 {
		t.Errorf("got %d lines, want 201", lines)
	}
}

func sitemapOf(entries ...string) string {
	var b strings.Builder
	for _, e := range entries {
		address, date, _ := strings.Cut(e, " ")
		fmt.Fprintf(&b, "<url><loc>%s</loc><lastmod>%s</lastmod></url>", address, date)
	}
	return "<urlset>" + b.String() + "</urlset>"
}

func TestWarmFindsTheSitemapsOfASiteNewestPageFirst(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, sitemapOf("https://a.example/new 2026-02-01",
		"https://a.example/newer 2026-03-01"))
	z.Close()
	c := newColdCache(t, map[string]string{
		"a.example/robots.txt": "User-agent: *\nDisallow: /\nSitemap: https://a.example/index\n" +
			"Sitemap: https://cdn.example/map\n",
		"a.example/index": "<sitemapindex><sitemap><loc>https://a.example/map.gz</loc></sitemap>" +
			"<sitemap><loc>https://b.example/map</loc></sitemap></sitemapindex>",
		"a.example/map.gz": packed.String(),
		"cdn.example/map": sitemapOf("https://a.example/old 2020-01-01", "https://b.example/2",
			"x"),
	})
	got := runWarm(t, "", "--through", c.URL, "--site", "https://a.example", "--json")
	want := warmTotals{Asked: 3, Loaded: 3, Foreign: 2, Bad: 1, Bytes: 30}
	if all := got.totals(t); got.code != 0 || all != want {
		t.Errorf("got %+v", got)
	}
	if asked := c.takes(); asked != "a.example/newer a.example/new a.example/old" {
		t.Errorf("asked for %s", asked)
	}
	got = runWarm(t, "", "--through", c.URL, "--sitemap", "https://a.example/index", "--most", "1")
	if asked := c.takes(); got.code != 0 || asked != "a.example/newer" {
		t.Errorf("with --most 1: asked for %s, %+v", asked, got)
	}
	got = runWarm(t, "", "--through", c.URL, "--sitemap", "https://a.example/none.xml",
		"--sitemap", "https://a.example/map.gz")
	if got.code != 3 || got.errors != "larder: warm: https://a.example/none.xml: 404 Not Found\n" {
		t.Errorf("with a sitemap that is not there: %+v", got)
	}
	got = runWarm(t, "", "--through", c.URL, "--site", "https://none.example")
	if got.code != 1 || !strings.Contains(got.errors, "none.example/sitemap.xml: 404") {
		t.Errorf("without any: %+v", got)
	}
}

func TestWarmTakesTheHottestOfALogFirst(t *testing.T) {
	line := func(day int, request string, status int) string {
		return fmt.Sprintf("192.0.2.1 - - [%02d/Nov/2026:13:00:00 +0100] \"%s HTTP/1.1\" %d 5\n",
			day, request, status)
	}
	log := line(20, "GET /once", 200) + strings.Repeat(line(20, "GET /hot?x=1", 304), 3) +
		strings.Repeat(line(10, "GET /old", 200), 9) + line(20, "POST /form", 200) +
		line(20, "GET /gone", 404) + line(20, "GET http://b.example/", 200) + "garbage\n" +
		"https://a.example/first\n"
	path := filepath.Join(t.TempDir(), "access.log.gz")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, log)
	z.Close()
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newColdCache(t, nil)
	got := runWarm(t, "", "--from", path, "--site", "https://a.example", "--through", c.URL,
		"--json")
	want := warmTotals{Asked: 4, Loaded: 4, Foreign: 1, Bad: 1, Bytes: 40}
	if all := got.totals(t); got.code != 0 || all != want ||
		!strings.Contains(got.out, `"url":"https://a.example/hot?x=1","requests":3,`) {
		t.Errorf("got %+v", got)
	}
	order := "a.example/first a.example/hot?x=1 a.example/once a.example/old"
	if asked := c.takes(); asked != order {
		t.Errorf("asked for %s", asked)
	}
	got = runWarm(t, log, "--from", "-", "--through", c.URL)
	if got.code != 2 || !strings.Contains(got.errors, "give --site") {
		t.Errorf("a log without a host: %+v", got)
	}
}

func TestWarmAsksForEachVariant(t *testing.T) {
	c := newColdCache(t, nil)
	got := runWarm(t, "", "--through", c.URL, "https://a.example/", "--json",
		"--header", "accept-encoding: br", "--header", "Accept-Encoding: gzip",
		"--header", "Accept-Language: de", "--header", "X-Forwarded-Proto: https")
	if got.code != 0 || got.totals(t).Loaded != 2 ||
		!strings.Contains(got.out, `"header":["Accept-Encoding: br"]`) {
		t.Errorf("got %+v", got)
	}
	want := map[string]bool{"a.example/ brde": true, "a.example/ gzipde": true}
	c.set(func() {
		if !maps.Equal(c.kept, want) {
			t.Errorf("kept %v, want %v", c.kept, want)
		}
	})
}

func TestWarmGoesOnAfterFailures(t *testing.T) {
	c := newColdCache(t, nil)
	c.set(func() { c.status["a.example/missing"], c.busy = http.StatusNotFound, 1 })
	got := runWarm(t, "", "--through", c.URL, "https://a.example/1", "https://a.example/missing",
		"https://a.example/moved", "--json")
	want := warmTotals{Asked: 3, Loaded: 2, Failed: 1, Bytes: 30}
	if all := got.totals(t); got.code != 3 || all != want ||
		got.errors != "larder: warm: https://a.example/missing: 404 Not Found\n" {
		t.Errorf("got %+v", got)
	}
	asked := c.takes()
	if asked != "a.example/1 a.example/1 a.example/missing a.example/moved a.example/here" {
		t.Errorf("asked for %s", asked)
	}
}

func TestWarmGivesUpOnASiteThatIsDown(t *testing.T) {
	c := newColdCache(t, nil)
	c.Close()
	var urls strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&urls, "https://a.example/%d\n", i)
	}
	got := runWarm(t, urls.String(), "--through", c.URL, "--from", "-")
	if got.code != 1 || strings.Count(got.errors, "connection refused") != maxComplaints ||
		!strings.HasSuffix(got.errors, "larder: warm: given up after 20 failures in a row\n") {
		t.Errorf("got %+v", got)
	}
}

func TestWarmObeysRobotsWhereItAsksTheHostsThemselves(t *testing.T) {
	c := newColdCache(t, map[string]string{})
	host := strings.TrimPrefix(c.URL, "http://")
	c.set(func() { c.files[host+"/robots.txt"] = "User-agent: larder\nDisallow: /no\n" })
	got := runWarm(t, "", "--allow-private", "--json", c.URL+"/yes", c.URL+"/no")
	want := warmTotals{Asked: 1, Loaded: 1, Disallowed: 1, Bytes: 10}
	if all := got.totals(t); got.code != 0 || all != want || c.takes() != host+"/yes" {
		t.Errorf("got %+v", got)
	}
	got = runWarm(t, "", "--allow-private", "--header", "User-Agent: other/1", c.URL+"/no")
	if got.code != 0 || c.takes() != host+"/no" {
		t.Errorf("by another name: %+v", got)
	}
	got = runWarm(t, "", c.URL+"/yes")
	if got.code != 1 || !strings.Contains(got.errors, "not a public address (give --allow-") {
		t.Errorf("without --allow-private: %+v", got)
	}
}

func TestWarmKeepsTheFieldsOfTheUserOnTheSite(t *testing.T) {
	var mu sync.Mutex
	heard := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		heard[r.Host+r.URL.Path] = r.Header.Get("Authorization")
		if r.URL.Path == "/robots.txt" {
			io.WriteString(w, "Sitemap: https://evil.example/map\nSitemap: https://a.example/map\n")
			return
		}
		io.WriteString(w, sitemapOf("https://a.example/page", "https://evil.example/page"))
	}))
	t.Cleanup(server.Close)
	got := runWarm(t, "", "--through", server.URL, "--site", "https://a.example",
		"--header", "Authorization: Basic secret")
	want := map[string]string{"a.example/robots.txt": "Basic secret", "evil.example/map": "",
		"a.example/map": "Basic secret", "a.example/page": "Basic secret"}
	mu.Lock()
	defer mu.Unlock()
	if !maps.Equal(heard, want) || got.code != 0 {
		t.Errorf("heard %v, want %v; %+v", heard, want, got)
	}
}

func TestTurnsOfAHostFollowEachOther(t *testing.T) {
	var all turns
	if left := all.take("a", time.Hour); left > 0 {
		t.Errorf("the first waits %v", left)
	}
	if left := all.take("a", time.Hour); left < time.Minute {
		t.Errorf("the second waits %v", left)
	}
	if left := all.take("b", 0); left > 0 {
		t.Errorf("another host waits %v", left)
	}
	all.pause("b", time.Hour)
	if left := all.take("b", 0); left < time.Minute {
		t.Errorf("a host that wants a pause waits %v", left)
	}
}

func TestWasHitReadsTheNearestCache(t *testing.T) {
	for _, c := range []struct {
		lines []string
		age   string
		want  bool
	}{
		{nil, "", false},
		{nil, "0", false},
		{nil, "7", true},
		{nil, "old", false},
		{[]string{"larder; hit"}, "", true},
		{[]string{"larder;hit=?1;ttl=3"}, "", true},
		{[]string{"larder;hit=?0"}, "", false},
		{[]string{"larder; fwd=uri-miss; stored"}, "9", false},
		{[]string{"far; hit, near; fwd=stale"}, "", false},
		{[]string{"far; hit", "near; fwd=stale"}, "", false},
		{[]string{"far; fwd=miss", "near; hit"}, "", true},
		{[]string{`near; detail="a, b; hit"`}, "", false},
		{[]string{`"near, \"; hit"; fwd=miss`}, "", false},
		{[]string{""}, "", false},
		{[]string{`"`}, "", false},
	} {
		h := http.Header{"Cache-Status": c.lines}
		if c.age != "" {
			h.Set("Age", c.age)
		}
		if got := wasHit(h); got != c.want {
			t.Errorf("%q, Age %q: got %v", c.lines, c.age, got)
		}
	}
}

func FuzzWasHit(f *testing.F) {
	f.Add(`larder; hit, "x\"; y"; fwd=miss`)
	f.Fuzz(func(t *testing.T, field string) {
		wasHit(http.Header{"Cache-Status": {field}})
		if got := strings.Join(splitQuoted(field, ','), ","); got != field {
			t.Errorf("%q became %q", field, got)
		}
	})
}

func TestVariantsAreAllCombinations(t *testing.T) {
	got, err := readVariants([]string{"A: 1", "a:2", "B: x", "B: y", "C:"}, http.Header{"C": {"z"}})
	var all []string
	for _, h := range got {
		all = append(all, h.Get("A")+h.Get("B")+h.Get("C"))
	}
	if want := []string{"1x", "1y", "2x", "2y"}; err != nil || !slices.Equal(all, want) {
		t.Errorf("got %q, %v, want %q", all, err, want)
	}
}

func TestPauseOfReadsRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": time.Second, "0": 0, "7": 7 * time.Second, "-1": time.Second, "soon": time.Second,
		"Fri, 20 Nov 2026 12:00:05 GMT": 5 * time.Second, "Fri, 20 Nov 2020 12:00:05 GMT": 0,
		"99999999999999999999": time.Second,
	} {
		res := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {text}}}
		if got, busy := pauseOf(res, now); got != want || !busy {
			t.Errorf("%q: got %v, %v, want %v", text, got, busy, want)
		}
	}
}
