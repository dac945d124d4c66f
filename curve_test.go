// curve_test.go compares what a cache predicts of itself with what happens.

package larder_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

// replayed runs a trace through a cache of size that observes itself, and returns it.
func replayed(tb testing.TB, t *trace.Trace, size int) *larder.Cache[uint32, uint32] {
	c := larder.New(larder.Options[uint32, uint32]{
		MaxEntries: size, Observe: true,
		Load: func(_ context.Context, k uint32) (uint32, error) { return k, nil },
	})
	tb.Cleanup(func() { c.Close() })
	for _, k := range t.Keys {
		if _, err := c.Get(ctx, k); err != nil {
			tb.Fatal(err)
		}
	}
	return c
}

// hitRatioOf runs a trace through a cache of a size.
func hitRatioOf(t *trace.Trace, size int, p policy.New) float64 {
	c := larder.New(larder.Options[uint32, uint32]{
		MaxEntries: max(size, 1), Policy: p,
		Load: func(_ context.Context, k uint32) (uint32, error) { return k, nil },
	})
	defer c.Close()
	for _, k := range t.Keys {
		c.Get(ctx, k)
	}
	return c.Stats().HitRatio()
}

// checkCurve compares what a cache of a size predicts on a trace with what happens.
func checkCurve(t *testing.T, tr *trace.Trace, size int) {
	t.Helper()
	c := replayed(t, tr, size)
	curve, ok := c.Curve()
	if !ok {
		t.Errorf("size %d: there is no curve", size)
		return
	}
	line := fmt.Sprintf("size %5d: has %.2f, measured %.2f, seen %d of %d at 1/%.0f", size, 100*curve.Ratio,
		100*c.Stats().HitRatio(), curve.Seen, len(tr.Keys), 1/curve.Rate)
	for _, factor := range []float64{0.5, 2} {
		predicted, _ := curve.At(factor)
		real := hitRatioOf(tr, int(factor*float64(size)), nil)
		line += fmt.Sprintf("; %gx %.2f, predicted %+.2f", factor, 100*real, 100*(predicted-real))
		if off := math.Abs(predicted - real); off > 0.015 {
			line += "!!"
			t.Errorf("size %d: %gx is predicted %.2f %%, and has %.2f %%", size, factor,
				100*predicted, 100*real)
		}
	}
	best, named := checkPolicies(tr, size, curve.Best(0.003).Policy)
	line += fmt.Sprintf("; best policy %.2f, %s has %.2f", 100*best, curve.Best(0.003).Policy, 100*named)
	if best-named > 0.01 {
		t.Errorf("size %d: %s is named, which has %.2f %%; the best has %.2f %%", size,
			curve.Best(0.003).Policy, 100*named, 100*best)
	}
	t.Log(line)
}

// checkPolicies returns the ratio of the best policy, and that of the one with a name.
func checkPolicies(tr *trace.Trace, size int, name string) (best, named float64) {
	for _, p := range policy.All() {
		r, err := sim.Replay(context.Background(), tr, p, uint64(size))
		if err != nil {
			panic(err)
		}
		best = max(best, r.HitRatio())
		if p.Name == name {
			named = r.HitRatio()
		}
	}
	return best, named
}

func TestExperimentCurve(t *testing.T) {
	files, _ := filepath.Glob("/work/shared/traces/*.gz")
	more, _ := filepath.Glob("/work/shared/traces/more/*.u64.gz")
	for _, f := range append(files, more...) {
		tr := readRaw(t, f)
		if len(tr.Keys) < 50000 || testing.Short() && len(tr.Keys) > 1000000 {
			continue
		}
		t.Run(filepath.Base(f), func(t *testing.T) {
			for _, pct := range []int{1, 5, 10, 25} {
				if size := tr.Distinct * pct / 100; size >= 16 {
					checkCurve(t, tr, size)
				}
			}
		})
	}
	runtime.GC()
	_ = rand.Int
	_ = os.Stdout
}
