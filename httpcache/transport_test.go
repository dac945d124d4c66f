// transport_test.go checks what a caller of Transport sees, with time that passes in no time.

package httpcache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

const (
	hit         = httpcache.Hit
	stale       = httpcache.Stale
	revalidated = httpcache.Revalidated
	miss        = httpcache.Miss
	bypassed    = httpcache.Bypass
)

func TestFreshResponseIsServedWithoutTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: always(200, "hello", "Cache-Control: max-age=60", "X: 1", "Age: 3",
			"Connection: X-Hop", "X-Hop: 1", "Set-Cookie: a=b")}
		rt := newTransport(o)
		first := get(t, rt)
		first.want(t, miss, "hello")
		if first.Loads != 1 || first.NotStored != "" || first.Reason != "not stored" {
			t.Errorf("first = %+v", first.Result)
		}
		time.Sleep(10 * time.Second)
		g := get(t, rt)
		g.want(t, hit, "hello")
		if g.Loads != 0 || g.Header.Get("Age") != "13" || g.ContentLength != 5 ||
			g.Proto != "HTTP/1.1" || g.Header.Get("X") != "1" || g.Header.Get("X-Hop") != "" ||
			g.Header.Get("Set-Cookie") != "a=b" || g.Response.Request.URL.Path != "/page" {
			t.Errorf("hit = %+v %+v", g.Result, g.Response)
		}
		time.Sleep(47 * time.Second)
		get(t, rt).want(t, miss, "hello")
	})
}

func TestDateIsAddedWhereMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: func(*http.Request) *http.Response {
			resp := answer(200, "a", "Cache-Control: max-age=60")
			resp.Header.Del("Date")
			return resp
		}}
		rt := newTransport(o)
		want := time.Now().UTC().Format(http.TimeFormat)
		for range 2 {
			if g := get(t, rt); g.Header.Get("Date") != want {
				t.Errorf("%v: Date = %q, want %q", g.Outcome, g.Header.Get("Date"), want)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestStaleResponseIsRevalidated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=60", "X: 1")}
		rt := newTransport(o)
		get(t, rt).want(t, miss, "hello")
		for range 3 { // each 304 makes it fresh for another minute
			time.Sleep(61 * time.Second)
			g := get(t, rt)
			g.want(t, revalidated, "hello")
			if g.StatusCode != 200 || g.Loads != 1 || g.Header.Get("Age") != "0" {
				t.Errorf("revalidated = %+v, status %d, Age %q",
					g.Result, g.StatusCode, g.Header.Get("Age"))
			}
			time.Sleep(59 * time.Second)
			get(t, rt).want(t, hit, "hello")
		}
		o.answer = validating(`"b"`, "changed")
		time.Sleep(61 * time.Second)
		get(t, rt).want(t, miss, "changed")
	})
}

func Test304UpdatesTheStoredHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		o := &origin{answer: func(req *http.Request) *http.Response {
			n++
			return validating(`"a"`, "hello", "Cache-Control: max-age=60",
				fmt.Sprintf("X: %d", n))(req)
		}}
		rt := newTransport(o)
		get(t, rt)
		time.Sleep(time.Minute)
		get(t, rt)
		if g := get(t, rt); g.Outcome != hit || g.Header.Get("X") != "2" || g.ContentLength != 5 {
			t.Errorf("after a 304: %v, X %q, %d bytes", g.Outcome, g.Header.Get("X"),
				g.ContentLength)
		}
	})
}

func Test304OfAnotherResponseIsNotUsed(t *testing.T) { // RFC 9111, section 4.3.4
	o := &origin{answer: validating(`"a"`, "old", "Cache-Control: no-cache")}
	rt := newTransport(o)
	get(t, rt)
	o.answer = func(req *http.Request) *http.Response {
		if req.Header.Get("If-None-Match") != "" {
			return answer(304, "", `Etag: "b"`)
		}
		return answer(200, "new", `Etag: "b"`)
	}
	g := get(t, rt)
	g.want(t, miss, "new")
	if g.Loads != 2 {
		t.Errorf("loads = %d, want 2", g.Loads)
	}
}

func Test304WithNoStoreIsServedAndForgotten(t *testing.T) {
	o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: no-cache")}
	rt := newTransport(o)
	get(t, rt)
	o.answer = validating(`"a"`, "hello", "Cache-Control: no-store")
	get(t, rt).want(t, revalidated, "hello")
	if left := keys(t, rt.Store); len(left) != 0 {
		t.Errorf("left in the store: %q", left)
	}
}

func TestRequestDirectives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=60")}
		rt := newTransport(o)
		get(t, rt, "Cache-Control: no-store").want(t, miss, "hello")
		get(t, rt, "Cache-Control: only-if-cached").want(t, miss, "")
		get(t, rt).want(t, miss, "hello")
		time.Sleep(10 * time.Second)
		get(t, rt, "Cache-Control: no-store").want(t, hit, "hello")
		get(t, rt, "Cache-Control: max-age=10").want(t, hit, "hello")
		get(t, rt, "Cache-Control: min-fresh=50").want(t, hit, "hello")
		get(t, rt, "Cache-Control: no-cache").want(t, revalidated, "hello")
		get(t, rt, "Pragma: no-cache").want(t, revalidated, "hello")
		get(t, rt, "Cache-Control: max-age=0").want(t, revalidated, "hello")
		get(t, rt, "Cache-Control: min-fresh=61").want(t, revalidated, "hello")
		time.Sleep(70 * time.Second)
		get(t, rt, "Cache-Control: max-stale=10").want(t, stale, "hello")
		get(t, rt, "Cache-Control: max-stale=9").want(t, revalidated, "hello")
	})
}

func TestOnlyIfCachedNeverAsksTheOrigin(t *testing.T) { // RFC 9111, section 5.2.1.7
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=60")}
		rt := newTransport(o)
		const peek = "Cache-Control: only-if-cached"
		refused := func(lines ...string) {
			t.Helper()
			g := get(t, rt, append(lines, peek)...)
			if g.StatusCode != http.StatusGatewayTimeout || g.Loads != 0 || g.body != "" {
				t.Errorf("%q: %d %+v", lines, g.StatusCode, g.Result)
			}
		}
		refused()
		get(t, rt)
		get(t, rt, peek).want(t, hit, "hello")
		get(t, rt, peek, "Range: bytes=0-1").want(t, hit, "he")
		refused(peek, "If-Match: x")
		time.Sleep(time.Minute)
		refused()
		if len(o.requests) != 1 {
			t.Errorf("the origin saw %d requests, want 1", len(o.requests))
		}
	})
}

func TestNoStoreOfARequestLeavesWhatIsStored(t *testing.T) { // RFC 9111, section 5.2.1.5
	o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=60")}
	rt := newTransport(o)
	get(t, rt)
	get(t, rt, "Cache-Control: no-cache, no-store").want(t, revalidated, "hello")
	get(t, rt).want(t, hit, "hello")
}

func TestTTLOverridesFreshness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: always(200, "hello", "Cache-Control: no-cache, max-age=0", "Age: 99")}
		rt := newTransport(o)
		rt.TTL = 15 * time.Minute
		get(t, rt).want(t, miss, "hello")
		time.Sleep(15*time.Minute - 1)
		get(t, rt).want(t, hit, "hello")
		get(t, rt, "Cache-Control: no-cache").want(t, miss, "hello")
		time.Sleep(15 * time.Minute)
		get(t, rt).want(t, miss, "hello")

		o.answer = always(200, "secret", "Cache-Control: no-store")
		time.Sleep(15 * time.Minute)
		get(t, rt).want(t, miss, "secret")
		get(t, rt).want(t, miss, "secret")
	})
}

func TestTTLShortensFreshness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=3600")}
		rt := newTransport(o)
		rt.TTL = time.Minute
		get(t, rt)
		for range 2 { // a 304 begins a new TTL
			time.Sleep(time.Minute)
			get(t, rt).want(t, revalidated, "hello")
			time.Sleep(time.Minute - 1)
			get(t, rt).want(t, hit, "hello")
		}
	})
}

func TestTTLKeepsNoErrorsAndNoCookieRedirects(t *testing.T) {
	for _, status := range []int{302, 401, 403, 404, 429, 500, 503} {
		for _, line := range []string{"Cache-Control: no-cache", "Cache-Control: private",
			"Cache-Control: max-age=0", "Expires: 0", "X: none"} {
			rt := newTransport(&origin{answer: always(status, "no", line, "Set-Cookie: a=b")})
			rt.TTL = time.Hour
			for range 2 {
				g := get(t, rt)
				g.want(t, miss, "no")
				if g.NotStored == "" {
					t.Errorf("%d with %s is stored", status, line)
				}
			}
		}
	}
}

func TestConditionsOfTheCaller(t *testing.T) { // RFC 9111, section 4.3.2
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=60",
			"Content-Type: text/plain")}
		rt := newTransport(o)
		const same, other = `If-None-Match: "a"`, `If-None-Match: "x"`
		check := func(what, line string, status int, o httpcache.Outcome) {
			t.Helper()
			if g := get(t, rt, line); g.StatusCode != status || g.Outcome != o {
				t.Errorf("%s: %s got %d %v, want %d %v",
					what, line, g.StatusCode, g.Outcome, status, o)
			}
		}
		check("nothing stored", same, 304, miss)
		check("nothing stored", other, 200, miss) // and stored
		check("fresh", same, 304, hit)
		check("fresh", other, 200, hit)
		if g := get(t, rt, same); g.Header.Get("Etag") != `"a"` || g.Header.Get("Content-Type") != "" {
			t.Errorf("header of a 304: %v", g.Header)
		}
		time.Sleep(time.Minute)
		check("stale", other, 200, revalidated)
		time.Sleep(time.Minute)
		check("stale", same, 304, revalidated)
		get(t, rt).want(t, hit, "hello")
		if v := o.last().Header["If-None-Match"]; len(v) != 1 || v[0] != `"a"` {
			t.Errorf("the origin was asked with %q", v)
		}
	})
}

func TestRequestsThatBypass(t *testing.T) {
	o := &origin{answer: always(200, "x", "Cache-Control: max-age=60")}
	rt := newTransport(o)
	get(t, rt)
	for _, line := range []string{
		`If-Range: "a"`, `If-Match: "a"`, "If-Unmodified-Since: x",
		"Upgrade: websocket",
	} {
		g := get(t, rt, line)
		name, value, _ := strings.Cut(line, ": ")
		if g.Outcome != bypassed || o.last().Header.Get(name) != value {
			t.Errorf("%s: %+v, the origin saw %v", line, g.Result, o.last().Header)
		}
	}
	req, _ := http.NewRequest("GET", pageURL, strings.NewReader("query"))
	resp, err := rt.RoundTrip(req)
	if err != nil || httpcache.ResultOf(resp).Outcome != bypassed {
		t.Errorf("GET with a body: %v, %v", httpcache.ResultOf(resp), err)
	}
	get(t, rt).want(t, hit, "x")
}

func TestPartialContentIsNotStored(t *testing.T) {
	o := &origin{answer: always(206, "part", "Cache-Control: max-age=60",
		"Content-Range: bytes 0-3/9")}
	rt := newTransport(o)
	for range 2 {
		get(t, rt, "Range: bytes=0-3").want(t, bypassed, "part")
		get(t, rt).want(t, miss, "part")
	}
}

func TestFailingOrigin(t *testing.T) { // RFC 5861, section 4
	const ok = "Cache-Control: max-age=60, stale-if-error=600"
	for _, tc := range []struct {
		what   string
		line   string
		answer func(*http.Request) *http.Response
		want   httpcache.Outcome
		status int // 0: an error
	}{
		{"503", ok, always(503, "sorry"), stale, 200},
		{"no network", ok, nil, stale, 200},
		{"404 is an answer", ok, always(404, "sorry"), miss, 404},
		{"no licence", "Cache-Control: max-age=60", always(503, "sorry"), miss, 503},
		{"no licence", "Cache-Control: max-age=60", nil, 0, 0},
		{"must-revalidate", ok + ", must-revalidate", always(503, "sorry"), miss, 503},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &origin{answer: validating(`"a"`, "hello", tc.line)}
			rt := newTransport(o)
			get(t, rt)
			time.Sleep(2 * time.Minute)
			o.answer = tc.answer
			req, _ := http.NewRequest("GET", pageURL, nil)
			resp, err := rt.RoundTrip(req)
			switch {
			case tc.status == 0:
				if !errors.Is(err, errDown) {
					t.Errorf("%s: error %v, want %v", tc.what, err, errDown)
				}
			case err != nil:
				t.Errorf("%s: %v", tc.what, err)
			case resp.StatusCode != tc.status || httpcache.ResultOf(resp).Outcome != tc.want:
				t.Errorf("%s: %d %+v, want %d %v",
					tc.what, resp.StatusCode, httpcache.ResultOf(resp), tc.status, tc.want)
			}
		})
	}
}

// refusal is an error of a layer below that would not ask the origin.
type refusal bool

func (refusal) Error() string   { return "not asked" }
func (r refusal) Refused() bool { return bool(r) }

func TestRefusalIsHandedToTheCaller(t *testing.T) {
	for _, refused := range []bool{true, false} {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: stale-if-error=600")}
		rt := newTransport(o)
		get(t, rt)
		rt.Base = roundTripFunc(func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("base: %w", refusal(refused))
		})
		req, _ := http.NewRequest("GET", pageURL, nil)
		resp, err := rt.RoundTrip(req)
		if refused && !errors.Is(err, refusal(true)) {
			t.Errorf("a refusal: %v, %v", httpcache.ResultOf(resp).Outcome, err)
		}
		if !refused && (err != nil || httpcache.ResultOf(resp).Outcome != stale) {
			t.Errorf("another error: %v, %v", httpcache.ResultOf(resp).Outcome, err)
		}
	}
}

func TestConnectionHidesNoDirective(t *testing.T) { // RFC 9110, section 7.6.1
	old := time.Now().Add(-1000 * time.Hour).UTC().Format(http.TimeFormat)
	o := &origin{answer: always(200, "x", "Connection: Cache-Control", "Cache-Control: no-cache",
		"Last-Modified: "+old)}
	rt := newTransport(o)
	for range 2 {
		get(t, rt).want(t, miss, "x")
	}
	o.answer = always(200, "x", "Connection: Cache-Control", "Cache-Control: no-store",
		"Last-Modified: "+old)
	if g := get(t, rt); g.NotStored != "no-store" {
		t.Errorf("got %+v", g.Result)
	}
}

func TestConditionInAnyCaseIsReplaced(t *testing.T) {
	o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: no-cache")}
	rt := newTransport(o)
	get(t, rt)
	g := doHeader(t, rt, "GET", pageURL, http.Header{"if-none-match": {`"x"`}})
	g.want(t, revalidated, "hello")
	if h := o.last().Header; len(h) != 1 || h.Get("If-None-Match") != `"a"` {
		t.Errorf("the origin saw %v", h)
	}
}

func TestCallerWhoGaveUpGetsNoStaleResponse(t *testing.T) {
	o := &origin{}
	base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return o.RoundTrip(req)
	})
	o.answer = validating(`"a"`, "hello", "Cache-Control: max-age=0, stale-if-error=600")
	rt := newTransport(o)
	rt.Base = base
	get(t, rt)
	ctx, cancel := context.WithCancel(t.Context())
	rt.Store = cancelStore{rt.Store, cancel}
	req, _ := http.NewRequestWithContext(ctx, "GET", pageURL, nil)
	if _, err := rt.RoundTrip(req); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// cancelStore has its caller give up once it has answered.
type cancelStore struct {
	store.Store
	cancel context.CancelFunc
}

func (s cancelStore) Get(ctx context.Context, key string) (store.Item, error) {
	defer s.cancel()
	return s.Store.Get(ctx, key)
}

func TestErrorOnRevalidationKeepsWhatIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=60")}
		rt := newTransport(o)
		get(t, rt)
		time.Sleep(time.Minute)
		good := o.answer
		for _, status := range []int{500, 429, 403} {
			o.answer = always(status, "sorry")
			get(t, rt).want(t, miss, "sorry")
			o.answer = good
			get(t, rt).want(t, revalidated, "hello")
			time.Sleep(time.Minute)
		}
		o.answer = always(410, "gone")
		get(t, rt).want(t, miss, "gone")
		if left := keys(t, rt.Store); len(left) != 0 {
			t.Errorf("left in the store after 410: %q", left)
		}
	})
}

func TestRequestIsNotChanged(t *testing.T) {
	o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: no-cache")}
	rt := newTransport(o)
	req, _ := http.NewRequest("GET", pageURL, nil)
	for range 2 {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if len(req.Header) != 0 || o.last().Header.Get("If-None-Match") != `"a"` {
		t.Errorf("request has %v, the origin saw %v", req.Header, o.last().Header)
	}
}

func TestNoStoreIsAnError(t *testing.T) {
	req, _ := http.NewRequest("GET", pageURL, nil)
	if _, err := (&httpcache.Transport{}).RoundTrip(req); err == nil {
		t.Error("no error without a Store")
	}
}

func TestResultOfForeignResponses(t *testing.T) {
	req, _ := http.NewRequest("GET", pageURL, nil)
	for _, resp := range []*http.Response{nil, {}, {Request: req}} {
		if r := httpcache.ResultOf(resp); r != (httpcache.Result{}) {
			t.Errorf("ResultOf(%v) = %+v", resp, r)
		}
	}
	if s := httpcache.Unknown.String(); s != "unknown" {
		t.Errorf("Unknown = %q", s)
	}
}
