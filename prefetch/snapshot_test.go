// snapshot_test.go compares what a prefetcher reports with what it was asked and has loaded.

package prefetch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/prefetch"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
)

// wantStats compares a snapshot with what Stats says; it is of a prefetcher at rest.
func wantStats(t *testing.T, got stats.Snapshot, n prefetch.Stats) {
	t.Helper()
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": float64(n.Hits), "entries": float64(n.Items), "weight": float64(n.Weight),
		"prefetches used": float64(n.Used), "prefetches wasted": float64(n.Wasted),
		"prefetches cancelled": float64(n.Unused), "stall": n.Stall.Seconds(),
		"loads_in_flight": float64(n.InFlight), "loads error": float64(n.Failed),
	})
	if sum := got.Sum(stats.Requests); sum != float64(n.Asks) {
		t.Errorf("the requests add up to %v, want the asks of %+v", sum, n)
	}
	if sum := got.Sum(stats.Loads); sum != float64(got.Durations.Count) ||
		sum != float64(n.Loads-n.Cancelled) {
		t.Errorf("%v loads, of which %d were timed; %+v", sum, got.Durations.Count, n)
	}
}

func TestSnapshotHasEachAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		broken := errors.New("broken")
		load := func(ctx context.Context, key int) (string, error) {
			if key == 900 {
				return "", broken
			}
			return s.load(ctx, key)
		}
		p := prefetch.New(load, prefetch.Range(0, 1000), pages{Name: "book"})
		defer p.Close()
		for range 3 { // who comes together is coalesced, but for the first
			go p.Get(t.Context(), 5)
		}
		synctest.Wait()
		get(t, p, 5)
		for range 5 {
			time.Sleep(10 * time.Second)
			get(t, p, 5)
		}
		if _, err := p.Get(t.Context(), 900); !errors.Is(err, broken) {
			t.Error(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 20*ms)
		defer cancel()
		if _, err := p.Get(short, 500); err == nil {
			t.Error("Get is too quick")
		}
		time.Sleep(time.Minute)
		got := statstest.Of(t, p)
		statstest.Expect(t, got, statstest.Numbers{
			"requests hit": 5, "requests coalesced": 3, "requests miss": 2, "requests failed": 1,
			"weight_limit": prefetch.DefaultMaxItems,
		})
		if wantStats(t, got, p.Stats()); got.Name != "book" || got.Kind != stats.Prefetch {
			t.Errorf("it is %s %q", got.Kind, got.Name)
		}
	})
}

func TestSnapshotTellsWhatBecameOfLoadsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(50*ms, 100*ms), pages{MaxWeight: 20})
		for key := range 30 {
			time.Sleep(time.Second)
			get(t, p, key)
		}
		before := statstest.Of(t, p)
		if n, _ := before.Value(stats.Prefetches, "used"); n < 20 {
			t.Errorf("%v loads ahead were of use", n)
		}
		for key := 990; key > 100; key -= 97 { // somebody jumps about
			get(t, p, key)
		}
		time.Sleep(time.Minute)
		after := statstest.Of(t, p)
		statstest.CheckGrowth(t, before, after)
		wantStats(t, after, p.Stats())
		p.Limit(10)
		statstest.Expect(t, statstest.Of(t, p), statstest.Numbers{"weight_limit": 10})
	})
}

func TestSnapshotCountsALoadThatTookTooLongAsFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(50*ms, 100*ms), pages{LoadTimeout: 10 * ms})
		if _, err := p.Get(t.Context(), 5); err == nil {
			t.Error("Get is too quick")
		}
		time.Sleep(time.Minute)
		got := statstest.Of(t, p)
		statstest.Expect(t, got, statstest.Numbers{"requests failed": 1, "requests miss": 0})
		wantStats(t, got, p.Stats())
	})
}
