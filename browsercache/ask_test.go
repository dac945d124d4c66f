// ask_test.go is the client of the tests.

package browsercache_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// reply is what a server answered.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

// ask asks a server, and neither follows redirects nor unpacks what comes.
func ask(t testing.TB, url, method, path string, fields map[string]string) reply {
	t.Helper()
	req, err := http.NewRequest(method, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		for one := range strings.SplitSeq(value, "\n") {
			req.Header.Add(name, one)
		}
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}
