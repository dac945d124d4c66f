// storable_internal_test.go checks what may be stored and reused against RFC 9111.

package httpcache

import (
	"net/http"
	"reflect"
	"testing"
	"time"
)

// storableCase is a response and why it is not stored.
type storableCase struct {
	section string
	rules   rules
	req     *http.Request
	s       *stored
	want    string
}

func (tc storableCase) check(t *testing.T) {
	t.Helper()
	got := tc.rules.unstorable(tc.req, requestDirectives(tc.req.Header), tc.s)
	if string(got) != tc.want {
		t.Errorf("%s: unstorable(%d %v) = %q, want %q",
			tc.section, tc.s.status, tc.s.header, got, tc.want)
	}
}

func TestUnstorable(t *testing.T) { // section 3
	etag := `Etag: "a"`
	for _, tc := range []storableCase{
		{"3", rules{}, get(), response(200, "Cache-Control: max-age=9"), ""},
		{"3 heuristic status", rules{}, get(), response(404, etag), ""},
		{"3 other status", rules{}, get(), response(302, etag),
			"status without explicit freshness"},
		{"3 explicit", rules{}, get(), response(302, "Cache-Control: max-age=9"), ""},
		{"3 Expires", rules{}, get(), response(302, "Expires: "+httpDate(time.Hour)), ""},
		{"3 public", rules{}, get(), response(302, "Cache-Control: public", etag), ""},
		{"3 unknown status", rules{}, get(), response(299, "Cache-Control: max-age=9"), ""},
		{"3 not final", rules{}, get(), response(103, "Cache-Control: max-age=9"),
			"status Early Hints"},
		{"3.3 part", rules{}, get(), response(206, "Cache-Control: max-age=9"),
			"status Partial Content"},
		{"3 304", rules{}, get(), response(304, "Cache-Control: max-age=9"),
			"status Not Modified"},
		{"5.2.1.5", rules{}, get("Cache-Control: no-store"),
			response(200, "Cache-Control: max-age=9"), "request no-store"},
		{"5.2.2.5", rules{}, get(), response(200, "Cache-Control: no-store, max-age=9"), "no-store"},
		{"5.2.2.3 understood", rules{}, get(),
			response(200, "Cache-Control: must-understand, no-store, max-age=9"), ""},
		{"5.2.2.3 not understood", rules{}, get(),
			response(299, "Cache-Control: must-understand, max-age=9"), "no-store"},
		{"5.2.2.7 private cache", rules{}, get(),
			response(200, "Cache-Control: private, max-age=9"), ""},
		{"3.5 private cache", rules{}, get("Authorization: x"),
			response(200, "Cache-Control: max-age=9"), ""},
		{"4.1", rules{}, get(), response(200, "Vary: a, *", etag), "Vary: *"},
		{"7.3 Set-Cookie", rules{}, get(),
			response(200, "Set-Cookie: a=b", "Cache-Control: max-age=9"), ""},
		{"no use", rules{}, get(), response(200), "no freshness, no validator"},
		{"no use", rules{}, get(), response(200, "Cache-Control: max-age=0"),
			"no freshness, no validator"},
		{"validator only", rules{}, get(), response(200, "Cache-Control: no-cache", etag), ""},
		{"old already", rules{}, get(), response(200, "Cache-Control: max-age=9", "Age: 9"),
			"no freshness, no validator"},
	} {
		tc.check(t)
	}
	post := get()
	post.Method = http.MethodPost
	s := response(200, "Cache-Control: max-age=9")
	if got := (rules{}).unstorable(post, directives{}, s); got != "method POST" {
		t.Errorf("unstorable(POST) = %q", got)
	}
}

func TestUnstorableByASharedCacheOrUnderTTL(t *testing.T) {
	for _, tc := range []storableCase{
		{"5.2.2.7 shared cache", rules{shared: true}, get(),
			response(200, "Cache-Control: private, max-age=9"), "private"},
		{"3.5 shared cache", rules{shared: true}, get("Authorization: x"),
			response(200, "Cache-Control: max-age=9"), "Authorization"},
		{"3.5 licence", rules{shared: true}, get("Authorization: x"),
			response(200, "Cache-Control: max-age=9, public"), ""},
		{"3.5 licence", rules{shared: true}, get("Authorization: x"),
			response(200, "Cache-Control: s-maxage=9"), ""},
		{"TTL", rules{ttl: 1}, get(), response(200), ""},
		{"TTL no-cache", rules{ttl: 1}, get(), response(200, "Cache-Control: no-cache"), ""},
		{"TTL no-store", rules{ttl: 1}, get(), response(200, "Cache-Control: no-store"), "no-store"},
		{"TTL redirect", rules{ttl: 1}, get(), response(302), ""},
		{"TTL cookie redirect", rules{ttl: 1}, get(), response(302, "Set-Cookie: a=b"),
			"redirect that sets a cookie"},
		{"TTL cookie redirect", rules{ttl: 1}, get(),
			response(301, "Set-Cookie: a=b", "Cache-Control: max-age=0"),
			"redirect that sets a cookie"},
		{"TTL cookie", rules{ttl: 1}, get(), response(200, "Set-Cookie: a=b"), ""},
		{"TTL error", rules{ttl: 1}, get(), response(500), "status without explicit freshness"},
		{"TTL error", rules{ttl: 1}, get(), response(503, "Cache-Control: no-cache"),
			"status without explicit freshness"},
		{"TTL error", rules{ttl: 1}, get(), response(403, "Cache-Control: private"),
			"no freshness, no validator"},
		{"TTL error", rules{ttl: 1}, get(), response(429, "Expires: 0"),
			"no freshness, no validator"},
		{"TTL error", rules{ttl: 1}, get(), response(404), "no freshness, no validator"},
		{"TTL error", rules{ttl: 1}, get(), response(404, "Cache-Control: max-age=9"), ""},
	} {
		tc.check(t)
	}
}

func TestStorableHeaderDropsFieldsOfTheConnection(t *testing.T) { // section 3.1
	h := header("Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "Upgrade: h2c",
		"Transfer-Encoding: chunked", "Proxy-Authenticate: Basic", "X-End: 1")
	want := header("X-End: 1")
	if got := storableHeader(h); !reflect.DeepEqual(got, want) {
		t.Errorf("storableHeader = %v, want %v", got, want)
	}
	if h.Get("X-Hop") == "" {
		t.Error("storableHeader changed its argument")
	}
}

func TestFieldsTheRulesReadOutliveConnection(t *testing.T) { // RFC 9110, section 7.6.1
	for _, tc := range []storableCase{
		{"5.2.2.5", rules{}, get(),
			response(200, "Connection: cache-control", "Cache-Control: no-store", `Etag: "a"`),
			"no-store"},
		{"4.1", rules{}, get(), response(200, "Connection: Vary", "Vary: *", `Etag: "a"`), "Vary: *"},
		{"5.3", rules{}, get(), response(200, "Connection: Expires", "Expires: 0",
			"Last-Modified: "+httpDate(-time.Hour)), ""},
	} {
		tc.check(t)
		if got := tc.rules.lifetime(tc.s); got != 0 {
			t.Errorf("%s: lifetime(%v) = %v, want 0", tc.section, tc.s.header, got)
		}
	}
}

func TestTTLLeavesErrorsToTheirOwnFreshness(t *testing.T) {
	const lifetime, age = 20 * time.Second, 5 * time.Second
	r := rules{ttl: time.Hour}
	for _, tc := range []struct {
		status  int
		request string // its Cache-Control
		more    string // of the response's
		after   time.Duration
		want    verdict
	}{
		{404, "", "", lifetime - age - 1, serveFresh},
		{404, "", "", lifetime - age, validate},
		{404, "", ", no-cache", 0, validate},
		{503, "max-stale=5", "", lifetime - age + 5*time.Second, serveStale},
		{503, "max-stale=5", "", lifetime - age + 6*time.Second, validate},
		{302, "", ", no-cache", time.Hour - 1, serveFresh},
		{302, "", "", time.Hour, validate},
	} {
		cc := requestDirectives(header("Cache-Control: " + tc.request))
		s := response(tc.status, "Age: 5", "Cache-Control: max-age=20"+tc.more)
		if got, reason := r.judge(cc, s, epoch.Add(tc.after)); got != tc.want {
			t.Errorf("judge(%q, %d %v, after %v) = %v %q, want %v",
				tc.request, tc.status, s.header, tc.after, got, reason, tc.want)
		}
	}
}

func TestJudge(t *testing.T) { // sections 4 and 5.2.1
	fresh := "Cache-Control: max-age=60"
	for _, tc := range []struct {
		section string
		rules   rules
		request string // its Cache-Control
		line    string // of the response
		age     time.Duration
		want    verdict
	}{
		{"4.2", rules{}, "", fresh, 59 * time.Second, serveFresh},
		{"4.2 lifetime must exceed age", rules{}, "", fresh, 60 * time.Second, validate},
		{"5.2.2.4", rules{}, "", "Cache-Control: no-cache, max-age=60", 0, validate},
		{"5.2.2.4 fields", rules{}, "", `Cache-Control: no-cache="x", max-age=60`, 0, validate},
		{"5.2.1.4", rules{}, "no-cache", fresh, 0, validate},
		{"5.2.1.1", rules{}, "max-age=10", fresh, 10 * time.Second, serveFresh},
		{"5.2.1.1", rules{}, "max-age=10", fresh, 11 * time.Second, validate},
		{"5.2.1.1 reload", rules{}, "max-age=0", fresh, 0, validate},
		{"5.2.1.3", rules{}, "min-fresh=10", fresh, 50 * time.Second, serveFresh},
		{"5.2.1.3", rules{}, "min-fresh=10", fresh, 51 * time.Second, validate},
		{"5.2.1.2", rules{}, "max-stale=10", fresh, 70 * time.Second, serveStale},
		{"5.2.1.2", rules{}, "max-stale=10", fresh, 71 * time.Second, validate},
		{"5.2.1.2", rules{}, "max-stale", fresh, 1e6 * time.Second, serveStale},
		{"5.2.2.2", rules{}, "max-stale", fresh + ", must-revalidate", time.Hour, validate},
		{"5.2.2.8 private cache", rules{}, "max-stale", fresh + ", proxy-revalidate", time.Hour,
			serveStale},
		{"5.2.2.8 shared cache", rules{shared: true}, "max-stale", fresh + ", proxy-revalidate",
			time.Hour, validate},
		{"5.2.1.5 no-store may be served", rules{}, "no-store", fresh, 0, serveFresh},
		{"TTL", rules{ttl: time.Hour}, "", "Cache-Control: no-cache", time.Minute, serveFresh},
		{"TTL", rules{ttl: time.Second}, "", fresh, time.Second, validate},
		{"TTL reload", rules{ttl: time.Hour}, "no-cache", fresh, 0, validate},
	} {
		cc := requestDirectives(header("Cache-Control: " + tc.request))
		got, reason := tc.rules.judge(cc, response(200, tc.line), epoch.Add(tc.age))
		if got != tc.want || reason == "" {
			t.Errorf("%s: judge(%q, %q, age %v) = %v %q, want %v",
				tc.section, tc.request, tc.line, tc.age, got, reason, tc.want)
		}
	}
}

func TestServesError(t *testing.T) { // RFC 5861, section 4
	for _, tc := range []struct {
		request, line string
		want          bool
	}{
		{"", "Cache-Control: max-age=60", false},
		{"", "Cache-Control: max-age=60, stale-if-error=40", true},
		{"", "Cache-Control: max-age=60, stale-if-error=39", false},
		{"stale-if-error=40", "Cache-Control: max-age=60", true},
		{"no-cache", "Cache-Control: max-age=60, stale-if-error=40", false},
		{"", "Cache-Control: max-age=60, stale-if-error=40, must-revalidate", false},
	} {
		cc := requestDirectives(header("Cache-Control: " + tc.request))
		s := response(200, tc.line)
		if got := (rules{}).servesError(cc, s, epoch.Add(100*time.Second)); got != tc.want {
			t.Errorf("servesError(%q, %q) = %v, want %v", tc.request, tc.line, got, tc.want)
		}
	}
}
