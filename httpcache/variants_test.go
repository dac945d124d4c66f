// variants_test.go checks Vary, HEAD and invalidation: several requests about one URL.

package httpcache_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
)

func TestVariantsAreStoredAndSelected(t *testing.T) { // RFC 9111, section 4.1
	o := &origin{answer: func(req *http.Request) *http.Response {
		return answer(200, "in "+req.Header.Get("Accept-Language"),
			"Cache-Control: max-age=60", "Vary: Accept-Language")
	}}
	rt := newTransport(o)
	languages := []string{"de", "en", "fr, en"}
	for _, want := range []httpcache.Outcome{miss, hit, hit} {
		for _, l := range languages {
			get(t, rt, "Accept-Language: "+l).want(t, want, "in "+l)
		}
		get(t, rt).want(t, want, "in ")
	}
	get(t, rt, "Accept-Language:   fr ,en").want(t, hit, "in fr, en")
	do(t, rt, "POST", pageURL).want(t, bypassed, "in ")
	get(t, rt, "Accept-Language: fr, en").want(t, miss, "in fr, en")
	get(t, rt, "Accept-Language: en").want(t, miss, "in en")
}

func TestVariantsAreRevalidatedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: func(req *http.Request) *http.Response {
			l := req.Header.Get("Accept-Language")
			return validating(`"`+l+`"`, "in "+l, "Cache-Control: max-age=60",
				"Vary: Accept-Language")(req)
		}}
		rt := newTransport(o)
		for _, want := range []httpcache.Outcome{miss, revalidated, revalidated} {
			get(t, rt, "Accept-Language: de").want(t, want, "in de")
			get(t, rt, "Accept-Language: en").want(t, want, "in en")
			time.Sleep(time.Minute)
		}
	})
}

func TestChangedVariantLeavesTheOthers(t *testing.T) {
	version := "1"
	o := &origin{answer: func(req *http.Request) *http.Response {
		return answer(200, version+req.Header.Get("L"), "Cache-Control: max-age=60", "Vary: L")
	}}
	rt := newTransport(o)
	for _, l := range []string{"a", "b"} {
		get(t, rt, "L: "+l).want(t, miss, "1"+l)
	}
	version = "2"
	get(t, rt, "L: a", "Cache-Control: no-cache").want(t, miss, "2a")
	get(t, rt, "L: a").want(t, hit, "2a")
	get(t, rt, "L: b").want(t, hit, "1b")
}

func TestHundredsOfVariantsKeepTheirPlaces(t *testing.T) {
	const n = 300
	o := &origin{answer: always(200, "x", "Cache-Control: max-age=60", "Vary: User-Agent")}
	rt := newTransport(o)
	for range 2 {
		for i := range n {
			get(t, rt, fmt.Sprint("User-Agent: ", i))
		}
	}
	// of 300 places among 65,536, two are the same with even odds
	if again := len(o.requests) - n; again > 4 {
		t.Errorf("%d of %d variants were asked for again", again, n)
	}
}

func TestVaryStarIsNotStored(t *testing.T) {
	rt := newTransport(&origin{answer: always(200, "x", "Cache-Control: max-age=60", "Vary: *")})
	get(t, rt).want(t, miss, "x")
	if g := get(t, rt); g.Outcome != miss || g.NotStored != "Vary: *" {
		t.Errorf("got %+v", g.Result)
	}
}

func TestCredentialsAreNotMixedUp(t *testing.T) {
	o := &origin{answer: func(req *http.Request) *http.Response {
		return answer(200, req.Header.Get("Authorization"), "Cache-Control: max-age=60")
	}}
	rt := newTransport(o)
	for _, want := range []httpcache.Outcome{miss, hit} {
		get(t, rt, "Authorization: alice").want(t, want, "alice")
		get(t, rt, "Authorization: bob").want(t, want, "bob")
		get(t, rt).want(t, want, "")
	}
}

func TestNamesInAnyCaseSelect(t *testing.T) {
	o := &origin{answer: func(req *http.Request) *http.Response {
		return answer(200, fmt.Sprint(req.Header), "Cache-Control: max-age=60", "Vary: x-lang")
	}}
	rt := newTransport(o)
	raw := func(lines ...string) got {
		t.Helper()
		h := http.Header{}
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			h[name] = append(h[name], value)
		}
		return doHeader(t, rt, http.MethodGet, pageURL, h)
	}
	for _, want := range []httpcache.Outcome{miss, hit} {
		raw("authorization: alice").want(t, want, "map[authorization:[alice]]")
		raw("AUTHORIZATION: bob").want(t, want, "map[AUTHORIZATION:[bob]]")
		raw("x-lang: de").want(t, want, "map[x-lang:[de]]")
		raw().want(t, want, "map[]")
	}
	raw("Authorization: alice").want(t, hit, "map[authorization:[alice]]")
	raw("range: bytes=0-1").want(t, hit, "ma")
	raw("if-match: x").want(t, bypassed, "map[if-match:[x]]")
	raw("cache-control: no-cache").want(t, miss, "map[cache-control:[no-cache]]")
}

func TestHeadIsAnsweredFromGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{answer: validating(`"a"`, "hello", "Cache-Control: max-age=60")}
		rt := newTransport(o)
		head := func() got { return do(t, rt, http.MethodHead, pageURL) }
		head().want(t, miss, "hello") // this origin sends a body even to HEAD
		get(t, rt).want(t, miss, "hello")
		g := head()
		g.want(t, hit, "")
		if g.ContentLength != 5 || g.StatusCode != 200 {
			t.Errorf("HEAD: %d, %d bytes", g.StatusCode, g.ContentLength)
		}
		time.Sleep(time.Minute)
		head().want(t, revalidated, "")
		get(t, rt).want(t, hit, "hello")
	})
}

func TestHeadFreshensOrForgetsGet(t *testing.T) { // RFC 9111, section 4.3.5
	synctest.Test(t, func(t *testing.T) {
		full := func(etag string) func(*http.Request) *http.Response {
			return func(req *http.Request) *http.Response {
				resp := answer(200, "hello", "Cache-Control: max-age=60", "Etag: "+etag)
				if req.Method == http.MethodHead {
					resp.Body = http.NoBody
				}
				return resp
			}
		}
		o := &origin{answer: full(`"a"`)}
		rt := newTransport(o)
		get(t, rt)
		time.Sleep(time.Minute)
		do(t, rt, http.MethodHead, pageURL).want(t, miss, "")
		get(t, rt).want(t, hit, "hello")
		time.Sleep(time.Minute)
		o.answer = full(`"b"`)
		do(t, rt, http.MethodHead, pageURL).want(t, miss, "")
		if g := get(t, rt); g.Outcome != miss || g.Reason != "not stored" {
			t.Errorf("after a HEAD that differs: %+v", g.Result)
		}
	})
}

func TestUnsafeMethodsInvalidate(t *testing.T) { // RFC 9111, section 4.4
	for _, tc := range []struct {
		status int
		lines  []string
		url    string // of the unsafe request
		want   httpcache.Outcome
	}{
		{200, nil, pageURL, miss},
		{303, nil, pageURL, miss},
		{500, nil, pageURL, hit},
		{404, nil, pageURL, hit},
		{200, nil, "http://example.com/other", hit},
		{201, []string{"Location: /page"}, "http://example.com/other", miss},
		{200, []string{"Content-Location: page"}, "http://example.com/other", miss},
		{201, []string{"Location: " + pageURL}, "http://other.com/", hit},
	} {
		o := &origin{answer: always(200, "x", "Cache-Control: max-age=60")}
		rt := newTransport(o)
		get(t, rt)
		o.answer = always(tc.status, "", tc.lines...)
		do(t, rt, "PUT", tc.url).want(t, bypassed, "")
		o.answer = always(200, "x")
		if g := get(t, rt); g.Outcome != tc.want {
			t.Errorf("after PUT %s %d %q: %v, want %v",
				tc.url, tc.status, tc.lines, g.Outcome, tc.want)
		}
	}
}
