// bench_test.go measures requests per second: 5 million of them, zipf 0.9 over a million keys.

package sim_test

import (
	"context"
	"sync"
	"testing"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

var large = sync.OnceValue(func() *trace.Trace { return zipf(1, 5_000_000, 1_000_000, 0.9) })

func rate(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

func BenchmarkReplay(b *testing.B) {
	for _, p := range policy.All() {
		b.Run(p.Name, func(b *testing.B) {
			t := large()
			for b.Loop() {
				if _, err := sim.Replay(context.Background(), t, p, 100_000); err != nil {
					b.Fatal(err)
				}
			}
			rate(b, len(t.Keys))
		})
	}
}

func BenchmarkOptimum(b *testing.B) {
	t := large()
	for b.Loop() {
		if _, err := sim.Optimum(context.Background(), t, []uint64{100_000}); err != nil {
			b.Fatal(err)
		}
	}
	rate(b, len(t.Keys))
}

func BenchmarkLRUCurve(b *testing.B) {
	t := large()
	for b.Loop() {
		if _, err := sim.LRUCurve(context.Background(), t); err != nil {
			b.Fatal(err)
		}
	}
	rate(b, len(t.Keys))
}

func BenchmarkSample(b *testing.B) {
	t := large()
	exact, err := sim.LRUCurve(context.Background(), t)
	if err != nil {
		b.Fatal(err)
	}
	var sampled *sim.SampledCurve
	for b.Loop() {
		if sampled, err = sim.NewSample(t, 0.01, 1).LRU(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	worst := 0.0
	for size := uint64(10_000); size < 1_000_000; size *= 2 {
		off := sampled.At(size).Ratio - exact.At(size)
		worst = max(worst, off, -off)
	}
	b.ReportMetric(100*worst, "points")
}
