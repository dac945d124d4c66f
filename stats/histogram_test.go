// histogram_test.go holds the buckets against those of Prometheus, and quantiles against exact ones.

package stats_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/stats"
)

// halfBucket is how far a quantile may be off, as a factor.
var halfBucket = math.Exp2(0.5 / stats.PerOctave)

const (
	shortest = 954 * time.Nanosecond // the first bucket holds what is shorter
	longest  = 4096 * time.Second    // the last bucket holds what is longer
)

// random returns where a random test begins: LARDER_SEED, or one that is always the same.
func random(t *testing.T) *rand.Rand {
	n, err := strconv.ParseUint(os.Getenv("LARDER_SEED"), 10, 64)
	if err != nil {
		n = 2026
	}
	t.Logf("LARDER_SEED=%d", n)
	return rand.New(rand.NewPCG(n, 8))
}

func histogramOf(all ...time.Duration) *stats.Histogram {
	var d stats.Durations
	for _, took := range all {
		d.Add(took)
	}
	return d.Histogram()
}

// schema2 returns the bound of a bucket of a native histogram of Prometheus, which has four bounds
// in each power of 2: they are written down there, not computed.
func schema2(index int) float64 {
	fractions := []float64{0.5, 0.5946035575013605, 0.7071067811865475, 0.8408964152537144}
	octave, quarter := index>>2, index&3
	return math.Ldexp(fractions[quarter], octave+1)
}

func TestBucketsAreThoseOfSchema2OfPrometheus(t *testing.T) {
	for index := -80; index <= 48; index++ {
		want := schema2(index)
		if got := (stats.Bucket{Index: index}).Bound(); math.Abs(got/want-1) > 1e-15 {
			t.Errorf("bucket %d ends at %v s, want %v s", index, got, want)
		}
	}
	if got := (stats.Bucket{Index: 49}).Bound(); !math.IsInf(got, 1) {
		t.Errorf("the last bucket ends at %v s, and should have no end", got)
	}
}

// TestDurationsFallIntoTheirBuckets looks at the nanoseconds around each bound: what is at most the
// bound belongs below it.
func TestDurationsFallIntoTheirBuckets(t *testing.T) {
	for index := -80; index <= 48; index++ {
		below := time.Duration(math.Floor(schema2(index) * 1e9)) // no bound but 2^n s is whole
		for _, c := range []struct {
			took time.Duration
			want int
		}{{below, index}, {below + 1, index + 1}} {
			b := histogramOf(c.took).Buckets
			if len(b) != 1 || b[0].Index != c.want || b[0].Count != 1 {
				t.Errorf("%v fell into %v, want bucket %d", c.took, b, c.want)
			}
		}
	}
}

func TestExtremeDurationsAreCounted(t *testing.T) {
	for _, c := range []struct {
		took, sum time.Duration
		index     int
	}{
		{math.MinInt64, 0, -80},
		{-time.Hour, 0, -80},
		{0, 0, -80},
		{1, 1, -80},
		{953, 953, -80},
		{time.Second, time.Second, 0},
		{longest, longest, 48},
		{longest + 1, longest + 1, 49},
		{math.MaxInt64, math.MaxInt64, 49},
	} {
		h := histogramOf(c.took)
		if h.Count != 1 || h.Sum != c.sum.Seconds() {
			t.Errorf("%d: count %d, sum %v; want 1, %v", c.took, h.Count, h.Sum, c.sum.Seconds())
		}
		if len(h.Buckets) != 1 || h.Buckets[0].Index != c.index {
			t.Errorf("%d fell into %v, want bucket %d", c.took, h.Buckets, c.index)
		}
		if _, err := json.Marshal(h); err != nil {
			t.Errorf("%d: %v", c.took, err)
		}
		if mean := h.Mean(); mean < 0 || mean > 0 && c.sum == 0 {
			t.Errorf("%d: the mean is %v", c.took, mean)
		}
	}
}

// TestSumsStayAtTheMost is about many loads at once: a thousand that wait all the time take 292
// years, the most that a Duration can be, in a hundred days.
func TestSumsStayAtTheMost(t *testing.T) {
	h := histogramOf(math.MaxInt64, math.MaxInt64, time.Hour, math.MaxInt64)
	if most := time.Duration(math.MaxInt64).Seconds(); h.Sum != most || h.Count != 4 {
		t.Errorf("count %d, sum %v; want 4, %v", h.Count, h.Sum, most)
	}
	if h.Mean() <= 0 {
		t.Errorf("the mean is %v", h.Mean())
	}
}

func TestQuantilesOfNothingAreZero(t *testing.T) {
	for _, h := range []*stats.Histogram{nil, histogramOf()} {
		if h.Quantile(0.5) != 0 || h.Mean() != 0 {
			t.Errorf("%v: quantile %v, mean %v", h, h.Quantile(0.5), h.Mean())
		}
	}
	if n := histogramOf().AtMost(49); n != 0 {
		t.Errorf("%d of nothing", n)
	}
}

// TestQuantilesBeyondTheLastBoundAreAtLeastThatBound says that a duration is not called shorter than
// its bucket is.
func TestQuantilesBeyondTheLastBoundAreAtLeastThatBound(t *testing.T) {
	h := histogramOf(2*longest, time.Second, 3*longest)
	for _, q := range []float64{0.5, 0.99, 1} {
		if got := h.Quantile(q); got != longest {
			t.Errorf("quantile %v is %v, want %v", q, got, longest)
		}
	}
}

// exactQuantile returns the smallest duration that a share q of all did not exceed.
func exactQuantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

func TestQuantilesAreWithinHalfABucket(t *testing.T) {
	r := random(t)
	for name, draw := range map[string]func() float64{ // seconds
		"uniform":      func() float64 { return r.Float64() },
		"exponential":  func() float64 { return 0.01 * r.ExpFloat64() },
		"lognormal":    func() float64 { return math.Exp(3*r.NormFloat64() - 6) },
		"two humps":    func() float64 { return []float64{0.0002, 2}[r.IntN(2)] * (1 + r.Float64()) },
		"all the same": func() float64 { return 0.0371 },
		"pareto":       func() float64 { return 1e-5 * math.Pow(r.Float64(), -1/1.2) },
	} {
		for _, n := range []int{1, 2, 3, 10, 1000, 30_000} {
			all := make([]time.Duration, n)
			for i := range all {
				took := time.Duration(draw() * float64(time.Second))
				all[i] = min(max(took, shortest), longest)
			}
			h := histogramOf(all...)
			slices.Sort(all)
			for _, q := range []float64{0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
				got, want := h.Quantile(q), exactQuantile(all, q)
				if off := float64(got) / float64(want); off > halfBucket*1.001 || off < 0.999/halfBucket {
					t.Errorf("%s, %d durations: quantile %v is %v, want %v", name, n, q, got, want)
				}
			}
		}
	}
}

func TestAtMostCountsUpToABound(t *testing.T) {
	h := histogramOf(time.Second, time.Second, time.Second+1, 2*time.Second, 2*longest)
	for index, want := range map[int]uint64{-80: 0, -1: 0, 0: 2, 1: 3, 4: 4, 48: 4, 49: 5} {
		if got := h.AtMost(index); got != want {
			t.Errorf("%d were at most bucket %d, want %d", got, index, want)
		}
	}
}

func TestAllGoroutinesAreCounted(t *testing.T) {
	const goroutines, each = 16, 2000
	var d stats.Durations
	var all sync.WaitGroup
	for i := range goroutines {
		all.Go(func() {
			for j := range each {
				d.Add(time.Duration(i*each+j) * time.Microsecond)
				if j%100 == 0 {
					d.Histogram().Quantile(0.5)
				}
			}
		})
	}
	all.Wait()
	const n = goroutines * each
	h := d.Histogram()
	if want := float64(n*(n-1)/2) / 1e6; h.Count != n || math.Abs(h.Sum-want) > 1e-6 {
		t.Errorf("count %d, sum %v; want %d, %v", h.Count, h.Sum, n, want)
	}
}
