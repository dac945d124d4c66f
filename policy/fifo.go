// fifo.go evicts what came first.

package policy

// fifo keeps the entries in the order in which they came; hits change nothing.
type fifo struct{ lists }

// FIFO is first in, first out: one queue, nobody needs to tell it of hits. See Belady, "A study of
// replacement algorithms for a virtual-storage computer", IBM Systems Journal 1966. 9 bytes an
// entry. It is a Marker.
func FIFO(max uint64) Policy { return &fifo{newLists(1, max)} }

func (p *fifo) Admit(slot, _, weight uint32) {
	p.reach(slot)
	p.weigh(slot, weight)
	p.push(0, slot)
}

func (p *fifo) Touch(_, _ uint32) {}

func (p *fifo) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *fifo) Remove(slot uint32) { p.unlink(slot) }

func (p *fifo) Victim(uint32) uint32 {
	slot, _ := p.oldest(0)
	p.unlink(slot)
	return slot
}

func (p *fifo) Resize(max uint64) { p.max = max }

// Marks is nil: no hit matters.
func (p *fifo) Marks() *Marks { return nil }

// Watches is none.
func (p *fifo) Watches() (mask uint32, ok bool) { return 0, false }
