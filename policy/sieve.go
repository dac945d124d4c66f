// sieve.go evicts what was not hit since a hand last passed it.

package policy

// sieve keeps the entries in the order in which they came. A hand goes from the oldest to the
// newest, spares those that were hit, and evicts the first that was not; nothing ever moves.
type sieve struct {
	lists
	marks Marks
	hand  uint32 // the link of the entry that it looks at next; 0 is the oldest, whichever that is
}

// SIEVE is lazy promotion and quick demotion in one queue. See Zhang, Yang, Yue, Vigfusson and
// Rashmi, "SIEVE is simpler than LRU: an efficient turn-key eviction algorithm for web caches",
// NSDI 2024. 10 bytes an entry. It is a Marker.
func SIEVE(max uint64) Policy { return &sieve{lists: newLists(1, max)} }

func (p *sieve) Admit(slot, _, weight uint32) {
	p.reach(slot)
	p.marks.reach(slot, p.max)
	p.marks.set(slot, 0)
	p.weigh(slot, weight)
	p.push(0, slot)
}

func (p *sieve) Touch(slot, _ uint32) { p.marks.Mark(slot) }

func (p *sieve) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *sieve) Remove(slot uint32) {
	if p.hand == slot+1 {
		p.hand = p.links[p.hand].newer
	}
	p.unlink(slot)
}

func (p *sieve) Victim(uint32) uint32 {
	n := p.hand
	for {
		if n == 0 {
			n = p.links[0].newer
		}
		slot := n - 1
		n = p.links[n].newer
		if p.marks.of(slot) == 0 {
			p.hand = n
			p.unlink(slot)
			return slot
		}
		p.marks.set(slot, 0)
	}
}

func (p *sieve) Resize(max uint64) { p.max = max }

// Marks is where hits are marked.
func (p *sieve) Marks() *Marks { return &p.marks }

// Watches is none: the marks say it all.
func (p *sieve) Watches() (mask uint32, ok bool) { return 0, false }

// Ranked is by hits since the hand last passed, of equal ones the oldest comes first: it was spared
// most often. By where the hand comes last, the first fifth was worth less than any (measured, on
// popular keys).
func (p *sieve) Ranked(yield func(slot uint32) bool) {
	var g grades
	p.up(func(slot uint32) { g.add(slot, p.marks.of(slot)) }, 0)
	g.yield(yield)
}
