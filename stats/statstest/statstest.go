// statstest.go holds what is true of every snapshot, whichever part has made it.

// Package statstest checks what parts report.
package statstest

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/larder-go/larder/stats"
)

// Numbers are the samples of a snapshot: the metric, and after a space the series if there are
// several, such as "requests hit" or "entries".
type Numbers map[string]float64

// Of asks a source twice, and fails t if [Check] or [CheckGrowth] finds something. It returns the
// second snapshot.
func Of(t testing.TB, source stats.Source) stats.Snapshot {
	t.Helper()
	before, after := source.Snapshot(), source.Snapshot()
	Check(t, before)
	Check(t, after)
	CheckGrowth(t, before, after)
	return after
}

// Expect fails t if s has not the samples that are wanted. Others do not matter.
func Expect(t testing.TB, s stats.Snapshot, want Numbers) {
	t.Helper()
	got := numbers(s)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch n, ok := got[name]; {
		case !ok:
			t.Errorf("%s %q does not report %q", s.Kind, s.Name, name)
		case n != want[name]:
			t.Errorf("%s %q: %s is %v, want %v", s.Kind, s.Name, name, n, want[name])
		}
	}
}

// Check fails t if s is not as every snapshot has to be: with a name and a kind; of known metrics
// alone, each series once, all series of a metric or none, no number below zero or none at all.
func Check(t testing.TB, s stats.Snapshot) {
	t.Helper()
	if s.Name == "" || s.Kind == "" {
		t.Errorf("a snapshot of kind %q is called %q", s.Kind, s.Name)
	}
	seen := map[string]bool{}
	for _, sample := range s.Samples {
		checkSample(t, s, sample)
		if name := nameOf(sample); seen[name] {
			t.Errorf("%s %q reports %q twice", s.Kind, s.Name, name)
		} else {
			seen[name] = true
		}
	}
	checkSeries(t, s)
	checkHistogram(t, s)
}

func checkSample(t testing.TB, s stats.Snapshot, sample stats.Sample) {
	t.Helper()
	name := nameOf(sample)
	m, ok := metric(sample.Metric)
	switch {
	case !ok:
		t.Errorf("%s %q: %q is no metric", s.Kind, s.Name, name)
	case (m.Label == "") != (sample.Label == ""):
		t.Errorf("%s %q: %q has a series, or lacks one", s.Kind, s.Name, name)
	case m.Labels != nil && !slices.Contains(m.Labels, sample.Label):
		t.Errorf("%s %q: %q is none of %q", s.Kind, s.Name, name, m.Labels)
	}
	if !(sample.Value >= 0) || math.IsInf(sample.Value, 0) {
		t.Errorf("%s %q: %s is %v", s.Kind, s.Name, name, sample.Value)
	}
}

// checkSeries fails t if s has some of the series of a metric without the others.
func checkSeries(t testing.TB, s stats.Snapshot) {
	t.Helper()
	got := numbers(s)
	for _, m := range stats.Metrics() {
		has := func(label string) bool {
			_, ok := got[m.Name+" "+label]
			return ok
		}
		if slices.ContainsFunc(m.Labels, has) {
			for _, label := range m.Labels {
				if !has(label) {
					t.Errorf("%s %q reports %s without %s", s.Kind, s.Name, m.Name, label)
				}
			}
		}
	}
}

func checkHistogram(t testing.TB, s stats.Snapshot) {
	t.Helper()
	h := s.Durations
	if h == nil {
		return
	}
	sum := uint64(0)
	for i, b := range h.Buckets {
		sum += b.Count
		if b.Count == 0 || i > 0 && b.Index <= h.Buckets[i-1].Index {
			t.Errorf("%s %q: bucket %d of the durations: %+v", s.Kind, s.Name, i, b)
		}
	}
	if sum != h.Count || !(h.Sum >= 0) || math.IsInf(h.Sum, 0) {
		t.Errorf("%s %q: %d durations, %d in buckets, %v s", s.Kind, s.Name, h.Count, sum, h.Sum)
	}
}

// CheckGrowth fails t if a counter went down between two snapshots of a part, or a series is
// missing that was there before, or stands in another order.
func CheckGrowth(t testing.TB, before, after stats.Snapshot) {
	t.Helper()
	left := after.Samples
	for _, b := range before.Samples {
		m, _ := metric(b.Metric)
		if m.Gauge && m.Label != "" && m.Labels == nil {
			continue // predictions may come in any order
		}
		at := slices.IndexFunc(left, func(a stats.Sample) bool { return nameOf(a) == nameOf(b) })
		if at < 0 {
			t.Errorf("%s %q: %s left, or moved", after.Kind, after.Name, nameOf(b))
			continue
		}
		if !m.Gauge && left[at].Value < b.Value {
			t.Errorf("%s %q: %s fell from %v to %v", after.Kind, after.Name, nameOf(b), b.Value,
				left[at].Value)
		}
		left = left[at+1:]
	}
	if b, a := before.Durations, after.Durations; b != nil &&
		(a == nil || a.Count < b.Count || a.Sum < b.Sum) {
		t.Errorf("%s %q: durations fell from %+v to %+v", after.Kind, after.Name, b, a)
	}
}

func numbers(s stats.Snapshot) Numbers {
	all := Numbers{}
	for _, sample := range s.Samples {
		all[nameOf(sample)] = sample.Value
	}
	return all
}

func nameOf(s stats.Sample) string {
	if s.Label == "" {
		return s.Metric
	}
	return s.Metric + " " + s.Label
}

func metric(name string) (m stats.Metric, ok bool) {
	all := stats.Metrics()
	at := slices.IndexFunc(all, func(m stats.Metric) bool { return m.Name == name })
	if at < 0 {
		return m, false
	}
	return all[at], true
}
