// compare_internal_test.go holds the policies against the models, victim by victim.

package policytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/larder-go/larder/policy"
)

// comparison is a policy and its model.
type comparison struct {
	name  string
	model func(max uint64) model
	plain bool   // the model can neither weigh nor remove
	most  uint64 // the largest size at which model and policy mean to agree
}

var comparisons = []comparison{
	{"LRU", func(max uint64) model { return &listModel{max: max, renews: true} }, false, 300},
	{"MRU", func(max uint64) model {
		return &listModel{max: max, renews: true, front: true}
	}, false, 300},
	{"FIFO", func(max uint64) model { return &listModel{max: max} }, false, 300},
	{"LFU", func(max uint64) model { return newRankModel(max, 127, 1, false) }, false, 300},
	{"GDSF", func(max uint64) model { return newRankModel(max, 1<<20, 1<<32, true) }, false, 300},
	{"2Q", func(max uint64) model { return &twoQModel{max: max} }, false, 300},
	{"ARC", func(max uint64) model { return &arcModel{c: int(max)} }, true, 300},
	{"LIRS", newLIRSModel, false, 300},
	{"SIEVE", func(max uint64) model {
		return &sieveModel{max: max, visited: map[uint32]bool{}, hand: -1}
	}, false, 300},
	{"S3-FIFO", func(max uint64) model {
		return &s3Model{max: max, freq: map[uint32]int{}}
	}, false, 300},
	// Beyond 16 entries the policy ages at other moments while it fills.
	{"W-TinyLFU", newTinyModel, false, 16},
}

func newRankModel(max, most, scale uint64, byWeight bool) model {
	return &rankModel{max: max, most: most, scale: scale, byWeight: byWeight,
		uses: map[uint32]uint64{}, priority: map[uint32]uint64{}}
}

func newLIRSModel(size uint64) model {
	return &lirsModel{max: size, bound: size - max(1, size/100),
		low: map[uint32]bool{}, weights: map[uint32]uint32{}}
}

func newTinyModel(size uint64) model {
	return &tinyModel{max: size, share: max(1, size/5), counts: map[uint32]int{}}
}

func TestPoliciesChooseAsThePapersDo(t *testing.T) {
	for _, c := range comparisons {
		named, ok := policy.ByName(c.name)
		if !ok {
			t.Fatalf("no policy %s", c.name)
		}
		for _, max := range []uint64{1, 2, 3, 5, 10, 16, 40, 150, 300} {
			for _, heaviest := range []uint32{1, 4, uint32(max)} {
				if max > c.most || c.plain && heaviest > 1 {
					continue
				}
				t.Run(fmt.Sprintf("%s, max %d, weights to %d", c.name, max, heaviest),
					func(t *testing.T) {
						t.Parallel()
						compare(t, named.New, c, params{max, heaviest, max})
					})
			}
		}
	}
}

// compare asks both for the same keys.
func compare(t *testing.T, new policy.New, c comparison, p params) {
	fast, slow := newCache(new(p.max), p.max), c.model(p.max)
	r := rand.New(rand.NewPCG(p.seed, uint64(p.heaviest)))
	for step := range 3000 {
		key := someKey(r, step, p.max)
		slot, hit := fast.slots[key]
		switch {
		case hit && !c.plain && r.IntN(30) == 0:
			fast.remove(slot)
			slow.remove(key)
		case hit:
			fast.policy.Touch(slot, fast.entries[slot].hash)
			slow.hit(key)
		default:
			weight := 1 + r.Uint32N(min(p.heaviest, uint32(p.max)))
			got, want := fast.missed(t, key, weight), slow.miss(key, weight)
			if !slices.Equal(got, want) {
				t.Fatalf("access %d, key %d*%d: victims %d, want %d", step, key, weight, got, want)
			}
		}
	}
}

// missed brings in an entry and returns the keys that left.
func (c *cache) missed(t *testing.T, key, weight uint32) (victims []uint32) {
	keys := make(map[uint32]uint32, len(c.entries))
	for slot, e := range c.entries {
		keys[slot] = e.key
	}
	from := len(c.victims)
	if err := c.miss(key, weight); err != nil {
		t.Fatal(err)
	}
	for _, slot := range c.victims[from:] {
		victims = append(victims, keys[slot])
	}
	return victims
}

// someKey is sometimes one of a few, sometimes one of a loop, sometimes anything; each has a hash
// of its own.
func someKey(r *rand.Rand, step int, max uint64) uint32 {
	n := uint32(2*max + 3)
	switch step / 500 % 4 {
	case 0:
		n = r.Uint32N(1 + r.Uint32N(n))
	case 1:
		n = uint32(step) % n
	case 2:
		n = r.Uint32N(n)
	default:
		n = r.Uint32N(1+r.Uint32N(n)) + n/2*uint32(r.IntN(2))
	}
	return 16 * n
}
