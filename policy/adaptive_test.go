// adaptive_test.go holds Adaptive against the policies that it must not lose to.

package policy_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/larder-go/larder/policy"
)

// traffic is made of keys below 4*max.
type traffic struct {
	name string
	keys func(max uint32) []uint32
}

var traffics = []traffic{
	{"zipf", func(max uint32) []uint32 { return skewed(60*int(max), max) }},
	{"a loop somewhat too long", func(max uint32) []uint32 {
		return keysOf(60*max, func(i uint32) uint32 { return i % (max * 3 / 2) })
	}},
	{"recency", func(max uint32) []uint32 { return lately(60*int(max), max) }},
	{"popular keys and scans", func(max uint32) []uint32 {
		popular := skewed(60*int(max), max)
		return keysOf(60*max, func(i uint32) uint32 {
			if i/(2*max)%3 == 2 {
				return max + i%(3*max)
			}
			return popular[i]
		})
	}},
	{"phases", func(max uint32) []uint32 {
		popular, late := skewed(120*int(max), max), lately(120*int(max), max)
		return keysOf(120*max, func(i uint32) uint32 {
			switch i / (20 * max) % 3 {
			case 0:
				return popular[i]
			case 1:
				return i % (max * 3 / 2)
			}
			return late[i]
		})
	}},
}

func keysOf(n uint32, key func(i uint32) uint32) []uint32 {
	keys := make([]uint32, n)
	for i := range keys {
		keys[i] = key(uint32(i))
	}
	return keys
}

// lately are keys of which those that were asked for last are asked for again; each in its turn is
// replaced by another.
func lately(n int, max uint32) []uint32 {
	r := rand.New(rand.NewPCG(3, 4))
	keys := make([]uint32, n)
	for i := range keys {
		back := int(math.Exp(r.Float64() * math.Log(float64(2*max))))
		if back > i || r.IntN(20) == 0 {
			keys[i] = uint32(i/20) % (4 * max)
		} else {
			keys[i] = keys[i-back]
		}
	}
	return keys
}

// None of the others is near the best everywhere.
func TestAdaptiveIsNearTheBest(t *testing.T) {
	others := []policy.New{policy.LRU, policy.ARC, policy.LIRS, policy.S3FIFO, policy.WTinyLFU}
	for _, max := range []uint32{100, 1000, 3000} {
		for _, traffic := range traffics {
			keys := traffic.keys(max)
			best := 0
			for _, other := range others {
				best = slices.Max([]int{best, simulate(other(uint64(max)), keys, max)})
			}
			got := percent(simulate(policy.Adaptive(uint64(max)), keys, max), keys)
			want := percent(best, keys)
			t.Logf("%s, %d entries: %.1f %%, best of the others %.1f %%", traffic.name, max, got, want)
			if got < want-3 {
				t.Errorf("%s, %d entries: %.1f %%, want at least %.1f %%", traffic.name, max, got, want-3)
			}
		}
	}
}

func percent(hits int, keys []uint32) float64 { return 100 * float64(hits) / float64(len(keys)) }

func TestAdaptiveDoesTheSameAgain(t *testing.T) {
	for _, max := range []uint32{1000, 5000} {
		keys := traffics[4].keys(max)
		first := simulate(policy.Adaptive(uint64(max)), keys, max)
		if again := simulate(policy.Adaptive(uint64(max)), keys, max); again != first {
			t.Errorf("%d entries: %d hits, then %d", max, first, again)
		}
	}
}

// A loop through four times what fits makes the experts hold different keys, so the panel is large.
func TestAdaptiveIsFrugal(t *testing.T) {
	for _, c := range []struct {
		max, entries uint32
		want         int64
	}{{2048, 2048, 512 << 10}, {200_000, 200_000, 200_000*14 + 700<<10}, {200_000, 10, 16 << 10}} {
		keys := keysOf(20*c.entries, func(i uint32) uint32 { return i * 7 % (4 * c.entries) })
		if c.entries < c.max {
			keys = keysOf(c.entries, func(i uint32) uint32 { return i })
		}
		before := heap()
		p := policy.Adaptive(uint64(c.max))
		simulate(p, keys, c.max)
		if got := heap() - before; got > c.want {
			t.Errorf("%d entries of %d: %d bytes, want at most %d", c.entries, c.max, got, c.want)
		}
		runtime.KeepAlive(p)
	}
}

// What marks say and what Touch says is the same to a large cache, up to the order.
func TestAdaptiveLearnsFromMarks(t *testing.T) {
	const max = 3000
	keys := skewed(60*max, max)
	p := policy.Adaptive(max).(policy.Marker)
	if mask, ok := p.Watches(); ok {
		t.Fatalf("it watches hash&%#x == 0 before anything has left", mask)
	}
	told := percent(simulate(policy.Adaptive(max), keys, max), keys)
	marked := percent(simulate(marking{p, p.Marks()}, keys, max), keys)
	if mask, ok := p.Watches(); mask == 0 || !ok {
		t.Fatalf("it watches hash&%#x == 0, %v; want a sample", mask, ok)
	}
	if math.Abs(told-marked) > 0.5 {
		t.Errorf("%.1f %% by marks, %.1f %% by Touch", marked, told)
	}
}

// marking tells a policy of hits as a cache does that marks.
type marking struct {
	policy.Marker
	marks *policy.Marks
}

func (m marking) Touch(slot, hash uint32) {
	m.marks.Mark(slot)
	if mask, ok := m.Watches(); ok && hash&mask == 0 {
		m.Marker.Touch(slot, hash)
	}
}

// entries is what a policy must believe.
type entries struct {
	policy policy.Policy
	max    uint64
	weight uint64
	slots  []uint32          // in an order that depends on the calls alone
	at     map[uint32]int    // a slot's place in slots
	hashes map[uint32]uint32 // by slot
	heavy  map[uint32]uint64 // by slot
	free   []uint32
}

func newEntries(max uint64) *entries {
	return &entries{policy: policy.Adaptive(max), max: max, at: map[uint32]int{},
		hashes: map[uint32]uint32{}, heavy: map[uint32]uint64{}}
}

func (e *entries) add(t *testing.T, hash uint32, weight uint64) {
	e.fit(t, hash, weight)
	slot := uint32(len(e.slots))
	if n := len(e.free); n > 0 {
		slot, e.free = e.free[n-1], e.free[:n-1]
	}
	e.at[slot], e.hashes[slot], e.heavy[slot] = len(e.slots), hash, weight
	e.slots = append(e.slots, slot)
	e.weight += weight
	e.policy.Admit(slot, hash, uint32(weight))
}

func (e *entries) fit(t *testing.T, hash uint32, weight uint64) {
	for e.weight+weight > e.max && len(e.slots) > 0 {
		slot := e.policy.Victim(hash)
		if _, ok := e.at[slot]; !ok {
			t.Fatalf("victim %d is not there", slot)
		}
		e.drop(slot)
	}
}

func (e *entries) drop(slot uint32) {
	at, last := e.at[slot], e.slots[len(e.slots)-1]
	e.slots[at], e.at[last] = last, at
	e.slots = e.slots[:len(e.slots)-1]
	e.weight -= e.heavy[slot]
	delete(e.at, slot)
	e.free = append(e.free, slot)
}

// operate does one thing by chance. Sizes go across the border between small and large.
func (e *entries) operate(t *testing.T, r *rand.Rand, heaviest uint64) {
	n := r.IntN(1000)
	if n < 600 || len(e.slots) == 0 {
		e.add(t, r.Uint32N(20_000)*0x9e3779b1, 1+r.Uint64N(heaviest))
		return
	}
	slot := e.slots[r.IntN(len(e.slots))]
	switch {
	case n < 900:
		e.policy.Touch(slot, e.hashes[slot])
	case n < 950:
		e.policy.Remove(slot)
		e.drop(slot)
	case n < 998:
		e.weight -= e.heavy[slot]
		e.heavy[slot] = 1 + r.Uint64N(heaviest)
		e.weight += e.heavy[slot]
		e.policy.Weigh(slot, uint32(e.heavy[slot]))
		e.fit(t, 0, 0)
	default:
		e.max = 1 + r.Uint64N(6000)
		e.policy.Resize(e.max)
		e.fit(t, 0, 0)
	}
}

func TestAdaptiveKeepsItsPromisesAtAllSizes(t *testing.T) {
	for _, heaviest := range []uint64{1, 5, 300} {
		t.Run(fmt.Sprintf("weights to %d", heaviest), func(t *testing.T) {
			e, r := newEntries(5000), rand.New(rand.NewPCG(heaviest, 6))
			for range 60_000 {
				e.operate(t, r, min(heaviest, e.max))
			}
			for len(e.slots) > 0 {
				e.fit(t, 0, e.max)
			}
		})
	}
}
