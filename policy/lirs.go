// lirs.go keeps what has come back soonest, by the distance between an entry's last two uses.

package policy

// What a node of a lirs is.
const (
	lirsLow   = iota // LIR: kept, in S
	lirsHigh         // HIR: kept, in Q, and perhaps in S
	lirsGhost        // HIR that has left, in S
	lirsFree         // unused
	lirsLists
)

// lirs has nodes of its own numbering, for entries and for those that have left, since both lie in
// the stack S. The stack is in the order of the last use and ends in a low one: whoever is used
// again while in it was away for less long than that one, and takes its place.
type lirs struct {
	index          // the ghosts, by hash
	stack lists    // S, by node; the oldest is its bottom
	kinds lists    // what a node is; the high ones are Q, the ghosts are in the order they left
	slots []uint32 // by node
	nodes []uint32 // by slot
	used  uint32   // nodes that were ever used
	max   uint64
	low   uint64 // the weight that low ones may have
}

// LIRS is low inter-reference recency set: 99 % for entries whose last two uses were close
// together, 1 % for the others, which leave first. See Jiang and Zhang, "LIRS: an efficient low
// inter-reference recency set replacement policy to improve buffer cache performance", SIGMETRICS
// 2002. The paper lets S grow without end; here those that have left weigh no more than max. 30
// bytes an entry, 63 with the history.
func LIRS(max uint64) Policy {
	p := &lirs{stack: newLists(1, 2*max), kinds: newLists(lirsLists, 2*max)}
	p.Resize(max)
	return p
}

func (p *lirs) Admit(slot, hash, weight uint32) {
	n, back := p.find(hash)
	if back {
		p.del(n)
	} else {
		n = p.fresh()
	}
	p.nodes = stretch(p.nodes, p.longer(len(p.nodes), slot))
	p.nodes[slot], p.slots[n], p.hashes[n] = n, slot, hash
	p.kinds.unlink(n)
	p.kinds.weigh(n, weight)
	if back || p.kinds.weight[lirsLow]+uint64(weight) <= p.low {
		p.kinds.push(lirsLow, n)
	} else {
		p.kinds.push(lirsHigh, n)
	}
	p.top(n)
	p.settle()
}

// longer is the length that an array by slot should have.
func (p *lirs) longer(n int, slot uint32) int {
	if int(slot) < n {
		return n
	}
	return longer(n, int(slot)+1, p.max)
}

// fresh returns a free node.
func (p *lirs) fresh() uint32 {
	if n, ok := p.kinds.oldest(lirsFree); ok {
		return n
	}
	n := p.used
	p.used++
	p.stack.reach(n)
	p.kinds.reach(n)
	p.slots = stretch(p.slots, len(p.kinds.where))
	p.room(len(p.kinds.where))
	p.kinds.push(lirsFree, n)
	return n
}

// top puts a node on top of the stack.
func (p *lirs) top(n uint32) {
	if p.stacked(n) {
		p.stack.move(0, n)
	} else {
		p.stack.push(0, n)
	}
}

func (p *lirs) stacked(n uint32) bool { return p.stack.where[n] == 0 }

// settle makes low ones high until they have room, and takes what is not low off the bottom.
func (p *lirs) settle() {
	for {
		n, ok := p.stack.oldest(0)
		switch {
		case !ok:
			return
		case p.kinds.where[n] == lirsGhost:
			p.forget(n)
		case p.kinds.where[n] == lirsHigh:
			p.stack.unlink(n)
		case p.kinds.weight[lirsLow] > p.low:
			p.demote(n)
		default:
			return
		}
	}
}

// demote makes the bottom of the stack the newest of the high ones.
func (p *lirs) demote(bottom uint32) {
	p.stack.unlink(bottom)
	p.kinds.move(lirsHigh, bottom)
}

// forget frees the node of a ghost.
func (p *lirs) forget(n uint32) {
	p.del(n)
	p.free(n)
}

func (p *lirs) free(n uint32) {
	if p.stacked(n) {
		p.stack.unlink(n)
	}
	p.kinds.move(lirsFree, n)
}

func (p *lirs) Touch(slot, _ uint32) {
	n := p.nodes[slot]
	if p.kinds.where[n] == lirsHigh {
		if p.stacked(n) {
			p.kinds.move(lirsLow, n)
		} else {
			p.kinds.move(lirsHigh, n)
		}
	}
	p.top(n)
	p.settle()
}

func (p *lirs) Weigh(slot, weight uint32) {
	p.kinds.reweigh(p.nodes[slot], weight)
	p.settle()
}

func (p *lirs) Remove(slot uint32) {
	p.free(p.nodes[slot])
	p.settle()
}

// Victim is the oldest of the high ones, the bottom of the stack if there is none.
func (p *lirs) Victim(uint32) uint32 {
	n, ok := p.kinds.oldest(lirsHigh)
	if !ok {
		n, _ = p.stack.oldest(0)
		p.demote(n)
	}
	if p.stacked(n) && p.hashes[n] != 0 {
		p.kinds.move(lirsGhost, n)
		p.put(n)
		p.trim()
	} else {
		p.free(n)
	}
	p.settle()
	return p.slots[n]
}

// trim bounds the ghosts; those that left first are forgotten first.
func (p *lirs) trim() {
	for p.kinds.weight[lirsGhost] > p.max {
		n, _ := p.kinds.oldest(lirsGhost)
		p.forget(n)
	}
}

func (p *lirs) Resize(size uint64) {
	p.max, p.low, p.most = size, size-max(1, size/100), size
	p.stack.max, p.kinds.max = 2*size, 2*size
	p.trim()
	p.settle()
}

// Ranked is the low ones by recency, then the high ones: the order of leaving, backwards.
func (p *lirs) Ranked(yield func(slot uint32) bool) {
	low := func(n uint32) bool { return p.kinds.where[n] != lirsLow || yield(p.slots[n]) }
	high := func(n uint32) bool { return yield(p.slots[n]) }
	if p.stack.down(low, 0) {
		p.kinds.down(high, lirsHigh)
	}
}
