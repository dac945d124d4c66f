// panel_test.go compares what a panel predicts with what happens.

package shadow_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

func named(t testing.TB, name string) policy.Named {
	p, ok := policy.ByName(name)
	if !ok {
		t.Fatalf("no policy is called %s", name)
	}
	return p
}

// counted is a cache of max entries that live for ever.
func counted(p policy.Named, max int) shadow.Cache {
	return shadow.Cache{
		Policy: p.Name, New: p.New, Max: uint64(max), Entries: uint64(max),
		Fresh: shadow.Forever, Idle: shadow.Forever,
	}
}

// watched runs keys through a cache, and tells a panel of it what that wants to hear.
func watched(c shadow.Cache, keys []uint32, seed uint64, weigh func(key uint32) uint32,
) (*shadow.Panel, *cache) {
	panel, served := shadow.NewPanel(c), newCache(c.New, c.Max)
	for _, k := range keys {
		h, weight := hashOf(seed, k), weigh(k)
		hit := served.ask(h, weight)
		if panel.Wants(h) {
			tell(panel, h, weight, hit)
		}
		panel.Seen(1)
	}
	return panel, served
}

func tell(p *shadow.Panel, hash, weight uint32, hit bool) {
	if hit {
		p.Hit(hash, 0)
		return
	}
	p.Miss(hash, 0)
	p.Put(hash, weight, 0, shadow.Loaded)
}

func alike(uint32) uint32 { return 1 }

// replayed is the hit ratio of a policy that holds max entries.
func replayed(t testing.TB, tr *trace.Trace, p policy.Named, max int) float64 {
	r, err := sim.Replay(context.Background(), tr, p, uint64(max))
	if err != nil {
		t.Fatal(err)
	}
	return r.HitRatio()
}

// TestPanelOfASmallCacheIsExact looks at caches of which the panel holds whole copies.
func TestPanelOfASmallCacheIsExact(t *testing.T) {
	s, lru := seed(t), named(t, "LRU")
	for _, size := range []int{1, 2, 3, 10, 111, 112, 113, 300, 560} {
		for _, kind := range streams() {
			t.Run(fmt.Sprintf("%s, %d entries", kind.name, size), func(t *testing.T) {
				tr := traceOf(kind.make(rand.New(rand.NewPCG(s, 1)), size, 10_000))
				panel, served := watched(counted(lru, size), tr.Keys, s, alike)
				checkExact(t, panel, served, tr, size)
			})
		}
	}
}

// checkExact fails t where a size is not predicted to the last hit. Above 112 entries the largest
// two copies see some keys only.
func checkExact(t *testing.T, panel *shadow.Panel, served *cache, tr *trace.Trace, size int) {
	t.Helper()
	lru := named(t, "LRU")
	if ratio := replayed(t, tr, lru, size); served.ratio() != ratio {
		t.Fatalf("the cache has %v, the simulation %v", served.ratio(), ratio)
	}
	last := 0.0
	for _, e := range panel.Sizes(served.ratio()) {
		if e.Factor <= last {
			t.Errorf("factor %v comes after %v", e.Factor, last)
		}
		last = e.Factor
		if size > 112 && e.Factor > 2 {
			continue
		}
		larger := max(int(float64(size)*e.Factor+0.5), 1)
		want := replayed(t, tr, lru, larger)
		if math.Abs(e.Ratio-want) > 1e-9 || e.Policy != "LRU" {
			t.Errorf("%gx of %s: predicted %v, is %v", e.Factor, e.Policy, e.Ratio, want)
		}
	}
	if last != 8 {
		t.Errorf("the largest factor is %v, want 8", last)
	}
}

// TestPanelOfASmallWeighedCacheIsExact gives each key a weight of its own.
func TestPanelOfASmallWeighedCacheIsExact(t *testing.T) {
	s, lru := seed(t), named(t, "LRU")
	weigh := func(key uint32) uint32 { return 1 + hashOf(s, ^key)%100 }
	for _, kind := range streams() {
		t.Run(kind.name, func(t *testing.T) {
			tr := traceOf(kind.make(rand.New(rand.NewPCG(s, 8)), 200, 10_000))
			for _, k := range tr.Keys {
				tr.Sizes = append(tr.Sizes, weigh(k))
			}
			c := counted(lru, 200)
			c.Weighed, c.Max = true, 200*50
			panel, served := watched(c, tr.Keys, s, weigh)
			for _, e := range panel.Sizes(served.ratio()) {
				r, err := sim.ReplayWeighed(context.Background(), tr, lru, uint64(10_000*e.Factor))
				if err != nil {
					t.Fatal(err)
				}
				if e.Factor <= 2 && math.Abs(e.Ratio-r.HitRatio()) > 1e-9 {
					t.Errorf("%gx: predicted %v, is %v", e.Factor, e.Ratio, r.HitRatio())
				}
			}
		})
	}
}

// TestPanelOfASmallCacheKnowsAllPolicies compares with caches that run them on the same hashes: some
// policies look at hashes, so that others give a hit more or less.
func TestPanelOfASmallCacheKnowsAllPolicies(t *testing.T) {
	s := seed(t)
	for _, kind := range streams() {
		t.Run(kind.name, func(t *testing.T) {
			const size = 400
			tr := traceOf(kind.make(rand.New(rand.NewPCG(s, 2)), size, 40_000))
			panel, served := watched(counted(named(t, "Adaptive"), size), tr.Keys, s, alike)
			predicted := panel.Policies(served.ratio())
			if n := len(policy.All()); len(predicted) != n {
				t.Fatalf("%d policies are predicted, there are %d", len(predicted), n)
			}
			for i, e := range predicted {
				is := replayed(t, tr, named(t, e.Policy), size)
				if off := math.Abs(e.Ratio - is); off > 0.01 {
					t.Errorf("%s: predicted %.4f, is %.4f", e.Policy, e.Ratio, is)
				}
				if i > 0 && e.Ratio > predicted[i-1].Ratio {
					t.Errorf("%s comes after %s, which is worse", e.Policy, predicted[i-1].Policy)
				}
			}
		})
	}
}

// judged is what a panel of a large cache has predicted.
type judged struct {
	half, twice float64 // how far off, in points
	regret      float64 // what the best policy has more than the one that is named, in points
	best        string
	named       string
}

// judge runs a stream through a cache of size whose panel sees some of the keys.
func judge(t *testing.T, own policy.Named, kind stream, size int, s uint64) (j judged) {
	tr := traceOf(kind.make(rand.New(rand.NewPCG(s, 3)), size, 60*size))
	panel, served := watched(counted(own, size), tr.Keys, s, alike)
	for _, e := range panel.Sizes(served.ratio()) {
		switch e.Factor {
		case 0.5:
			j.half = 100 * (e.Ratio - replayed(t, tr, own, size/2))
		case 2:
			j.twice = 100 * (e.Ratio - replayed(t, tr, own, 2*size))
		}
	}
	j.judgePolicies(t, tr, panel.Policies(served.ratio()), shadow.Estimate{
		Policy: own.Name, Ratio: served.ratio()}, size)
	return j
}

// worthOther is what another policy must have more to be named.
const worthOther = 0.005

func (j *judged) judgePolicies(t *testing.T, tr *trace.Trace, predicted []shadow.Estimate,
	own shadow.Estimate, size int,
) {
	j.named = own.Policy
	if predicted[0].Ratio >= own.Ratio+worthOther {
		j.named = predicted[0].Policy
	}
	best, ratio := 0.0, 0.0
	for _, p := range policy.All() {
		r := replayed(t, tr, p, size)
		if r > best {
			best, j.best = r, p.Name
		}
		if p.Name == j.named {
			ratio = r
		}
	}
	j.regret = 100 * (best - ratio)
}

// TestPanelPredictsALargeCacheFromSomeKeys allows 1.5 points at half and twice the size, and 1 point
// between the policy that is named and the best.
func TestPanelPredictsALargeCacheFromSomeKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("it replays some millions of requests")
	}
	s := seed(t)
	for _, own := range []string{"LRU", "Adaptive"} {
		for _, kind := range streams() {
			t.Run(own+", "+kind.name, func(t *testing.T) {
				j := judge(t, named(t, own), kind, 5000, s)
				t.Logf("half %+.2f, twice %+.2f, %s named, %s best by %.2f", j.half, j.twice,
					j.named, j.best, j.regret)
				most := 1.5
				if own == "Adaptive" && kind.name == "loop" {
					most = 6 // its copies change their mind at other moments than it does
				}
				if math.Abs(j.half) > most || math.Abs(j.twice) > most || j.regret > 1 {
					t.Errorf("it is too far off: %+v", j)
				}
			})
		}
	}
}
