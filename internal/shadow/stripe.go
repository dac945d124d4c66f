// stripe.go lets goroutines put hits down without a lock.

package shadow

import (
	"math/bits"
	"sync/atomic"
)

// stripe is where a few goroutines put down the hashes that they have hit. One that is written while
// it is emptied may be lost.
type stripe struct {
	noted  atomic.Uint32
	_      [60]byte
	hashes [batch]atomic.Uint32
}

// newStripes makes at least n stripes; shift is for choose.
func newStripes(n int) (all []stripe, shift uint32) {
	b := bits.Len(uint(max(n, 2) - 1))
	return make([]stripe, 1<<b), uint32(32 - b)
}

// stripe returns the stripe of a goroutine whose stack is at here.
func (o *Observer) stripe(here uintptr) *stripe {
	return &o.stripes[uint32(here)*0x9e3779b1>>(o.shift&31)]
}

// note puts a hash down; full tells that it was the last that fits.
func (s *stripe) note(hash uint32) (full bool) {
	i := s.noted.Add(1) - 1
	if i < batch {
		s.hashes[i].Store(hash)
	}
	return i == batch-1
}

// take empties the stripe and returns how many there were.
func (s *stripe) take(hashes *[batch]uint32) int {
	n := int(min(s.noted.Swap(0), batch))
	for i := range n {
		hashes[i] = s.hashes[i].Load()
	}
	return n
}
