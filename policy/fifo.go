// fifo.go evicts what came first.

package policy

// fifo is an lru that does not hear of hits, so its order is that in which the entries came.
type fifo struct{ lru }

// FIFO is first in, first out: one queue, nobody needs to tell it of hits. See Belady, "A study of
// replacement algorithms for a virtual-storage computer", IBM Systems Journal 1966. 9 bytes an
// entry. It is a Marker.
func FIFO(max uint64) Policy { return &fifo{lru{newLists(1, max)}} }

func (p *fifo) Touch(_, _ uint32) {}

// Marks is nil: no hit matters.
func (p *fifo) Marks() *Marks { return nil }

// Watches is none.
func (p *fifo) Watches() (mask uint32, ok bool) { return 0, false }

// Ranked is the last that came first: hits are not known.
func (p *fifo) Ranked(yield func(slot uint32) bool) { p.lru.Ranked(yield) }
