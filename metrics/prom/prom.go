// prom.go reads the parts of a program when Prometheus asks, and names what they report.

// Package prom hands to Prometheus what the parts of a program have counted.
//
// Nothing is counted twice, and nothing is done until somebody asks: a [New] collector reads the
// snapshots of a [stats.Set] at each scrape. All metrics of [stats.Metrics] have a name here, which
// docs/metrics.md lists; their labels are cache, kind, and what tells the series of one metric
// apart. Keys are never labels. A dashboard for Grafana (grafana.json) and alerts (alerts.yml) lie
// beside this file.
package prom

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/larder-go/larder/stats"
)

// Options says how numbers are named. The zero value is what the dashboard and the alerts expect.
type Options struct {
	// Namespace begins the name of every metric: a letter, then letters, digits and underscores.
	// Default: "cache", as in cache_requests_total.
	Namespace string
}

// New returns a collector of all that the parts of a set report, now and whenever it is asked. It
// is safe for concurrent use. Parts may come and go while it is registered. New panics if the
// namespace is no word.
//
// One collector serves all parts. What is the same for the whole program, such as its name, is
// added where the collector is registered:
//
//	named := prometheus.WrapRegistererWith(prometheus.Labels{"app": "shop"}, registry)
//	named.MustRegister(prom.New(set, prom.Options{}))
//
// What a part reports that is no number of one of [stats.Metrics] is left out. Of two series that
// would be the same the first is shown.
func New(set *stats.Set, o Options) prometheus.Collector {
	c := &collector{set: set, rows: map[string]row{}}
	namespace := o.namespace()
	for _, m := range stats.Metrics() {
		c.rows[m.Name] = row{m, describe(nameOf(namespace, m), m.Help, m.Label)}
	}
	return c
}

// Handler serves /metrics for a set alone, from a registry of its own: in the text format, as
// OpenMetrics, or with native histograms, whatever the client asks for.
func Handler(set *stats.Set) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(New(set, Options{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// word is what a namespace may be.
var word = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)

func (o Options) namespace() string {
	switch {
	case o.Namespace == "":
		return "cache"
	case !word.MatchString(o.Namespace):
		panic(fmt.Sprintf("prom: Options.Namespace: %q is no word", o.Namespace))
	}
	return o.Namespace
}

// nameOf returns what Prometheus calls a metric.
func nameOf(namespace string, m stats.Metric) string {
	name := namespace + "_" + m.Name
	if m.Unit != "" {
		name += "_" + m.Unit
	}
	if !m.Gauge && m.Name != stats.LoadDuration.Name {
		name += "_total"
	}
	return name
}

// describe describes a metric whose series are told apart by label besides, if it is not "".
func describe(name, help, label string) *prometheus.Desc {
	labels := []string{"cache", "kind"}
	if label != "" {
		labels = append(labels, label)
	}
	return prometheus.NewDesc(name, help, labels, nil)
}

// collector implements prometheus.Collector.
type collector struct {
	set  *stats.Set
	rows map[string]row // by name of the metric
}

// row is a metric and what Prometheus knows of it.
type row struct {
	stats.Metric
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, r := range c.rows {
		out <- r.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	seen := map[series]bool{}
	for _, s := range c.set.Snapshots() {
		from := partOf(s)
		for _, sample := range withZeros(s.Samples, c.rows) {
			r, known := c.rows[sample.Metric]
			if id := from.series(sample); known && r.takes(sample) && !seen[id] {
				seen[id] = true
				out <- r.metric(id, sample.Value)
			}
		}
		id := from.series(stats.LoadDuration.Is(0))
		if h, ok := tidy(s.Durations); ok && !seen[id] {
			seen[id] = true
			out <- histogram{c.rows[stats.LoadDuration.Name].desc, id.labels(), h}
		}
	}
}

// part tells parts of a program apart, in valid UTF-8: anything else ends a scrape.
type part struct{ name, kind string }

func partOf(s stats.Snapshot) part { return part{valid(s.Name), valid(s.Kind)} }

func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// series tells series apart.
type series struct {
	part
	metric, label string
}

func (p part) series(s stats.Sample) series { return series{p, s.Metric, valid(s.Label)} }

// labels returns the values of the labels, in the order of describe.
func (s series) labels() []string {
	if s.label == "" {
		return []string{s.name, s.kind}
	}
	return []string{s.name, s.kind, s.label}
}

// takes reports whether a sample is one of the metric: a number that it can have, with a label if
// it has one.
func (r row) takes(s stats.Sample) bool {
	switch {
	case r.Name == stats.LoadDuration.Name, (r.Label == "") != (s.Label == ""):
		return false
	case math.IsNaN(s.Value) || math.IsInf(s.Value, 0):
		return false
	}
	return r.Gauge || s.Value >= 0
}

// metric returns the number of a series.
func (r row) metric(id series, value float64) prometheus.Metric {
	kind := prometheus.CounterValue
	if r.Gauge {
		kind = prometheus.GaugeValue
	}
	return prometheus.MustNewConstMetric(r.desc, kind, value, id.labels()...)
}

// withZeros returns samples, and zeros of all series of their metrics behind them: a rate is only
// right for a series that was there before it grew.
func withZeros(samples []stats.Sample, rows map[string]row) []stats.Sample {
	all, done := samples[:len(samples):len(samples)], map[string]bool{}
	for _, s := range samples {
		if done[s.Metric] {
			continue
		}
		done[s.Metric] = true
		for _, label := range rows[s.Metric].Labels {
			all = append(all, rows[s.Metric].Of(label, 0))
		}
	}
	return all
}
