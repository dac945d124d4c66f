// adaptive_vote.go evicts what the best experts do not hold: the form for small caches.

package policy

import "math/bits"

// voteClasses is how many sets of experts there are that may hold a key.
const voteClasses = 1 << voteExperts

const voteExperts = 4

// voteWithout are, as bits, the classes of keys that an expert does not hold.
var voteWithout = [voteExperts]uint16{0x5555, 0x3333, 0x0f0f, 0x00ff}

// vote hears of every hit, and its experts are as large as the cache. The entries lie in lists by
// the set of experts that would hold them. So a change of the leader moves nothing, and what leaves
// is what the leader does not hold, and of that what the next best does not hold either.
type vote struct {
	lists          // of the entries; the number of a list is the set of experts
	panel *panel   // of all keys
	ids   []uint32 // by slot
	slots []uint32 // by id: the slot of the entry + 1, 0 if there is none
	live  int      // entries
}

// newVote asks three windows, and ARC. The first leads until another has won: a window of 20 % is
// the best where nothing is known. Patience, as in a follow, is no help here, since others take
// over, and costs on loops.
func newVote(max uint64) *vote {
	return &vote{
		lists: newLists(voteClasses, max),
		panel: newPanel(max, int(max),
			newLazy(max, shape{percent: 20}, new(Marks)),           // mixed traffic
			newLazy(max, shape{percent: 1, margin: 1}, new(Marks)), // loops, and what is popular for long
			newLazy(max, shape{percent: 60}, new(Marks)),           // recency
			ARC(max)), // recency that changes its mind
	}
}

func (p *vote) Admit(slot, hash, weight uint32) {
	p.reach(slot)
	p.ids = stretch(p.ids, len(p.where))
	id, ok := p.panel.find(hash)
	if !ok || p.slots[id] != 0 { // another key of the same hash is there
		id = p.panel.fresh(hash, weight)
		p.slots = stretch(p.slots, cap(p.panel.held))
	}
	p.panel.weigh(id, weight)
	p.panel.access(id)
	p.follow()
	p.ids[slot], p.slots[id] = id, slot+1
	p.lists.weigh(slot, weight)
	p.push(p.panel.held[id], slot)
	p.live++
}

// follow puts entries where they belong after experts have dropped them.
func (p *vote) follow() {
	for _, id := range p.panel.dropped {
		if slot := p.slots[id]; slot != 0 {
			p.move(p.panel.held[id], slot-1)
		} else {
			p.panel.free(id)
		}
	}
	p.panel.dropped = p.panel.dropped[:0]
}

func (p *vote) Touch(slot, _ uint32) {
	id := p.ids[slot]
	p.panel.access(id)
	p.follow()
	p.move(p.panel.held[id], slot)
}

func (p *vote) Weigh(slot, weight uint32) {
	p.reweigh(slot, weight)
	p.panel.weigh(p.ids[slot], weight)
	p.follow()
}

func (p *vote) Remove(slot uint32) {
	p.panel.remove(p.ids[slot])
	p.release(slot)
	p.follow()
}

// release forgets the entry of a slot. Its id is freed when no expert holds the key.
func (p *vote) release(slot uint32) {
	id := p.ids[slot]
	p.unlink(slot)
	p.live--
	p.slots[id] = 0
	p.panel.free(id)
}

func (p *vote) Victim(uint32) uint32 {
	slot, _ := p.oldest(p.class())
	p.release(slot)
	return slot
}

// class is the list that gives the victim: what the leader does not hold, unless it holds all; of
// that what the one before it does not hold, and so on.
func (p *vote) class() uint8 {
	p.panel.elect(p.cost)
	var classes uint16
	for i, weight := range p.weight {
		if weight > 0 {
			classes |= 1 << i
		}
	}
	for _, expert := range p.panel.order {
		if rest := classes & voteWithout[expert]; rest != 0 {
			classes = rest
		}
	}
	return uint8(bits.TrailingZeros16(classes))
}

// cost is how many misses it takes until the cache holds what an expert holds.
func (p *vote) cost(expert int) int {
	var missing, all uint64
	for i, weight := range p.weight {
		all += weight
		if i>>expert&1 == 0 {
			missing += weight
		}
	}
	return int(missing * uint64(p.live) / all)
}

func (p *vote) Resize(max uint64) {
	p.max, p.panel.credit = max, int(max)
	p.panel.resize(max)
	p.follow()
}

// each visits the entries.
func (p *vote) each(visit func(slot, hash, weight uint32)) {
	for slot, list := range p.where {
		if list != nowhere {
			slot := uint32(slot)
			visit(slot, p.panel.hashes[p.ids[slot]], uint32(p.weightOf(slot)))
		}
	}
}

// Ranked is what the leader holds, of that what the next best holds too, and so on, each by
// recency: the order of leaving, backwards.
func (p *vote) Ranked(yield func(slot uint32) bool) {
	var order [voteClasses]uint8
	for class := range order {
		place := 0 // a bit for each expert that does not hold it, the leader's first
		for _, expert := range p.panel.order {
			place = place<<1 | ^class>>expert&1
		}
		order[place] = uint8(class)
	}
	p.down(yield, order[:]...)
}
