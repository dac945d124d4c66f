// dashboard_test.go runs the shop with three caches in trouble, and looks whether they say so.

package examples_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// figure is a number with its thousands apart.
var figure = regexp.MustCompile(`\d[\d.]*( \d{3})*`)

func TestDashboard(t *testing.T) {
	t.Parallel() // it waits most of the time
	wantOutput(t, figure.ReplaceAllString(run(t, "dashboard"), "N"), lines(
		"products: Half the size costs N points; twice gains N points. It should be larger.",
		"prices: N % of misses are expiries: the TTL is too short for how often this is read.",
		"searches: It saves nothing: N hits in N requests."))
}

// openShop starts the shop, and returns where it is.
func openShop(t *testing.T) (url string) {
	t.Helper()
	p := start(t, "dashboard", "-listen", "127.0.0.1:0")
	p.await("/debug/cache/\n")
	url = strings.TrimPrefix(p.printed(), "open ")
	return strings.TrimSuffix(url, "/debug/cache/\n")
}

func TestDashboardServesItsPageAndMetrics(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	for path, want := range map[string]string{
		"/debug/cache/":                          "<title>Caches</title>",
		"/debug/cache/?format=json&cache=prices": `"name":"prices"`,
		"/metrics":                               `cache_requests_total{cache="searches",`,
	} {
		url := shop + path
		if got := bodyOf(t, url); !strings.Contains(got, want) {
			t.Errorf("%s has no %s: %.200s", url, want, got)
		}
	}
}

func bodyOf(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, answer.Status, err)
	}
	return string(body)
}
