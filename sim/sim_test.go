// sim_test.go holds every quick way to count hits against a slow one.

package sim_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

func TestReplayOfLRUAgreesWithMovingKeysInASlice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		tr := random(r, 300, 1+r.IntN(40))
		max := 1 + r.IntN(45)
		hits, evictions := naiveLRU(tr.Keys, max)
		got, err := sim.Replay(context.Background(), tr, named(t, "lru"), uint64(max))
		if err != nil || got.Hits != hits || got.Evictions != evictions || got.Accesses != 300 {
			t.Errorf("max %d: got %+v, %v, want %d hits, %d evictions", max, got, err, hits, evictions)
		}
		weighed, err := sim.ReplayWeighed(context.Background(), tr, named(t, "lru"), uint64(max))
		if want := naiveLRUWeighed(tr, uint64(max)); err != nil || weighed.Hits != want {
			t.Errorf("max %d bytes: got %+v, %v, want %d hits", max, weighed, err, want)
		}
	}
}

func TestBytesAreCounted(t *testing.T) {
	tr := traceOf([]int{1, 2, 1, 3, 1, 2}, []uint32{10, 0, 10, 100, 12, 5})
	for _, c := range []struct {
		max  uint64
		want sim.Result
	}{
		{11, sim.Result{Hits: 3, HitBytes: 27, Refused: 1}},
		{10, sim.Result{Hits: 1, HitBytes: 12, Refused: 1, Evictions: 3}},
		{200, sim.Result{Hits: 3, HitBytes: 27}},
	} {
		got, err := sim.ReplayWeighed(context.Background(), tr, named(t, "lru"), c.max)
		c.want.Policy, c.want.Max, c.want.Accesses = "LRU", c.max, 6
		c.want.Bytes, c.want.Took = 137, got.Took
		if err != nil || got != c.want {
			t.Errorf("max %d: got %+v, %v, want %+v", c.max, got, err, c.want)
		}
	}
	got, err := sim.Replay(context.Background(), tr, named(t, "lru"), 3)
	if err != nil || got.Bytes != 137 || got.HitBytes != 27 {
		t.Errorf("entries: got %+v, %v, want 27 of 137 bytes", got, err)
	}
}

func TestEveryPolicyKeepsTheBound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	tr := random(r, 3000, 120)
	for _, p := range policy.All() {
		for _, max := range []uint64{1, 2, 7, 60, 119, 120, 1e9} {
			kept := &bounded{max: max, weights: map[uint32]uint64{}, t: t, name: p.Name}
			watched := policy.Named{Name: p.Name, New: func(max uint64) policy.Policy {
				kept.Policy = p.New(max)
				return kept
			}}
			if _, err := sim.Replay(context.Background(), tr, watched, max); err != nil {
				t.Error(err)
			}
			clear(kept.weights)
			kept.used = 0
			if _, err := sim.ReplayWeighed(context.Background(), tr, watched, max); err != nil {
				t.Error(err)
			}
		}
	}
}

// bounded watches what a policy is told.
type bounded struct {
	policy.Policy
	max, used uint64
	weights   map[uint32]uint64
	t         *testing.T
	name      string
}

func (b *bounded) Admit(slot, hash, weight uint32) {
	if _, in := b.weights[slot]; in {
		b.t.Fatalf("%s: slot %d is admitted twice", b.name, slot)
	}
	b.weights[slot] = uint64(weight)
	if b.used += uint64(weight); b.used > b.max {
		b.t.Fatalf("%s: %d of %d used", b.name, b.used, b.max)
	}
	b.Policy.Admit(slot, hash, weight)
}

func (b *bounded) Victim(incoming uint32) uint32 {
	slot := b.Policy.Victim(incoming)
	b.used -= b.weights[slot]
	delete(b.weights, slot)
	return slot
}

func TestMarksAreAsGoodAsTouches(t *testing.T) {
	tr := zipf(11, 30_000, 5000, 0.9)
	for _, p := range policy.All() {
		touched := policy.Named{Name: p.Name, New: func(max uint64) policy.Policy {
			return struct{ policy.Policy }{p.New(max)} // no Marker
		}}
		for _, max := range []uint64{10, 1000} {
			want, err := sim.Replay(context.Background(), tr, touched, max)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sim.Replay(context.Background(), tr, p, max)
			if err != nil || got.Hits != want.Hits {
				t.Errorf("%s at %d: got %d hits, %v, want %d", p.Name, max, got.Hits, err, want.Hits)
			}
		}
	}
}

func TestCurveIsLRUAtEverySize(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		keys := 1 + r.IntN(60)
		tr := random(r, 2000, keys)
		curve, err := sim.LRUCurve(context.Background(), tr)
		if err != nil {
			t.Fatal(err)
		}
		for max := 1; max <= keys+2; max++ {
			hits, _ := naiveLRU(tr.Keys, max)
			if want := float64(hits) / 2000; curve.At(uint64(max)) != want {
				t.Errorf("size %d of %d: got %v, want %v", max, keys, curve.At(uint64(max)), want)
			}
		}
		if got, want := curve.Ceiling(), tr.Ceiling(); math.Abs(got-want) > 1e-12 {
			t.Errorf("ceiling: got %v, want %v", got, want)
		}
	}
}

func TestCurveInBytesIsLRUAtEverySize(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		tr := random(r, 2000, 1+r.IntN(60))
		curve, err := sim.LRUCurveWeighed(context.Background(), tr)
		if err != nil {
			t.Fatal(err)
		}
		for max := uint64(5); max < 200; max++ { // no entry is heavier than 5
			want := float64(naiveLRUWeighed(tr, max)) / 2000
			if got := curve.At(max); got != want {
				t.Errorf("size %d: got %v, want %v", max, got, want)
			}
		}
	}
}

func TestCurveFindsTheSmallestSize(t *testing.T) {
	tr := zipf(1, 20_000, 1000, 0.9)
	curve, err := sim.LRUCurve(context.Background(), tr)
	if err != nil {
		t.Fatal(err)
	}
	for _, ratio := range []float64{0.01, 0.3, 0.5, 0.9, curve.Ceiling()} {
		size, ok := curve.SizeFor(ratio)
		if !ok || curve.At(size) < ratio || curve.At(size-1) >= ratio {
			t.Errorf("%v: got %d, %v: ratio %v, and %v below", ratio, size, ok, curve.At(size),
				curve.At(size-1))
		}
	}
	if size, ok := curve.SizeFor(0); size != 0 || !ok {
		t.Errorf("0: got %d, %v, want 0", size, ok)
	}
	if size, ok := curve.SizeFor(curve.Ceiling() + 1e-9); ok {
		t.Errorf("over the ceiling: got %d, want none", size)
	}
}

func TestOptimumIsTheBestOfAllChoices(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 60 {
		tr := random(r, 14, 1+r.IntN(6))
		sizes := []uint64{1, 2, 3, 4}
		got, err := sim.Optimum(context.Background(), tr, sizes)
		if err != nil {
			t.Fatal(err)
		}
		for i, size := range sizes {
			if want := bestOf(tr.Keys, int(size)); got[i].Hits != uint64(want) {
				t.Errorf("%v, size %d: got %d, want %d", tr.Keys, size, got[i].Hits, want)
			}
		}
	}
}

func TestOptimumEvictsWhatIsUsedLast(t *testing.T) {
	tr := zipf(2, 20_000, 3000, 0.8)
	sizes := []uint64{1, 10, 100, 1000, 5000}
	got, err := sim.Optimum(context.Background(), tr, sizes)
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range sizes {
		if want := belady(tr, int(size)); got[i].Hits != want {
			t.Errorf("size %d: got %d, want %d", size, got[i].Hits, want)
		}
	}
}

// belady is the optimum as Belady wrote it, of a cache that may refuse an entry.
func belady(tr *trace.Trace, max int) (hits uint64) {
	next := make([]int, len(tr.Keys))
	last := make([]int, tr.Distinct)
	for k := range last {
		last[k] = math.MaxInt
	}
	for i := len(tr.Keys) - 1; i >= 0; i-- {
		next[i], last[tr.Keys[i]] = last[tr.Keys[i]], i
	}
	kept := map[uint32]int{} // the next use of a key
	for i, k := range tr.Keys {
		if _, in := kept[k]; in {
			hits++
		}
		kept[k] = next[i]
		if len(kept) <= max {
			continue
		}
		farthest := k
		for k, n := range kept {
			if n > kept[farthest] {
				farthest = k
			}
		}
		delete(kept, farthest)
	}
	return hits
}

func TestNoPolicyBeatsTheOptimum(t *testing.T) {
	tr := zipf(3, 50_000, 5000, 0.9)
	sizes := []uint64{10, 100, 1000}
	best, err := sim.Optimum(context.Background(), tr, sizes)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	cells := sim.Cells(policy.All(), sizes)
	all, err := sim.ReplayAll(context.Background(), tr, cells, func(sim.Result) { calls++ })
	if err != nil || len(all) != len(cells) || calls != len(cells) {
		t.Fatalf("got %d results, %d calls, %v, want %d", len(all), calls, err, len(cells))
	}
	for i, got := range all {
		if got.Policy != cells[i].Policy.Name || got.Max != cells[i].Max {
			t.Errorf("cell %d: got %s at %d, want %s at %d", i, got.Policy, got.Max,
				cells[i].Policy.Name, cells[i].Max)
		}
		if optimum := best[i%len(sizes)].Hits; got.Hits > optimum {
			t.Errorf("%s at %d: %d hits, the optimum has %d", got.Policy, got.Max, got.Hits, optimum)
		}
	}
}

func TestWorkEndsWithItsContext(t *testing.T) {
	tr := zipf(4, 10_000, 100, 0.9)
	tr.Sizes = make([]uint32, len(tr.Keys))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	lru := named(t, "lru")
	cells := sim.Cells([]policy.Named{lru}, []uint64{1, 2, 3})
	sample := sim.NewSample(tr, 0.1, 1)
	for name, work := range map[string]func() error{
		"Replay":          func() error { _, err := sim.Replay(ctx, tr, lru, 1); return err },
		"ReplayWeighed":   func() error { _, err := sim.ReplayWeighed(ctx, tr, lru, 1); return err },
		"ReplayAll":       func() error { _, err := sim.ReplayAll(ctx, tr, cells, nil); return err },
		"Optimum":         func() error { _, err := sim.Optimum(ctx, tr, []uint64{1}); return err },
		"LRUCurve":        func() error { _, err := sim.LRUCurve(ctx, tr); return err },
		"Sample.LRU":      func() error { _, err := sample.LRU(ctx); return err },
		"Sample.Replay":   func() error { _, err := sample.Replay(ctx, lru, 10); return err },
		"LRUCurveWeighed": func() error { _, err := sim.LRUCurveWeighed(ctx, tr); return err },
	} {
		if err := work(); !errors.Is(err, why) {
			t.Errorf("%s: got %v, want %v", name, err, why)
		}
	}
}

func TestAnEmptyTraceHasNoHits(t *testing.T) {
	tr := &trace.Trace{}
	got, err := sim.Replay(context.Background(), tr, named(t, "lru"), 1)
	if err != nil || got.HitRatio() != 0 || got.HitByteRatio() != 0 {
		t.Errorf("got %+v, %v, want nothing", got, err)
	}
	curve, err := sim.LRUCurve(context.Background(), tr)
	if err != nil || curve.At(1) != 0 || curve.Ceiling() != 0 || curve.Largest() != 0 {
		t.Errorf("got %+v, %v, want nothing", curve, err)
	}
}

func TestWhatCannotBeSimulatedIsAnError(t *testing.T) {
	tr := &trace.Trace{Keys: []uint32{0, 1, 0}, Distinct: 2}
	lru, _ := policy.ByName("lru")
	if _, err := sim.Replay(context.Background(), tr, lru, 0); err == nil {
		t.Error("a cache of nothing: no error")
	}
	if _, err := sim.ReplayWeighed(context.Background(), tr, lru, 5); !errors.Is(err, sim.ErrNoSizes) {
		t.Errorf("without sizes: %v, want ErrNoSizes", err)
	}
	if _, err := sim.LRUCurveWeighed(context.Background(), tr); !errors.Is(err, sim.ErrNoSizes) {
		t.Errorf("the curve without sizes: %v, want ErrNoSizes", err)
	}
}
