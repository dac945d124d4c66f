// sample_test.go measures how far samples are off, and whether they say so.

package sim_test

import (
	"context"
	"math"
	"testing"

	"github.com/larder-go/larder/sim"
)

func TestSampleOfLRUIsNearAndKnowsHowNear(t *testing.T) {
	cells, inside := 0, 0
	for seed := range uint64(8) {
		tr := zipf(100+seed, 400_000, 100_000, 0.9)
		exact, err := sim.LRUCurve(context.Background(), tr)
		if err != nil {
			t.Fatal(err)
		}
		sampled, err := sim.NewSample(tr, 0.05, uint32(seed)).LRU(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []uint64{1000, 3000, 10_000, 30_000, 80_000} {
			got, want := sampled.At(size), exact.At(size)
			if math.Abs(got.Ratio-want) > 0.02 {
				t.Errorf("seed %d, size %d: got %v, want %.4f", seed, size, got, want)
			}
			if cells++; math.Abs(got.Ratio-want) <= got.Within {
				inside++
			}
		}
	}
	if share := float64(inside) / float64(cells); share < 0.8 {
		t.Errorf("%d of %d are as near as they say", inside, cells)
	}
}

func TestSampleFindsTheSize(t *testing.T) {
	tr := zipf(7, 400_000, 100_000, 0.9)
	exact, err := sim.LRUCurve(context.Background(), tr)
	if err != nil {
		t.Fatal(err)
	}
	sampled, err := sim.NewSample(tr, 0.1, 3).LRU(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, ratio := range []float64{0.4, 0.5, 0.6} {
		want, _ := exact.SizeFor(ratio)
		got, ok := sampled.SizeFor(ratio)
		off := float64(got.Size)/float64(want) - 1
		if !ok || math.Abs(off) > 0.15 || got.Low > got.Size || got.High < got.Size {
			t.Errorf("%v: got %v, %v, want %d", ratio, got, ok, want)
		}
	}
	if got, ok := sampled.SizeFor(0.99); ok {
		t.Errorf("0.99: got %v, want none", got)
	}
}

func TestSmallSimulationsAreNear(t *testing.T) {
	tr := zipf(8, 400_000, 100_000, 0.9)
	sample := sim.NewSample(tr, 0.05, 1)
	for _, name := range []string{"lru", "fifo", "sieve", "lfu"} {
		for _, size := range []uint64{4000, 20_000} {
			whole, err := sim.Replay(context.Background(), tr, named(t, name), size)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sample.Replay(context.Background(), named(t, name), size)
			if want := whole.HitRatio(); err != nil || math.Abs(got.Ratio-want) > 0.02 {
				t.Errorf("%s at %d: got %v, %v, want %.4f", name, size, got, err, want)
			}
		}
	}
}

func TestFindSizeIsWithinItsPrecision(t *testing.T) {
	for _, want := range []uint64{1, 2, 3, 10, 999, 123_456, 1_000_000} {
		calls := 0
		got, ok, err := sim.FindSize(0.5, 1_000_000, func(size uint64) (sim.Estimate, error) {
			calls++
			return sim.Estimate{Ratio: 0.5 * float64(size) / float64(want)}, nil
		})
		if err != nil || !ok || got.Size < want || float64(got.Size) > 1.005*float64(want)+1 {
			t.Errorf("got %v, %v, %v, want %d", got, ok, err, want)
		}
		if got.Low != got.Size || got.High != got.Size || calls > 30 {
			t.Errorf("got %v after %d calls, want one size", got, calls)
		}
	}
	got, ok, err := sim.FindSize(0.5, 100, func(size uint64) (sim.Estimate, error) {
		return sim.Estimate{Ratio: float64(size) / 150, Within: 0.2}, nil
	})
	if want := (sim.Range{Size: 75, Low: 45}); got != want || !ok || err != nil {
		t.Errorf("got %v, %v, %v, want %v", got, ok, err, want)
	}
}
