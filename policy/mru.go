// mru.go evicts the most recently used.

package policy

// mru keeps the entries in the order of their last use: in a loop that is longer than the cache,
// what was just used is what is needed last.
type mru struct{ lists }

// MRU is most recently used: one list, a hit moves to its front, the front leaves. It is best where
// everything is read in turn, and bad elsewhere. See Chou and DeWitt, "An evaluation of buffer
// management strategies for relational database systems", VLDB 1985. 9 bytes an entry.
func MRU(max uint64) Policy { return &mru{newLists(1, max)} }

func (p *mru) Admit(slot, _, weight uint32) {
	p.reach(slot)
	p.weigh(slot, weight)
	p.push(0, slot)
}

func (p *mru) Touch(slot, _ uint32) { p.move(0, slot) }

func (p *mru) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *mru) Remove(slot uint32) { p.unlink(slot) }

func (p *mru) Victim(uint32) uint32 {
	slot, _ := p.newest(0)
	p.unlink(slot)
	return slot
}

func (p *mru) Resize(max uint64) { p.max = max }
