// cachestatus_internal_test.go checks Cache-Status against RFC 9211.

package httpcache

import (
	"net/http"
	"reflect"
	"testing"
)

var statusCases = []struct {
	status cacheStatus
	want   string
}{
	{cacheStatus{name: "larder"}, "larder"},
	{cacheStatus{name: "larder", hit: true, hasTTL: true, ttl: 123}, "larder; hit; ttl=123"},
	{cacheStatus{name: "larder", hit: true, hasTTL: true, ttl: -5}, "larder; hit; ttl=-5"},
	{cacheStatus{name: "larder", forward: "uri-miss", stored: true},
		"larder; fwd=uri-miss; stored"},
	{cacheStatus{name: "larder", forward: "stale", status: 304, collapsed: true},
		"larder; fwd=stale; fwd-status=304; collapsed"},
	{cacheStatus{name: "my larder", forward: "miss", key: `a"b`, detail: "no_store"},
		`"my larder"; fwd=miss; key="a\"b"; detail=no_store`},
	{cacheStatus{name: "larder", hit: true, detail: "why? because"},
		`larder; hit; detail="why? because"`},
}

func TestCacheStatusIsWrittenAndRead(t *testing.T) { // section 2
	for _, tc := range statusCases {
		got := string(tc.status.append(nil))
		if got != tc.want {
			t.Errorf("%+v is written as %s, want %s", tc.status, got, tc.want)
		}
		back, ok := parseCacheStatus([]string{got})
		if !ok || len(back) != 1 || back[0] != tc.status {
			t.Errorf("%s is read as %+v, %v", got, back, ok)
		}
	}
}

func TestCacheStatusHoldsWhatAStringCannot(t *testing.T) {
	s := cacheStatus{name: "a\nb", key: "http://é/", detail: "\r\nSet-Cookie: x"}
	want := `"a%0Ab"; key="http://%C3%A9/"; detail="%0D%0ASet-Cookie: x"`
	if got := string(s.append(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCacheStatusOfOthersIsRead(t *testing.T) {
	for _, tc := range []struct {
		lines []string
		want  []cacheStatus
		ok    bool
	}{
		{nil, nil, true},
		{[]string{`Origin;hit;ttl=1100, "CDN Company Here"; fwd=bypass`},
			[]cacheStatus{{name: "Origin", hit: true, hasTTL: true, ttl: 1100},
				{name: "CDN Company Here", forward: "bypass"}}, true},
		{[]string{"A;hit", "B;hit=?0;fwd=odd"},
			[]cacheStatus{{name: "A", hit: true}, {name: "B", forward: "odd"}}, true},
		{[]string{"A;ttl=1.5;fwd-status=1;fwd=\"miss\";hit=1;key=a;x=?1"},
			[]cacheStatus{{name: "A"}}, true},
		{[]string{"A, 1, (B)"}, []cacheStatus{{name: "A"}}, true},
		{[]string{"HIT from a"}, nil, false},
	} {
		got, ok := parseCacheStatus(tc.lines)
		if ok != tc.ok || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%q: got %+v, %v, want %+v, %v", tc.lines, got, ok, tc.want, tc.ok)
		}
	}
}

func TestCacheStatusIsAddedAtTheEnd(t *testing.T) { // section 2
	shared := make([]string, 1, 2)
	shared[0] = "origin; hit"
	h := http.Header{"Cache-Status": shared}
	other := http.Header{"Cache-Status": shared}
	cacheStatus{name: "a"}.addTo(h)
	cacheStatus{name: "b"}.addTo(other)
	got, want := h["Cache-Status"], []string{"origin; hit", "a"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCacheStatusOfAHitAllocatesTwoObjects(t *testing.T) {
	h := http.Header{"Cache-Status": nil}
	s := cacheStatus{name: "larder", hit: true, hasTTL: true, ttl: 123}
	if n := testing.AllocsPerRun(100, func() { h["Cache-Status"] = nil; s.addTo(h) }); n > 2 {
		t.Errorf("%v objects, want 2: the line and the slice", n)
	}
}

func BenchmarkCacheStatusOfAHit(b *testing.B) {
	h := http.Header{}
	s := cacheStatus{name: "larder", hit: true, hasTTL: true, ttl: 123}
	b.ReportAllocs()
	for b.Loop() {
		h["Cache-Status"] = nil
		s.addTo(h)
	}
}

func FuzzCacheStatus(f *testing.F) {
	f.Add("larder", "uri-miss", "http://a/?b", "x y", int64(-5))
	f.Add("", `"`, "\r\n", "\x00é", int64(1)<<62)
	f.Fuzz(func(t *testing.T, cache, fwd, key, detail string, ttl int64) {
		if len(cache)+len(fwd)+len(key)+len(detail) > 4096 {
			return
		}
		s := cacheStatus{cache, false, fwd, 200, true, ttl, true, true, key, reason(detail)}
		line := string(s.append(nil))
		if all, ok := parseCacheStatus([]string{line}); !ok || len(all) != 1 {
			t.Fatalf("%+v is written as %q and read as %+v", s, line, all)
		}
		for i := range len(line) {
			if !isPrintable(line[i]) {
				t.Fatalf("%q has a control", line)
			}
		}
		parseCacheStatus([]string{cache, fwd, key, detail})
	})
}
