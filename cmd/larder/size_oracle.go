// size_oracle.go chooses how to find out: by an exact curve, a sample, or one simulation after the
// other.

package main

import (
	"context"
	"math/rand/v2"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

const (
	exactCurve   = 100_000_000 // accesses: a curve takes 5 s
	exactReplays = 2_000_000   // accesses: some twenty simulations take 2 s
	sampledKeys  = 10_000      // keys that a sample should have
	leastRate    = 0.01
)

// rateFor returns the rate of the sample for a policy, 0 for all keys.
func (s *sizing) rateFor(t *trace.Trace, isLRU bool) float64 {
	if s.rate >= 0 {
		return s.rate
	}
	quick := exactReplays
	if isLRU {
		quick = exactCurve
	}
	if len(t.Keys) <= quick {
		return 0
	}
	rate := max(leastRate, sampledKeys/float64(t.Distinct))
	if rate > sim.MaxRate {
		return 0
	}
	return rate
}

func (s *sizing) oracle(ctx context.Context, t *trace.Trace, p policy.Named) (*oracle, error) {
	lru, _ := policy.ByName("LRU")
	isLRU := p.Name == lru.Name
	o := &oracle{rate: s.rateFor(t, isLRU), most: uint64(t.Distinct)}
	if s.weights {
		o.most += t.Footprint() // a size of 0 weighs 1
	}
	var sample *sim.Sample
	if o.rate > 0 {
		sample = sim.NewSample(t, o.rate, rand.Uint32())
	}
	switch {
	case isLRU && sample != nil:
		return o, s.bySampledCurve(ctx, o, sample)
	case isLRU:
		return o, s.byCurve(ctx, o, t)
	case sample != nil:
		o.at = s.small(ctx, sample, p)
	default:
		o.at = s.whole(ctx, t, p)
	}
	o.find = func(ratio float64) (sim.Range, bool, error) {
		return sim.FindSize(ratio, o.most, o.at)
	}
	return o, nil
}

func (s *sizing) byCurve(ctx context.Context, o *oracle, t *trace.Trace) error {
	draw := sim.LRUCurve
	if s.weights {
		draw = sim.LRUCurveWeighed
	}
	curve, err := draw(ctx, t)
	if err != nil {
		return err
	}
	o.at = func(size uint64) (sim.Estimate, error) {
		return sim.Estimate{Ratio: curve.At(size)}, nil
	}
	o.find = func(ratio float64) (sim.Range, bool, error) {
		size, ok := curve.SizeFor(ratio)
		return sim.Range{Size: size, Low: size, High: size}, ok, nil
	}
	return nil
}

func (s *sizing) bySampledCurve(ctx context.Context, o *oracle, sample *sim.Sample) error {
	draw := sample.LRU
	if s.weights {
		draw = sample.LRUWeighed
	}
	curve, err := draw(ctx)
	if err != nil {
		return err
	}
	o.at = func(size uint64) (sim.Estimate, error) { return curve.At(size), nil }
	o.find = func(ratio float64) (sim.Range, bool, error) {
		r, ok := curve.SizeFor(ratio)
		return r, ok, nil
	}
	return nil
}

// small tells a hit ratio by small simulations.
func (s *sizing) small(ctx context.Context, sample *sim.Sample, p policy.Named,
) func(uint64) (sim.Estimate, error) {
	replay := sample.Replay
	if s.weights {
		replay = sample.ReplayWeighed
	}
	return func(size uint64) (sim.Estimate, error) { return replay(ctx, p, size) }
}

// whole tells a hit ratio by a simulation of the whole trace.
func (s *sizing) whole(ctx context.Context, t *trace.Trace, p policy.Named,
) func(uint64) (sim.Estimate, error) {
	replay := sim.Replay
	if s.weights {
		replay = sim.ReplayWeighed
	}
	return func(size uint64) (sim.Estimate, error) {
		r, err := replay(ctx, t, p, size)
		return sim.Estimate{Ratio: r.HitRatio()}, err
	}
}
