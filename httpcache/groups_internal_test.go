// groups_internal_test.go checks cache groups against RFC 9875.

package httpcache

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestGroups(t *testing.T) { // section 2
	for _, tc := range []struct {
		lines []string
		want  []string
	}{
		{nil, nil},
		{[]string{""}, nil},
		{[]string{`"scripts"`}, []string{"scripts"}},
		{[]string{`"b", "a";x=1, "b"`}, []string{"a", "b"}},
		{[]string{`"b"`, `"a"`}, []string{"a", "b"}},
		{[]string{`"A", "a", " a"`}, []string{" a", "A", "a"}}, // character by character
		{[]string{`"a, b"`}, []string{"a, b"}},
		{[]string{`"a", b`}, nil},
		{[]string{`"a", 1`}, nil},
		{[]string{`"a", ("b")`}, nil},
		{[]string{`"a",`}, nil},
		{[]string{`"a" "b"`}, nil},
		{[]string{`"a", "` + strings.Repeat("x", maxGroup+1) + `"`}, []string{"a"}},
	} {
		if got := groupNames(tc.lines); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("groupNames(%q) = %q, want %q", tc.lines, got, tc.want)
		}
	}
}

func TestGroupsAreBounded(t *testing.T) { // 32 of 32 at least
	var line []string
	for i := range 2 * maxGroups {
		line = append(line, fmt.Sprintf(`"%032d"`, i))
	}
	h := header("Cache-Groups: " + strings.Join(line[:32], ", "))
	if got := groupsOf(h); len(got) != 32 || got[31] != strings.Trim(line[31], `"`) {
		t.Errorf("32 groups of 32 characters are read as %q", got)
	}
	h = header("Cache-Groups: " + strings.Join(line, ", "))
	if got := groupsOf(h); len(got) != maxGroups {
		t.Errorf("%d groups are read, want %d", len(got), maxGroups)
	}
}

func TestOnlyUnsafeMethodsInvalidateGroups(t *testing.T) { // section 3
	h := header(`Cache-Group-Invalidation: "a", "b"`, `Cache-Groups: "c"`)
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		if got := groupsInvalidatedBy(method, h); got != nil {
			t.Errorf("%s invalidates %q", method, got)
		}
	}
	want := []string{"a", "b"}
	for _, method := range []string{"POST", "DELETE", "FROBNICATE"} {
		if got := groupsInvalidatedBy(method, h); !reflect.DeepEqual(got, want) {
			t.Errorf("%s invalidates %q, want %q", method, got, want)
		}
	}
}

func TestGroupsOfTwoOriginsAreNotTheSame(t *testing.T) { // section 2.1
	tag := func(s string) string {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return groupTag(u, "a b")
	}
	if got, want := tag("http://Example.com:80/x"), "group http://example.com a b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, other := range []string{
		"https://example.com/", "http://example.com:8080/", "http://example.org/",
	} {
		if tag(other) == tag("http://example.com/") {
			t.Errorf("%s shares groups with http://example.com/", other)
		}
	}
}

func FuzzGroups(f *testing.F) {
	f.Add(`"a", "b";x`, "")
	f.Fuzz(func(t *testing.T, a, b string) {
		if names := groupNames([]string{a, b}); len(names) > maxGroups {
			t.Fatalf("%q, %q: %d groups", a, b, len(names))
		}
	})
}
