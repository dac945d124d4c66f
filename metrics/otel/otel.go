// otel.go reads the parts of a program when a reader of OpenTelemetry collects.

// Package otel hands to OpenTelemetry what the parts of a program have counted.
//
// It needs the API alone: the program gives it a meter of its SDK. Each of [stats.Metrics] is an
// instrument: cache.requests, cache.entries and so on, with the attributes cache.name, cache.kind
// and what tells the series of one metric apart, such as cache.result. There is no convention for
// caches yet to keep to. Keys are never attributes.
package otel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/larder-go/larder/stats"
)

// Register lets a meter observe all that the parts of a set report, now and whenever it collects.
// Nothing is done in between. Parts may come and go. unregister ends it and may be called twice;
// an error means that the meter refused an instrument, and then nothing is observed.
//
// OpenTelemetry has no instrument that observes a histogram which was counted elsewhere; to record
// each load would cost something at each load, and count it twice. So how long loads took is
// told by four instruments: cache.load_duration.count and .sum, whose rates give the mean of any
// time, and .p50 and .p99, which are of all loads since the part was made, to within 9 %. Who
// needs quantiles of the last minutes takes metrics/prom.
func Register(set *stats.Set, meter metric.Meter) (unregister func() error, err error) {
	o := &observer{set: set, meter: meter, instruments: map[string]instrument{}}
	for _, m := range instrumented() {
		o.instrument(m)
	}
	if o.err != nil {
		return nil, o.err
	}
	registration, err := meter.RegisterCallback(o.observe, o.all...)
	if err != nil {
		return nil, fmt.Errorf("otel: register: %w", err)
	}
	return registration.Unregister, nil
}

// What is told of how long loads took.
var (
	loadCount = stats.Metric{Name: "load_duration.count", Help: "Loads whose duration is known."}
	loadSum   = stats.Metric{Name: "load_duration.sum", Unit: "seconds",
		Help: "Time that loads took in all."}
	loadP50 = stats.Metric{Name: "load_duration.p50", Unit: "seconds", Gauge: true,
		Help: "What half of all loads did not exceed."}
	loadP99 = stats.Metric{Name: "load_duration.p99", Unit: "seconds", Gauge: true,
		Help: "What 99 % of all loads did not exceed."}
)

// instrumented returns the metrics that have an instrument.
func instrumented() []stats.Metric {
	all := []stats.Metric{loadCount, loadSum, loadP50, loadP99}
	for _, m := range stats.Metrics() {
		if m.Name != stats.LoadDuration.Name {
			all = append(all, m)
		}
	}
	return all
}

// observer tells a meter of a set.
type observer struct {
	set         *stats.Set
	meter       metric.Meter
	instruments map[string]instrument // by name of the metric
	all         []metric.Observable
	err         error // of instrument
}

// instrument is a metric and what observes it.
type instrument struct {
	stats.Metric
	observable metric.Float64Observable
}

// instrument makes the instrument of a metric.
func (o *observer) instrument(m stats.Metric) {
	made, err := newInstrument(o.meter, m)
	if err != nil {
		o.err = errors.Join(o.err, fmt.Errorf("otel: instrument of %s: %w", m.Name, err))
		return
	}
	o.instruments[m.Name] = instrument{m, made}
	o.all = append(o.all, made)
}

func newInstrument(meter metric.Meter, m stats.Metric) (metric.Float64Observable, error) {
	name, help, unit := "cache."+m.Name, metric.WithDescription(m.Help), metric.WithUnit(unitOf(m))
	if m.Gauge {
		return meter.Float64ObservableGauge(name, help, unit)
	}
	return meter.Float64ObservableCounter(name, help, unit)
}

// unitOf returns the unit of a metric as UCUM writes it; things that are counted have none.
func unitOf(m stats.Metric) string {
	switch m.Unit {
	case "seconds":
		return "s"
	case "bytes":
		return "By"
	case "ratio":
		return "1"
	}
	return m.Unit
}

// observe is the callback. A part that panics fails this collection, not the program: it is called
// by a goroutine of the SDK.
func (o *observer) observe(_ context.Context, to metric.Observer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("otel: a part panicked: %v", p)
		}
	}()
	seen := map[series]bool{}
	for _, s := range o.set.Snapshots() {
		for _, sample := range withZeros(s, o.instruments) {
			id := series{valid(s.Name), valid(s.Kind), sample.Metric, valid(sample.Label)}
			i, known := o.instruments[sample.Metric]
			if known && i.takes(sample) && !seen[id] {
				seen[id] = true
				to.ObserveFloat64(i.observable, sample.Value, i.attributes(id))
			}
		}
	}
	return nil
}

// series tells series apart.
type series struct{ name, kind, metric, label string }

func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// attributes returns the attributes of a series.
func (i instrument) attributes(id series) metric.MeasurementOption {
	all := []attribute.KeyValue{
		attribute.String("cache.name", id.name), attribute.String("cache.kind", id.kind),
	}
	if i.Label != "" {
		all = append(all, attribute.String("cache."+i.Label, id.label))
	}
	return metric.WithAttributes(all...)
}

// takes reports whether a sample is one of the metric: a number that it can have, with a label if
// it has one.
func (i instrument) takes(s stats.Sample) bool {
	switch {
	case (i.Label == "") != (s.Label == ""), math.IsNaN(s.Value), math.IsInf(s.Value, 0):
		return false
	}
	return i.Gauge || s.Value >= 0
}

// withZeros returns the samples of a snapshot and of its durations, and zeros of all series of
// their metrics behind them: a rate is only right for a series that was there before it grew.
func withZeros(s stats.Snapshot, instruments map[string]instrument) []stats.Sample {
	all, done := append(samplesOf(s.Durations), s.Samples...), map[string]bool{}
	for _, sample := range all {
		i := instruments[sample.Metric]
		if done[sample.Metric] {
			continue
		}
		done[sample.Metric] = true
		for _, label := range i.Labels {
			all = append(all, i.Of(label, 0))
		}
	}
	return all
}

// samplesOf returns what is told of durations. Quantiles of nothing are not told.
func samplesOf(h *stats.Histogram) []stats.Sample {
	switch {
	case h == nil:
		return nil
	case h.Count == 0:
		return []stats.Sample{loadCount.Is(0), loadSum.Is(0)}
	}
	return []stats.Sample{
		loadCount.Is(float64(h.Count)), loadSum.Is(h.Sum),
		loadP50.Is(h.Quantile(0.5).Seconds()), loadP99.Is(h.Quantile(0.99).Seconds()),
	}
}
