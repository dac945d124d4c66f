// snapshot.go reports what the files have cost.

package files

import "github.com/larder-go/larder/stats"

// Snapshot implements [stats.Source]: what the prefetcher of the copies reports, where a load is a
// copy, from the share or from Store, and weights are bytes; and what Store was asked for.
func (f *Files) Snapshot() stats.Snapshot {
	s := f.ahead.Snapshot().InBytes()
	s.Name, s.Kind = f.options.Name, stats.Files
	if f.options.Store == nil {
		return s
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Samples = append(s.Samples,
		stats.StoreRequests.Of("hit", float64(f.found)),
		stats.StoreRequests.Of("miss", float64(f.missed)),
		stats.StoreRequests.Of("error", float64(f.broken)),
	)
	return s
}
