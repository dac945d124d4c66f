// arc.go divides the room between what was used once and what was used again, and learns where.

package policy

// The lists of an arc, and where an incoming entry was remembered: B1 is what left T1, B2 what left
// T2.
const (
	arcT1 = iota // used once lately, by recency
	arcT2        // used at least twice, by recency
	arcLists
	arcB1   = arcT1
	arcB2   = arcT2
	arcNone = arcLists
)

// arc remembers as much as it keeps. A miss on what recency has lately lost makes T1 larger, a miss
// on what frequency has lost makes T2 larger.
type arc struct {
	lists
	hashes   []uint32         // by slot
	left     [arcLists]ghosts // B1 and B2
	target   uint64           // the weight that T1 should have, the paper's p
	incoming uint32           // the miss that has been learnt from, until it is admitted
	from     uint8            // where it was remembered
}

// ARC is the adaptive replacement cache. See Megiddo and Modha, "ARC: a self-tuning, low overhead
// replacement cache", FAST 2003. 13 bytes an entry, 26 with the history.
func ARC(max uint64) Policy {
	return &arc{
		lists: newLists(arcLists, max),
		left:  [arcLists]ghosts{newGhosts(max), newGhosts(max)},
		from:  arcNone,
	}
}

func (p *arc) Admit(slot, hash, weight uint32) {
	p.reach(slot)
	p.hashes = stretch(p.hashes, len(p.where))
	p.hashes[slot] = hash
	p.weigh(slot, weight)
	if p.learn(hash); p.from == arcNone {
		p.push(arcT1, slot)
	} else {
		p.left[p.from].take(hash)
		p.push(arcT2, slot)
	}
	p.incoming, p.from = 0, arcNone
	p.trim()
}

// learn moves the target if hash is remembered: once for a miss, however many victims it takes.
func (p *arc) learn(hash uint32) {
	if hash == p.incoming {
		return
	}
	p.incoming, p.from = hash, arcNone
	b1, b2 := &p.left[arcB1], &p.left[arcB2]
	if place, ok := b1.find(hash); ok {
		p.from = arcB1
		p.target = min(p.max, p.target+b1.weightOf(place)*max(1, b2.weight/b1.weight))
	} else if place, ok := b2.find(hash); ok {
		p.from = arcB2
		p.target -= min(p.target, b2.weightOf(place)*max(1, b1.weight/b2.weight))
	}
}

// trim bounds the history: T1 and B1 weigh max at most, all four 2 max. The paper does that before
// it takes an entry in; what is forgotten is the same.
func (p *arc) trim() {
	t1, t2 := p.weight[arcT1], p.weight[arcT2]
	p.left[arcB1].trim(p.max - min(p.max, t1))
	p.left[arcB2].trim(2*p.max - min(2*p.max, t1+t2+p.left[arcB1].weight))
}

func (p *arc) Touch(slot, _ uint32) { p.move(arcT2, slot) }

func (p *arc) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *arc) Remove(slot uint32) { p.unlink(slot) }

// Victim is the paper's REPLACE.
func (p *arc) Victim(incoming uint32) uint32 {
	p.learn(incoming)
	list := uint8(arcT2)
	t1, t2 := p.weight[arcT1], p.weight[arcT2]
	if t2 == 0 || t1 > p.target || t1 > 0 && t1 == p.target && p.from == arcB2 {
		list = arcT1
	}
	slot, _ := p.oldest(list)
	p.left[list].add(p.hashes[slot], p.weightOf(slot))
	p.unlink(slot)
	return slot
}

func (p *arc) Resize(max uint64) {
	p.max, p.target = max, min(p.target, max)
	p.left[arcB1].most, p.left[arcB2].most = max, max
	p.trim()
}

// Ranked is what was used again by recency, then what was used once: even if this leaves later.
func (p *arc) Ranked(yield func(slot uint32) bool) { p.down(yield, arcT2, arcT1) }
