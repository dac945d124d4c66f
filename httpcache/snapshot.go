// snapshot.go reports what the cache has counted, and how long its origins took.

package httpcache

import (
	"fmt"
	"hash/maphash"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/stats"
)

// Snapshot implements [stats.Source]. Requests are counted as in [Stats], but each in one series:
// those that were shared are coalesced, and no misses. A load is a request to the origin for what
// may be kept, up to the header of its response: one with status 404 or 410 is absent, one with 500
// or more an error, and so is none. What bypasses the cache is no load. Entries, why they left, and
// what is predicted is said of memory.
func (c *Cache) Snapshot() stats.Snapshot {
	memory := c.engine.memory.Snapshot().InBytes()
	s := stats.Snapshot{
		Name: c.o.Name, Kind: stats.HTTP, Policy: memory.Policy,
		Samples: c.counts.samples(), Durations: c.engine.tally.took.Histogram(),
	}
	s.Samples = append(s.Samples, c.engine.tally.samples()...)
	s.Samples = append(s.Samples, stats.InFlight.Is(float64(c.loading.Load())))
	s.Samples = append(s.Samples, memory.Of(ofMemory...)...)
	if c.o.Store != nil {
		s.Samples = append(s.Samples, c.engine.tally.storeSamples()...)
	}
	s.Samples = append(s.Samples, stats.TimeSaved.Is(s.Saved().Seconds()))
	return s
}

// ofMemory is what memory reports for all.
var ofMemory = []stats.Metric{
	stats.Departures, stats.Entries, stats.Bytes, stats.BytesLimit, stats.Misses, stats.Predicted,
	stats.PredictedPolicy, stats.Observed,
}

func (n *counts) samples() []stats.Sample {
	of := func(label string, n *atomic.Uint64) stats.Sample {
		return stats.Requests.Of(label, float64(n.Load()))
	}
	return []stats.Sample{
		of(stats.Hit, &n.outcomes[Hit]),
		of(stats.Stale, &n.outcomes[Stale]),
		of(stats.Revalidated, &n.outcomes[Revalidated]),
		of(stats.Coalesced, &n.shared),
		of(stats.Miss, &n.outcomes[Miss]),
		of(stats.Bypass, &n.outcomes[Bypass]),
		of(stats.Failed, &n.failed),
	}
}

// tally counts calls of the store and of the origin. That of nobody is nil, and counts nothing.
type tally struct {
	ok, absent, failed             atomic.Uint64 // loads
	took                           stats.Durations
	refreshes                      atomic.Uint64
	found, missed, broken, damaged atomic.Uint64 // reads of the store; the damaged are missed too

	ledger *shadow.Ledger // nil: nobody observes
	seed   maphash.Seed   // of the hashes there
}

func newTally(observe bool) *tally {
	t := &tally{seed: maphash.MakeSeed()}
	if observe {
		t.ledger = &shadow.Ledger{}
	}
	return t
}

func (t *tally) hash(key string) uint32 { return uint32(maphash.String(t.seed, key)) }

// load counts a request to the origin that has ended. One without resp and err did not return, but
// panicked.
func (t *tally) load(key string, began time.Time, resp *http.Response, err error) {
	if t == nil {
		return
	}
	took := time.Since(began)
	t.took.Add(took)
	wrong := wrongWith(resp, err)
	switch {
	case wrong != "":
		t.failed.Add(1)
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		t.absent.Add(1)
	default:
		t.ok.Add(1)
	}
	if t.ledger != nil {
		l := shadow.Load{Key: key, At: began, Took: took, Err: wrong}
		t.ledger.Charge(t.hash(key), l)
		t.ledger.Rank(l)
	}
}

// wrongWith says what is wrong with a load; "" if nothing is.
func wrongWith(resp *http.Response, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case resp == nil:
		return "the way to the origin panicked"
	case resp.StatusCode >= http.StatusInternalServerError:
		return fmt.Sprintf("status %d", resp.StatusCode)
	}
	return ""
}

// read counts a read of the store that found something, or why it did not.
func (t *tally) read(why reason) {
	if t == nil {
		return
	}
	switch why {
	case "":
		t.found.Add(1)
	case becauseStoreFailed:
		t.broken.Add(1)
	case becauseDamaged:
		t.damaged.Add(1)
		t.missed.Add(1)
	default:
		t.missed.Add(1)
	}
}

func (t *tally) samples() []stats.Sample {
	return []stats.Sample{
		stats.Loads.Of(stats.LoadOK, float64(t.ok.Load())),
		stats.Loads.Of(stats.LoadAbsent, float64(t.absent.Load())),
		stats.Loads.Of(stats.LoadError, float64(t.failed.Load())),
		stats.Refreshes.Is(float64(t.refreshes.Load())),
	}
}

func (t *tally) storeSamples() []stats.Sample {
	return []stats.Sample{
		stats.StoreRequests.Of("hit", float64(t.found.Load())),
		stats.StoreRequests.Of("miss", float64(t.missed.Load())),
		stats.StoreRequests.Of("error", float64(t.broken.Load())),
		stats.StoreDamaged.Is(float64(t.damaged.Load())),
	}
}
