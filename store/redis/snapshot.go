// snapshot.go reports what a store has counted.

package redis

import "github.com/larder-go/larder/stats"

// Snapshot implements [stats.Source]. Requests are keys that were asked for; those that failed were
// given up, or the server was. Whether the link stands is reported once somebody watches, or waits
// for a lease.
func (s *Store) Snapshot() stats.Snapshot {
	c := &s.count
	samples := []stats.Sample{
		stats.Requests.Of(stats.Hit, float64(c.hits.Load())),
		stats.Requests.Of(stats.Miss, float64(c.misses.Load())),
		stats.Requests.Of(stats.Failed, float64(c.failed.Load())),
		stats.Heard.Is(float64(c.events.Load())),
		stats.StoreDamaged.Is(float64(c.damaged.Load())),
		stats.StoreVoided.Is(float64(c.voids.Load())),
	}
	if needed, stands := s.link.state(); needed {
		samples = append(samples, stats.Linked.Is(stats.Truth(stands)))
	}
	return stats.Snapshot{Name: s.o.Name, Kind: stats.Redis, Samples: samples}
}
