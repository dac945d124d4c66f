// histogram.go counts durations in buckets that grow by a quarter of an octave.

package stats

import (
	"math"
	"sync/atomic"
	"time"
)

// PerOctave is how many buckets of a histogram double its bound: a quantile is off by at most 9 %.
// It is the schema 2 of the native histograms of Prometheus, whose bounds are 2^(n/4) seconds.
const PerOctave = 4

const (
	lowest  = -80 // the bound of the first bucket is 2^(lowest/4) s, 0.95 µs
	highest = 48  // that of the last one but one 2^(highest/4) s, 68 min
	buckets = highest - lowest + 2
)

// Durations counts durations. The zero value is empty and ready. Any number of goroutines may use
// it, without a lock.
type Durations struct {
	counts [buckets]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

// Add counts a duration; what is negative counts as 0. The sum stays at the most that a Duration can
// be: a thousand loads at a time are 292 years after a hundred days.
func (d *Durations) Add(took time.Duration) {
	if d.sum.Add(int64(max(took, 0))) < 0 {
		d.sum.Store(math.MaxInt64)
	}
	d.counts[bucketOf(took)].Add(1)
}

// bucketOf returns the first bucket whose bound is at least took.
func bucketOf(took time.Duration) int {
	if took <= 0 {
		return 0
	}
	n := int(math.Ceil(math.Log2(took.Seconds()) * PerOctave))
	return min(max(n-lowest, 0), buckets-1)
}

// Histogram returns what was counted.
func (d *Durations) Histogram() *Histogram {
	h := &Histogram{Sum: time.Duration(d.sum.Load()).Seconds()}
	for i := range d.counts {
		if n := d.counts[i].Load(); n > 0 {
			h.Count += n
			h.Buckets = append(h.Buckets, Bucket{Index: lowest + i, Count: n})
		}
	}
	return h
}

// Histogram is how long things took.
type Histogram struct {
	Count   uint64   `json:"count"`
	Sum     float64  `json:"sum"`     // seconds
	Buckets []Bucket `json:"buckets"` // those that are not empty, from the shortest on
}

// Bucket counts durations above 2^((Index-1)/4) up to 2^(Index/4) seconds. The first bucket begins
// at 0, and the last one, whose Index is 49, has no end.
type Bucket struct {
	Index int    `json:"index"`
	Count uint64 `json:"count"`
}

// Bound returns the upper end of the bucket in seconds.
func (b Bucket) Bound() float64 {
	if b.Index > highest {
		return math.Inf(1)
	}
	return math.Exp2(float64(b.Index) / PerOctave)
}

// Mean returns the mean duration, 0 if there was none.
func (h *Histogram) Mean() time.Duration {
	if h == nil || h.Count == 0 {
		return 0
	}
	return seconds(h.Sum / float64(h.Count))
}

// Quantile returns the duration that a share q of all, from 0 to 1, did not exceed, to within half
// a bucket; 0 if there was none. What fell into the last bucket is told as the bound where it begins.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h == nil || h.Count == 0 {
		return 0
	}
	left := q * float64(h.Count)
	for _, b := range h.Buckets {
		if left -= float64(b.Count); left <= 0 {
			return seconds(math.Exp2(min(float64(b.Index)-0.5, highest) / PerOctave))
		}
	}
	return seconds(math.Exp2(highest / PerOctave))
}

// AtMost returns how many durations did not exceed the bound of a bucket with that index.
func (h *Histogram) AtMost(index int) (n uint64) {
	for _, b := range h.Buckets {
		if b.Index <= index {
			n += b.Count
		}
	}
	return n
}

// seconds returns s seconds, or the most that a Duration can be.
func seconds(s float64) time.Duration {
	if s *= float64(time.Second); s < math.MaxInt64 {
		return time.Duration(s)
	}
	return math.MaxInt64
}
