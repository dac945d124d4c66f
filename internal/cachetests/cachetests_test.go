// cachetests_test.go runs the suite where the outcome is known: without any cache.

package cachetests_test

import (
	"net/url"
	"testing"

	"github.com/larder-go/larder/internal/cachetests"
)

func TestASuiteWithoutACacheReusesNothing(t *testing.T) {
	results := cachetests.Run(t, func(origin *url.URL) string { return origin.String() })
	for kind, want := range map[cachetests.Kind]int{
		cachetests.Required: 150, cachetests.Optimal: 98, cachetests.Check: 93,
	} {
		if got := len(results.Of(kind)); got != want {
			t.Errorf("%d tests are %s, want %d", got, kind, want)
		}
	}
	for _, r := range results {
		switch {
		case r.ID == "cc-resp-no-store" && !r.Passed():
			t.Errorf("what may not be kept was not asked for again: %v", r)
		case r.ID == "freshness-max-age" && r.Verdict != cachetests.OptionalFail:
			t.Errorf("without a cache something is reused: %v", r)
		case r.ID == "interim-not-cached" && r.Message != "Response 2 does not come from cache":
			t.Errorf("1xx responses are not seen: %v", r)
		}
	}
}
