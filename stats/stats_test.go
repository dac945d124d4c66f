// stats_test.go looks at what is reckoned from the samples of a snapshot.

package stats_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/stats"
)

// requests makes samples of requests from what they were answered with.
func requests(by map[string]float64) (all []stats.Sample) {
	for label, n := range by {
		all = append(all, stats.Requests.Of(label, n))
	}
	return all
}

func TestValueAndSumFindSeries(t *testing.T) {
	s := stats.Snapshot{Samples: []stats.Sample{
		stats.Entries.Is(7), stats.Loads.Of(stats.LoadOK, 5), stats.Loads.Of(stats.LoadError, 2),
	}}
	for _, c := range []struct {
		metric stats.Metric
		label  string
		value  float64
		ok     bool
		sum    float64
	}{
		{stats.Entries, "", 7, true, 7},
		{stats.Entries, "x", 0, false, 7},
		{stats.Loads, stats.LoadOK, 5, true, 7},
		{stats.Loads, "", 0, false, 7},
		{stats.Weight, "", 0, false, 0},
	} {
		value, ok := s.Value(c.metric, c.label)
		if value != c.value || ok != c.ok || s.Sum(c.metric) != c.sum {
			t.Errorf("%s %q: %v, %v, sum %v; want %v, %v, sum %v", c.metric.Name, c.label, value, ok,
				s.Sum(c.metric), c.value, c.ok, c.sum)
		}
	}
}

func TestHitRatioCountsWhatWaitedForNoLoad(t *testing.T) {
	for _, c := range []struct {
		by   map[string]float64
		want float64
		ok   bool
	}{
		{nil, 0, false},
		{map[string]float64{stats.Hit: 0, stats.Miss: 0}, 0, false},
		{map[string]float64{stats.Hit: 3, stats.Miss: 1}, 0.75, true},
		{map[string]float64{stats.Miss: 8}, 0, true},
		{map[string]float64{stats.Hit: 1, stats.Stale: 1, stats.Negative: 1, stats.Revalidated: 1,
			stats.Coalesced: 1, stats.Miss: 1, stats.Bypass: 1, stats.Failed: 1}, 0.5, true},
	} {
		ratio, ok := stats.Snapshot{Samples: requests(c.by)}.HitRatio()
		if ratio != c.want || ok != c.ok {
			t.Errorf("%v: %v, %v; want %v, %v", c.by, ratio, ok, c.want, c.ok)
		}
	}
}

func TestSavedIsHitsTimesTheMeanLoad(t *testing.T) {
	four := map[string]float64{stats.Hit: 3, stats.Stale: 1, stats.Miss: 4}
	for _, c := range []struct {
		by    map[string]float64
		loads *stats.Histogram
		want  time.Duration
	}{
		{four, nil, 0},
		{four, histogramOf(), 0},
		{nil, histogramOf(time.Second), 0},
		{map[string]float64{stats.Miss: 9}, histogramOf(time.Second), 0},
		{four, histogramOf(time.Second, 3*time.Second), 8 * time.Second},
		// A cache that has served for some years: 292 years are the most that a Duration can be.
		{map[string]float64{stats.Hit: 1e12, stats.Miss: 1}, histogramOf(time.Minute), math.MaxInt64},
	} {
		s := stats.Snapshot{Samples: requests(c.by), Durations: c.loads}
		if got := s.Saved(); got != c.want {
			t.Errorf("%v, %v: saved %v, want %v", c.by, c.loads, got, c.want)
		}
	}
}

func TestMetricsAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range stats.Metrics() {
		if m.Name == "" || m.Help == "" || seen[m.Name] {
			t.Errorf("metric %q is listed twice, or says too little: %q", m.Name, m.Help)
		}
		if seen[m.Name] = true; m.Label == "" && m.Labels != nil {
			t.Errorf("metric %q has values of a label, and no label", m.Name)
		}
	}
}

func TestInBytesTurnsWeightsIntoBytes(t *testing.T) {
	s := stats.Snapshot{Samples: []stats.Sample{
		stats.Entries.Is(2), stats.Weight.Is(30), stats.WeightLimit.Is(100),
	}}.InBytes()
	want := []stats.Sample{stats.Entries.Is(2), stats.Bytes.Is(30), stats.BytesLimit.Is(100)}
	if !slices.Equal(s.Samples, want) {
		t.Errorf("got %v, want %v", s.Samples, want)
	}
	if got := s.Of(stats.BytesLimit, stats.Entries); !slices.Equal(got, []stats.Sample{want[0], want[2]}) {
		t.Errorf("got %v, want the first and the last", got)
	}
}

func TestBestIsTheOwnPolicyUnlessAnotherHasEnoughMore(t *testing.T) {
	own := stats.PolicyPoint{Policy: "LRU", Ratio: 0.5}
	for _, c := range []struct {
		policies []stats.PolicyPoint
		want     string
	}{
		{nil, "LRU"},
		{[]stats.PolicyPoint{own}, "LRU"},
		{[]stats.PolicyPoint{{Policy: "LFU", Ratio: 0.502}, own}, "LRU"},
		{[]stats.PolicyPoint{{Policy: "LFU", Ratio: 0.51}, own}, "LFU"},
	} {
		curve := stats.Curve{Policy: own.Policy, Ratio: own.Ratio, Policies: c.policies}
		if got := curve.Best(0.005); got.Policy != c.want {
			t.Errorf("%v: got %v, want %s", c.policies, got, c.want)
		}
	}
}

func TestAtFindsTheFactorsOfACurve(t *testing.T) {
	curve := stats.Curve{Points: []stats.Point{{Factor: 0.5, Ratio: 0.3}, {Factor: 2, Ratio: 0.6}}}
	if ratio, ok := curve.At(2); ratio != 0.6 || !ok {
		t.Errorf("at 2: %v, %v; want 0.6", ratio, ok)
	}
	if ratio, ok := curve.At(3); ratio != 0 || ok {
		t.Errorf("at 3: %v, %v; want nothing", ratio, ok)
	}
}
