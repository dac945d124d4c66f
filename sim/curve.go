// curve.go draws the hit ratio of LRU at all sizes in one pass.

package sim

import (
	"context"
	"slices"
	"sort"

	"github.com/larder-go/larder/trace"
)

// Curve is the hit ratio by size. It does not change; any number of goroutines may use it.
type Curve struct {
	accesses float64
	sizes    []uint64  // ascending, where the ratio changes
	hits     []float64 // at each of them
	smooth   bool      // it runs straight between sizes, as of a sample, not in steps
}

// At returns the hit ratio of a size, 0 to 1.
func (c *Curve) At(size uint64) float64 {
	i := sort.Search(len(c.sizes), func(i int) bool { return c.sizes[i] > size })
	var low, high float64 // hits at this size of the curve, and at the next
	var from uint64
	if i > 0 {
		from, low = c.sizes[i-1], c.hits[i-1]
	}
	if c.smooth && i < len(c.sizes) {
		high = c.hits[i]
		way := float64(size-from) / float64(c.sizes[i]-from)
		low += way * (high - low)
	}
	return min(1, max(0, low/max(1, c.accesses)))
}

// SizeFor returns the smallest size whose hit ratio is at least ratio; ok is false if none is.
func (c *Curve) SizeFor(ratio float64) (size uint64, ok bool) {
	if ratio <= 0 {
		return 0, true
	}
	i := sort.Search(len(c.hits), func(i int) bool { return c.hits[i]/c.accesses >= ratio })
	if i == len(c.hits) {
		return 0, false
	}
	return c.sizes[i], true
}

// Ceiling returns the hit ratio of a cache without bound.
func (c *Curve) Ceiling() float64 {
	if len(c.hits) == 0 {
		return 0
	}
	return c.hits[len(c.hits)-1] / c.accesses
}

// Largest returns the size that is enough for all hits.
func (c *Curve) Largest() uint64 {
	if len(c.sizes) == 0 {
		return 0
	}
	return c.sizes[len(c.sizes)-1]
}

// LRUCurve returns the exact hit ratio of LRU at each size in entries. An access hits in every
// cache that is as large as its stack distance: the distinct keys since the last access to its key
// (Mattson et al. 1970).
func LRUCurve(ctx context.Context, t *trace.Trace) (*Curve, error) {
	r := newRecency(len(t.Keys))
	last := make([]uint32, t.Distinct) // access to a key, plus 1
	counts := make([]uint64, t.Distinct+1)
	for i, k := range t.Keys {
		if i%chunk == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if l := last[k]; l != 0 {
			counts[r.take(l-1)]++
		}
		last[k] = uint32(i) + 1
		r.add(uint32(i))
	}
	return curveOfCounts(counts, len(t.Keys)), nil
}

// LRUCurveWeighed returns the hit ratio of LRU at each size in bytes. The trace must have sizes. It
// is exact at sizes that no entry is heavier than, where each key has one size.
func LRUCurveWeighed(ctx context.Context, t *trace.Trace) (*Curve, error) {
	if len(t.Sizes) != len(t.Keys) {
		return nil, ErrNoSizes
	}
	h := newHeaviness(len(t.Keys))
	last := make([]uint32, t.Distinct) // access to a key, plus 1
	var distances []uint64
	for i, k := range t.Keys {
		if i%chunk == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if l := last[k]; l != 0 {
			distances = append(distances, h.take(l-1))
		}
		last[k] = uint32(i) + 1
		h.add(uint32(i), max(1, t.Sizes[i]))
	}
	return curveOfDistances(distances, len(t.Keys)), nil
}

// curveOfCounts makes a curve of how many accesses have each distance.
func curveOfCounts(counts []uint64, accesses int) *Curve {
	c := &Curve{accesses: float64(accesses)}
	var hits uint64
	for distance, n := range counts {
		if n > 0 {
			hits += n
			c.sizes = append(c.sizes, uint64(distance))
			c.hits = append(c.hits, float64(hits))
		}
	}
	return c
}

// curveOfDistances makes a curve of the distance of each access. It sorts them.
func curveOfDistances(distances []uint64, accesses int) *Curve {
	slices.Sort(distances)
	c := &Curve{accesses: float64(accesses)}
	for i, d := range distances {
		if n := len(c.sizes); n > 0 && c.sizes[n-1] == d {
			c.hits[n-1]++
			continue
		}
		c.sizes = append(c.sizes, d)
		c.hits = append(c.hits, float64(i+1))
	}
	return c
}
