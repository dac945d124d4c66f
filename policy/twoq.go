// twoq.go lets newcomers wait, and admits to the main queue what comes back.

package policy

// The lists of a twoQ; its A1out is ghosts.
const (
	twoQIn   = iota // A1in: newcomers, first in, first out
	twoQMain        // Am: what came back, least recently used leaves
	twoQLists
)

// twoQ keeps a newcomer for a short while. If it is wanted again after it has left, and not before,
// it is of lasting interest: correlated hits soon after the first say nothing.
type twoQ struct {
	lists
	hashes []uint32 // by slot
	out    ghosts   // A1out
	in     uint64   // Kin, the weight above which A1in gives
}

// TwoQ is 2Q, the full version with the paper's sizes: A1in has a quarter, A1out remembers half.
// See Johnson and Shasha, "2Q: a low overhead high performance buffer management replacement
// algorithm", VLDB 1994. 13 bytes an entry, 20 with the history.
func TwoQ(max uint64) Policy {
	p := &twoQ{lists: newLists(twoQLists, max), out: newGhosts(max / 2)}
	p.Resize(max)
	return p
}

func (p *twoQ) Admit(slot, hash, weight uint32) {
	p.reach(slot)
	p.hashes = stretch(p.hashes, len(p.where))
	p.hashes[slot] = hash
	p.weigh(slot, weight)
	if p.out.take(hash) {
		p.push(twoQMain, slot)
	} else {
		p.push(twoQIn, slot)
	}
	p.out.trim(p.out.most)
}

func (p *twoQ) Touch(slot, _ uint32) {
	if p.where[slot] == twoQMain {
		p.move(twoQMain, slot)
	}
}

func (p *twoQ) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *twoQ) Remove(slot uint32) { p.unlink(slot) }

// Victim leaves the trimming of A1out to Admit: what comes in now may be its oldest.
func (p *twoQ) Victim(uint32) uint32 {
	slot, ok := p.oldest(twoQMain)
	if !ok || p.weight[twoQIn] > p.in {
		slot, _ = p.oldest(twoQIn)
		p.out.add(p.hashes[slot], p.weightOf(slot))
	}
	p.unlink(slot)
	return slot
}

func (p *twoQ) Resize(max uint64) {
	p.max, p.in, p.out.most = max, max/4, max/2
	p.out.trim(p.out.most)
}

// Ranked is what came back by recency, then the newcomers: even if these leave later.
func (p *twoQ) Ranked(yield func(slot uint32) bool) { p.down(yield, twoQMain, twoQIn) }
