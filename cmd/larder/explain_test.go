// explain_test.go checks how explain reads responses, follows redirects, and lays out text.

package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCredentialsDoNotFollowToAnotherHost(t *testing.T) {
	for to, want := range map[string]string{
		"/next": "secret", "https://a.example/": "secret", "https://b.example/": "",
		"//a.example:81/": "", "http://a.example/": "",
	} {
		req := httptest.NewRequest("POST", "https://a.example/", nil)
		req.Header.Set("Authorization", "secret")
		resp := &http.Response{StatusCode: 302, Header: http.Header{"Location": {to}}, Request: req}
		next, err := redirected(req, resp)
		if err != nil {
			t.Fatal(err)
		}
		if got := next.Header.Get("Authorization"); got != want || next.Method != "GET" {
			t.Errorf("to %s goes %s with %q, want %q", to, next.Method, got, want)
		}
	}
}

func TestWrappedTextKeepsItsWordsAndItsWidth(t *testing.T) {
	const text = "a few words, and averyveryverylongone"
	for width := range 40 {
		lines := wrapped(text, width)
		if got := strings.Join(lines, " "); got != text {
			t.Errorf("width %d: got %q", width, got)
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > width && strings.Contains(line, " ") {
				t.Errorf("width %d: %q is too long", width, line)
			}
		}
	}
}

func FuzzReadResponse(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", "HTTP/2 404 \nA: b", "HTTP/1.1 100 Continue\n\n",
		"HTTP/1.1 200", "", "\n\n", "HTTP/1.1 103\n\nHTTP/3 200\nTransfer-Encoding: chunked",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := slices.Clone(text)
		resp, err := readResponse(text, &http.Request{Method: "GET"})
		if err == nil && resp.StatusCode < 200 {
			t.Errorf("%q: an interim response: %d", text, resp.StatusCode)
		}
		if !slices.Equal(before, text) {
			t.Errorf("%q became %q", before, text)
		}
	})
}
