// collector.go says in the words of Prometheus what a cache has counted.

package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder"
)

// metric is one number of Stats, and what Prometheus calls it.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(larder.Stats) float64
}

func counter(name, help string, of func(larder.Stats) float64) metric {
	return metric{describe(name+"_total", help), prometheus.CounterValue, of}
}

func gauge(name, help string, of func(larder.Stats) float64) metric {
	return metric{describe(name, help), prometheus.GaugeValue, of}
}

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("larder_"+name, help, []string{"cache"}, nil)
}

// metrics of each cache. The hit ratio is left out: over the last five minutes it is
//
//	rate(larder_hits_total[5m]) / (rate(larder_hits_total[5m]) + rate(larder_misses_total[5m]))
//
// and the time of a load is
//
//	rate(larder_load_seconds_total[5m]) / rate(larder_loads_total[5m])
var metricsOfCache = []metric{
	counter("hits", "Keys that were found.",
		func(s larder.Stats) float64 { return float64(s.Hits) }),
	counter("misses", "Keys that were not found.",
		func(s larder.Stats) float64 { return float64(s.Misses) }),
	counter("loads", "Calls of the origin.",
		func(s larder.Stats) float64 { return float64(s.Loads) }),
	counter("load_errors", "Calls of the origin that failed.",
		func(s larder.Stats) float64 { return float64(s.LoadErrors) }),
	counter("load_seconds", "Time spent in calls of the origin.",
		func(s larder.Stats) float64 { return s.LoadTime.Seconds() }),
	counter("evicted", "Entries that left for room.",
		func(s larder.Stats) float64 { return float64(s.Evicted) }),
	counter("expired", "Entries whose time was up.",
		func(s larder.Stats) float64 { return float64(s.Expired) }),
	gauge("entries", "Entries that are there.",
		func(s larder.Stats) float64 { return float64(s.Entries) }),
	gauge("weight", "Weight of the entries, here in bytes.",
		func(s larder.Stats) float64 { return float64(s.Weight) }),
	gauge("weight_limit", "The most that the weight may be.",
		func(s larder.Stats) float64 { return float64(s.Max) }),
}

// collector implements prometheus.Collector for one cache. Several may be registered: their names
// tell them apart.
type collector struct{ stats func() larder.Stats }

// Describe implements prometheus.Collector. It says nothing: Prometheus wants each description
// once, and every cache has the same.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector: all numbers are of one moment.
func (c collector) Collect(out chan<- prometheus.Metric) {
	s := c.stats()
	for _, m := range metricsOfCache {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.of(s), s.Name)
	}
}
