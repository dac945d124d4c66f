// middleware_test.go holds Middleware to what View promises: whose answer a request gets, and for
// how long.

package httpcache_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// view is a handler behind a Middleware of a cache.
type view struct {
	t     testing.TB
	cache *httpcache.Cache
	door  http.Handler
	asked atomic.Int64 // how often the handler was asked
}

// openCache returns a cache that is closed with the test.
func openCache(t testing.TB, o httpcache.Options) *httpcache.Cache {
	c := httpcache.New(o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// newView puts a new cache before h.
func newView(t testing.TB, v httpcache.View, h http.HandlerFunc) *view {
	return viewOf(t, openCache(t, httpcache.Options{}), v, h)
}

func viewOf(t testing.TB, c *httpcache.Cache, v httpcache.View, h http.HandlerFunc) *view {
	w := &view{t: t, cache: c}
	w.door = c.Middleware(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		h(rw, r)
	}), v)
	return w
}

// ServeHTTP implements http.Handler.
func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) { v.door.ServeHTTP(w, r) }

// ask makes a request without a network.
func (v *view) ask(method, target string, lines ...string) got {
	return askHandler(v.t, v, method, target, lines...)
}

func askHandler(t testing.TB, h http.Handler, method, target string, lines ...string) got {
	t.Helper()
	ctx, result := httpcache.Track(context.Background())
	r := httptest.NewRequestWithContext(ctx, method, target, nil)
	r.Header = header(lines...)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return got{w.Result(), w.Body.String(), *result}
}

// wantAsked checks how often the handler was asked since the last time.
func (v *view) wantAsked(want int64) {
	v.t.Helper()
	if n := v.asked.Swap(0); n != want {
		v.t.Errorf("the handler was asked %d times, want %d", n, want)
	}
}

// numbered answers with the number of the answer, and says lines.
func numbered(lines ...string) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), header(lines...))
		fmt.Fprintf(w, "answer %d", n.Add(1))
	}
}

const forAMinute = "Cache-Control: max-age=60"

// frontOf starts a server with h, which counts no requests.
func frontOf(t testing.TB, h http.Handler) *httptest.Server {
	s := httptest.NewServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s
}

// asks is a request of a table.
type asks struct {
	target string
	lines  []string
}

func to(target string, lines ...string) asks { return asks{target, lines} }

// keyCase says of two requests whether one answer is for both.
type keyCase struct {
	view httpcache.View
	a, b asks
	one  bool
}

func byHeader(name string) func(*http.Request) string {
	return func(r *http.Request) string { return r.Header.Get(name) }
}

// urlCases differ in what is asked for.
func urlCases() []keyCase {
	var (
		whole httpcache.View
		none  = httpcache.View{Query: []string{}}
		two   = httpcache.View{Query: []string{"b", "a"}}
		route = httpcache.View{Route: "user"}
	)
	const one = true
	return []keyCase{
		{whole, to("/a"), to("/a"), one},
		{whole, to("/a"), to("/b"), !one},
		{whole, to("/a?x=1&y=2"), to("/a?y=2&x=1"), !one},
		{whole, to("/a%2Fb"), to("/a/b"), !one},
		{whole, to("/a/../b"), to("/b"), !one},
		{whole, to("//a"), to("/a"), !one},
		{whole, to("http://a.example/"), to("http://b.example/"), !one},
		{whole, to("http://a.example/"), to("http://A.example:80/"), one},
		{whole, to("https://a.example/"), to("https://a.example:443/"), one},
		{whole, to("https://a.example/"), to("http://a.example/"), !one},
		{none, to("/a?x=1"), to("/a"), one},
		{none, to("/a?x=1"), to("/b?x=1"), !one},
		{two, to("/?a=1&b=2"), to("/?b=2&a=1"), one},
		{two, to("/?a=1&utm=5"), to("/?utm=6&a=1"), one},
		{two, to("/?%zz=1&a=1"), to("/?a=1"), one},
		{two, to("/?a=1&&"), to("/?a=1"), one},
		{two, to("/?a=1"), to("/?b=1"), !one},
		{two, to("/?a=1&a=2"), to("/?a=2&a=1"), !one},
		{two, to("/?a=1&a=2"), to("/?a=1"), !one},
		{two, to("/?a=1"), to("/"), !one},
		{two, to("/?a=1%26b=2"), to("/?a=1&b=2"), !one},
		{two, to("/?a=1;b=2"), to("/?a=1&b=2"), !one},
		{two, to("/?a=%41"), to("/?a=%42"), !one},
		{two, to("/?%61=1"), to("/?%61=2"), !one},
		{two, to("/?A=1"), to("/?A=2"), one},
		{route, to("/user/1"), to("/user/2"), one},
		{route, to("/user/1?x=1"), to("/user/1?x=2"), !one},
	}
}

// askerCases differ in who asks, and in which language.
func askerCases() []keyCase {
	var (
		scope    = httpcache.View{Scope: byHeader("User")}
		language = httpcache.View{Languages: []string{"en", "de-CH", "fr"}}
		all      = httpcache.View{
			Route: "/r", Query: []string{},
			Scope: byHeader("User"), Languages: []string{"en", "de"},
		}
	)
	speaks := func(languages string) asks { return to("/", "Accept-Language: "+languages) }
	is := func(user string) asks { return to("/", "User: "+user) }
	const one = true
	return []keyCase{
		{scope, is("ann"), is("ann"), one},
		{scope, is("ann"), is("bob"), !one},
		{scope, is("ann"), to("/"), !one},
		{scope, is("a b"), is("a+b"), !one},
		{scope, is("a%20b"), is("a b"), !one},
		{scope, is("ann#scope=bob"), is("ann"), !one},
		{scope, is(strings.Repeat("x", 9000) + "1"), is(strings.Repeat("x", 9000) + "2"), !one},
		{language, speaks("de"), speaks("de-CH"), one},
		{language, speaks("fr;q=0.5, de;q=0.4"), speaks("fr"), one},
		{language, speaks("fr;q=0.4, de;q=0.5"), speaks("fr"), !one},
		{language, speaks("ja"), to("/"), one},
		{language, speaks("*"), speaks("en-GB"), one},
		{language, speaks("en;q=0, *"), speaks("de-CH"), one},
		{all, to("/x?1", "User: u", "Accept-Language: de"),
			to("/y?2", "User: u", "Accept-Language: de-AT"), one},
		{all, to("/", "User: u#language=de", "Accept-Language: en"),
			to("/", "User: u", "Accept-Language: de"), !one},
	}
}

func TestAViewSaysWhichRequestsHaveOneAnswer(t *testing.T) {
	for _, c := range append(urlCases(), askerCases()...) {
		v := newView(t, c.view, numbered(forAMinute))
		a := v.ask("GET", c.a.target, c.a.lines...)
		b := v.ask("GET", c.b.target, c.b.lines...)
		if one := a.body == b.body; one != c.one {
			t.Errorf("%.80q and %.80q have one answer: %v, want %v", c.a, c.b, one, c.one)
		}
		v.ask("GET", c.a.target, c.a.lines...).want(t, hit, a.body)
		v.ask("GET", c.b.target, c.b.lines...).want(t, hit, b.body)
	}
}

// TestNoRequestNamesTheKeyOfAnother asks an open view for what a scoped one keeps: net/http takes
// a "#" in a request line for a part of the path.
func TestNoRequestNamesTheKeyOfAnother(t *testing.T) {
	c := openCache(t, httpcache.Options{})
	mux := http.NewServeMux()
	mux.Handle("/account", viewOf(t, c, httpcache.View{Scope: byHeader("User")},
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			io.WriteString(w, "secret of "+r.Header.Get("User"))
		}))
	mux.Handle("/", viewOf(t, c, httpcache.View{}, numbered(forAMinute)))
	f := serveRaw(t, mux)
	if a := f.get("/account", "User: bob"); a.body != "secret of bob" {
		t.Fatalf("bob got %v", a)
	}
	for _, rest := range []string{"#scope=bob", "%23scope=bob", "?#scope=bob", "#scope=bob#x"} {
		target := "/account" + rest
		if a := f.get(target); strings.Contains(a.body, "bob") {
			t.Errorf("%s: got %v", target, a)
		}
	}
}

func TestTheHandlerSeesTheChosenLanguageAlone(t *testing.T) {
	v := newView(t, httpcache.View{Languages: []string{"en", "de"}},
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Vary", "Accept-Language")
			fmt.Fprint(w, r.Header["Accept-Language"])
		})
	for _, c := range []struct{ accept, want string }{
		{"de-AT, de;q=0.9, en;q=0.8", "[de]"}, {"de", "[de]"}, {"DE;q=0.3", "[de]"},
		{"ja", "[en]"}, {"en-GB", "[en]"}, {"*;q=0.1", "[en]"},
	} {
		if g := v.ask("GET", "/", "Accept-Language: "+c.accept); g.body != c.want {
			t.Errorf("%s: the handler saw %s, want %s", c.accept, g.body, c.want)
		}
	}
	if g := v.ask("GET", "/"); g.body != "[en]" {
		t.Errorf("without a wish the handler saw %s", g.body)
	}
	v.wantAsked(2)
}

// TestTheHandlerSeesTheParametersThatCountAlone has one who asks first with a parameter that does
// not count: nobody else is to get what it made of the answer.
func TestTheHandlerSeesTheParametersThatCountAlone(t *testing.T) {
	v := newView(t, httpcache.View{Query: []string{"q"}},
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			fmt.Fprint(w, r.URL.RawQuery, " ", r.FormValue("callback"))
		})
	v.ask("GET", "/?callback=alert&q=a%20b").want(t, miss, "q=a%20b ")
	v.ask("GET", "/?q=a%20b").want(t, hit, "q=a%20b ")
}

func TestTTLAndStaleAreForWhatSaysNothingItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newView(t, httpcache.View{TTL: time.Minute, Stale: time.Minute}, numbered())
		v.ask("GET", "/").want(t, miss, "answer 1")
		time.Sleep(59 * time.Second)
		v.ask("GET", "/").want(t, hit, "answer 1")
		time.Sleep(30 * time.Second)
		v.ask("GET", "/").want(t, stale, "answer 1")
		synctest.Wait()
		v.ask("GET", "/").want(t, hit, "answer 2")
		time.Sleep(2 * time.Minute)
		v.ask("GET", "/").want(t, miss, "answer 3")
		v.wantAsked(3)
	})
}

func TestWhatAnAnswerSaysOutranksTheView(t *testing.T) {
	for _, c := range []struct {
		says  string // by the answer
		after time.Duration
		want  httpcache.Outcome
	}{
		{"max-age=10", 9 * time.Second, hit},
		{"max-age=10", 11 * time.Second, stale},
		{"max-age=10", 71 * time.Second, miss},
		{"s-maxage=300, max-age=0", 299 * time.Second, hit},
		{"max-age=10, s-maxage=20", 21 * time.Second, miss},
		{"max-age=10, stale-while-revalidate=5", 14 * time.Second, stale},
		{"max-age=10, stale-while-revalidate=5", 16 * time.Second, miss},
		{"max-age=10, must-revalidate", 11 * time.Second, miss},
		{"must-revalidate", 59 * time.Second, hit},
		{"must-revalidate", 61 * time.Second, miss},
		{"no-cache", time.Second, miss},
		{"no-store", time.Second, miss},
		{"private", time.Second, miss},
		{"max-age=0", 30 * time.Second, stale},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := newView(t, httpcache.View{TTL: time.Minute, Stale: time.Minute},
				numbered("Cache-Control: "+c.says))
			v.ask("GET", "/").want(t, miss, "answer 1")
			time.Sleep(c.after)
			if g := v.ask("GET", "/"); g.Outcome != c.want {
				t.Errorf("%s, after %v: %v (%s), want %v",
					c.says, c.after, g.Outcome, g.Reason, c.want)
			}
		})
	}
}

// sharingCase is an answer that may be shared or not.
type sharingCase struct {
	view     httpcache.View
	request  []string
	status   int
	response []string
	kept     bool
}

func sharingCases() []sharingCase {
	var (
		open    httpcache.View
		ttl     = httpcache.View{TTL: time.Minute}
		scoped  = httpcache.View{Scope: byHeader("User"), TTL: time.Minute}
		cookies = httpcache.View{TTL: time.Minute, Cookies: httpcache.ShareCookies}
	)
	says := func(lines ...string) []string { return lines }
	authorized, cookie := says("Authorization: Basic eDp5"), says("Cookie: a=b")
	const setCookie = "Set-Cookie: a=b"
	const kept = true
	return []sharingCase{
		{open, nil, 200, says(forAMinute), kept},
		{open, nil, 200, nil, !kept},
		{open, nil, 200, says("Cache-Control: private, max-age=60"), !kept},
		{open, nil, 200, says("Cache-Control: no-store, max-age=60"), !kept},
		{open, nil, 200, says(forAMinute, "Vary: *"), !kept},
		{open, nil, 200, says(forAMinute, setCookie), !kept},
		{cookies, nil, 200, says(forAMinute, setCookie), kept},
		{cookies, nil, 200, says(setCookie), !kept},
		{open, authorized, 200, says(forAMinute), !kept},
		{open, authorized, 200, says(forAMinute, "Cache-Control: public"), kept},
		{open, authorized, 200, says("Cache-Control: s-maxage=60"), kept},
		{open, authorized, 200, says(forAMinute, "Cache-Control: must-revalidate"), kept},
		{ttl, authorized, 200, nil, !kept},
		{scoped, says("User: x", authorized[0]), 200, says(forAMinute), kept},
		{scoped, says("User: x", authorized[0]), 200, nil, kept},
		{scoped, authorized, 200, says(forAMinute), !kept},
		{scoped, authorized, 200, says("Cache-Control: private"), !kept},
		{scoped, nil, 200, says(setCookie), !kept},
		{ttl, nil, 200, nil, kept},
		{ttl, cookie, 200, nil, !kept},
		{ttl, cookie, 200, says(forAMinute), kept},
		{ttl, cookie, 200, says("Vary: Cookie"), kept},
		{scoped, cookie, 200, nil, kept},
		{ttl, nil, 404, nil, !kept},
		{ttl, nil, 500, nil, !kept},
		{ttl, nil, 302, nil, !kept},
		{open, nil, 404, says(forAMinute), kept},
		{open, nil, 302, says(forAMinute, "Location: /x"), kept},
		{open, says("Cache-Control: no-store"), 200, says(forAMinute), !kept},
		{open, nil, 206, says(forAMinute, "Content-Range: bytes 0-8/100"), !kept},
	}
}

func TestWhatIsForOneAloneIsNotShared(t *testing.T) {
	for _, c := range sharingCases() {
		v := newView(t, c.view, func(w http.ResponseWriter, r *http.Request) {
			maps.Copy(w.Header(), header(c.response...))
			w.WriteHeader(c.status)
			io.WriteString(w, "an answer")
		})
		for range 2 {
			g := v.ask("GET", "/", c.request...)
			if g.StatusCode != c.status || g.body != "an answer" {
				t.Errorf("%q -> %d %q: got %d %q",
					c.request, c.status, c.response, g.StatusCode, g.body)
			}
		}
		if kept := v.asked.Load() == 1; kept != c.kept {
			t.Errorf("%q -> %d %q: kept %v, want %v",
				c.request, c.status, c.response, kept, c.kept)
		}
	}
}

// guessCases are handlers that leave the type of their bodies to be guessed.
var guessCases = map[string]http.HandlerFunc{
	"at once": func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<!doctype html><p>x")
	},
	"in pieces": func(w http.ResponseWriter, r *http.Request) {
		for _, piece := range []string{"", "\n", "<!doc", "type html>", "<p>x"} {
			io.WriteString(w, piece)
		}
	},
	"after a status": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "<!doctype html><p>x")
	},
	"refused": func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		io.WriteString(w, "<!doctype html><p>x")
	},
	"encoded": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "x-other")
		io.WriteString(w, "<!doctype html><p>x")
	},
	"of nothing": func(w http.ResponseWriter, r *http.Request) {},
	"after a flush": func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		io.WriteString(w, "<!doctype html><p>x")
	},
}

// TestTheTypeIsGuessedAsByNetHTTP compares with the same handler without a cache.
func TestTheTypeIsGuessedAsByNetHTTP(t *testing.T) {
	for name, h := range guessCases {
		v := newView(t, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			h(w, r)
		})
		plain, cached := frontOf(t, h), frontOf(t, v)
		want := fetch(t, plain.Client(), plain.URL)
		for range 2 {
			g := fetch(t, cached.Client(), cached.URL)
			kind, wanted := g.Header["Content-Type"], want.Header["Content-Type"]
			if g.body != want.body || !slices.Equal(kind, wanted) {
				t.Errorf("%s: got %q %q, want %q %q", name, kind, g.body, wanted, want.body)
			}
		}
		v.wantAsked(1)
	}
}
