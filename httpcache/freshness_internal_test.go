// freshness_internal_test.go checks lifetimes and ages against RFC 9111.

package httpcache

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func httpDate(d time.Duration) string { return epoch.Add(d).Format(http.TimeFormat) }

// header makes a header of lines such as "Age: 3".
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func get(lines ...string) *http.Request {
	req, _ := http.NewRequest(http.MethodGet, "http://example.com/", nil)
	req.Header = header(lines...)
	return req
}

// response makes what is kept of a response received at epoch to a plain GET.
func response(status int, lines ...string) *stored {
	resp := &http.Response{StatusCode: status, Header: header(lines...)}
	return rules{}.newStored(get(), resp, span{epoch, epoch})
}

func TestLifetime(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		section string
		rules   rules
		s       *stored
		want    time.Duration
	}{
		{"4.2.1", rules{}, response(200, "Cache-Control: max-age=60"), time.Minute},
		{"4.2.1 max-age before Expires", rules{},
			response(200, "Cache-Control: max-age=60", "Expires: 0"), time.Minute},
		{"5.2.2.10 private ignores s-maxage", rules{},
			response(200, "Cache-Control: max-age=60, s-maxage=5"), time.Minute},
		{"5.2.2.10", rules{shared: true},
			response(200, "Cache-Control: max-age=60, s-maxage=5"), 5 * time.Second},
		{"5.3", rules{},
			response(200, "Date: "+httpDate(0), "Expires: "+httpDate(time.Minute)), time.Minute},
		{"5.3 against Date", rules{},
			response(200, "Date: "+httpDate(-time.Hour), "Expires: "+httpDate(0)), time.Hour},
		{"5.3 without Date", rules{}, response(200, "Expires: "+httpDate(time.Hour)), time.Hour},
		{"5.3 invalid", rules{}, response(200, "Expires: 0"), 0},
		{"5.3 invalid, no guess", rules{},
			response(200, "Expires: 0", "Last-Modified: "+httpDate(-day)), 0},
		{"5.3 past", rules{}, response(200, "Expires: "+httpDate(-time.Hour)), 0},
		{"5.3 two dates", rules{},
			response(200, "Expires: "+httpDate(time.Hour), "Expires: "+httpDate(day)), 0},
		{"5.3 the same twice", rules{}, response(200,
			"Expires: "+httpDate(time.Hour), "Expires: "+httpDate(time.Hour)), time.Hour},
		{"4.2.2", rules{}, response(200, "Last-Modified: "+httpDate(-10*time.Hour)), time.Hour},
		{"4.2.2 cap", rules{}, response(200, "Last-Modified: "+httpDate(-3650*day)), day},
		{"4.2.2 future", rules{}, response(200, "Last-Modified: "+httpDate(day)), 0},
		{"4.2.2 status", rules{}, response(302, "Last-Modified: "+httpDate(-10*time.Hour)), 0},
		{"4.2.2 public", rules{}, response(302, "Cache-Control: public",
			"Last-Modified: "+httpDate(-10*time.Hour)), time.Hour},
		{"4.2.2 nothing", rules{}, response(200), 0},
		{"TTL", rules{ttl: 7}, response(200, "Cache-Control: max-age=60"), 7},
	} {
		if got := tc.rules.lifetime(tc.s); got != tc.want {
			t.Errorf("%s: lifetime(%v) = %v, want %v", tc.section, tc.s.header, got, tc.want)
		}
	}
}

func TestCurrentAge(t *testing.T) { // section 4.2.3
	for _, tc := range []struct {
		section string
		delay   time.Duration // between request and response
		lines   []string
		want    time.Duration // 10 s after the response
	}{
		{"4.2.3 nothing known", 0, nil, 10 * time.Second},
		{"4.2.3 apparent age", 0, []string{"Date: " + httpDate(-5*time.Second)}, 15 * time.Second},
		{"4.2.3 Date ahead", 0, []string{"Date: " + httpDate(time.Hour)}, 10 * time.Second},
		{"4.2.3 Age", 0, []string{"Age: 7"}, 17 * time.Second},
		{"4.2.3 Age and delay", 2 * time.Second, []string{"Age: 7"}, 19 * time.Second},
		{"4.2.3 the larger", 0,
			[]string{"Age: 7", "Date: " + httpDate(-20*time.Second)}, 30 * time.Second},
		{"5.1 first of many", 0, []string{"Age: 7, 100"}, 17 * time.Second},
		{"5.1 first line", 0, []string{"Age: 7", "Age: 100"}, 17 * time.Second},
		{"5.1 invalid", 0, []string{"Age: -7"}, 10 * time.Second},
		{"5.1 invalid", 0, []string{"Age: 7.5"}, 10 * time.Second},
		{"1.2.2 overflow", 0, []string{"Age: 99999999999999999999"}, maxDelta + 10*time.Second},
		{"no overflow", 0, []string{"Date: Mon, 01 Jan 0001 00:00:00 GMT"},
			maxDelta + 10*time.Second},
	} {
		s := response(200, tc.lines...)
		s.requested = s.received.Add(-tc.delay)
		if got := currentAge(s, epoch.Add(10*time.Second)); got != tc.want {
			t.Errorf("%s: age of %v = %v, want %v", tc.section, tc.lines, got, tc.want)
		}
	}
	if got := currentAge(response(200), epoch.Add(-time.Hour)); got != 0 {
		t.Errorf("age with a clock that went back = %v, want 0", got)
	}
	old := response(200, "Age: 7")
	if got := (rules{ttl: time.Hour}).age(old, epoch.Add(time.Second)); got != time.Second {
		t.Errorf("age under a TTL = %v, want 1s", got)
	}
}

func TestItemTimes(t *testing.T) {
	for _, tc := range []struct {
		rules       rules
		status      int
		lines       []string
		fresh, gone time.Duration // after it was received
	}{
		{rules{}, 200, []string{"Cache-Control: max-age=60"}, time.Minute, time.Minute},
		{rules{}, 200, []string{"Cache-Control: max-age=60", "Age: 20"}, 40 * time.Second,
			40 * time.Second},
		{rules{}, 200, []string{"Cache-Control: max-age=60", `Etag: "a"`}, time.Minute,
			time.Minute + keepForValidation},
		{rules{}, 200, []string{"Cache-Control: no-cache, max-age=60", `Etag: "a"`}, 0,
			keepForValidation},
		{rules{}, 200, []string{"Cache-Control: max-age=60, stale-if-error=60"}, time.Minute,
			2 * time.Minute},
		{rules{ttl: time.Hour}, 200, []string{"Cache-Control: no-cache", "Age: 20"}, time.Hour,
			time.Hour},
		{rules{ttl: time.Hour}, 404, []string{"Cache-Control: max-age=60", "Age: 20"},
			40 * time.Second, 40 * time.Second},
		{rules{ttl: time.Hour}, 404, []string{"Cache-Control: no-cache, max-age=60", `Etag: "a"`},
			0, keepForValidation},
	} {
		it := tc.rules.item(response(tc.status, tc.lines...))
		fresh, gone := it.FreshUntil.Sub(epoch), it.GoneAfter.Sub(epoch)
		if fresh != tc.fresh || gone != tc.gone || !it.Created.Equal(epoch) {
			t.Errorf("item(%d %q) is fresh for %v, gone after %v, want %v, %v",
				tc.status, tc.lines, fresh, gone, tc.fresh, tc.gone)
		}
	}
}
