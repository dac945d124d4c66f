// snapshot.go reports what the cache has counted.

package sqlcache

import (
	"maps"
	"slices"

	"github.com/larder-go/larder/stats"
)

// Snapshot implements [stats.Source]. Requests are the queries that [Stats] counts: those that were
// not kept, or that nobody asked to be, bypass the cache. A load is a query that was run to be
// kept, until its rows were read; one that would not be kept, since it came beside another load,
// until its rows began. Entries, why they left, and what is predicted is said of the memory, where
// a result may be twice: as rows, and as what Query has made of them.
func (c *Cache) Snapshot() stats.Snapshot {
	n, memory := c.Stats(), c.results.Snapshot().InBytes()
	s := stats.Snapshot{
		Name: c.o.Name, Kind: stats.SQL, Policy: memory.Policy,
		Durations: c.counters.took.Histogram(),
	}
	s.Samples = append(n.requests(),
		stats.Loads.Of(stats.LoadOK, float64(n.Misses)),
		stats.Loads.Of(stats.LoadAbsent, 0), // a result without rows is one
		stats.Loads.Of(stats.LoadError, float64(c.counters.broken.Load())),
	)
	s.Samples = append(s.Samples, memory.Of(ofMemory...)...)
	s.Samples = append(s.Samples,
		stats.Refused.Is(float64(n.TooLarge)), stats.Heard.Is(float64(n.Heard)))
	if c.o.Watch != nil {
		s.Samples = append(s.Samples, stats.Linked.Is(stats.Truth(!n.Deaf)))
	}
	for _, reason := range slices.Sorted(maps.Keys(n.NotKept)) {
		s.Samples = append(s.Samples, stats.NotKept.Of(reason, float64(n.NotKept[reason])))
	}
	s.Samples = append(s.Samples, stats.TimeSaved.Is(s.Saved().Seconds()))
	return s
}

// ofMemory is what the memory of results reports for all.
var ofMemory = []stats.Metric{
	stats.Departures, stats.Entries, stats.Bytes, stats.BytesLimit, stats.Misses, stats.Predicted,
	stats.PredictedPolicy, stats.Observed,
}

// requests returns each query in one series.
func (s Stats) requests() []stats.Sample {
	passed := s.Unasked
	for _, n := range s.NotKept {
		passed += n
	}
	return []stats.Sample{
		stats.Requests.Of(stats.Hit, float64(s.Hits)),
		stats.Requests.Of(stats.Coalesced, float64(s.Coalesced)),
		stats.Requests.Of(stats.Miss, float64(s.Misses)),
		stats.Requests.Of(stats.Bypass, float64(passed)),
		stats.Requests.Of(stats.Failed, float64(s.Failed)),
	}
}
