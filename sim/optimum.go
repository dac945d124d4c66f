// optimum.go counts the hits of a cache that knows the future.

package sim

import (
	"context"
	"math/bits"
	"time"

	"github.com/larder-go/larder/trace"
)

// OptimumName is the Policy of the results of Optimum.
const OptimumName = "Optimum"

// Optimum returns the most hits that any policy can have, at each size: Belady's, of a cache that
// may refuse an entry. It is exact, and it is for entries that are counted. Where they are weighed
// the optimum is NP-hard, and this package has no bound to give.
//
// An access hits if its key was kept since its last access, so the time between the two is an
// interval, a cache of max entries is max machines, and the optimum is the most intervals that they
// can work off. The greedy choice is exact: take intervals by their end, each on the machine that
// was free last before it starts, if any was (Faigle and Nawijn 1995; Carlisle and Lloyd 1995).
// Machines are the bits of a set of times, so an access costs a few words instead of a heap.
func Optimum(ctx context.Context, t *trace.Trace, sizes []uint64) ([]Result, error) {
	previous := previousOf(t)
	results := make([]Result, len(sizes))
	err := inParallel(len(sizes), func(i int) error {
		start := time.Now()
		hits, err := optimum(ctx, previous, sizes[i])
		results[i] = Result{
			Policy: OptimumName, Max: sizes[i], Accesses: uint64(len(t.Keys)), Hits: hits,
			Took: time.Since(start),
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// previousOf returns for each access the number of the last one to the same key plus 1, 0 if there
// is none.
func previousOf(t *trace.Trace) []uint32 {
	previous := make([]uint32, len(t.Keys))
	last := make([]uint32, t.Distinct)
	for i, k := range t.Keys {
		previous[i], last[k] = last[k], uint32(i)+1
	}
	return previous
}

func optimum(ctx context.Context, previous []uint32, max uint64) (hits uint64, err error) {
	free := newTimes(len(previous))
	idle := max // machines that never worked
	for i, p := range previous {
		if i%chunk == 0 && ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if p == 0 {
			continue
		}
		switch since, ok := free.last(p - 1); {
		case ok:
			free.remove(since)
		case idle > 0:
			idle--
		default:
			continue
		}
		free.add(uint32(i))
		hits++
	}
	return hits, nil
}

// times is a set of small numbers that finds the largest one up to another. Level 0 has a bit for
// each number, level n+1 one for each word of level n that is not 0.
type times [][]uint64

func newTimes(n int) times {
	var t times
	for {
		n = n/64 + 1
		t = append(t, make([]uint64, n))
		if n == 1 {
			return t
		}
	}
}

func (t times) add(x uint32) {
	for level := range t {
		word := &t[level][x/64]
		old := *word
		*word |= 1 << (x % 64)
		if old != 0 {
			return
		}
		x /= 64
	}
}

func (t times) remove(x uint32) {
	for level := range t {
		word := &t[level][x/64]
		if *word &^= 1 << (x % 64); *word != 0 {
			return
		}
		x /= 64
	}
}

// last returns the largest number in the set that is at most x.
func (t times) last(x uint32) (uint32, bool) {
	below := uint64(2)<<(x%64) - 1 // this number and those before it in its word
	for level := range t {
		if word := t[level][x/64] & below; word != 0 {
			return t.down(level, x/64*64+uint32(bits.Len64(word))-1), true
		}
		x /= 64
		below = 1<<(x%64) - 1
	}
	return 0, false
}

// down returns the largest number below a bit of a level.
func (t times) down(level int, x uint32) uint32 {
	for ; level > 0; level-- {
		x = x*64 + uint32(bits.Len64(t[level-1][x])) - 1
	}
	return x
}
