// snapshot.go reports what a prefetcher has counted.

package prefetch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/stats"
)

// Snapshot implements [stats.Source]. Asks are counted when they end: those that found the item
// kept are hits, those that waited for a load that had begun before, ahead or for another, are
// coalesced, all others misses, also those that gave up. A load that was cancelled counts as such,
// unless it was done all the same.
func (p *Prefetcher[K, V]) Snapshot() stats.Snapshot {
	p.mu.Lock()
	s, limit := p.statsLocked(), p.options.MaxWeight
	p.mu.Unlock()
	r := stats.Snapshot{
		Name: p.options.Name, Kind: stats.Prefetch, Durations: p.tally.took.Histogram(),
		Samples: append(p.tally.samples(s.Hits),
			stats.Entries.Is(float64(s.Items)),
			stats.Weight.Is(float64(s.Weight)),
			stats.WeightLimit.Is(float64(limit)),
			stats.Prefetches.Of("used", float64(s.Used)),
			stats.Prefetches.Of("wasted", float64(s.Wasted)),
			stats.Prefetches.Of("cancelled", float64(s.Unused)),
			stats.Stall.Is(s.Stall.Seconds()),
			stats.InFlight.Is(float64(s.InFlight)),
		),
	}
	r.Samples = append(r.Samples, stats.TimeSaved.Is(r.Saved().Seconds()))
	return r
}

// tally counts how asks for what was not kept, and calls of the loader, have ended.
type tally struct {
	misses, coalesced, failed atomic.Uint64 // asks
	loaded, broken            atomic.Uint64 // loads
	took                      stats.Durations
}

// ask counts an ask under ctx that had to wait; joined says that the load had begun before.
func (t *tally) ask(ctx context.Context, joined bool, err error) {
	switch {
	case err != nil && ctx.Err() == nil:
		t.failed.Add(1)
	case err == nil && joined:
		t.coalesced.Add(1)
	default:
		t.misses.Add(1)
	}
}

// load counts a call of the loader, if there was one.
func (t *tally) load(called bool, took time.Duration, err error, cancelled bool) {
	switch {
	case !called || err != nil && cancelled:
		return
	case err != nil:
		t.broken.Add(1)
	default:
		t.loaded.Add(1)
	}
	t.took.Add(took)
}

func (t *tally) samples(hits uint64) []stats.Sample {
	return []stats.Sample{
		stats.Requests.Of(stats.Hit, float64(hits)),
		stats.Requests.Of(stats.Coalesced, float64(t.coalesced.Load())),
		stats.Requests.Of(stats.Miss, float64(t.misses.Load())),
		stats.Requests.Of(stats.Failed, float64(t.failed.Load())),
		stats.Loads.Of(stats.LoadOK, float64(t.loaded.Load())),
		stats.Loads.Of(stats.LoadAbsent, 0), // a loader has no word for it
		stats.Loads.Of(stats.LoadError, float64(t.broken.Load())),
	}
}
