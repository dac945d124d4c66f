// snapshot_test.go compares what a cache reports with how it has answered.

package httpcache_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store/storetest"
)

// manners is a handler of which each path behaves in its own way.
func manners(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	switch r.URL.Path {
	case "/quick":
		h.Set("Cache-Control", "max-age=10, stale-while-revalidate=10")
	case "/slow":
		time.Sleep(time.Second)
		h.Set("Cache-Control", "max-age=10")
	case "/checked":
		h.Set("Cache-Control", "max-age=10")
		h.Set("Etag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	case "/none":
		w.WriteHeader(http.StatusNotFound)
	case "/broken":
		w.WriteHeader(http.StatusInternalServerError)
	}
	io.WriteString(w, "body")
}

// wantStats compares a snapshot with what Stats says; it is of a cache at rest.
func wantStats(t *testing.T, got stats.Snapshot, n httpcache.Stats) {
	t.Helper()
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": float64(n.Hits), "requests stale": float64(n.Stale),
		"requests revalidated": float64(n.Checked), "requests coalesced": float64(n.Shared),
		"requests miss":   float64(n.Misses - n.Shared),
		"requests bypass": float64(n.Bypassed), "requests failed": float64(n.Failed),
		"entries": float64(n.Entries), "used": float64(n.Weight),
	})
	if loads := got.Sum(stats.Loads); loads != float64(got.Durations.Count) {
		t.Errorf("%v loads, of which %d were timed", loads, got.Durations.Count)
	}
}

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newView(t, httpcache.View{}, manners)
		for range 2 { // a miss and a hit of each
			v.ask("GET", "/quick")
			v.ask("GET", "/checked")
		}
		time.Sleep(15 * time.Second)
		v.ask("GET", "/quick")   // stale
		v.ask("GET", "/checked") // revalidated
		v.ask("GET", "/none")
		v.ask("GET", "/broken")
		v.ask("POST", "/quick")
		v.ask("GET", "/other", "Cache-Control: only-if-cached")
		var crowd sync.WaitGroup
		for range 3 {
			crowd.Go(func() { v.ask("GET", "/slow") })
		}
		crowd.Wait()
		synctest.Wait()
		got := statstest.Of(t, v.cache)
		statstest.Expect(t, got, statstest.Numbers{
			"requests hit": 2, "requests stale": 1, "requests revalidated": 1, "requests miss": 5,
			"requests coalesced": 2, "requests bypass": 1, "requests failed": 1,
			"loads ok": 5, "loads absent": 1, "loads error": 1, "refreshes": 1,
			"loads_in_flight": 0, "limit": 256 << 20,
		})
		wantStats(t, got, v.cache.Stats())
		if got.Durations.Sum < 1 || got.Name != "larder" || got.Kind != stats.HTTP {
			t.Errorf("%s %q with loads of %v s", got.Kind, got.Name, got.Durations.Sum)
		}
	})
}

func TestSnapshotCountsAnOriginThatIsDown(t *testing.T) {
	c := openCache(t, httpcache.Options{Name: "front"})
	where, err := url.Parse("http://origin.example")
	if err != nil {
		t.Fatal(err)
	}
	door := c.Proxy(httpcache.Origin{URL: where, Transport: &origin{}})
	askHandler(t, door, "GET", "http://front.example/")
	got := statstest.Of(t, c)
	statstest.Expect(t, got, statstest.Numbers{
		"requests failed": 1, "requests miss": 0, "loads error": 1, "loads ok": 0,
	})
	if wantStats(t, got, c.Stats()); got.Name != "front" {
		t.Errorf("it is called %q", got.Name)
	}
}

func TestSnapshotCountsReadsOfTheStore(t *testing.T) {
	s := storetest.NewFaulty(memoryStore(t))
	options := httpcache.Options{Store: s}
	first := viewOf(t, openCache(t, options), httpcache.View{}, manners)
	first.ask("GET", "/quick")
	v := viewOf(t, openCache(t, options), httpcache.View{}, manners)
	v.ask("GET", "/quick")
	v.ask("GET", "/checked")
	before := statstest.Of(t, v.cache)
	statstest.Expect(t, before, statstest.Numbers{
		"requests hit": 1, "requests miss": 1, "store_requests hit": 1, "store_requests miss": 1,
		"store_requests error": 0, "damaged": 0,
	})
	s.Garble()
	third := viewOf(t, openCache(t, options), httpcache.View{}, manners)
	third.ask("GET", "/quick")
	s.Fail(errors.New("out of order"))
	third.ask("GET", "/slower")
	statstest.Expect(t, statstest.Of(t, third.cache), statstest.Numbers{
		"requests miss": 2, "store_requests hit": 0, "store_requests miss": 1,
		"store_requests error": 1, "damaged": 1,
	})
}

func TestMemoryIsAskedOnceForAMiss(t *testing.T) {
	c := openCache(t, httpcache.Options{Observe: true})
	v := viewOf(t, c, httpcache.View{}, manners)
	for _, path := range []string{"/quick", "/checked", "/none", "/quick"} {
		v.ask("GET", path)
	}
	got := statstest.Of(t, c)
	if n := got.Sum(stats.Misses); n != 3 {
		t.Errorf("%v misses in memory, want 3", n)
	}
}
