// curve.go compares what a cache of larder predicts of itself with what happens.

package main

import (
	"context"
	"flag"
	"math"
	"path/filepath"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

type curve struct {
	percents list
	least    positive
}

func (c *curve) flags(set *flag.FlagSet) {
	c.percents = list{1, 5, 10, 25}
	set.Var(&c.percents, "percent", "sizes, in `percent` of the distinct keys")
	positiveVar(set, &c.least, "least", 50_000, "accesses that a trace must have")
}

// measure runs each trace through a cache that observes itself, and through caches of half and of
// twice its size.
func (c *curve) measure(_ []contestant, files []string) ([]*table, error) {
	found := newTable("hit ratio in %; what the cache says of half and of twice its size, and how far "+
		"off it is, in points; the policy that it names, and how far that is behind the best",
		"trace", "size", "accesses seen %", "hit ratio", "half", "off", "twice", "off", "names",
		"behind the best")
	for _, file := range files {
		t, err := trace.Open(file, trace.Options{})
		if err != nil {
			return nil, err
		}
		if len(t.Keys) < int(c.least) {
			continue
		}
		for _, percent := range c.percents.counts() {
			if size := t.Distinct * percent / 100; size >= 16 {
				if err := c.add(found, filepath.Base(file), t, size); err != nil {
					return nil, err
				}
			}
		}
	}
	return []*table{found}, nil
}

func (c *curve) add(found *table, name string, t *trace.Trace, size int) error {
	observed := replayed(t, size, true)
	defer observed.Close()
	said, ok := observed.Curve()
	if !ok {
		found.add(name, size, "nothing is said", "", "", "", "", "", "", "")
		return nil
	}
	half, _ := said.At(0.5)
	twice, _ := said.At(2)
	smaller, larger := ratioOf(t, size/2), ratioOf(t, 2*size)
	named := said.Best(0.005).Policy
	behind, err := behindTheBest(t, size, named)
	if err != nil {
		return err
	}
	found.add(name, size, 100*float64(said.Seen)/float64(len(t.Keys)), 100*said.Ratio,
		100*smaller, 100*(half-smaller), 100*larger, 100*(twice-larger), named, 100*behind)
	return nil
}

// replayed runs a trace through a cache of size.
func replayed(t *trace.Trace, size int, observed bool) *larder.Cache[uint32, struct{}] {
	c := larder.New(larder.Options[uint32, struct{}]{
		MaxEntries: max(size, 1), Observe: observed,
		Load: func(context.Context, uint32) (v struct{}, err error) { return v, nil },
	})
	for _, k := range t.Keys {
		_, _ = c.Get(context.Background(), k)
	}
	return c
}

func ratioOf(t *trace.Trace, size int) float64 {
	c := replayed(t, size, false)
	defer c.Close()
	return c.Stats().HitRatio()
}

// behindTheBest returns how far a policy is behind the best one at a size.
func behindTheBest(t *trace.Trace, size int, name string) (float64, error) {
	best, own := 0.0, math.NaN()
	for _, p := range policy.All() {
		r, err := sim.Replay(context.Background(), t, p, uint64(size))
		if err != nil {
			return 0, err
		}
		best = max(best, r.HitRatio())
		if p.Name == name {
			own = r.HitRatio()
		}
	}
	return best - own, nil
}
