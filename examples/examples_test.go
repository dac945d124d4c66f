// examples_test.go builds the programs and runs them on real parts.

package examples_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// run builds the example name, runs it and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", binary, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "ALLOW_PRIVATE=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

func wantOutput(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	wantOutput(t, run(t, "survives-restart", dir), "42 (loaded)\n")
	wantOutput(t, run(t, "survives-restart", dir), "42 (kept)\n")
}

// origin serves one page that may be kept for a minute.
func origin(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<h1>Larder &amp; co</h1><p>text</p><h2>Second</h2>")
	}))
	t.Cleanup(s.Close)
	return s
}

func TestHTTPClientCache(t *testing.T) {
	wantOutput(t, run(t, "http-client-cache", origin(t).URL),
		"miss, 50 bytes, 1 requests\nhit, 50 bytes, 0 requests\nhit, 50 bytes, 0 requests\n")
}

func TestPageTitles(t *testing.T) {
	dir, url := t.TempDir(), origin(t).URL
	const titles = "  Larder & co\n    Second\n"
	wantOutput(t, run(t, "page-titles", dir, url), url+" (miss)\n"+titles)
	wantOutput(t, run(t, "page-titles", dir, url), url+" (hit)\n"+titles)
}
