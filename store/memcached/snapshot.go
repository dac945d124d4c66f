// snapshot.go reports what a store has counted.

package memcached

import "github.com/larder-go/larder/stats"

// Snapshot implements [stats.Source]. Requests are keys that were asked for.
func (s *Store) Snapshot() stats.Snapshot {
	n := s.Stats()
	return stats.Snapshot{Name: s.o.Name, Kind: stats.Memcache, Samples: []stats.Sample{
		stats.Requests.Of(stats.Hit, float64(n.Hits)),
		stats.Requests.Of(stats.Miss, float64(n.Misses)),
		stats.Requests.Of(stats.Failed, float64(n.Failed)),
		stats.StoreDamaged.Is(float64(n.Damaged)),
	}}
}
