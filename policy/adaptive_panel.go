// adaptive_panel.go asks several experts about the same keys, and keeps score.

package policy

import "math/bits"

// panel runs experts without entries: each decides what it would keep, all of the same keys. A key
// has a number, its id, which serves all experts as the slot.
type panel struct {
	index   // the ids, by hash
	experts []Policy
	held    []uint8   // by id: a bit for each expert that holds it; panelFree if it is no key's
	weights []uint32  // by id; nil while every weight is 1
	used    []uint64  // by expert: the weight of what it holds
	scores  []float64 // by expert: hits, of which the old ones fade
	order   []int     // the experts from the best to the worst, as of the last ranking
	spare   []uint32  // ids to be used again
	dropped []uint32  // ids that an expert has let go; whoever runs the panel empties it
	max     uint64
	decay   float64
}

// panelFree is a bit that no expert has.
const panelFree = 1 << 7

// newPanel takes experts that were made for max. The horizon is how many accesses an entry's worth
// of max the scores look back.
func newPanel(max uint64, horizon float64, experts ...Policy) *panel {
	p := &panel{experts: experts}
	p.used, p.scores = make([]uint64, len(experts)), make([]float64, len(experts))
	for i := range experts {
		p.order = append(p.order, i)
	}
	p.size(max, horizon)
	return p
}

// size sets what depends on max. The 200 keep the scores of the smallest caches from being noise.
func (p *panel) size(max uint64, horizon float64) {
	p.max, p.most = max, 2*max
	p.decay = 1 - 1/(horizon*float64(max)+200)
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

// score counts what not all have hit, or none: the experts are compared, the traffic is not.
func (p *panel) score(hits uint8) {
	all := uint8(1<<len(p.experts) - 1)
	if hits == all {
		hits = 0
	}
	for i := range p.scores {
		p.scores[i] = p.scores[i]*p.decay + float64(hits>>i&1)
	}
}

// ranking lists the experts from the best to the worst. Who has as many hits as another stays where
// it was.
func (p *panel) ranking() []int {
	for i := range p.order {
		for ; i > 0 && p.scores[p.order[i]] > p.scores[p.order[i-1]]; i-- {
			p.order[i], p.order[i-1] = p.order[i-1], p.order[i]
		}
	}
	return p.order
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
func (p *panel) resize(max uint64, horizon float64) {
	p.size(max, horizon)
	for i, e := range p.experts {
		e.Resize(max)
		p.shrink(i, max, 0)
	}
}
