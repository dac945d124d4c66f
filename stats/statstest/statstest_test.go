// statstest_test.go shows the suite snapshots that are wrong.

package statstest_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
)

// listener notes what is wrong, instead of failing.
type listener struct {
	testing.TB
	heard []string
}

func (l *listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) {
	l.heard = append(l.heard, fmt.Sprintf(format, args...))
}

func good() stats.Snapshot {
	var d stats.Durations
	d.Add(1e6)
	d.Add(1e9)
	return stats.Snapshot{Name: "n", Kind: stats.Memory, Durations: d.Histogram(),
		Samples: []stats.Sample{
			stats.Requests.Of(stats.Hit, 2), stats.Requests.Of(stats.Miss, 1), stats.Entries.Is(3),
		}}
}

func TestCheckFindsWhatNoSnapshotMayHave(t *testing.T) {
	statstest.Check(t, good())
	for name, spoil := range map[string]func(s *stats.Snapshot){
		"no name":           func(s *stats.Snapshot) { s.Name = "" },
		"no kind":           func(s *stats.Snapshot) { s.Kind = "" },
		"an unknown metric": func(s *stats.Snapshot) { s.Samples[2].Metric = "thoughts" },
		"a series too many": func(s *stats.Snapshot) { s.Samples[2].Label = "old" },
		"no series":         func(s *stats.Snapshot) { s.Samples[0].Label = "" },
		"a series twice":    func(s *stats.Snapshot) { s.Samples[1].Label = stats.Hit },
		"an unknown series": func(s *stats.Snapshot) { s.Samples[2] = stats.Loads.Of("maybe", 1) },
		"some of its series": func(s *stats.Snapshot) {
			s.Samples[2] = stats.Loads.Of(stats.LoadOK, 1)
		},
		"less than nothing": func(s *stats.Snapshot) { s.Samples[0].Value = -1 },
		"no number":         func(s *stats.Snapshot) { s.Samples[0].Value = math.NaN() },
		"no end":            func(s *stats.Snapshot) { s.Samples[0].Value = math.Inf(1) },
		"a duration lost":   func(s *stats.Snapshot) { s.Durations.Count++ },
		"buckets in disorder": func(s *stats.Snapshot) {
			s.Durations.Buckets[0].Index = s.Durations.Buckets[1].Index
		},
	} {
		s, l := good(), &listener{}
		spoil(&s)
		if statstest.Check(l, s); len(l.heard) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestCheckGrowthFindsWhatFell(t *testing.T) {
	more := good()
	more.Samples[0].Value++
	more.Samples[2].Value = 0 // a gauge
	statstest.CheckGrowth(t, good(), more)
	for name, spoil := range map[string]func(s *stats.Snapshot){
		"a counter that fell": func(s *stats.Snapshot) { s.Samples[0].Value = 1 },
		"a series that left":  func(s *stats.Snapshot) { s.Samples = s.Samples[:2] },
		"another order": func(s *stats.Snapshot) {
			s.Samples[0], s.Samples[1] = s.Samples[1], s.Samples[0]
		},
		"durations that left": func(s *stats.Snapshot) { s.Durations = nil },
		"fewer durations":     func(s *stats.Snapshot) { s.Durations.Count = 1 },
	} {
		s, l := good(), &listener{}
		spoil(&s)
		if statstest.CheckGrowth(l, good(), s); len(l.heard) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestExpectComparesNumbers(t *testing.T) {
	statstest.Expect(t, good(), statstest.Numbers{"requests hit": 2, "entries": 3})
	l := &listener{}
	statstest.Expect(l, good(), statstest.Numbers{"requests hit": 3, "used": 1})
	if len(l.heard) != 2 {
		t.Errorf("heard %q, want two", l.heard)
	}
}
