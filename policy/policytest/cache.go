// cache.go is what a policy must believe: the entries that are there.

package policytest

import (
	"fmt"

	"github.com/larder-go/larder/policy"
)

// entry is what was admitted under a slot.
type entry struct {
	key, hash, weight uint32
	at                int // in residents
}

// cache keeps a policy to its contract: it hands out slots, and knows who is there.
type cache struct {
	policy    policy.Policy
	max       uint64
	weight    uint64
	slots     map[uint32]uint32 // by key
	entries   map[uint32]entry  // by slot
	residents []uint32          // slots, in an order that depends on the calls alone
	free      []uint32          // slots that were used before
	victims   []uint32          // all slots that left for room
}

func newCache(p policy.Policy, max uint64) *cache {
	return &cache{policy: p, max: max, slots: map[uint32]uint32{}, entries: map[uint32]entry{}}
}

// hashOf mixes a key. Some keys share their hash with another, and one has 0.
func hashOf(key uint32) uint32 {
	if key == 5 {
		return 0
	}
	if key%16 == 9 {
		key--
	}
	h := uint64(key+1) * 0x9e3779b97f4a7c15
	return uint32(h>>32) ^ uint32(h>>7)
}

// miss makes room for an entry, and admits it.
func (c *cache) miss(key, weight uint32) error {
	if err := c.fit(hashOf(key), weight); err != nil {
		return err
	}
	c.admit(entry{key: key, hash: hashOf(key), weight: weight})
	return nil
}

// fit asks for victims until the weights fit.
func (c *cache) fit(incoming uint32, weights ...uint32) error {
	need := c.weight
	for _, w := range weights {
		need += uint64(w)
	}
	for need > c.max && len(c.residents) > 0 {
		e, err := c.evict(incoming)
		if err != nil {
			return err
		}
		need -= uint64(e.weight)
	}
	return nil
}

// admit takes a slot that was used before, if there is one.
func (c *cache) admit(e entry) {
	slot := uint32(len(c.entries))
	if n := len(c.free); n > 0 {
		slot, c.free = c.free[n-1], c.free[:n-1]
	}
	e.at = len(c.residents)
	c.slots[e.key], c.entries[slot] = slot, e
	c.residents = append(c.residents, slot)
	c.weight += uint64(e.weight)
	c.policy.Admit(slot, e.hash, e.weight)
}

// evict asks for one victim, and fails if it is not there.
func (c *cache) evict(incoming uint32) (entry, error) {
	slot := c.policy.Victim(incoming)
	e, ok := c.entries[slot]
	if !ok {
		return entry{}, fmt.Errorf("victim %d is not there", slot)
	}
	c.victims = append(c.victims, slot)
	c.drop(slot)
	return e, nil
}

func (c *cache) drop(slot uint32) {
	e := c.entries[slot]
	delete(c.entries, slot)
	delete(c.slots, e.key)
	c.weight -= uint64(e.weight)
	c.free = append(c.free, slot)
	last := c.residents[len(c.residents)-1]
	c.residents = c.residents[:len(c.residents)-1]
	if last != slot {
		moved := c.entries[last]
		moved.at = e.at
		c.entries[last], c.residents[e.at] = moved, last
	}
}

func (c *cache) remove(slot uint32) {
	c.policy.Remove(slot)
	c.drop(slot)
}

func (c *cache) weigh(slot, weight uint32) {
	e := c.entries[slot]
	e.weight = uint32(min(uint64(weight), c.max))
	c.weight += uint64(e.weight) - uint64(c.entries[slot].weight)
	c.entries[slot] = e
	c.policy.Weigh(slot, e.weight)
}

func (c *cache) resize(max uint64) error {
	c.max = max
	c.policy.Resize(max)
	return c.fit(0)
}
