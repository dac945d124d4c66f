// directives_internal_test.go checks the reading of Cache-Control against RFC 9111.

package httpcache

import (
	"net/http"
	"testing"
	"time"
)

func TestDirectives(t *testing.T) {
	none := parseDirectives(nil)
	with := func(change func(*directives)) directives {
		d := none
		change(&d)
		return d
	}
	maxAge := func(n time.Duration) directives {
		return with(func(d *directives) { d.maxAge = n * time.Second })
	}
	for _, tc := range []struct {
		section string
		lines   []string
		want    directives
	}{
		{"5.2", nil, none},
		{"5.2", []string{""}, none},
		{"5.2", []string{"max-age=10"}, maxAge(10)},
		{"5.2 case", []string{"MAX-AGE=10"}, maxAge(10)},
		{"5.2 quoted form", []string{`max-age="10"`}, maxAge(10)},
		{"5.2 unknown", []string{"foo, bar=1, max-age=10,, ,"}, maxAge(10)},
		{"5.2 two lines", []string{"foo", "max-age=10"}, maxAge(10)},
		{"5.2 comma in quotes", []string{`foo="a, max-age=1", max-age=10`}, maxAge(10)},
		{"5.2 escaped quote", []string{`foo="a\", max-age=1", max-age=10`}, maxAge(10)},
		{"5.2 open quote", []string{`foo="a, max-age=10`},
			with(func(d *directives) { d.flags = noStore | noCache })},
		{"4.2.1 contradiction", []string{"max-age=10, max-age=5"}, maxAge(5)},
		{"4.2.1 contradiction", []string{"max-age=5", "max-age=10"}, maxAge(5)},
		{"4.2.1 not a number", []string{"max-age=soon"}, maxAge(0)},
		{"4.2.1 negative", []string{"max-age=-1"}, maxAge(0)},
		{"4.2.1 decimal", []string{"max-age=1.5"}, maxAge(0)},
		{"4.2.1 no argument", []string{"max-age"}, maxAge(0)},
		{"4.2.1 spaces", []string{"max-age = 10"}, maxAge(0)},
		{"1.2.2 overflow", []string{"max-age=2147483649"}, maxAge(1 << 31)},
		{"1.2.2 overflow", []string{"max-age=99999999999999999999999"}, maxAge(1 << 31)},
		{"5.2.1.2", []string{"max-stale"}, with(func(d *directives) { d.maxStale = maxDelta })},
		{"5.2.1.2", []string{"max-stale=x"}, with(func(d *directives) { d.maxStale = 0 })},
		{"5.2.1.3", []string{"min-fresh=x"}, with(func(d *directives) { d.minFresh = maxDelta })},
		{"5.2.2.10", []string{"s-maxage=3"},
			with(func(d *directives) { d.sMaxAge = 3 * time.Second })},
		{"5861, 4", []string{"stale-if-error=60"},
			with(func(d *directives) { d.staleIfError = time.Minute })},
		{"5.2.2.4 fields", []string{`no-cache="set-cookie, x"`},
			with(func(d *directives) { d.flags = noCache })},
		{"5.2.2", []string{"No-Store,no-cache , must-revalidate,proxy-revalidate"},
			with(func(d *directives) {
				d.flags = noStore | noCache | mustRevalidate | proxyRevalidate
			})},
		{"5.2.2", []string{"public, private, must-understand, only-if-cached"},
			with(func(d *directives) { d.flags = public | private | mustUnderstand | onlyIfCached })},
	} {
		if got := parseDirectives(tc.lines); got != tc.want {
			t.Errorf("%s: parseDirectives(%q) = %+v, want %+v", tc.section, tc.lines, got, tc.want)
		}
	}
}

func TestPragmaCountsOnlyWithoutCacheControl(t *testing.T) { // section 5.4
	for _, tc := range []struct {
		h    http.Header
		want bool
	}{
		{header("Pragma: no-cache"), true},
		{header("Pragma: foo, No-Cache"), true},
		{header("Pragma: foo"), false},
		{header("Pragma: no-cache", "Cache-Control: max-age=1"), false},
	} {
		if got := requestDirectives(tc.h).has(noCache); got != tc.want {
			t.Errorf("requestDirectives(%v) no-cache = %v, want %v", tc.h, got, tc.want)
		}
	}
}
