// ghosts.go remembers why keys are not there.

package shadow

import (
	"math/bits"
	"sync/atomic"
)

// Reason is why a key was missed.
type Reason uint32

// The reasons.
const (
	New Reason = iota // never seen, or so long ago that nobody remembers
	Evicted
	Expired
	Deleted
	Failed // its last load failed, or was not to be kept
	reasons
)

// ghosts remembers of some keys that left why they did. A hash has a few cells to choose from; where
// all are taken, one of them is overwritten.
type ghosts struct {
	cells []atomic.Uint32 // a hash with the reason in its lowest bits; 0 is empty
	shift int
}

const (
	fewGhosts  = 1 << 12
	manyGhosts = 1 << 13
	ways       = 4
	reasonBits = 3
)

func newGhosts(entries uint64) ghosts {
	n := min(max(2*entries, fewGhosts), manyGhosts)
	b := bits.Len64(n - 1)
	return ghosts{make([]atomic.Uint32, 1<<b), 32 - b}
}

// choices returns the cells for a hash.
func (g *ghosts) choices(hash uint32) []atomic.Uint32 {
	first := hash * 0x9e3779b1 >> g.shift &^ (ways - 1)
	return g.cells[first : first+ways]
}

func (g *ghosts) put(hash uint32, r Reason) {
	cells := g.choices(hash)
	at := hash >> reasonBits % ways // of those that are all taken
	for i := range cells {
		if cell := cells[i].Load(); cell == 0 || isOf(cell, hash) {
			at = uint32(i)
			break
		}
	}
	cells[at].Store(hash>>reasonBits<<reasonBits | uint32(r))
}

func (g *ghosts) find(hash uint32) Reason {
	cells := g.choices(hash)
	for i := range cells {
		if cell := cells[i].Load(); isOf(cell, hash) {
			return Reason(cell & (1<<reasonBits - 1))
		}
	}
	return New
}

// isOf tells whether a cell is about a hash.
func isOf(cell, hash uint32) bool { return (cell^hash)>>reasonBits == 0 }

// Left notes why a key is no longer there.
func (o *Observer) Left(hash uint32, r Reason) { o.ghosts.put(hash, r) }

// Why tells why a key is not there.
func (o *Observer) Why(hash uint32) Reason { return o.ghosts.find(hash) }

// Reasons returns how many misses there were by reason.
func (o *Observer) Reasons() (counts [reasons]uint64) {
	for i := range o.reasons {
		counts[i] = o.reasons[i].Load()
	}
	return counts
}
