// traces_test.go makes the traces that the tests replay.

package sim_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/trace"
)

// traceOf numbers keys by their first appearance. sizes may be nil.
func traceOf(keys []int, sizes []uint32) *trace.Trace {
	numbers := map[int]uint32{}
	t := &trace.Trace{Sizes: sizes}
	for _, k := range keys {
		n, ok := numbers[k]
		if !ok {
			n = uint32(len(numbers))
			numbers[k] = n
		}
		t.Keys = append(t.Keys, n)
	}
	t.Distinct = len(numbers)
	return t
}

// zipf makes a trace in which the k-th key is asked for in proportion to k^-skew.
func zipf(seed uint64, accesses, keys int, skew float64) *trace.Trace {
	r := rand.New(rand.NewPCG(seed, 1))
	sums := make([]float64, keys)
	sum := 0.0
	for k := range sums {
		sum += math.Pow(float64(k+1), -skew)
		sums[k] = sum
	}
	drawn := make([]int, accesses)
	for i := range drawn {
		drawn[i] = sort.SearchFloat64s(sums, r.Float64()*sum)
	}
	return traceOf(drawn, nil)
}

// random makes a small trace, with sizes that belong to the keys.
func random(r *rand.Rand, accesses, keys int) *trace.Trace {
	drawn := make([]int, accesses)
	sizes := make([]uint32, accesses)
	for i := range drawn {
		drawn[i] = min(r.IntN(keys), r.IntN(keys))
		sizes[i] = uint32(1 + drawn[i]*7%5)
	}
	return traceOf(drawn, sizes)
}

func named(t testing.TB, name string) policy.Named {
	t.Helper()
	p, ok := policy.ByName(name)
	if !ok {
		t.Fatalf("no policy %s", name)
	}
	return p
}

// naiveLRU counts the hits of LRU by moving keys in a slice.
func naiveLRU(keys []uint32, max int) (hits, evictions uint64) {
	var kept []uint32
	for _, k := range keys {
		if i := slices.Index(kept, k); i >= 0 {
			hits++
			kept = slices.Delete(kept, i, i+1)
		} else if len(kept) == max {
			evictions++
			kept = kept[1:]
		}
		kept = append(kept, k)
	}
	return hits, evictions
}

// naiveLRUWeighed is naiveLRU in bytes, without heavy entries.
func naiveLRUWeighed(t *trace.Trace, max uint64) (hits uint64) {
	var kept []uint32
	sizes := map[uint32]uint64{}
	used := uint64(0)
	for i, k := range t.Keys {
		sizes[k] = uint64(t.Sizes[i])
		if at := slices.Index(kept, k); at >= 0 {
			hits++
			kept = append(slices.Delete(kept, at, at+1), k)
			continue
		}
		if sizes[k] > max {
			continue
		}
		for used += sizes[k]; used > max; kept = kept[1:] {
			used -= sizes[kept[0]]
		}
		kept = append(kept, k)
	}
	return hits
}

// bestOf counts the most hits that any choice of what to keep can have, by trying them all.
func bestOf(keys []uint32, room int) int {
	type state struct {
		at   int
		kept uint32 // a bit for each key
	}
	known := map[state]int{}
	var best func(s state) int
	best = func(s state) int {
		if s.at == len(keys) {
			return 0
		}
		if n, ok := known[s]; ok {
			return n
		}
		bit := uint32(1) << keys[s.at]
		hit := 0
		if s.kept&bit != 0 {
			hit = 1
		}
		n := 0
		all := s.kept | bit
		for kept := all; ; kept = (kept - 1) & all { // each subset
			if bits.OnesCount32(kept) <= room {
				n = max(n, best(state{s.at + 1, kept}))
			}
			if kept == 0 {
				break
			}
		}
		known[s] = n + hit
		return n + hit
	}
	return best(state{})
}
