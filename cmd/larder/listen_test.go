// listen_test.go asks a mounted page by paths and names that lead nowhere.

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPagesAreBelowAnyPrefixAndWhatIsNotIsRefusedStrictly(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	})
	for _, c := range []struct {
		prefix, host, path string
		code               int
		body               string
	}{
		{"/{", "localhost", "/%7B/a", 200, "/a"},
		{"/{x...}/", "localhost", "/%7Bx...%7D", 200, ""},
		{"/GET /x", "localhost", "/x", 404, "404 page not found\n"},
		{"/a", "localhost", "/a/b%2Fc", 200, "/b/c"},
		{"/a", "localhost", "/ab", 404, "404 page not found\n"},
		{"/a", "localhost", "/%61/b%2Fc", 404, "404 page not found\n"},
		{"/a", "evil.example", "/a/", 403,
			"evil.example is not a name of this gallery: start it with --host evil.example\n"},
	} {
		s := show{prefix: c.prefix}
		w := httptest.NewRecorder()
		s.mount(pages).ServeHTTP(w, httptest.NewRequest("GET", "http://"+c.host+c.path, nil))
		if w.Code != c.code || w.Body.String() != c.body {
			t.Errorf("%+v: got %d, %q", c, w.Code, w.Body)
		}
		strict := w.Header().Get("Content-Security-Policy") == "default-src 'none'"
		if strict != (c.code != 200) {
			t.Errorf("%+v: headers are %v", c, w.Header())
		}
	}
}
