// explain_test.go checks what Explain says against tables, and against what the caches do.

package httpcache_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// received is when the responses of the tables came.
var received = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// at writes a time that lies so far from received as HTTP does.
func at(d time.Duration) string { return received.Add(d).Format(http.TimeFormat) }

// explain explains a response with a Date to GET, unless lines say something else.
func explain(o httpcache.ExplainOptions, status int, lines ...string) httpcache.Explanation {
	return explainTo(request("/page"), o, status, lines...)
}

func request(path string, lines ...string) *http.Request {
	req := httptest.NewRequest(http.MethodGet, "https://example.com"+path, nil)
	req.Header = header(lines...)
	return req
}

func explainTo(
	req *http.Request, o httpcache.ExplainOptions, status int, lines ...string,
) httpcache.Explanation {
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Date: ") }) {
		lines = append(lines, "Date: "+at(0))
	}
	o.Received = received
	resp := &http.Response{StatusCode: status, Header: header(lines...), ContentLength: -1}
	return httpcache.Explain(req, resp, o)
}

func TestVerdictSaysWhatBecomesOfAResponse(t *testing.T) {
	const etag, modified = `Etag: "v1"`, "Last-Modified: "
	for _, c := range []struct {
		status int
		lines  []string
		want   string
	}{
		{200, []string{"Cache-Control: max-age=60, s-maxage=600", etag},
			"kept by shared caches for 10 minutes, by browsers for 1 minute; " +
				"then validated by ETag"},
		{200, []string{"Cache-Control: max-age=5400", etag, modified + at(-time.Hour)},
			"kept by shared caches and browsers for 1 hour 30 minutes; then validated by ETag"},
		{200, []string{"Cache-Control: max-age=31536000"},
			"kept by shared caches and browsers for 365 days; then loaded anew"},
		{200, []string{"Cache-Control: private, max-age=60", modified + at(-time.Hour)},
			"not kept by shared caches (private), kept by browsers for 1 minute; " +
				"then validated by Last-Modified"},
		{200, []string{"Cache-Control: no-store, max-age=60"}, "not kept by any cache (no-store)"},
		{200, []string{"Cache-Control: no-cache", etag},
			"kept by shared caches and browsers but asked about each time; then validated by ETag"},
		{200, []string{"Cache-Control: max-age=0", etag},
			"kept by shared caches and browsers but asked about each time; then validated by ETag"},
		{200, []string{"Cache-Control: max-age=60", "Age: 90", etag},
			"kept by shared caches and browsers but stale on arrival; then validated by ETag"},
		{200, []string{modified + at(-100*time.Hour)},
			"kept by shared caches and browsers for about 10 hours (a guess); " +
				"then validated by Last-Modified"},
		{200, []string{modified + at(-10000*time.Hour)},
			"kept by shared caches and browsers for about 1 day (a guess); " +
				"then validated by Last-Modified"},
		{200, []string{"Expires: " + at(time.Hour)},
			"kept by shared caches and browsers for 1 hour; then loaded anew"},
		{200, []string{"Expires: 0"}, "not kept by any cache (no freshness, no validator)"},
		{200, nil, "not kept by any cache (no freshness, no validator)"},
		{200, []string{"Vary: *", "Cache-Control: max-age=60"}, "not kept by any cache (Vary: *)"},
		{200, []string{"Set-Cookie: a=b", "Cache-Control: max-age=60"},
			"not kept by shared caches (Set-Cookie), kept by browsers for 1 minute; " +
				"then loaded anew"},
		{200, []string{"CDN-Cache-Control: max-age=600", "Cache-Control: no-cache", etag},
			"kept by shared caches for 10 minutes, by browsers but asked about each time; " +
				"then validated by ETag"},
		{302, []string{"Location: /"}, "not kept by any cache (status without explicit freshness)"},
		{301, []string{"Location: /", "Cache-Control: max-age=60"},
			"kept by shared caches and browsers for 1 minute; then loaded anew"},
		{404, []string{"Cache-Control: s-maxage=10"}, "kept by shared caches for 10 seconds, " +
			"not kept by browsers (no freshness, no validator); then loaded anew"},
		{206, []string{"Cache-Control: max-age=60"},
			"not kept by any cache (status Partial Content)"},
		{200, []string{"Cache-Control: max-age=60.0", etag},
			"kept by shared caches and browsers but asked about each time; then validated by ETag"},
		{200, []string{"Cache-Control: max-age=60, max-age=30"},
			"kept by shared caches and browsers for 30 seconds; then loaded anew"},
	} {
		if got := explain(httpcache.ExplainOptions{}, c.status, c.lines...).Verdict; got != c.want {
			t.Errorf("%d %q:\ngot  %s\nwant %s", c.status, c.lines, got, c.want)
		}
	}
}

func TestVerdictIsOfTheAudience(t *testing.T) {
	lines := []string{"Cache-Control: s-maxage=600, max-age=60"}
	for audience, want := range map[httpcache.Audience]string{
		httpcache.ForShared:  "kept by shared caches for 10 minutes; then loaded anew",
		httpcache.ForPrivate: "kept by browsers for 1 minute; then loaded anew",
	} {
		e := explain(httpcache.ExplainOptions{Audience: audience}, 200, lines...)
		if e.Verdict != want {
			t.Errorf("got %s, want %s", e.Verdict, want)
		}
	}
}

func forEverybody(*http.Request) string { return "" }

func TestExplainKnowsWhatTheSharedCacheIsTold(t *testing.T) {
	for _, c := range []struct {
		o     httpcache.ExplainOptions
		req   *http.Request
		lines []string
		want  string
	}{
		{httpcache.ExplainOptions{View: httpcache.View{TTL: time.Minute}}, request("/"),
			[]string{`Etag: "a"`}, "true 1 minute View.TTL 0 seconds 0 seconds"},
		{httpcache.ExplainOptions{View: httpcache.View{TTL: time.Minute}},
			request("/", "Cookie: a=b"), []string{`Etag: "a"`},
			"false 0 seconds  0 seconds 0 seconds"},
		{httpcache.ExplainOptions{View: httpcache.View{Cookies: httpcache.ShareCookies}},
			request("/"), []string{"Set-Cookie: a=b", "Cache-Control: max-age=5"},
			"true 5 seconds max-age 0 seconds 0 seconds"},
		{httpcache.ExplainOptions{Cache: httpcache.Options{StaleIfError: time.Hour},
			View: httpcache.View{Stale: time.Minute}}, request("/"),
			[]string{"Cache-Control: max-age=5"}, "true 5 seconds max-age 1 minute 1 hour"},
		{httpcache.ExplainOptions{Cache: httpcache.Options{Targets: []string{"X-CC", "Y-CC"}}},
			request("/"), []string{"Y-CC: max-age=9", "Cache-Control: max-age=5"},
			"true 9 seconds max-age 0 seconds 0 seconds"},
		{httpcache.ExplainOptions{}, request("/", "Authorization: x"),
			[]string{"Cache-Control: max-age=5"}, "false 0 seconds  0 seconds 0 seconds"},
		{httpcache.ExplainOptions{View: httpcache.View{Scope: forEverybody}},
			request("/", "Authorization: x"), []string{"Cache-Control: max-age=5"},
			"true 5 seconds max-age 0 seconds 0 seconds"},
	} {
		s := explainTo(c.req, c.o, 200, c.lines...).Shared
		got := fmt.Sprint(s.Stored, " ", s.Freshness.Lifetime, " ", s.Freshness.Source, " ",
			s.StaleWhileRevalidate, " ", s.StaleIfError)
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.lines, got, c.want)
		}
	}
}

// hint is a response that makes one finding, among others.
type hint struct {
	id     string
	status int
	req    *http.Request // nil: GET /page
	lines  []string
}

const etagLine = `Etag: "v1"`

// hints has a response for each kind of finding.
func hints() []hint {
	return []hint{
		{"max-age-twice", 200, nil, []string{"Cache-Control: max-age=1, max-age=2"}},
		{"misspelt", 200, nil, []string{"Cache-Control: max_age=3"}},
		{"misspelt", 200, nil, []string{"Cache-Control: no_cache"}},
		{"misspelt", 200, nil, []string{"Cache-Control: must-revalidte"}},
		{"misspelt", 200, nil, []string{"Cache-Control: s-max-age=3"}},
		{"misspelt", 200, nil, []string{"Cache-Control: max-age: 3"}},
		{"unknown-directive", 200, nil, []string{"Cache-Control: community=UCI"}},
		{"semicolon", 200, nil, []string{"Cache-Control: public; max-age=3"}},
		{"semicolon", 200, nil, []string{"CDN-Cache-Control: public; max-age=3"}},
		{"space-in-directive", 200, nil, []string{"Cache-Control: max-age = 3"}},
		{"bad-seconds", 200, nil, []string{"Cache-Control: max-age=3600.0"}},
		{"bad-seconds", 200, nil, []string{"Cache-Control: max-age"}},
		{"bad-seconds", 200, nil, []string{"Cache-Control: s-maxage=-1"}},
		{"quoted-seconds", 200, nil, []string{`Cache-Control: max-age="3600"`}},
		{"open-quote", 200, nil, []string{`Cache-Control: private="a, max-age=5`}},
		{"needless-argument", 200, nil, []string{"Cache-Control: no-store=1"}},
		{"named-fields", 200, nil, []string{`Cache-Control: no-cache="Set-Cookie"`}},
		{"request-directive", 200, nil, []string{"Cache-Control: max-stale=5"}},
		{"obsolete-directive", 200, nil, []string{"Cache-Control: post-check=0"}},
		{"bad-target", 200, nil, []string{"CDN-Cache-Control: Max-Age=600"}},
		{"no-store-and-freshness", 200, nil, []string{"Cache-Control: no-store, max-age=60"}},
		{"no-store-and-more", 200, nil, []string{"Cache-Control: no-store, no-cache"}},
		{"private-and-s-maxage", 200, nil, []string{"Cache-Control: private, s-maxage=60"}},
		{"private-and-public", 200, nil, []string{"Cache-Control: private, public"}},
		{"no-cache-and-stale", 200, nil, []string{"Cache-Control: no-cache, immutable"}},
		{"no-cache-and-freshness", 200, nil, []string{"Cache-Control: no-cache, max-age=60"}},
		{"must-revalidate-and-stale", 200, nil,
			[]string{"Cache-Control: max-age=1, must-revalidate, stale-if-error=9"}},
		{"public-needless", 200, nil, []string{"Cache-Control: public, max-age=60"}},
		{"shared-authorized", 200, request("/", "Authorization: x"),
			[]string{"Cache-Control: public, max-age=60"}},
		{"shared-cookie", 200, nil, []string{"Set-Cookie: a=b", "Cache-Control: max-age=60"}},
		{"no-freshness", 200, nil, []string{etagLine}},
		{"no-freshness", 200, nil, []string{"Last-Modified: " + at(-time.Hour)}},
		{"no-stale-windows", 200, nil, []string{"Cache-Control: s-maxage=60"}},
		{"immutable-not-fresh", 200, nil, []string{"Cache-Control: immutable"}},
		{"immutable-name", 200, request("/app.min.js"),
			[]string{"Cache-Control: max-age=31536000, immutable"}},
		{"long-error", 500, nil, []string{"Cache-Control: max-age=3600"}},
		{"long-error", 404, nil, []string{"Cache-Control: max-age=86400"}},
		{"redirect-forever", 301, nil, []string{"Location: /"}},
		{"redirect-not-kept", 302, nil, []string{"Location: /"}},
		{"bad-expires", 200, nil, []string{"Expires: 0"}},
		{"bad-expires", 200, nil, []string{"Expires: -1"}},
		{"bad-expires", 200, nil, []string{"Expires: 2026-11-21T12:00:00Z"}},
		{"expires-twice", 200, nil, []string{"Expires: " + at(1), "Expires: " + at(time.Hour)}},
		{"no-date", 200, nil, []string{"Date: "}},
		{"bad-date", 200, nil, []string{"Date: today"}},
		{"date-off", 200, nil, []string{"Date: " + at(-2*time.Minute)}},
		{"date-off", 200, nil, []string{"Date: " + at(2*time.Minute)}},
		{"bad-age", 200, nil, []string{"Age: soon"}},
		{"stale-on-arrival", 200, nil, []string{"Age: 90", "Cache-Control: max-age=60",
			"Date: " + at(-90*time.Second)}},
		{"bad-last-modified", 200, nil, []string{"Last-Modified: yesterday"}},
		{"future-last-modified", 200, nil, []string{"Last-Modified: " + at(time.Hour)}},
		{"bad-etag", 200, nil, []string{"Etag: v1"}},
		{"weak-etag-ranges", 200, nil, []string{`Etag: W/"v1"`, "Accept-Ranges: bytes"}},
		{"no-validator", 200, nil, []string{"Cache-Control: max-age=60"}},
		{"vary-star", 200, nil, []string{"Vary: *"}},
		{"vary-forgets-coding", 200, nil, []string{"Content-Encoding: br"}},
		{"vary-user-agent", 200, nil, []string{"Vary: User-Agent", etagLine}},
		{"vary-cookie", 200, nil, []string{"Vary: Cookie", etagLine}},
		{"not-compressed", 200, request("/", "Accept-Encoding: gzip, br"),
			[]string{"Content-Type: text/html; charset=utf-8"}},
		{"pragma", 200, nil, []string{"Pragma: no-cache"}},
		{"bad-no-vary-search", 200, nil, []string{"No-Vary-Search: ("}},
		{"bad-cache-groups", 200, nil, []string{"Cache-Groups: a b"}},
		{"bad-cache-status", 200, nil, []string{"Cache-Status: ,"}},
	}
}

func ids(e httpcache.Explanation) (all []string) {
	for _, f := range e.Findings {
		all = append(all, f.ID)
	}
	return all
}

func TestEachMistakeIsFound(t *testing.T) {
	for _, h := range hints() {
		req := h.req
		if req == nil {
			req = request("/page")
		}
		e := explainTo(req, httpcache.ExplainOptions{}, h.status, h.lines...)
		if h.id == "no-date" {
			resp := &http.Response{StatusCode: 200}
			e = httpcache.Explain(req, resp, httpcache.ExplainOptions{})
		}
		if got := ids(e); !slices.Contains(got, h.id) {
			t.Errorf("%d %q: got %q, want %s", h.status, h.lines, got, h.id)
		}
		for _, f := range e.Findings {
			if f.What == "" || f.Why == "" || f.Severity == "" || strings.HasSuffix(f.What, ".") {
				t.Errorf("%q: %+v is not whole", h.lines, f)
			}
		}
	}
}

func TestGoodResponsesHaveNoFindings(t *testing.T) {
	coded := []string{"Content-Type: text/html", "Content-Encoding: br", "Vary: Accept-Encoding"}
	for _, c := range []struct {
		path  string
		lines []string
	}{
		{"/", append(coded, etagLine, "Cache-Control: max-age=60, s-maxage=600, "+
			"stale-while-revalidate=60, stale-if-error=86400")},
		{"/", append(coded, etagLine, "Cache-Control: no-cache")},
		{"/", append(coded, "Cache-Control: no-store")},
		{"/", append(coded, etagLine, "Cache-Control: private, max-age=60", "Set-Cookie: a=b")},
		{"/app.3f9a1c07.js", append(coded, "Cache-Control: max-age=31536000, immutable")},
		{"/assets/index-BxYzQbCd.js", append(coded, "Cache-Control: max-age=31536000, immutable")},
		{"/jquery-3.7.1.js", append(coded, "Cache-Control: max-age=31536000, immutable")},
		{"/app.js?v=2", append(coded, "Cache-Control: max-age=31536000, immutable")},
		{"/", append(coded, etagLine, "Cache-Control: must-understand, no-store, max-age=60")},
		{"/", append(coded, etagLine, "Age: 30", "Date: "+at(-30*time.Second),
			"Cache-Control: max-age=60")},
	} {
		req := request(c.path, "Accept-Encoding: gzip, deflate, br, zstd")
		e := explainTo(req, httpcache.ExplainOptions{}, 200, c.lines...)
		if len(e.Findings) > 0 {
			t.Errorf("%s %q: got %+v", c.path, c.lines, e.Findings)
		}
	}
}

func TestAskingTwiceShowsWhetherValidatorsWork(t *testing.T) {
	const life = "Cache-Control: max-age=60"
	for _, c := range []struct {
		status int
		same   bool
		lines  []string
		want   string
	}{
		{304, false, []string{etagLine, life}, ""},
		{304, false, []string{etagLine}, "poor-304"},
		{304, false, []string{`Etag: "v2"`, life}, "wrong-304"},
		{200, true, []string{etagLine, life}, "no-304"},
		{200, true, []string{`Etag: "v2"`, life}, "etag-changes"},
		{200, false, []string{`Etag: "v2"`, life}, "content-changes"},
		{503, false, nil, ""},
	} {
		o := httpcache.ExplainOptions{SameBody: c.same,
			Second: &http.Response{StatusCode: c.status, Header: header(c.lines...)}}
		e := explain(o, 200, etagLine, life)
		if got := strings.Join(ids(e), " "); got != c.want {
			t.Errorf("%d %q: got %q, want %q", c.status, c.lines, got, c.want)
		}
		if want := c.status == 304 && c.want != "wrong-304"; e.Second.Confirmed != want {
			t.Errorf("%d %q: Confirmed = %v", c.status, c.lines, !want)
		}
	}
}

func TestExplainTellsWhatTheFieldsSay(t *testing.T) {
	e := explain(httpcache.ExplainOptions{Requested: received.Add(-2 * time.Second)}, 200,
		etagLine, "Last-Modified: "+at(-time.Hour), "Age: 7", "Date: "+at(-5*time.Second),
		"Cache-Control: max-age=60, immutable", "Vary: Accept, Cookie, X-Own",
		"Content-Encoding: gzip", `No-Vary-Search: params=("utm")`, `Cache-Groups: "b", "a"`,
		"Surrogate-Key: x y", `Cache-Status: front; hit; ttl=-3, "back"; fwd=miss; stored`,
		"X-Cache: HIT", "Via: 1.1 v")
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"age":{"current":9,"apparent":5,"reported":7,"delay":2}`,
		`"fresh_for":51,"fresh_until":"2026-11-21T12:00:51Z"`,
		`"condition":{"If-Modified-Since":["` + at(-time.Hour) + `"],"If-None-Match":["\"v1\""]}`,
		`"reload":"serve"`,
		`{"field":"Accept","crowd":"many"},` +
			`{"field":"Accept-Encoding","crowd":"few","implied":true}`,
		`{"field":"Cookie","crowd":"endless"},{"field":"X-Own","crowd":"unknown"}`,
		`"query":{"any_order":false,"only":false,"names":["utm"]}`,
		`"groups":["a","b"],"tags":["x","y"]`,
		`{"cache":"front","hit":true,"ttl":-3},` +
			`{"cache":"back","hit":false,"fwd":"miss","stored":true}`,
		`"hints":["Via: 1.1 v","X-Cache: HIT"]`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}

func TestExplainChangesNothing(t *testing.T) {
	small := strings.ToLower("Cache-Control") // put into the map by hand
	resp := &http.Response{StatusCode: 200, Header: http.Header{small: {"max-age=60"}}}
	e := httpcache.Explain(request("/"), resp, httpcache.ExplainOptions{})
	if e.Private.Freshness.Lifetime != 60 {
		t.Errorf("lifetime is %v: names count in any case", e.Private.Freshness.Lifetime)
	}
	if len(resp.Header) != 1 || resp.Header[small] == nil {
		t.Errorf("the header became %v", resp.Header)
	}
}

// randomLines makes a header of fields that matter to caches, right and wrong ones.
func randomLines(r *rand.Rand) (lines []string) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	date := func() string {
		return time.Now().UTC().Add(time.Duration(r.IntN(7200)-3600) * time.Second).
			Format(http.TimeFormat)
	}
	var directives []string
	for range r.IntN(4) {
		directives = append(directives, pick(
			"max-age=60", "max-age=600", "max-age=0", `max-age="30"`, "max-age=3.5", "s-maxage=90",
			"s-maxage=x", "no-cache", "no-store", "private", "public", "must-revalidate",
			"proxy-revalidate", "must-understand", "immutable", "stale-while-revalidate=40",
			"stale-if-error=50", "max_age=3", `private="a`, "unknown"))
	}
	if directives != nil {
		lines = append(lines, "Cache-Control: "+strings.Join(directives, ", "))
	}
	for _, line := range []string{
		"Expires: " + pick(date(), "0", "never"), "Date: " + pick(date(), "x"),
		"Last-Modified: " + pick(date(), "x"), `Etag: ` + pick(`"a"`, `W/"a"`, "a"),
		"Age: " + pick("5", "1000", "x", "59"), "Vary: " + pick("Accept", "*", "Cookie, Accept"),
		"Set-Cookie: a=b", "Cdn-Cache-Control: " + pick("max-age=120", "no-store", "Bad",
			"max-age=x", "stale-while-revalidate=30, max-age=20", "s-maxage=5, public"),
		"Content-Encoding: gzip",
	} {
		if r.IntN(4) == 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

// asked is a request of a random client.
func asked(r *rand.Rand, extra ...string) *http.Request {
	for _, line := range []string{"Authorization: x", "Cookie: a=b", "Cache-Control: no-store"} {
		if r.IntN(8) == 0 {
			extra = append(extra, line)
		}
	}
	return request("/page", extra...)
}

var randomStatuses = []int{200, 200, 200, 200, 203, 299, 301, 302, 404, 410, 500, 503}

// TestExplainAgreesWithTheSharedCache compares what is said of random responses with what a Cache
// does with them, at once and just before and after they are stale.
func TestExplainAgreesWithTheSharedCache(t *testing.T) {
	for seed := range uint64(600) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			status, lines := randomStatuses[r.IntN(len(randomStatuses))], randomLines(r)
			c := httpcache.New(httpcache.Options{})
			defer c.Close()
			view := httpcache.View{Cookies: httpcache.Sharing(r.IntN(2))}
			if r.IntN(4) == 0 {
				view.TTL, view.Stale = 70*time.Second, 35*time.Second
			}
			h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range header(lines...) {
					w.Header()[name] = values
				}
				w.WriteHeader(status)
				io.WriteString(w, "body")
			}), view)
			req := asked(r)
			resp := &http.Response{StatusCode: status, Header: header(lines...)}
			e := httpcache.Explain(req, resp, httpcache.ExplainOptions{View: view})
			name := fmt.Sprintf("seed %d: %v %d %q", seed, req.Header, status, lines)
			agree(t, name, e.Shared, e.Age.Current,
				func(extra http.Header) (int, httpcache.Result) {
					one := req.Clone(req.Context())
					for name, values := range extra {
						one.Header[name] = values
					}
					ctx, result := httpcache.Track(one.Context())
					w := httptest.NewRecorder()
					h.ServeHTTP(w, one.WithContext(ctx))
					return w.Code, *result
				})
		})
	}
}

// TestExplainAgreesWithTheTransport does the same with a private cache.
func TestExplainAgreesWithTheTransport(t *testing.T) {
	for seed := range uint64(600) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			status, lines := randomStatuses[r.IntN(len(randomStatuses))], randomLines(r)
			reply := func(*http.Request) *http.Response {
				resp := answer(status, "body")
				resp.Header = header(lines...)
				return resp
			}
			rt := newTransport(&origin{answer: reply})
			req := asked(r)
			e := httpcache.Explain(req, reply(nil), httpcache.ExplainOptions{})
			name := fmt.Sprintf("seed %d: %v %d %q", seed, req.Header, status, lines)
			agree(t, name, e.Private, e.Age.Current,
				func(extra http.Header) (int, httpcache.Result) {
					h := req.Header.Clone()
					for name, values := range extra {
						h[name] = values
					}
					g := doHeader(t, rt, http.MethodGet, "https://example.com/page", h)
					synctest.Wait()
					return g.StatusCode, g.Result
				})
		})
	}
}

// agree compares what is said of a response with what becomes of it.
func agree(
	t *testing.T, name string, said *httpcache.Treatment, age httpcache.Seconds,
	ask func(extra http.Header) (int, httpcache.Result),
) {
	t.Helper()
	if _, first := ask(nil); said.Stored != (first.NotStored == "") ||
		!said.Stored && said.Reason != first.NotStored {
		t.Errorf("%s: explained as %v %q, but not stored is %q",
			name, said.Stored, said.Reason, first.NotStored)
		return
	}
	if !said.Stored {
		return
	}
	fresh := time.Until(said.FreshUntil)
	overdue := max(age-said.Freshness.Lifetime, 0)
	for _, c := range []struct {
		sleep time.Duration
		serve bool
	}{
		{fresh - time.Second, fresh > 0 || said.StaleWhileRevalidate > overdue},
		{2 * time.Second, said.StaleWhileRevalidate > overdue+2},
	} {
		time.Sleep(c.sleep)
		code, result := ask(header("Cache-Control: only-if-cached"))
		if served := code != http.StatusGatewayTimeout; served != c.serve {
			t.Errorf("%s: %v later served is %v (%+v), want %v; explained as %+v",
				name, c.sleep, served, result, c.serve, said)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, h := range hints() {
		f.Add(h.status, strings.Join(h.lines, "\n"), "Accept-Encoding: br", "/a.js", 304)
	}
	f.Fuzz(func(t *testing.T, status int, lines, asked, path string, again int) {
		req := request("/", strings.Split(asked, "\n")...)
		req.URL.Path = path
		resp := &http.Response{StatusCode: status, Header: header(strings.Split(lines, "\n")...)}
		e := httpcache.Explain(req, resp, httpcache.ExplainOptions{
			Received: received,
			Second:   &http.Response{StatusCode: again, Header: resp.Header},
			SameBody: true,
		})
		if e.Verdict == "" || len(e.Findings) > 64 {
			t.Errorf("%q: verdict %q, %d findings", lines, e.Verdict, len(e.Findings))
		}
		for _, c := range []*httpcache.Treatment{e.Shared, e.Private} {
			if c.FreshFor > c.Freshness.Lifetime || c.Freshness.Lifetime > 1<<31 ||
				!c.Stored && c.Reason == "" {
				t.Errorf("%q: %+v", lines, c)
			}
		}
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("%q: %v", lines, err)
		}
	})
}
