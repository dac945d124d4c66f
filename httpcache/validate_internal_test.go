// validate_internal_test.go checks variants, conditions and their answers against RFC 9111.

package httpcache

import (
	"net/http"
	"reflect"
	"testing"
	"time"
)

func TestSelectedBy(t *testing.T) { // section 4.1
	for _, tc := range []struct {
		what     string
		response []string
		stored   []string // header of the request that loaded it
		asked    []string // header of the request at hand
		want     bool
	}{
		{"no Vary", nil, []string{"Accept: a"}, []string{"Accept: b"}, true},
		{"same", []string{"Vary: accept"}, []string{"Accept: a"}, []string{"Accept: a"}, true},
		{"other", []string{"Vary: Accept"}, []string{"Accept: a"}, []string{"Accept: b"}, false},
		{"absent", []string{"Vary: Accept"}, nil, []string{"Accept: b"}, false},
		{"absent and empty", []string{"Vary: Accept"}, nil, []string{"Accept: "}, false},
		{"both absent", []string{"Vary: Accept"}, nil, nil, true},
		{"white space", []string{"Vary: Accept"},
			[]string{"Accept: a,b"}, []string{"Accept:  a ,\tb "}, true},
		{"lines", []string{"Vary: Accept"},
			[]string{"Accept: a, b"}, []string{"Accept: a", "Accept: b"}, true},
		{"order", []string{"Vary: Accept"},
			[]string{"Accept: a, b"}, []string{"Accept: b, a"}, false},
		{"case of values", []string{"Vary: Accept"},
			[]string{"Accept: a"}, []string{"Accept: A"}, false},
		{"comma in quotes", []string{"Vary: X"},
			[]string{`X: "a,b"`}, []string{`X: "a, b"`}, false},
		{"two fields", []string{"Vary: X", "Vary: Y"},
			[]string{"X: 1", "Y: 2"}, []string{"X: 1", "Y: 3"}, false},
		{"fields do not run together", []string{"Vary: X, Y"},
			[]string{"X: 1", "Y: 2"}, []string{"X: 1,2"}, false},
		{"star", []string{"Vary: X, *"}, nil, nil, false},
		{"credentials", nil, []string{"Authorization: a"}, []string{"Authorization: b"}, false},
		{"credentials", nil, []string{"Authorization: a"}, nil, false},
		{"encoded", []string{"Content-Encoding: gzip"}, []string{"Accept-Encoding: gzip"}, nil,
			false},
		{"encoded", []string{"Content-Encoding: gzip"}, nil, nil, true},
	} {
		resp := &http.Response{Header: header(tc.response...)}
		s := rules{}.newStored(get(tc.stored...), resp, span{epoch, epoch})
		if got := (rules{}).selects(header(tc.asked...), s); got != tc.want {
			t.Errorf("%s: stored for %q, asked with %q: got %v, want %v",
				tc.what, tc.stored, tc.asked, got, tc.want)
		}
	}
}

func TestConditional(t *testing.T) { // section 4.3.1
	req := get(`If-None-Match: "mine"`, "If-Modified-Since: mine", "X: 1")
	for _, tc := range []struct{ response, want []string }{
		{[]string{`Etag: W/"a"`}, []string{`If-None-Match: W/"a"`, "X: 1"}},
		{[]string{"Last-Modified: then"}, []string{"If-Modified-Since: then", "X: 1"}},
		{[]string{`Etag: "a"`, "Last-Modified: then"},
			[]string{`If-None-Match: "a"`, "If-Modified-Since: then", "X: 1"}},
	} {
		got := conditional(req, response(200, tc.response...)).Header
		if want := header(tc.want...); !reflect.DeepEqual(got, want) {
			t.Errorf("conditional for %q = %v, want %v", tc.response, got, want)
		}
	}
	if req.Header.Get("If-None-Match") != `"mine"` {
		t.Error("the caller's request was changed")
	}
}

func TestConfirms(t *testing.T) { // section 4.3.4
	for _, tc := range []struct {
		h, s []string
		want bool
	}{
		{[]string{`Etag: "a"`}, []string{`Etag: "a"`}, true},
		{[]string{`Etag: "b"`}, []string{`Etag: "a"`}, false},
		{[]string{`Etag: "a"`}, []string{`Etag: W/"a"`}, false},
		{[]string{`Etag: W/"a"`}, []string{`Etag: W/"a"`}, true},
		{[]string{`Etag: W/"b"`}, []string{`Etag: W/"a"`}, false},
		{[]string{"Last-Modified: x"}, []string{"Last-Modified: x"}, true},
		{[]string{"Last-Modified: y"}, []string{"Last-Modified: x"}, false},
		{nil, []string{`Etag: "a"`}, true},
	} {
		if got := confirms(header(tc.h...), response(200, tc.s...)); got != tc.want {
			t.Errorf("confirms(%q, %q) = %v, want %v", tc.h, tc.s, got, tc.want)
		}
	}
}

func TestFreshened(t *testing.T) { // section 3.2
	s := response(200, "X: old", "X: older", "Y: kept", "Age: 50", "Date: "+httpDate(-time.Hour),
		"Content-Length: 5", "Content-Encoding: br", "Content-Type: text/plain")
	later := epoch.Add(time.Minute)
	got := rules{}.freshened(s, get("Accept: a"), header("X: new", "Content-Length: 0",
		"Content-Encoding: gzip", "Content-Type: text/html", "Connection: Z", "Z: 1",
		"Vary: Accept"), span{later, later})
	want := header("X: new", "Y: kept", "Date: "+httpDate(time.Minute), "Content-Length: 5",
		"Content-Encoding: br", "Content-Type: text/html", "Vary: Accept")
	if !reflect.DeepEqual(got.header, want) {
		t.Errorf("freshened header = %v, want %v", got.header, want)
	}
	if !(rules{}).selects(header("Accept: a"), got) || (rules{}).selects(header("Accept: b"), got) {
		t.Error("a Vary that came with the 304 does not select")
	}
	if s.header.Get("X") != "old" {
		t.Error("freshened changed its argument")
	}
}

func TestNotModified(t *testing.T) { // section 4.3.2
	s := []string{`Etag: W/"a"`, "Last-Modified: " + httpDate(0)}
	for _, tc := range []struct {
		status   int
		response []string
		request  []string
		want     bool
	}{
		{200, s, []string{`If-None-Match: "a"`}, true},
		{200, s, []string{`If-None-Match: "x", W/"a"`}, true},
		{200, s, []string{`If-None-Match: "x"`, `If-None-Match: "a"`}, true},
		{200, s, []string{`If-None-Match: *`}, true},
		{200, s, []string{`If-None-Match: "x"`}, false},
		{200, s, []string{`If-None-Match: "x"`, "If-Modified-Since: " + httpDate(0)}, false},
		{200, s, []string{"If-Modified-Since: " + httpDate(0)}, true},
		{200, s, []string{"If-Modified-Since: " + httpDate(-time.Second)}, false},
		{200, s, []string{"If-Modified-Since: yesterday"}, false},
		{200, []string{"Date: " + httpDate(0)}, []string{"If-Modified-Since: " + httpDate(0)}, true},
		{200, nil, []string{`If-None-Match: ""`}, false},
		{404, s, []string{`If-None-Match: "a"`}, false},
		{200, s, nil, false},
	} {
		got := notModified(header(tc.request...), response(tc.status, tc.response...))
		if got != tc.want {
			t.Errorf("notModified(%q, %d %q) = %v, want %v",
				tc.request, tc.status, tc.response, got, tc.want)
		}
	}
}
