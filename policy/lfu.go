// lfu.go evicts the least frequently used, and lets old favourites age.

package policy

// ranks is the number of lists of an lfu; no entry's uses count for more than one less. A power of
// two, and a list's number must fit into a byte.
const ranks = 128

// lfu gives each entry the rank of its uses plus the age at the last of them. The age is the rank
// of the last victim, so it grows as entries leave, and a favourite that is used no more is
// overtaken. Ranks lie between the age and the age + 127: a list for each, and they go round.
type lfu struct {
	lists
	uses []uint8 // by slot, up to ranks-1
	age  uint64
}

// LFU is least frequently used with dynamic ageing: the lowest rank leaves, of several the one that
// was used least recently. See Arlitt, Cherkasova, Dilley, Friedrich and Jin, "Evaluating content
// management techniques for web proxy caches", 1999 (LFU-DA). Every call takes constant time.
// 10 bytes an entry.
func LFU(max uint64) Policy { return &lfu{lists: newLists(ranks, max)} }

func (p *lfu) Admit(slot, _, weight uint32) {
	p.reach(slot)
	p.uses = stretch(p.uses, len(p.where))
	p.weigh(slot, weight)
	p.uses[slot] = 1
	p.push(p.rank(slot), slot)
}

// rank is the list in which slot belongs if it is used now.
func (p *lfu) rank(slot uint32) uint8 { return uint8((p.age + uint64(p.uses[slot])) % ranks) }

func (p *lfu) Touch(slot, _ uint32) {
	p.uses[slot] = min(p.uses[slot]+1, ranks-1)
	p.move(p.rank(slot), slot)
}

func (p *lfu) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *lfu) Remove(slot uint32) { p.unlink(slot) }

func (p *lfu) Victim(uint32) uint32 {
	for {
		if slot, ok := p.oldest(uint8(p.age % ranks)); ok {
			p.unlink(slot)
			return slot
		}
		p.age++
	}
}

func (p *lfu) Resize(max uint64) { p.max = max }

// Ranked is by rank, of one rank by recency: the order of leaving, backwards.
func (p *lfu) Ranked(yield func(slot uint32) bool) {
	var order [ranks]uint8
	for i := range order {
		order[i] = uint8((p.age + uint64(ranks-1-i)) % ranks)
	}
	p.down(yield, order[:]...)
}
