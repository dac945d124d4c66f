// mini_internal_test.go holds the small cache against a list that is searched from end to end.

package shadow

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/larder-go/larder/policy"
)

// naive is an LRU of few entries, the most recent last.
type naive struct {
	max     uint64
	entries []naiveEntry
}

type naiveEntry struct {
	hash, weight, ends, until uint32
}

func (n *naive) find(hash uint32) int {
	return slices.IndexFunc(n.entries, func(e naiveEntry) bool { return e.hash == hash })
}

// touch makes an entry the most recent one.
func (n *naive) touch(i int) *naiveEntry {
	e := n.entries[i]
	n.entries = append(slices.Delete(n.entries, i, i+1), e)
	return &n.entries[len(n.entries)-1]
}

func (n *naive) ask(hash, now, idle uint32) (hit, there bool) {
	i := n.find(hash)
	if i < 0 {
		return false, false
	}
	e := n.touch(i)
	if hit = e.ends > now; hit && idle != Forever {
		e.ends = min(after(now, idle), e.until)
	}
	return hit, true
}

func (n *naive) put(hash, weight, now uint32, c traffic, how How) {
	i := n.find(hash)
	until := after(now, c.fresh)
	ends := min(until, after(now, c.idle))
	switch {
	case i >= 0 && how == Loaded && n.entries[i].ends > now:
		return
	case i >= 0 && n.entries[i].weight == weight:
		n.entries[i].ends, n.entries[i].until = ends, until
		if how == Set {
			n.touch(i)
		}
		return
	case i >= 0:
		n.entries = slices.Delete(n.entries, i, i+1)
	}
	if uint64(weight) > n.max {
		return
	}
	for n.used()+uint64(weight) > n.max {
		n.entries = n.entries[1:]
	}
	n.entries = append(n.entries, naiveEntry{hash, weight, ends, until})
}

// sweepLike takes out of what has ended what is not in m any more.
func (n *naive) sweepLike(m *mini, now uint32) {
	n.entries = slices.DeleteFunc(n.entries, func(e naiveEntry) bool {
		_, there := m.index.find(e.hash)
		return !there && e.ends <= now
	})
}

func (n *naive) delete(hash uint32) {
	if i := n.find(hash); i >= 0 {
		n.entries = slices.Delete(n.entries, i, i+1)
	}
}

func (n *naive) used() (sum uint64) {
	for _, e := range n.entries {
		sum += uint64(e.weight)
	}
	return sum
}

// traffic is what a random test of a mini does.
type traffic struct {
	max         uint64
	heaviest    uint32 // 0: entries are counted
	keys        uint32
	fresh, idle uint32 // ticks
	deletes     int    // of 100 operations
}

func TestMiniIsLikeAList(t *testing.T) {
	r := random(t)
	for _, max := range []uint64{1, 2, 7, 40} {
		for _, heaviest := range []uint32{0, 1, 5, 60} {
			for _, fresh := range []uint32{Forever, 30} {
				for _, idle := range []uint32{Forever, 10} {
					c := traffic{max, heaviest, uint32(max) * 3, fresh, idle, 5}
					t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) { c.run(t, r) })
				}
			}
		}
	}
}

func (c traffic) run(t *testing.T, r *rand.Rand) {
	small := &mini{policy: policy.LRU(c.max), max: c.max, most: 1000, fresh: c.fresh, idle: c.idle}
	if c.fresh != Forever && c.idle != Forever {
		small.untils = []uint32{}
	}
	if c.heaviest > 0 {
		small.weights = []uint32{}
	}
	list := &naive{max: c.max}
	for i := range 4000 {
		now, hash := uint32(i/8), r.Uint32N(c.keys)
		c.step(t, r, small, list, hash, now)
		c.compare(t, small, list)
	}
}

// step does to both what a cache may do: ask, and load what is missed; set; delete.
func (c traffic) step(t *testing.T, r *rand.Rand, small *mini, list *naive, hash, now uint32) {
	t.Helper()
	weight := uint32(1)
	if c.heaviest > 0 {
		weight = 1 + r.Uint32N(c.heaviest)
	}
	switch op := r.IntN(100); {
	case op < c.deletes:
		small.delete(hash)
		list.delete(hash)
	case op < 2*c.deletes:
		small.put(hash, weight, now, Set)
		list.put(hash, weight, now, c, Set)
	default:
		hit, there := small.ask(hash, now)
		if wantHit, want := list.ask(hash, now, c.idle); hit != wantHit || there != want {
			t.Fatalf("tick %d, hash %d: hit %v, there %v; want %v, %v", now, hash, hit, there,
				wantHit, want)
		}
		if !hit || r.IntN(10) == 0 { // the cache that it stands for may have less
			small.put(hash, weight, now, Loaded)
			list.sweepLike(small, now)
			list.put(hash, weight, now, c, Loaded)
		}
	}
}

// compare fails t if they do not hold the same.
func (c traffic) compare(t *testing.T, small *mini, list *naive) {
	t.Helper()
	if small.used != list.used() || small.index.live != len(list.entries) || small.used > c.max {
		t.Fatalf("%d entries of weight %d, want %d of %d", small.index.live, small.used,
			len(list.entries), list.used())
	}
	if len(small.entries) != small.index.live+len(small.free) {
		t.Fatalf("%d slots for %d entries and %d free ones", len(small.entries), small.index.live,
			len(small.free))
	}
	for _, e := range list.entries {
		slot, ok := small.index.find(e.hash)
		if !ok || small.entries[slot] != (entry{e.hash, e.ends}) ||
			small.weights != nil && small.weights[slot] != e.weight {
			t.Fatalf("hash %d should be there with %+v", e.hash, e)
		}
	}
}

// TestMiniHoldsNoMoreEntriesThanItMay has one key in ten weigh as much as 5000 others, and a policy
// that keeps what is light.
func TestMiniHoldsNoMoreEntriesThanItMay(t *testing.T) {
	small := &mini{
		policy: policy.GDSF(280_000), max: 280_000, most: 2000, fresh: Forever, idle: Forever,
		weights: []uint32{},
	}
	for hash := range uint32(50_000) {
		weight := uint32(1)
		if hash%10 == 0 {
			weight = 5000
		}
		small.put(hash, weight, 0, Loaded)
	}
	if small.index.live > 2000 || len(small.entries) != 2000 {
		t.Errorf("%d entries in %d slots, want 2000 at most", small.index.live, len(small.entries))
	}
}
