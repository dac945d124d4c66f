// lru.go evicts the least recently used.

package policy

// lru keeps the entries in the order of their last use: what was used lately will be used again.
type lru struct{ lists }

// LRU is least recently used: one list, a hit moves to its front, the back leaves. 9 bytes an
// entry.
func LRU(max uint64) Policy { return &lru{newLists(1, max)} }

func (p *lru) Admit(slot, _, weight uint32) {
	p.reach(slot)
	p.weigh(slot, weight)
	p.push(0, slot)
}

func (p *lru) Touch(slot, _ uint32) { p.move(0, slot) }

func (p *lru) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *lru) Remove(slot uint32) { p.unlink(slot) }

func (p *lru) Victim(uint32) uint32 {
	slot, _ := p.oldest(0)
	p.unlink(slot)
	return slot
}

func (p *lru) Resize(max uint64) { p.max = max }

// Ranked is by recency.
func (p *lru) Ranked(yield func(slot uint32) bool) { p.down(yield, 0) }
