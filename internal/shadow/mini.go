// mini.go is one small cache without values: a policy, and what it holds.

package shadow

import "github.com/larder-go/larder/policy"

// mini is a small cache without values, of one policy.
type mini struct {
	name    string
	factor  float64 // of the size of the cache that it stands for
	policy  policy.Policy
	max     uint64 // entries or weight
	most    int    // entries, however light they are
	fresh   uint32 // ticks, as of Cache
	idle    uint32
	used    uint64
	index   table
	entries []entry  // by slot
	weights []uint32 // by slot; nil where entries are counted
	untils  []uint32 // by slot, the tick at which its time is up even if used; nil where ends says it
	free    []uint32
	hand    int // the slot that was swept last
	hits    float64
}

// entry is what a mini knows of a key that it holds.
type entry struct {
	hash uint32
	ends uint32 // the tick from which on it is no hit any more
}

// ask tells whether a key that was asked for is a hit at the tick now, and whether it is there at
// all: what has ended is to be loaded again, so it stays.
func (m *mini) ask(hash, now uint32) (hit, there bool) {
	slot, there := m.index.find(hash)
	if !there {
		return false, false
	}
	m.policy.Touch(slot, hash)
	if m.entries[slot].ends <= now {
		return false, true
	}
	m.use(slot, now)
	return true, true
}

// begin lets the life of an entry begin, whose value has come now.
func (m *mini) begin(slot, now uint32) {
	until := after(now, m.fresh)
	m.entries[slot].ends = min(until, after(now, m.idle))
	if m.untils != nil {
		m.untils[slot] = until
	}
}

// use notes that an entry was used: it may be a hit for longer.
func (m *mini) use(slot, now uint32) {
	if m.idle == Forever {
		return
	}
	ends := after(now, m.idle)
	if m.untils != nil {
		ends = min(ends, m.untils[slot])
	}
	m.entries[slot].ends = ends
}

// slot returns the slot of a key that is there.
func (m *mini) slot(hash uint32) uint32 {
	slot, _ := m.index.find(hash)
	return slot
}

// put keeps a key whose value has been loaded or set. A cache that had it would not have loaded it:
// then it stays as it is.
func (m *mini) put(hash, weight, now uint32, how How) {
	slot, there := m.index.find(hash)
	switch {
	case !there:
		m.admit(hash, weight, now)
		return
	case how == Set:
		m.policy.Touch(slot, hash)
	case m.entries[slot].ends > now:
		return
	}
	m.begin(slot, now)
	if m.weights != nil && m.weights[slot] != weight {
		m.drop(slot, hash)
		m.admit(hash, weight, now)
	}
}

func (m *mini) admit(hash, weight, now uint32) {
	if uint64(weight) > m.max {
		return
	}
	m.sweep(now)
	for m.used+uint64(weight) > m.max || m.index.live >= m.most {
		slot := m.policy.Victim(hash)
		m.index.remove(m.entries[slot].hash)
		m.release(slot)
	}
	slot := m.take()
	m.entries[slot].hash = hash
	if m.weights != nil {
		m.weights[slot] = weight
	}
	m.begin(slot, now)
	m.used += uint64(weight)
	m.index.put(hash, slot)
	m.policy.Admit(slot, hash, weight)
}

// swept is how many entries are looked at when one comes. With 4 the ratios of caches whose entries
// live as long as four turns of them are off by less than half a point, with none by up to 2 points.
const swept = 4

// sweep takes out what has ended of a few entries, as a cache does with all of them: they leave room
// to others.
func (m *mini) sweep(now uint32) {
	if m.fresh == Forever && m.idle == Forever {
		return
	}
	for range min(swept, len(m.entries)) {
		m.hand = (m.hand + 1) % len(m.entries)
		if e := m.entries[m.hand]; e.ends <= now {
			m.drop(uint32(m.hand), e.hash)
		}
	}
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
	if m.untils != nil {
		m.untils = append(m.untils, 0)
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
	m.entries[slot].ends = Forever
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
