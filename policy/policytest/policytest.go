// policytest.go is the acceptance suite that every policy passes.

// Package policytest checks that a policy keeps its promises.
//
// Run is for any policy, whoever wrote it. Replay plays a text in which each line says what must
// happen.
package policytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/larder-go/larder/policy"
)

// Run checks a policy against the contract of policy.Policy with random operations, entries counted
// and weighed, at sizes from 1 up: whoever leaves was there, whoever is there can leave, nobody
// leaves twice, what was removed does not come back, slots serve again for other keys, and the same
// calls have the same answers. A policy.Marker is also told of hits by marks, from many goroutines
// at once, so run it under the race detector too. A policy.Ranker must rank whoever is there, and
// not change by it. It says nothing about hit ratios.
func Run(t *testing.T, new policy.New) {
	for _, max := range []uint64{1, 2, 3, 4, 7, 10, 33, 100, 300} {
		for _, heaviest := range []uint32{1, 3, uint32(max)} {
			t.Run(fmt.Sprintf("max %d, weights to %d", max, heaviest), func(t *testing.T) {
				p := params{max, heaviest, max}
				first := exercise(t, new, p)
				if again := exercise(t, new, p); !slices.Equal(first, again) {
					t.Error("the same calls had other victims the second time")
				}
			})
		}
	}
	t.Run("the largest max", func(t *testing.T) { exercise(t, new, params{1<<62 - 1, 1 << 31, 5}) })
	for _, max := range []uint64{64, 3000} {
		t.Run(fmt.Sprintf("max %d, marked by many at once", max), func(t *testing.T) {
			markedByMany(t, new, max)
		})
	}
	t.Run("ranked", func(t *testing.T) { rankedOften(t, new) })
}

// params are what one run of random operations depends on.
type params struct {
	max      uint64
	heaviest uint32
	seed     uint64
}

// exercise does random operations, then empties the cache. It returns the victims' slots.
func exercise(t *testing.T, new policy.New, p params) (victims []uint32) {
	return observe(t, new, p, func(*cache) error { return nil })
}

// observe is exercise with a look at the cache after each operation.
func observe(t *testing.T, new policy.New, p params, look func(*cache) error) (victims []uint32) {
	c := newCache(new(p.max), p.max)
	o := operator{cache: c, Rand: rand.New(rand.NewPCG(p.seed, 1)), params: p}
	for step := range 2000 {
		if err := o.operate(); err != nil {
			t.Fatalf("operation %d: %v", step, err)
		}
		if err := look(c); err != nil {
			t.Fatalf("after operation %d: %v", step, err)
		}
	}
	for len(c.residents) > 0 {
		if _, err := c.evict(0); err != nil {
			t.Fatalf("emptying: %v", err)
		}
		if err := look(c); err != nil {
			t.Fatalf("emptying: %v", err)
		}
	}
	if c.weight != 0 {
		t.Fatalf("an empty cache weighs %d", c.weight)
	}
	return c.victims
}

// operator chooses operations by chance.
type operator struct {
	*cache
	*rand.Rand
	params params
}

func (o *operator) operate() error {
	switch n := o.IntN(200); {
	case n < 160 || len(o.residents) == 0:
		return o.get(o.key(), o.entryWeight())
	case n < 180:
		o.remove(o.any())
	case n < 190:
		o.weigh(o.any(), o.entryWeight())
		return o.fit(0)
	case n < 195:
		_, err := o.evict(0)
		return err
	case n < 197:
		return o.resize(1 + o.Uint64N(min(2*o.params.max, 1<<62-1)))
	case n < 198:
		return o.abandon(o.key())
	default:
		return o.scan(min(o.params.max, 1000))
	}
	return nil
}

// key is one of some hundreds, few of them often.
func (o *operator) key() uint32 {
	few := 1 + o.Uint32N(uint32(min(4*o.params.max, 4000)+8))
	return o.Uint32N(few)
}

func (o *operator) entryWeight() uint32 { return 1 + o.Uint32N(o.params.heaviest) }

// any returns a resident slot.
func (o *operator) any() uint32 { return o.residents[o.IntN(len(o.residents))] }

// get asks for a key, and brings it in on a miss.
func (o *operator) get(key, weight uint32) error {
	if slot, ok := o.slots[key]; ok {
		o.hit(slot)
		return nil
	}
	return o.miss(key, uint32(min(uint64(weight), o.max)))
}

// hit tells the policy by a call or, if it can, by a mark.
func (o *operator) hit(slot uint32) {
	m, ok := o.policy.(policy.Marker)
	if !ok || o.IntN(2) == 0 {
		o.policy.Touch(slot, o.entries[slot].hash)
		return
	}
	if marks := m.Marks(); marks != nil {
		marks.Mark(slot)
	}
	if mask, ok := m.Watches(); ok && o.entries[slot].hash&mask == 0 {
		m.Touch(slot, o.entries[slot].hash)
	}
}

// scan asks for many keys that were never asked for before.
func (o *operator) scan(n uint64) error {
	for range n {
		if err := o.miss(1<<20+o.Uint32N(1<<30), 1); err != nil {
			return err
		}
	}
	return nil
}

// abandon makes room for a key that then does not come.
func (o *operator) abandon(key uint32) error {
	if _, ok := o.slots[key]; ok {
		return nil
	}
	_, err := o.evict(hashOf(key))
	return err
}

// markedByMany sets marks while the policy works.
func markedByMany(t *testing.T, new policy.New, max uint64) {
	m, ok := new(max).(policy.Marker)
	if !ok || m.Marks() == nil {
		t.Skip("not a policy that learns of hits from marks")
	}
	marks := m.Marks()
	var all sync.WaitGroup
	for i := range 4 {
		r := rand.New(rand.NewPCG(uint64(i), 2))
		all.Go(func() {
			for range 20000 {
				marks.Mark(r.Uint32N(uint32(max)))
			}
		})
	}
	c := newCache(m, max)
	o := operator{cache: c, Rand: rand.New(rand.NewPCG(3, 3)), params: params{max, 1, 3}}
	look := seldom(max, rankedOnce)
	for range 2000 {
		if err := errors.Join(o.operate(), look(c)); err != nil {
			t.Error(err)
			break
		}
	}
	all.Wait()
	if m.Marks() != marks {
		t.Error("the marks are others than at first")
	}
}
