// fetcher_test.go asks real servers on the loopback, and those in memory where time matters.

package scrape_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store"
)

// site is a server on the loopback that counts what it is asked.
type site struct {
	*httptest.Server
	mux    *http.ServeMux
	asked  atomic.Int64 // requests
	robots atomic.Int64 // of them for robots.txt
}

func newSite(t *testing.T, robots string) *site {
	s := &site{mux: http.NewServeMux()}
	s.mux.HandleFunc("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		s.robots.Add(1)
		io.WriteString(w, robots)
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) page(path, body string) {
	s.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, body)
	})
}

func newFetcher(t *testing.T, o scrape.Options) *scrape.Fetcher {
	f := scrape.New(o)
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), f.Close()); err != nil {
			t.Error(err)
		}
	})
	return f
}

func local(t *testing.T) *scrape.Fetcher {
	return newFetcher(t, scrape.Options{AllowPrivate: true})
}

func wantError(t *testing.T, err, want error, words ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error = %v, want one that wraps %q", err, want)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error = %q, want %q in it", err, word)
		}
	}
	if strings.Count(err.Error(), "scrape: ") != 1 || strings.Contains(err.Error(), "\n") {
		t.Errorf("error = %q, want one line with one prefix", err)
	}
}

func TestASecondRunAsksNothing(t *testing.T) {
	s := newSite(t, "User-agent: *\nDisallow: /private\n")
	kept := store.NewMemory(store.MemoryOptions{})
	s.page("/a", "<h1>a</h1>")
	s.mux.Handle("/old", http.RedirectHandler("/a", http.StatusFound))
	for run, want := range []struct {
		outcome  httpcache.Outcome
		requests int
	}{{httpcache.Miss, 3}, {httpcache.Hit, 0}} {
		f := newFetcher(t, scrape.Options{AllowPrivate: true, Store: kept})
		p, err := f.Fetch(t.Context(), s.URL+"/old#part")
		if err != nil {
			t.Fatal(err)
		}
		if p.Outcome != want.outcome || p.Requests != want.requests {
			t.Errorf("run %d: %v after %d requests, want %v after %d",
				run, p.Outcome, p.Requests, want.outcome, want.requests)
		}
		if p.URL != s.URL+"/old#part" || p.Final != s.URL+"/a" || string(p.Body) != "<h1>a</h1>" {
			t.Errorf("run %d: page = %+v", run, p)
		}
		if since := time.Since(p.Fetched); since < 0 || since > 5*time.Second {
			t.Errorf("run %d: fetched %v ago", run, since)
		}
	}
}

func TestAfterTheTTLPagesAreRevalidated(t *testing.T) {
	s := newSite(t, "")
	s.mux.HandleFunc("/a", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, "text")
	})
	f := newFetcher(t, scrape.Options{AllowPrivate: true, TTL: time.Nanosecond})
	for _, want := range []struct {
		outcome  httpcache.Outcome
		requests int
	}{{httpcache.Miss, 2}, {httpcache.Revalidated, 1}} {
		p, err := f.Fetch(t.Context(), s.URL+"/a")
		if err != nil {
			t.Fatal(err)
		}
		if p.Outcome != want.outcome || p.Requests != want.requests || string(p.Body) != "text" {
			t.Errorf("%v after %d requests, want %+v", p.Outcome, p.Requests, want)
		}
	}
}

func TestOfflineServesWhatIsKept(t *testing.T) {
	s, kept := newSite(t, ""), store.NewMemory(store.MemoryOptions{})
	s.mux.HandleFunc("/a", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"1"`)
		io.WriteString(w, "a")
	})
	f := newFetcher(t, scrape.Options{AllowPrivate: true, Store: kept, TTL: time.Nanosecond})
	if _, err := f.Fetch(t.Context(), s.URL+"/a"); err != nil {
		t.Fatal(err)
	}
	asked := s.asked.Load()
	off := newFetcher(t, scrape.Options{Store: kept, Offline: true, TTL: time.Nanosecond})
	p, err := off.Fetch(t.Context(), s.URL+"/a")
	if err != nil || string(p.Body) != "a" || p.Outcome != httpcache.Stale {
		t.Errorf("Fetch = %+v, %v, want the stale page", p, err)
	}
	_, err = off.Fetch(t.Context(), s.URL+"/b")
	wantError(t, err, scrape.ErrNotCached, s.URL+"/b")
	if got := s.asked.Load() - asked; got != 0 {
		t.Errorf("%d requests offline", got)
	}
}

func TestRobotsKeepsUsOut(t *testing.T) {
	s := newSite(t, "User-agent: larder\nDisallow: /private/\n")
	s.page("/private/x", "secret")
	s.mux.Handle("/door", http.RedirectHandler("/private/x", http.StatusFound))
	f := local(t)
	for _, path := range []string{"/private/x", "/door", "/pri%76ate/x"} {
		_, err := f.Fetch(t.Context(), s.URL+path)
		wantError(t, err, scrape.ErrDisallowed, s.URL+"/pri", "Disallow: /private/ (line 2)")
	}
	if got := s.robots.Load(); got != 1 {
		t.Errorf("robots.txt was asked for %d times, want once", got)
	}
	if got := s.asked.Load(); got != 2 {
		t.Errorf("%d requests, want 2: robots.txt and /door", got)
	}
}

func TestRobotsByStatus(t *testing.T) {
	for _, c := range []struct {
		status int
		want   error
	}{
		{200, nil}, {401, nil}, {403, nil}, {404, nil}, {410, nil},
		{500, scrape.ErrRobots}, {503, scrape.ErrRobots}, {429, scrape.ErrRobots},
	} {
		m := http.NewServeMux()
		m.HandleFunc("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, "User-agent: *\nDisallow: /b")
		})
		m.HandleFunc("/a", func(http.ResponseWriter, *http.Request) {})
		s := httptest.NewServer(m)
		f := newFetcher(t, scrape.Options{AllowPrivate: true, Retries: -1})
		_, err := f.Fetch(t.Context(), s.URL+"/a")
		if c.want == nil && err != nil {
			t.Errorf("robots.txt answers %d: %v", c.status, err)
		}
		if c.want != nil {
			wantError(t, err, c.want, s.URL+"/a", strconv.Itoa(c.status))
		}
		s.Close()
	}
}

func TestRobotsFollowsFiveRedirects(t *testing.T) {
	for hops, want := range map[int]error{5: scrape.ErrDisallowed, 6: nil} {
		m := http.NewServeMux()
		s := httptest.NewServer(m)
		m.HandleFunc("/x", func(http.ResponseWriter, *http.Request) {})
		m.Handle("/robots.txt", http.RedirectHandler("/hop/1", http.StatusMovedPermanently))
		m.HandleFunc("/hop/{n}", func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.PathValue("n"))
			if n < hops {
				http.Redirect(w, r, fmt.Sprint("/hop/", n+1), http.StatusFound)
				return
			}
			io.WriteString(w, "User-agent: *\nDisallow: /x\n")
		})
		_, err := local(t).Fetch(t.Context(), s.URL+"/x")
		if !errors.Is(err, want) {
			t.Errorf("%d redirects: error = %v, want %v", hops, err, want)
		}
		s.Close()
	}
}

func TestRedirects(t *testing.T) {
	s := newSite(t, "")
	s.page("/end", "end")
	s.mux.Handle("/loop", http.RedirectHandler("/loop2", http.StatusFound))
	s.mux.Handle("/loop2", http.RedirectHandler("/loop", http.StatusFound))
	s.mux.Handle("/file", http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	s.mux.Handle("/user", http.RedirectHandler("http://u:p@127.0.0.1/", http.StatusFound))
	s.mux.HandleFunc("/nowhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302) })
	s.mux.HandleFunc("/n/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		if n == 0 {
			http.Redirect(w, r, "/end", http.StatusSeeOther)
			return
		}
		http.Redirect(w, r, fmt.Sprint("/n/", n-1), http.StatusTemporaryRedirect)
	})
	f := local(t)
	for path, want := range map[string]error{
		"/loop": scrape.ErrRedirect, "/file": scrape.ErrScheme, "/user": scrape.ErrURL,
		"/nowhere": scrape.ErrRedirect, "/n/10": scrape.ErrRedirect,
	} {
		_, err := f.Fetch(t.Context(), s.URL+path)
		wantError(t, err, want)
		if err != nil && strings.Contains(err.Error(), "u:p") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	if p, err := f.Fetch(t.Context(), s.URL+"/n/9"); err != nil || string(p.Body) != "end" {
		t.Errorf("ten redirects: %v", err)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	f := local(t)
	for address, want := range map[string]error{
		"": scrape.ErrURL, "example.org/x": scrape.ErrURL, "http://": scrape.ErrURL,
		"http://u@h/": scrape.ErrURL, "http://[::1": scrape.ErrURL, "http://a b/": scrape.ErrURL,
		"http://h/" + strings.Repeat("x", 5000): scrape.ErrURL,
		"ftp://h/":                              scrape.ErrScheme, "file:///etc/passwd": scrape.ErrScheme,
		"javascript:alert(1)": scrape.ErrScheme, "data:,x": scrape.ErrScheme,
	} {
		_, err := f.Fetch(t.Context(), address)
		wantError(t, err, want)
	}
}

func TestStatusErrorNamesStatusAndPage(t *testing.T) {
	s := newSite(t, "")
	_, err := local(t).Fetch(t.Context(), s.URL+"/missing")
	e, ok := errors.AsType[*scrape.StatusError](err)
	if !ok || e.Status != 404 || e.URL != s.URL+"/missing" {
		t.Errorf("error = %v, want a StatusError of 404", err)
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	s := newSite(t, "")
	s.mux.HandleFunc("/a", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		fmt.Fprint(w, len(r.Cookies()))
	})
	p, err := local(t).Fetch(t.Context(), s.URL+"/a")
	if err != nil || p.Header.Get("Set-Cookie") != "" || string(p.Body) != "0" {
		t.Errorf("page = %+v, %v, want no cookie", p, err)
	}
}

func TestABombIsNotUnpacked(t *testing.T) {
	s := newSite(t, "")
	s.mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		zeros := make([]byte, 1<<20)
		for range 1 << 10 {
			if _, err := z.Write(zeros); err != nil {
				return
			}
		}
		z.Close()
	})
	kept := store.NewMemory(store.MemoryOptions{})
	f := newFetcher(t, scrape.Options{AllowPrivate: true, Store: kept, MaxBody: 1 << 20})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := f.Fetch(t.Context(), s.URL+"/bomb")
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("a gibibyte of zeros took %d bytes of memory", n)
	}
	wantError(t, err, scrape.ErrBodyTooLarge, "/bomb", "over 1048576 bytes")
	for info := range kept.List(t.Context(), "") {
		if strings.Contains(info.Key, "bomb") {
			t.Errorf("%s is stored", info.Key)
		}
	}
}

func TestAHugeLengthIsRefusedUnread(t *testing.T) {
	s := newSite(t, "")
	s.mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10000000000")
		io.WriteString(w, "start")
	})
	_, err := local(t).Fetch(t.Context(), s.URL+"/huge")
	wantError(t, err, scrape.ErrBodyTooLarge, "10000000000 bytes announced")
}

func TestAPageThatNeverEndsTimesOut(t *testing.T) {
	s := newSite(t, "")
	s.mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			select {
			case <-time.After(5 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
	})
	f := newFetcher(t, scrape.Options{AllowPrivate: true, Timeout: 100 * time.Millisecond})
	_, err := f.Fetch(t.Context(), s.URL+"/slow")
	wantError(t, err, scrape.ErrTimeout, s.URL+"/slow")
	if s.asked.Load() != 2 {
		t.Errorf("%d requests, want 2: it is not tried again", s.asked.Load())
	}
}

func TestABodyCutShortIsAnErrorAndNotKept(t *testing.T) {
	s := newSite(t, "")
	var whole atomic.Bool
	s.mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "0123")
		if whole.Load() {
			io.WriteString(w, "456789")
		}
	})
	f := newFetcher(t, scrape.Options{AllowPrivate: true, Retries: -1})
	_, err := f.Fetch(t.Context(), s.URL+"/cut")
	wantError(t, err, io.ErrUnexpectedEOF)
	whole.Store(true)
	if p, err := f.Fetch(t.Context(), s.URL+"/cut"); err != nil || string(p.Body) != "0123456789" {
		t.Errorf("Fetch = %v, %v", p, err)
	}
}

func TestAnUnaskedEncodingIsNamed(t *testing.T) {
	s := newSite(t, "")
	s.mux.HandleFunc("/br", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		io.WriteString(w, "\x0b\x02\x80")
	})
	_, err := local(t).Fetch(t.Context(), s.URL+"/br")
	wantError(t, err, scrape.ErrEncoding, `"br"`)
}

func TestALongHeaderIsRefused(t *testing.T) {
	s := newSite(t, "")
	s.mux.HandleFunc("/h", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 300<<10))
	})
	if _, err := local(t).Fetch(t.Context(), s.URL+"/h"); err == nil {
		t.Error("a header of 300 KiB is taken")
	}
}

func TestCancellingEndsARequest(t *testing.T) {
	s := newSite(t, "")
	started := make(chan struct{})
	s.mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	_, err := local(t).Fetch(ctx, s.URL+"/hang")
	wantError(t, err, context.Canceled)
}

func TestAHostThatIsDownIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	f := newFetcher(t, scrape.Options{AllowPrivate: true, Retries: -1})
	_, err = f.Fetch(t.Context(), "http://"+l.Addr().String()+"/x")
	wantError(t, err, scrape.ErrRobots, l.Addr().String()+"/x", "connection refused")
}

func TestADowngradeIsAnnounced(t *testing.T) {
	plain := newSite(t, "")
	plain.page("/a", "a")
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/a", http.StatusFound))
	defer secure.Close()
	var notices []string
	f := newFetcher(t, scrape.Options{
		AllowPrivate: true, Transport: secure.Client().Transport,
		Notice: func(s string) { notices = append(notices, s) },
	})
	p, err := f.Fetch(t.Context(), secure.URL+"/x")
	if err != nil || p.Final != plain.URL+"/a" {
		t.Fatalf("Fetch = %+v, %v", p, err)
	}
	if !slices.ContainsFunc(notices, func(s string) bool {
		return strings.Contains(s, "not encrypted")
	}) {
		t.Errorf("notices = %q", notices)
	}
}

func TestDotSegmentsDoNotPassRobots(t *testing.T) {
	s := newSite(t, "User-agent: *\nDisallow: /private/\n")
	var asked []string
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.RequestURI)
		switch r.URL.Path {
		case "/robots.txt":
			io.WriteString(w, "User-agent: *\nDisallow: /private/\n")
		case "/to":
			w.Header().Set("Location", "/x/%2e%2e/private/5")
			w.WriteHeader(http.StatusFound)
		}
	})
	f := local(t)
	for _, path := range []string{
		"/x/../private/2", "/./private/3", "/x/%2e%2E/private/4", "/to",
	} {
		_, err := f.Fetch(t.Context(), s.URL+path)
		wantError(t, err, scrape.ErrDisallowed, "/private/")
	}
	if want := []string{"/robots.txt", "/to"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// fullStore can be read and not written.
type fullStore struct{ store.Store }

var errFull = errors.New("no space left")

func (fullStore) Set(context.Context, string, store.Item) error { return errFull }

func TestErrorsOfTheStoreAreToldApart(t *testing.T) {
	s := newSite(t, "")
	s.page("/a", "a")
	full := fullStore{store.NewMemory(store.MemoryOptions{})}
	t.Cleanup(func() { full.Close() })
	var told, noticed []string
	o := scrape.Options{
		AllowPrivate: true, Store: full, Notice: func(s string) { noticed = append(noticed, s) },
	}
	for _, o.OnStoreError = range []func(error){
		func(err error) { told = append(told, err.Error()) }, nil,
	} {
		if _, err := newFetcher(t, o).Fetch(t.Context(), s.URL+"/a"); err != nil {
			t.Error(err)
		}
	}
	if len(told) != 1 || !slices.Equal(told, noticed) || !strings.Contains(told[0], "no space") {
		t.Errorf("told %q and noticed %q, want one error each", told, noticed)
	}
}

func TestARefusalIsNotAnsweredStale(t *testing.T) {
	s := newSite(t, "")
	var mood atomic.Value
	mood.Store("well")
	s.mux.HandleFunc("/a", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "stale-if-error=3600")
		switch mood.Load() {
		case "huge":
			w.Header().Set("Content-Length", strconv.Itoa(1e10))
		case "gone":
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "old")
	})
	f := newFetcher(t, scrape.Options{AllowPrivate: true, TTL: time.Nanosecond, Retries: -1})
	for _, m := range []string{"well", "gone"} {
		mood.Store(m)
		if p, err := f.Fetch(t.Context(), s.URL+"/a"); err != nil || string(p.Body) != "old" {
			t.Fatalf("%s: Fetch = %+v, %v, want the old page", m, p, err)
		}
	}
	mood.Store("huge")
	_, err := f.Fetch(t.Context(), s.URL+"/a")
	wantError(t, err, scrape.ErrBodyTooLarge)
}
