// mini.go is one small cache without values: a policy, and what it holds.

package shadow

import "github.com/larder-go/larder/policy"

// mini is a small cache without values, of one policy.
type mini struct {
	name    string
	factor  float64 // of the size of the cache that it stands for
	policy  policy.Policy
	max     uint64 // entries or weight
	used    uint64
	index   table
	entries []entry  // by slot
	weights []uint32 // by slot; nil where entries are counted
	free    []uint32
	hits    float64
}

// entry is what a mini knows of a key that it holds.
type entry struct {
	hash uint32
	ends uint32 // the tick from which on it is no hit any more
}

// ask tells whether a key that was asked for is a hit at the tick now, and whether it is there at
// all: what has ended is to be loaded again, so it stays.
func (m *mini) ask(hash, now, idle uint32) (hit, there bool) {
	slot, there := m.index.find(hash)
	if !there {
		return false, false
	}
	m.policy.Touch(slot, hash)
	e := &m.entries[slot]
	if e.ends <= now {
		return false, true
	}
	if idle != Forever {
		e.ends = after(now, idle)
	}
	return true, true
}

// slot returns the slot of a key that is there.
func (m *mini) slot(hash uint32) uint32 {
	slot, _ := m.index.find(hash)
	return slot
}

// put keeps a key whose value has been loaded or set.
func (m *mini) put(hash, weight, ends uint32, how How) {
	slot, there := m.index.find(hash)
	if !there {
		m.admit(hash, weight, ends)
		return
	}
	if how == Set {
		m.policy.Touch(slot, hash)
	}
	m.entries[slot].ends = ends
	if m.weights != nil && m.weights[slot] != weight {
		m.drop(slot, hash)
		m.admit(hash, weight, ends)
	}
}

func (m *mini) admit(hash, weight, ends uint32) {
	if uint64(weight) > m.max {
		return
	}
	for m.used+uint64(weight) > m.max {
		slot := m.policy.Victim(hash)
		m.index.remove(m.entries[slot].hash)
		m.release(slot)
	}
	slot := m.take()
	m.entries[slot] = entry{hash, ends}
	if m.weights != nil {
		m.weights[slot] = weight
	}
	m.used += uint64(weight)
	m.index.put(hash, slot)
	m.policy.Admit(slot, hash, weight)
}

func (m *mini) take() (slot uint32) {
	if n := len(m.free); n > 0 {
		slot = m.free[n-1]
		m.free = m.free[:n-1]
		return slot
	}
	m.entries = append(m.entries, entry{})
	if m.weights != nil {
		m.weights = append(m.weights, 0)
	}
	return uint32(len(m.entries) - 1)
}

// release gives a slot back that the policy has forgotten.
func (m *mini) release(slot uint32) {
	weight := uint64(1)
	if m.weights != nil {
		weight = uint64(m.weights[slot])
	}
	m.used -= weight
	m.free = append(m.free, slot)
}

func (m *mini) drop(slot, hash uint32) {
	m.policy.Remove(slot)
	m.index.remove(hash)
	m.release(slot)
}

// delete takes a key out, if it is there.
func (m *mini) delete(hash uint32) {
	if slot, ok := m.index.find(hash); ok {
		m.drop(slot, hash)
	}
}
