// http_test.go runs the examples about HTTP and checks what they print.

package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// fingerprint is the part of an asset's name that changes with what is in the file.
var fingerprint = regexp.MustCompile(`\.[0-9a-f]{16}\.`)

func TestBrowserCaching(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "browser-caching.txt"))
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, "browser-caching")
	wantOutput(t, fingerprint.ReplaceAllString(got, ".HASH."), string(want))
	if names := fingerprint.FindAllString(got, -1); len(names) == 6 && names[0] == names[3] {
		t.Errorf("a deploy left the fingerprint %s as it was", names[0])
	}
}

func TestPageFragments(t *testing.T) {
	wantOutput(t, run(t, "page-fragments"), lines(
		"Ann: basket of Ann, news, teas",
		"Ann again: nothing is asked",
		"Bob: basket of Bob",
		"Ann, at another front end: nothing is asked",
		"a price changes: nothing is asked",
		"Ann: teas",
		"everything is forgotten: nothing is asked",
		"32 readers at once: basket of Ann, news, teas",
	))
}
