// adaptive_panel.go asks several experts about the same keys, and keeps score.

package policy

import "math/bits"

// panel runs experts without entries: each decides what it would keep, all of the same keys. A key
// has a number, its id, which serves all experts as the slot.
type panel struct {
	index   // the ids, by hash
	experts []Policy
	held    []uint8  // by id: a bit for each expert that holds it; panelFree if it is no key's
	weights []uint32 // by id; nil while every weight is 1
	used    []uint64 // by expert: the weight of what it holds
	won     []int    // by expert: its hits beyond the leader's, never below 0
	order   []int    // the experts, the leader first
	spare   []uint32 // ids to be used again
	dropped []uint32 // ids that an expert has let go; whoever runs the panel empties it
	max     uint64
	credit  int // hits that a leader may be ahead: an entry's worth each
}

// panelFree is a bit that no expert has.
const panelFree = 1 << 7

// newPanel takes experts that were made for max, which is about so many entries. The first leads to
// begin with.
func newPanel(max uint64, entries int, experts ...Policy) *panel {
	p := &panel{index: index{most: 2 * max}, experts: experts, max: max, credit: entries}
	p.used, p.won = make([]uint64, len(experts)), make([]int, len(experts))
	for i := range experts {
		p.order = append(p.order, i)
	}
	return p
}

// fresh gives a key an id.
func (p *panel) fresh(hash, weight uint32) (id uint32) {
	if n := len(p.spare); n > 0 {
		id, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		id = uint32(len(p.held))
		p.reach(len(p.held) + 1)
	}
	p.held[id], p.hashes[id] = 0, hash
	p.setWeight(id, weight)
	p.put(id)
	return id
}

// reach makes room for n ids.
func (p *panel) reach(n int) {
	if n > cap(p.held) {
		room := beyond(cap(p.held), n, p.max)
		p.held = append(make([]uint8, 0, room), p.held...)
		if p.weights != nil {
			p.weights = stretch(p.weights, room)
		}
		p.room(room)
	}
	p.held = p.held[:n]
}

// beyond is longer for arrays that may have to hold more than most, if not often much more.
func beyond(n, need int, most uint64) int {
	if uint64(need) > most {
		return need + need/4
	}
	return longer(n, need, most)
}

func (p *panel) weightOf(id uint32) uint64 {
	if p.weights == nil {
		return 1
	}
	return uint64(p.weights[id])
}

func (p *panel) setWeight(id, weight uint32) {
	if p.weights == nil && weight != 1 {
		p.weights = make([]uint32, cap(p.held))
		for i := range p.weights {
			p.weights[i] = 1
		}
	}
	if p.weights != nil {
		p.weights[id] = weight
	}
}

// free gives back the id of a key that nobody holds. A second time it does nothing.
func (p *panel) free(id uint32) {
	if p.held[id] == 0 {
		p.del(id)
		p.held[id] = panelFree
		p.spare = append(p.spare, id)
	}
}

// access tells all experts of a use. Those that had dropped the key take it in again.
func (p *panel) access(id uint32) {
	hits, hash, weight := p.held[id], p.hashes[id], p.weightOf(id)
	for i, e := range p.experts {
		if hits>>i&1 != 0 {
			e.Touch(id, hash)
			continue
		}
		p.shrink(i, p.max-min(p.max, weight), hash)
		p.used[i] += weight
		e.Admit(id, hash, uint32(weight))
		p.held[id] |= 1 << i
	}
	p.score(hits)
}

// shrink makes an expert drop keys until the rest weighs no more than max.
func (p *panel) shrink(expert int, max uint64, incoming uint32) {
	for p.used[expert] > max {
		p.drop(expert, p.experts[expert].Victim(incoming))
	}
}

func (p *panel) drop(expert int, id uint32) {
	p.used[expert] -= p.weightOf(id)
	p.held[id] &^= 1 << expert
	p.dropped = append(p.dropped, id)
}

// score keeps what each expert has won over the leader. Only differences count: how many hits the
// traffic allows is no merit. What a leader is ahead counts too, up to as much as a change can
// cost: with none, two that take turns in being better each lead when the other should (7 points on
// a loop); with more, a leader stays too long when the traffic changes.
func (p *panel) score(hits uint8) {
	lead := int(hits >> p.order[0] & 1)
	for i := range p.won {
		p.won[i] = max(-p.credit, p.won[i]+int(hits>>i&1)-lead)
	}
}

// elect makes the expert lead that has won most over the leader beyond what the change costs, in
// misses, if there is one. To wait until another has won as much as it costs to follow it is what
// bounds the loss where each is better for a while; see Borodin, Linial and Saks, "An optimal
// on-line algorithm for metrical task system", JACM 1992. It needs no window of time.
func (p *panel) elect(cost func(expert int) int) (lead int) {
	best, gain := 0, 0
	for at, expert := range p.order {
		if won := p.won[expert]; won > gain && won-cost(expert) > gain {
			best, gain = at, won-cost(expert)
		}
	}
	if best != 0 {
		lead = p.order[best]
		copy(p.order[1:], p.order[:best]) // those who led last come first
		p.order[0] = lead
		clear(p.won)
	}
	return p.order[0]
}

// weigh changes the weight of a key.
func (p *panel) weigh(id, weight uint32) {
	old := p.weightOf(id)
	if old == uint64(weight) {
		return
	}
	p.setWeight(id, weight)
	for held := p.held[id]; held != 0; held &= held - 1 {
		i := bits.TrailingZeros8(held)
		p.used[i] += uint64(weight) - old
		p.experts[i].Weigh(id, weight)
		p.shrink(i, p.max, 0)
	}
}

// remove takes a key from all experts.
func (p *panel) remove(id uint32) {
	for held := p.held[id]; held != 0; held &= held - 1 {
		i := bits.TrailingZeros8(held)
		p.experts[i].Remove(id)
		p.drop(i, id)
	}
}

// resize makes the experts larger or smaller.
func (p *panel) resize(max uint64) {
	p.max, p.most = max, 2*max
	for i, e := range p.experts {
		e.Resize(max)
		p.shrink(i, max, 0)
	}
}
