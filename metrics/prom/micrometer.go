// micrometer.go names numbers as Micrometer does, for boards that were made for caches in Java.

package prom

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/stats"
)

// Micrometer returns a collector of the metrics that Micrometer has for caches:
// cache_gets_total{result="hit"|"miss"}, cache_puts_total, cache_evictions_total (for room and
// time) and cache_size, with the labels cache and name, which are both the name of the part, and
// kind. Parts that answer no requests are left out. It is safe for concurrent use.
//
// cache_evictions_total is also a name of [New], with another label, so that one registry takes
// only one of both, unless New has another Namespace. Labels that a board wants besides, such as
// application or cache_manager, are added by prometheus.WrapRegistererWith.
//
// Puts are not counted: what is there and what has left was put.
func Micrometer(set *stats.Set) prometheus.Collector {
	describe := func(name, help string, label ...string) *prometheus.Desc {
		labels := append([]string{"cache", "name", "kind"}, label...)
		return prometheus.NewDesc("cache_"+name, help, labels, nil)
	}
	return &micrometer{
		set:       set,
		gets:      describe("gets_total", "Requests, and if the cache had the answer.", "result"),
		puts:      describe("puts_total", "Entries that were put into the cache."),
		evictions: describe("evictions_total", "Entries that left for room or by time."),
		size:      describe("size", "Entries that are there."),
		last:      map[part]put{},
	}
}

// micrometer implements prometheus.Collector.
type micrometer struct {
	set                         *stats.Set
	gets, puts, evictions, size *prometheus.Desc

	mu   sync.Mutex // guards the field below
	last map[part]put
}

// put is how many entries were put into a part, and how many of them have left.
type put struct{ all, left float64 }

// Describe implements prometheus.Collector.
func (c *micrometer) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.gets, c.puts, c.evictions, c.size} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *micrometer) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := map[part]bool{}
	for _, s := range c.set.Snapshots() {
		if p := partOf(s); !seen[p] && reports(s, stats.Requests) {
			seen[p] = true
			c.collectLocked(out, p, s)
		}
	}
	for p := range c.last {
		if !seen[p] {
			delete(c.last, p)
		}
	}
}

func (c *micrometer) collectLocked(out chan<- prometheus.Metric, p part, s stats.Snapshot) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, result ...string) {
		labels := append([]string{p.name, p.name, p.kind}, result...)
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	hits := valueOf(s, stats.Requests, stats.Hit, stats.Stale, stats.Negative, stats.Revalidated)
	send(c.gets, prometheus.CounterValue, hits, "hit")
	send(c.gets, prometheus.CounterValue, s.Sum(stats.Requests)-hits, "miss")
	if !reports(s, stats.Departures) {
		return
	}
	send(c.evictions, prometheus.CounterValue,
		valueOf(s, stats.Departures, stats.LeftRoom, stats.LeftExpired))
	if size, ok := s.Value(stats.Entries, ""); ok {
		send(c.size, prometheus.GaugeValue, size)
		send(c.puts, prometheus.CounterValue, c.putLocked(p, s.Sum(stats.Departures), size))
	}
}

// putLocked returns how many entries were put into a part. What is there and what has left are not
// read at the same moment: so that the sum never falls, which would look like a new beginning, it
// is kept. If less has left than before, it is one.
func (c *micrometer) putLocked(p part, left, size float64) float64 {
	now, last := put{left + size, left}, c.last[p]
	if left >= last.left {
		now.all = max(now.all, last.all)
	}
	c.last[p] = now
	return now.all
}

// valueOf returns the sum of some series of a metric.
func valueOf(s stats.Snapshot, m stats.Metric, labels ...string) (sum float64) {
	for _, label := range labels {
		value, _ := s.Value(m, label)
		sum += value
	}
	return sum
}

// reports reports whether a part reports a metric.
func reports(s stats.Snapshot, m stats.Metric) bool {
	for _, sample := range s.Samples {
		if sample.Metric == m.Name {
			return true
		}
	}
	return false
}
