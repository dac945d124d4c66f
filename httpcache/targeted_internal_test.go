// targeted_internal_test.go checks targeted Cache-Control fields against RFC 9213.

package httpcache

import (
	"testing"
	"time"
)

func TestTargetedDirectives(t *testing.T) { // section 2.1
	with := func(change func(*directives)) directives {
		d := noDirectives()
		change(&d)
		return d
	}
	maxAge := func(n time.Duration) directives {
		return with(func(d *directives) { d.maxAge = n * time.Second })
	}
	flagged := func(f flags) directives { return with(func(d *directives) { d.flags = f }) }
	for _, tc := range []struct {
		line string
		want directives
	}{
		{"max-age=60", maxAge(60)},
		{"max-age=60;ext=1", maxAge(60)},
		{"foobar, max-age=60", maxAge(60)},
		{"max-age=10, max-age=60", maxAge(60)}, // the last of a dictionary
		{"max-age=2147483649", maxAge(1 << 31)},
		{"max-age=999999999999999", maxAge(1 << 31)},
		{"none", noDirectives()},
		{"s-maxage=5", with(func(d *directives) { d.sMaxAge = 5 * time.Second })},
		{"stale-while-revalidate=5, stale-if-error=6", with(func(d *directives) {
			d.staleWhileRevalidate, d.staleIfError = 5*time.Second, 6*time.Second
		})},
		{"no-store, no-cache, private", flagged(noStore | noCache | private)},
		{"public, immutable, must-understand, must-revalidate, proxy-revalidate",
			flagged(public | immutable | mustUnderstand | mustRevalidate | proxyRevalidate)},
		{`private="x", no-cache="y"`, flagged(private | noCache)},
		// Of a wrong type: no freshness, no permission.
		{`max-age="60"`, maxAge(0)},
		{"max-age=60.0", maxAge(0)},
		{"max-age=-1", maxAge(0)},
		{"max-age", maxAge(0)},
		{"max-age=(60)", maxAge(0)},
		{`stale-if-error="60", stale-while-revalidate=-1`, noDirectives()},
		{"public=1, immutable=?0, must-revalidate=a", noDirectives()},
		{"no-store=?0, private=?0", noDirectives()},
		{"no-store=1, no-cache=a", flagged(noStore | noCache)},
	} {
		h := header("CDN-Cache-Control: " + tc.line)
		got, name, ok := targetedDirectives(h, []string{"CDN-Cache-Control"})
		if got != tc.want || name != "CDN-Cache-Control" || !ok {
			t.Errorf("%s: got %+v, %q, %v, want %+v", tc.line, got, name, ok, tc.want)
		}
	}
}

func TestFirstUsableTargetedFieldCounts(t *testing.T) { // section 2.2
	targets := []string{"Larder-Cache-Control", "CDN-Cache-Control"}
	for _, tc := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"Cache-Control: max-age=1"}, ""},
		{[]string{"CDN-Cache-Control: max-age=1"}, "CDN-Cache-Control"},
		{[]string{"CDN-Cache-Control: a", "Larder-Cache-Control: b"}, "Larder-Cache-Control"},
		{[]string{"CDN-Cache-Control: a", "Larder-Cache-Control: "}, "CDN-Cache-Control"},
		{[]string{"CDN-Cache-Control: a", "Larder-Cache-Control: &&"}, "CDN-Cache-Control"},
		{[]string{"CDN-Cache-Control: max-age=1, &&"}, ""},
		{[]string{"CDN-Cache-Control: MAX-AGE=1"}, ""},
		{[]string{"CDN-Cache-Control: max-age =1"}, ""},
		{[]string{"CDN-Cache-Control: max-age= 1"}, ""},
		{[]string{"CDN-Cache-Control: a", "CDN-Cache-Control: b"}, "CDN-Cache-Control"},
		{[]string{"CDN-Cache-Control: a", "CDN-Cache-Control: b,"}, ""},
	} {
		d, got, ok := targetedDirectives(header(tc.lines...), targets)
		if got != tc.want || ok != (tc.want != "") || !ok && d != noDirectives() {
			t.Errorf("%q: got %q, %v, want %q", tc.lines, got, ok, tc.want)
		}
	}
}
