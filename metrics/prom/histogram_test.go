// histogram_test.go compares our histogram with one of the client library.

package prom_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// theirs returns a histogram of the client library with the buckets of ours.
func theirs() prometheus.Histogram {
	var bounds []float64
	for _, exponent := range []int{-16, -12, -10, -8, -7, -6, -5, -4, -3, -2, -1, 0, 2, 4, 6, 10} {
		bounds = append(bounds, math.Exp2(float64(exponent)))
	}
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "theirs", Help: "Theirs.", Buckets: bounds,
		NativeHistogramBucketFactor:  1.19, // schema 2
		NativeHistogramZeroThreshold: math.Exp2(-20),
	})
}

// written returns what a histogram of durations is written as, without the time of its creation,
// which stats do not know.
func written(t *testing.T, durations *stats.Durations) *dto.Histogram {
	t.Helper()
	users := fixed{Name: "users", Kind: stats.Memory, Durations: durations.Histogram()}
	families := gather(t, prom.New(stats.NewSet(users), prom.Options{}))
	return families["cache_load_duration_seconds"].Metric[0].Histogram
}

func TestTheHistogramIsThatOfTheClientLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 50, 5000} {
		ours, want := &stats.Durations{}, theirs()
		for range n {
			// 0.1 µs to 17 min, most of them between
			took := time.Duration(math.Exp2(random.NormFloat64()*6+20)) % time.Hour
			ours.Add(took)
			want.Observe(took.Seconds())
		}
		ours.Add(time.Second) // bounds belong to the buckets below them
		want.Observe(1)
		var theirs dto.Metric
		if err := want.Write(&theirs); err != nil {
			t.Fatal(err)
		}
		theirs.Histogram.CreatedTimestamp = nil
		got := written(t, ours)
		if math.Abs(got.GetSampleSum()-theirs.Histogram.GetSampleSum()) > 1e-6*float64(n) {
			t.Errorf("the sum is %v, want %v", got.GetSampleSum(), theirs.Histogram.GetSampleSum())
		}
		got.SampleSum = theirs.Histogram.SampleSum
		if g, w := nativeOf(t, got), nativeOf(t, theirs.Histogram); !maps.Equal(g, w) {
			t.Errorf("%d durations: native buckets %v, want %v", n, g, w)
		}
		if !proto.Equal(got, theirs.Histogram) {
			t.Errorf("%d durations: got\n%v\nwant\n%v", n, got, theirs.Histogram)
		}
	}
}

// nativeOf takes the native buckets out of a histogram and returns the counts of those that are not
// empty, by index: the library also writes short gaps.
func nativeOf(t *testing.T, h *dto.Histogram) map[int32]int64 {
	t.Helper()
	counts, index, count, deltas := map[int32]int64{}, int32(0), int64(0), h.PositiveDelta
	for _, span := range h.PositiveSpan {
		index += span.GetOffset()
		for range span.GetLength() {
			if count += deltas[0]; count > 0 {
				counts[index] = count
			}
			index, deltas = index+1, deltas[1:]
		}
	}
	if len(deltas) > 0 {
		t.Errorf("%d buckets are in no span", len(deltas))
	}
	h.PositiveSpan, h.PositiveDelta = nil, nil
	return counts
}

// TestTheEndsOfTheHistogramAreThoseOfStats keeps ours to the buckets that are counted.
func TestTheEndsOfTheHistogramAreThoseOfStats(t *testing.T) {
	durations := &stats.Durations{}
	durations.Add(0)
	durations.Add(1000 * time.Hour)
	durations.Add(68 * time.Minute) // the bucket before
	h := written(t, durations)
	if got := h.GetZeroCount(); got != 1 || h.GetZeroThreshold() != math.Exp2(-20) {
		t.Errorf("%d durations up to %v s, want 1", got, h.GetZeroThreshold())
	}
	if got := h.PositiveSpan[0].GetOffset(); got != 48 || len(h.PositiveSpan) != 1 {
		t.Errorf("what took long is in %v, want 48 and 49", h.PositiveSpan)
	}
	if got := h.Bucket[len(h.Bucket)-1].GetCumulativeCount(); got != 1 || h.GetSampleCount() != 3 {
		t.Errorf("%d of %d durations in the classic buckets, want 1 of 3", got, h.GetSampleCount())
	}
}
