// observe_test.go has a cache observe itself while many use it.

package larder_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/stats"
)

// traffic is requests of which few keys have the most.
func traffic(n int, seed uint64) []int {
	z := rand.NewZipf(rand.New(rand.NewPCG(seed, 1)), 1.1, 1, 20_000)
	keys := make([]int, n)
	for i := range keys {
		keys[i] = int(z.Uint64())
	}
	return keys
}

// ratioAt runs requests through a cache of a size.
func ratioAt(keys []int, size int) float64 {
	c := larder.New(larder.Options[int, int]{MaxEntries: size})
	defer c.Close()
	for _, k := range keys {
		if _, ok := c.Lookup(k); !ok {
			c.Set(ctx, k, k)
		}
	}
	return c.Stats().HitRatio()
}

func TestCurvePredictsOtherSizes(t *testing.T) {
	keys := traffic(100_000, 7)
	for _, size := range []int{300, 2000} {
		c := larder.New(larder.Options[int, int]{MaxEntries: size, Observe: true})
		for _, k := range keys { // what a program does that has no loader
			if _, ok := c.Lookup(k); !ok {
				c.Set(ctx, k, k)
			}
		}
		curve, ok := c.Curve()
		if !ok {
			t.Errorf("size %d: nothing is said", size)
			continue
		}
		if curve.Size != int64(size) || curve.Policy != "Adaptive" || len(curve.Policies) != 12 {
			t.Errorf("size %d: the curve is of %d, %s, with %d policies", size, curve.Size,
				curve.Policy, len(curve.Policies))
		}
		for _, factor := range []float64{0.5, 2} {
			said, _ := curve.At(factor)
			has := ratioAt(keys, int(factor*float64(size)))
			// A busy machine may see only part of the requests: docs/bench.md has the true figures.
			if math.Abs(said-has) > 0.04 {
				t.Errorf("size %d: %gx is said to have %.3f, and has %.3f", size, factor, said, has)
			}
		}
		c.Close()
	}
}

func TestCurveFollowsResize(t *testing.T) {
	c := larder.New(larder.Options[int, int]{MaxEntries: 100, Observe: true})
	defer c.Close()
	run := func(seed uint64) {
		for _, k := range traffic(30_000, seed) {
			if _, ok := c.Lookup(k); !ok {
				c.Set(ctx, k, k)
			}
		}
	}
	run(1)
	c.Resize(5000)
	curve, ok := c.Curve()
	for seed := uint64(2); curve.Size != 5000 && seed < 100; seed++ { // a busy machine sees little
		run(seed)
		curve, ok = c.Curve()
	}
	if !ok || curve.Size != 5000 {
		t.Fatalf("the curve is of %d, %v; want 5000", curve.Size, ok)
	}
	if last := curve.Points[len(curve.Points)-1]; last.Size != 40_000 {
		t.Errorf("it ends at %d, want 8 times as large", last.Size)
	}
}

func TestAnObservedCacheBearsEverythingAtOnce(t *testing.T) {
	c := larder.New(larder.Options[int, string]{
		MaxWeight: 5000, Weigh: func(_ int, v string) int { return len(v) }, Observe: true,
		Load: func(_ context.Context, k int) (string, error) {
			if k%17 == 0 {
				return "", larder.ErrNotFound
			}
			return fmt.Sprint("value ", k), nil
		},
	})
	begun, cancel := context.WithCancel(ctx)
	var users, watchers sync.WaitGroup
	for _, watch := range []func(){
		func() { c.Curve() }, func() { c.Advice() }, func() { c.Snapshot() },
		func() { c.Inspector().Top(stats.ByHits, 10) }, func() { c.Inspector().Top(stats.ByWeight, 10) },
		func() { c.Inspector().Slowest() }, func() { c.Explain(ctx, 3) },
		func() { c.Inspector().Record(begun, 50, func(stats.Access) {}) },
		func() { c.Resize(4000 + rand.Int64N(2)*3000); time.Sleep(10 * time.Millisecond) },
	} {
		watchers.Go(func() {
			for begun.Err() == nil {
				watch()
				time.Sleep(time.Millisecond) // as people look
			}
		})
	}
	for g := range 32 {
		users.Go(func() {
			for i, k := range traffic(2000, uint64(g)) {
				c.Get(ctx, k)
				switch i % 50 {
				case 0:
					c.Delete(ctx, k)
				case 1:
					c.Set(ctx, k, "set")
				case 2:
					c.GetMany(ctx, []int{k, k + 1})
				}
			}
		})
	}
	users.Wait()
	cancel()
	watchers.Wait()
	all := c.Snapshot().Sum(stats.Requests)
	if s := c.Stats(); all != float64(s.Hits+s.Misses) {
		t.Errorf("%v requests are reported, %d were counted", all, s.Hits+s.Misses)
	}
	c.Close()
}
