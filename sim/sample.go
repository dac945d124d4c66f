// sample.go estimates hit ratios from a share of the keys.

package sim

import (
	"context"
	"fmt"
	"math"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/trace"
)

// Sample is a share of the keys of a trace, chosen by hash, with all their accesses: several such
// samples without a common key, so that one sees how far they differ. In a sample of 1 % a cache of
// 100 entries does what one of 10 000 does in the whole trace.
//
// The method is SHARDS at a fixed rate with its correction, SHARDS-adj (Waldspurger et al., FAST
// 2015), and small simulations for the policies that have no stack (Waldspurger et al., ATC 2017).
type Sample struct {
	parts    []*trace.Trace
	rate     float64
	expected float64 // accesses of a part, if its keys were like all others
}

// parts is how many samples without a common key are taken. More of them cost more and tell the
// confidence better: with 4 the quantile is 3.2.
const parts = 10

// quantile is that of Student's distribution for 95 % of both sides and parts-1 degrees of freedom.
const quantile = 2.262

// MaxRate is the largest rate of a sample: the parts share the keys among them.
const MaxRate = 1.0 / parts

// NewSample takes samples of rate, over 0 to MaxRate, of the keys each. The seed chooses the keys.
func NewSample(t *trace.Trace, rate float64, seed uint32) *Sample {
	if !(rate > 0 && rate <= MaxRate) {
		panic(fmt.Sprintf("sim: sample rate %v: must be over 0 and at most %v", rate, MaxRate))
	}
	width := uint32(max(1, rate*(1<<32))) // of hashes
	rate = float64(width) / (1 << 32)
	s := &Sample{rate: rate, expected: rate * float64(len(t.Keys))}
	for range parts {
		s.parts = append(s.parts, &trace.Trace{Keys: make([]uint32, 0, int(1.2*s.expected))})
	}
	s.fill(t, width, seed)
	return s
}

// fill gives each part its accesses, keys numbered anew.
func (s *Sample) fill(t *trace.Trace, width, seed uint32) {
	numbers := make([]uint32, t.Distinct) // of a key in its part, plus 1
	bound := uint64(width) * parts
	for i, k := range t.Keys {
		h := hashOf(k ^ seed)
		if uint64(h) >= bound {
			continue
		}
		part := s.parts[h/width]
		if numbers[k] == 0 {
			part.Distinct++
			numbers[k] = uint32(part.Distinct)
		}
		part.Keys = append(part.Keys, numbers[k]-1)
		if t.Sizes != nil {
			part.Sizes = append(part.Sizes, t.Sizes[i])
		}
	}
}

// Rate returns which share of the keys each sample holds.
func (s *Sample) Rate() float64 { return s.rate }

// Keys counts the keys of all samples.
func (s *Sample) Keys() int {
	n := 0
	for _, p := range s.parts {
		n += p.Distinct
	}
	return n
}

// Estimate is a hit ratio, and how far off it may be with a confidence of 95 %.
type Estimate struct{ Ratio, Within float64 }

// estimate is the mean of one ratio from each part.
func estimate(ratios []float64) Estimate {
	var sum, squares float64
	for _, r := range ratios {
		sum += r
	}
	mean := sum / float64(len(ratios))
	for _, r := range ratios {
		squares += (r - mean) * (r - mean)
	}
	n := float64(len(ratios))
	return Estimate{mean, quantile * math.Sqrt(squares/(n-1)/n)}
}

// correct adds what a part has too few accesses as hits, or takes away what it has too many: it is
// the keys asked for most that a sample has by luck, and those hit.
func (s *Sample) correct(hits float64, part *trace.Trace) float64 {
	return hits + s.expected - float64(len(part.Keys))
}

// SampledCurve is the hit ratio by size, estimated.
type SampledCurve struct{ curves []*Curve }

// LRU estimates the hit ratio of LRU at all sizes in entries.
func (s *Sample) LRU(ctx context.Context) (*SampledCurve, error) {
	return s.curves(func(part *trace.Trace) (*Curve, error) { return LRUCurve(ctx, part) })
}

// LRUWeighed estimates the hit ratio of LRU at all sizes in bytes. The trace must have sizes.
func (s *Sample) LRUWeighed(ctx context.Context) (*SampledCurve, error) {
	return s.curves(func(part *trace.Trace) (*Curve, error) { return LRUCurveWeighed(ctx, part) })
}

func (s *Sample) curves(curve func(part *trace.Trace) (*Curve, error)) (*SampledCurve, error) {
	all := &SampledCurve{curves: make([]*Curve, parts)}
	err := inParallel(parts, func(i int) error {
		c, err := curve(s.parts[i])
		if err != nil {
			return err
		}
		for j := range c.sizes {
			c.sizes[j] = uint64(float64(c.sizes[j]) / s.rate)
			c.hits[j] = s.correct(c.hits[j], s.parts[i])
		}
		c.accesses, c.smooth = s.expected, true
		all.curves[i] = c
		return nil
	})
	return all, err
}

// At estimates the hit ratio of a size.
func (c *SampledCurve) At(size uint64) Estimate {
	ratios := make([]float64, 0, parts)
	for _, part := range c.curves {
		ratios = append(ratios, part.At(size))
	}
	return estimate(ratios)
}

// Largest returns the size from which on no estimate changes.
func (c *SampledCurve) Largest() (largest uint64) {
	for _, part := range c.curves {
		largest = max(largest, part.Largest())
	}
	return largest
}

// SizeFor estimates the smallest size whose hit ratio is at least ratio; ok is false if none is.
func (c *SampledCurve) SizeFor(ratio float64) (r Range, ok bool) {
	r, ok, _ = FindSize(ratio, c.Largest(), func(size uint64) (Estimate, error) {
		return c.At(size), nil
	})
	return r, ok
}

// Replay estimates the hit ratio of a policy that may hold max entries, by a small simulation. The
// small cache should hold a hundred: max at least 100/rate.
func (s *Sample) Replay(ctx context.Context, p policy.Named, max uint64) (Estimate, error) {
	return s.replay(max, func(part *trace.Trace, max uint64) (Result, error) {
		return Replay(ctx, part, p, max)
	})
}

// ReplayWeighed estimates the hit ratio of a policy that may hold max bytes. The trace must have
// sizes.
func (s *Sample) ReplayWeighed(ctx context.Context, p policy.Named, max uint64) (Estimate, error) {
	return s.replay(max, func(part *trace.Trace, max uint64) (Result, error) {
		return ReplayWeighed(ctx, part, p, max)
	})
}

func (s *Sample) replay(most uint64, one func(part *trace.Trace, max uint64) (Result, error),
) (Estimate, error) {
	small := uint64(max(1, math.Round(float64(most)*s.rate)))
	ratios := make([]float64, parts)
	err := inParallel(parts, func(i int) error {
		r, err := one(s.parts[i], small)
		hits := s.correct(float64(r.Hits), s.parts[i])
		ratios[i] = min(1, max(0, hits/s.expected))
		return err
	})
	return estimate(ratios), err
}
