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

// ghosts remembers of some keys that left why they did: one cell for the upper bits of a hash, which
// the next key there overwrites.
type ghosts struct {
	cells []atomic.Uint32 // a hash with the reason in its lowest bits; 0 is empty
	shift int
}

const (
	fewGhosts  = 1 << 12
	manyGhosts = 1 << 13
	reasonBits = 3
)

func newGhosts(entries uint64) ghosts {
	n := min(max(2*entries, fewGhosts), manyGhosts)
	b := bits.Len64(n - 1)
	return ghosts{make([]atomic.Uint32, 1<<b), 32 - b}
}

func (g *ghosts) cell(hash uint32) *atomic.Uint32 { return &g.cells[hash*0x9e3779b1>>g.shift] }

func (g *ghosts) put(hash uint32, r Reason) {
	g.cell(hash).Store(hash>>reasonBits<<reasonBits | uint32(r))
}

func (g *ghosts) find(hash uint32) Reason {
	cell := g.cell(hash).Load()
	if (cell^hash)>>reasonBits != 0 {
		return New
	}
	return Reason(cell & (1<<reasonBits - 1))
}

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
