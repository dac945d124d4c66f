// snapshot_test.go compares what a Fetcher reports with what it was asked for.

package scrape_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
)

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	s := newSite(t, "User-agent: *\nDisallow: /secret\n")
	s.page("/page", "<p>text")
	s.page("/secret", "<p>secret")
	s.mux.Handle("/moved", http.RedirectHandler("/page", http.StatusFound))
	s.mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	kept := store.NewMemory(store.MemoryOptions{})
	defer kept.Close()
	f := newFetcher(t, scrape.Options{AllowPrivate: true, Store: kept, Retries: -1})
	for _, path := range []string{"/page", "/page", "/moved", "/none", "/broken", "/secret"} {
		_, _ = f.Fetch(t.Context(), s.URL+path)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = f.Fetch(gone, s.URL+"/other")
	got := statstest.Of(t, f)
	// The page, twice and behind /moved; /moved, /none and /broken; /secret and /other.
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": 2, "requests miss": 4, "requests failed": 2, "requests stale": 0,
		"loads ok": 3, "loads absent": 1, "loads error": 1, "loads_in_flight": 0,
	})
	if n := s.asked.Load(); got.Sum(stats.Loads) != float64(n) || got.Durations.Count != uint64(n) {
		t.Errorf("%v loads, %d were timed, of %d requests", got.Sum(stats.Loads),
			got.Durations.Count, n)
	}
	if got.Name != "scrape" || got.Kind != stats.Scrape {
		t.Errorf("it is %s %q", got.Kind, got.Name)
	}
	offline := newFetcher(t, scrape.Options{AllowPrivate: true, Store: kept, Offline: true})
	for _, path := range []string{"/page", "/new"} {
		_, _ = offline.Fetch(t.Context(), s.URL+path)
	}
	statstest.Expect(t, statstest.Of(t, offline), statstest.Numbers{
		"requests hit": 1, "requests failed": 1, "loads ok": 0,
	})
}
