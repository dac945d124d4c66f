// histogram.go hands over how long loads took, in buckets for every age of Prometheus.

package prom

import (
	"cmp"
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/larder-go/larder/stats"
)

// The buckets of package stats are those of a native histogram of schema 2, which has 2^2 to the
// octave: their indexes are the same.
const (
	schema  = 2
	lowest  = -20 * stats.PerOctave // the bucket that begins at 0
	highest = 12*stats.PerOctave + 1
)

// classic are the bounds of the classic buckets, as powers of two of a second: 15 µs to 17 min, by
// the octave between 4 ms and 1 s, where databases and web servers answer. Each is also a bound of
// the finer buckets, so that nothing is guessed.
var classic = [...]int{-16, -12, -10, -8, -7, -6, -5, -4, -3, -2, -1, 0, 2, 4, 6, 10}

// histogram implements prometheus.Metric with both kinds of buckets. Clients get those they asked
// for.
type histogram struct {
	desc   *prometheus.Desc
	labels []string
	counts stats.Histogram // tidy
}

// tidy returns a copy of a histogram whose buckets are in order and add up; ok is false if there is
// none, or if it is not one of durations.
func tidy(h *stats.Histogram) (tidied stats.Histogram, ok bool) {
	if h == nil || !(h.Sum >= 0) || math.IsInf(h.Sum, 1) {
		return tidied, false
	}
	tidied.Sum = h.Sum
	byIndex := func(a, b stats.Bucket) int { return cmp.Compare(a.Index, b.Index) }
	for _, b := range slices.SortedFunc(slices.Values(h.Buckets), byIndex) {
		b.Index = min(max(b.Index, lowest), highest)
		tidied.Count += b.Count
		if last := len(tidied.Buckets) - 1; last >= 0 && tidied.Buckets[last].Index == b.Index {
			tidied.Buckets[last].Count += b.Count
		} else if b.Count > 0 {
			tidied.Buckets = append(tidied.Buckets, b)
		}
	}
	return tidied, true
}

// Desc implements prometheus.Metric.
func (h histogram) Desc() *prometheus.Desc { return h.desc }

// Write implements prometheus.Metric.
func (h histogram) Write(out *dto.Metric) error {
	out.Label = prometheus.MakeLabelPairs(h.desc, h.labels)
	out.Histogram = &dto.Histogram{SampleCount: new(h.counts.Count), SampleSum: new(h.counts.Sum)}
	for _, exponent := range classic {
		out.Histogram.Bucket = append(out.Histogram.Bucket, &dto.Bucket{
			CumulativeCount: new(h.counts.AtMost(exponent * stats.PerOctave)),
			UpperBound:      new(math.Exp2(float64(exponent))),
		})
	}
	h.writeNative(out.Histogram)
	return nil
}

// writeNative adds the native buckets: the first one, which begins at 0, is the bucket of zeros;
// the others are spans without gaps, of counts each given by what it has more than the one before.
func (h histogram) writeNative(out *dto.Histogram) {
	out.Schema, out.ZeroCount = new(int32(schema)), new(uint64(0))
	out.ZeroThreshold = new(stats.Bucket{Index: lowest}.Bound())
	next, count := 0, int64(0)
	for _, b := range h.counts.Buckets {
		if b.Index == lowest {
			out.ZeroCount = new(b.Count)
			continue
		}
		if len(out.PositiveSpan) == 0 || b.Index > next {
			span := &dto.BucketSpan{Offset: new(int32(b.Index - next)), Length: new(uint32(0))}
			out.PositiveSpan = append(out.PositiveSpan, span) // the first one begins at its offset
		}
		*out.PositiveSpan[len(out.PositiveSpan)-1].Length++
		out.PositiveDelta = append(out.PositiveDelta, int64(b.Count)-count)
		next, count = b.Index+1, int64(b.Count)
	}
}
