// key_internal_test.go checks keys, and which of them a change reaches against RFC 9111.

package httpcache

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/larder-go/larder/store"
)

func TestKeyOf(t *testing.T) { // RFC 9110, section 4.2.3
	for _, tc := range []struct{ host, url, want string }{
		{"", "http://Example.COM", "http://example.com/"},
		{"", "http://example.com:80/a", "http://example.com/a"},
		{"", "https://example.com:443/a?b=c#d", "https://example.com/a?b=c"},
		{"", "https://example.com:80/", "https://example.com:80/"},
		{"", "http://example.com:/", "http://example.com/"},
		{"", "http://me:secret@example.com/?", "http://example.com/?"},
		{"", "http://[::1]:80/A%2fb", "http://[::1]/A%2fb"},
		{"Other", "http://127.0.0.1/", "http://127.0.0.1/#host=other"},
		{"Example.com:80", "http://example.com/", "http://example.com/"},
	} {
		u, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := keyOf(&http.Request{Host: tc.host}, u); got != tc.want {
			t.Errorf("keyOf(%q, %s) = %q, want %q", tc.host, tc.url, got, tc.want)
		}
	}
}

func TestKeyOfLongURLIsHashed(t *testing.T) {
	path := "http://example.com/" + strings.Repeat("x", 2*store.MaxKey)
	seen := map[string]bool{}
	for _, query := range []string{"", "?1", "?2"} {
		u, _ := url.Parse(path + query)
		key := keyOf(&http.Request{}, u)
		longest := max(len(bodyKey(key, 1<<63)), len(variantKey(key, 1<<63, selector{})))
		if longest > store.MaxKey || seen[key] || !strings.HasPrefix(path, key[:hashedStart]) {
			t.Errorf("keyOf(%d bytes) = %.80q, %d bytes", len(path), key, len(key))
		}
		seen[key] = true
	}
	u, _ := url.Parse("http://example.com/" + strings.Repeat("x", maxURLKey-19))
	key := keyOf(&http.Request{}, u)
	if n := len(bodyKey(key, 1<<63)); len(key) != maxURLKey || n > store.MaxKey {
		t.Errorf("the longest plain key has %d bytes, with a body %d", len(key), n)
	}
}

func TestVariantsOfAURLShare65536Keys(t *testing.T) {
	const key = "http://example.com/"
	a := selector{1, 2, 3}
	if got, want := variantKey(key, 255, a), key+"#vary=ff.0102"; got != want {
		t.Errorf("variantKey = %q, want %q", got, want)
	}
	if b := (selector{1, 2, 4}); variantKey(key, 255, a) != variantKey(key, 255, b) {
		t.Error("the third byte of a selector is part of the key: variants are not bounded")
	}
}

func TestInvalidated(t *testing.T) { // section 4.4
	const self = "http://example.com/dir/a"
	for _, tc := range []struct {
		method string
		status int
		lines  []string
		want   []string
	}{
		{"POST", 200, nil, []string{self}},
		{"DELETE", 204, nil, []string{self}},
		{"FROBNICATE", 302, nil, []string{self}},
		{"GET", 200, nil, nil},
		{"OPTIONS", 200, nil, nil},
		{"PUT", 404, nil, nil},
		{"PUT", 500, nil, nil},
		{"PUT", 201, []string{"Location: b"}, []string{self, "http://example.com/dir/b"}},
		{"PUT", 201, []string{"Location: http://EXAMPLE.com:80/", "Content-Location: /c"},
			[]string{self, "http://EXAMPLE.com:80/", "http://example.com/c"}},
		{"PUT", 201, []string{"Location: http://other.com/"}, []string{self}},
		{"PUT", 201, []string{"Location: https://example.com/"}, []string{self}},
		{"PUT", 201, []string{"Location: http://example.com:8080/"}, []string{self}},
		{"PUT", 201, []string{"Location: %zz"}, []string{self}},
	} {
		req, _ := http.NewRequest(tc.method, self, nil)
		resp := &http.Response{StatusCode: tc.status, Header: header(tc.lines...)}
		var got []string
		for _, u := range invalidated(req, resp) {
			got = append(got, u.String())
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("invalidated(%s, %d %q) = %q, want %q",
				tc.method, tc.status, tc.lines, got, tc.want)
		}
	}
}
