// stats.go is what every part reports: a list of numbers, each with its meaning beside it.

// Package stats carries the numbers that caches, stores, proxies and prefetchers report.
//
// A part that counts is a [Source]: it returns a [Snapshot], a plain list of samples. Whoever shows
// numbers (metrics/prom, metrics/otel, metrics/vars, dash, larder top) reads snapshots and knows no
// part, so all of them show the same. The metrics are listed in metrics.go, by one name each.
package stats

import "time"

// Source is a part that reports. It may be asked by many goroutines at once, and answers without
// waiting for those who use the part.
type Source interface {
	Snapshot() Snapshot
}

// Snapshot is what a part has counted since it was made. Numbers that belong together may be some
// nanoseconds apart while the part is in use.
type Snapshot struct {
	Name      string     `json:"name"`             // tells parts of a kind apart
	Kind      string     `json:"kind"`             // what it is: one of the kinds below
	Policy    string     `json:"policy,omitempty"` // who leaves, if the part chooses
	Samples   []Sample   `json:"samples"`
	Durations *Histogram `json:"load_durations,omitempty"` // of loads; nil if it loads nothing
	Note      string     `json:"note,omitempty"`           // what a person should know, in a line
}

// The kinds of parts.
const (
	Memory   = "memory"   // larder.Cache
	HTTP     = "http"     // httpcache.Cache
	Proxy    = "proxy"    // an origin of a proxy
	Disk     = "disk"     // store/disk
	Redis    = "redis"    // store/redis
	Guard    = "guard"    // store.Guard
	Ring     = "ring"     // a node of store.Ring
	SQL      = "sql"      // sqlcache.Cache
	Prefetch = "prefetch" // prefetch.Prefetcher
	Gallery  = "gallery"  // gallery.Gallery
	Watch    = "watch"    // watch/postgres
	Memcache = "memcached"
	Tiered   = "tiered"   // store.Tiered
	Files    = "files"    // prefetch/files
	Fragment = "fragment" // fragment.Cache
	Scrape   = "scrape"   // scrape.Fetcher
	Artifact = "artifact" // artifact.Cache
)

// Sample is one number.
type Sample struct {
	Metric string  `json:"metric"`          // the Name of one of Metrics
	Label  string  `json:"label,omitempty"` // which of its series, if it has several
	Value  float64 `json:"value"`
}

// Value returns the number of a series, and whether the part reports it. label is "" for a metric
// without series.
func (s Snapshot) Value(m Metric, label string) (value float64, ok bool) {
	for _, sample := range s.Samples {
		if sample.Metric == m.Name && sample.Label == label {
			return sample.Value, true
		}
	}
	return 0, false
}

// Sum returns the sum of all series of a metric.
func (s Snapshot) Sum(m Metric) (sum float64) {
	for _, sample := range s.Samples {
		if sample.Metric == m.Name {
			sum += sample.Value
		}
	}
	return sum
}

// HitRatio returns the share of requests that were answered without waiting for a load, from 0 to
// 1; ok is false if there were none.
func (s Snapshot) HitRatio() (ratio float64, ok bool) {
	all := s.Sum(Requests)
	if all == 0 {
		return 0, false
	}
	hits := 0.0
	for _, label := range []string{Hit, Stale, Negative, Revalidated} {
		n, _ := s.Value(Requests, label)
		hits += n
	}
	return hits / all, true
}

// Saved returns the time that hits have spared, reckoned at the mean duration of a load.
func (s Snapshot) Saved() time.Duration {
	if s.Durations == nil || s.Durations.Count == 0 {
		return 0
	}
	ratio, _ := s.HitRatio()
	return seconds(ratio * s.Sum(Requests) * s.Durations.Sum / float64(s.Durations.Count))
}
