// notes.go carries hits to the policy and counts them, without a line that every core writes to.

package larder

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// batch is how many hits are noted before somebody tells the policy: two cache lines.
const batch = 16

// stripe is what a few goroutines share: counters, and words of entries that were hit. A stripe
// that is full while another goroutine has the room loses its notes: a policy can bear that.
type stripe struct {
	hits   atomic.Uint64
	misses atomic.Uint64
	noted  atomic.Uint32
	_      [44]byte
	notes  [batch]atomic.Uint64
}

// stripes are chosen by the stack, which a goroutine keeps for long, so that goroutines that run at
// the same time seldom meet.
type stripes struct {
	all   []stripe
	shift uint32
}

func newStripes() stripes {
	b := bits.Len(uint(4*runtime.GOMAXPROCS(0) - 1))
	return stripes{make([]stripe, 1<<b), uint32(32 - b)}
}

// mine returns the stripe of the calling goroutine.
func (s *stripes) mine() *stripe {
	var here byte
	at := uint32(uintptr(unsafe.Pointer(&here)) >> 10)
	return &s.all[at*0x9e3779b1>>s.shift]
}

// note puts w down; full tells that it was the last that fits.
func (s *stripe) note(w word) (full bool) {
	i := s.noted.Add(1) - 1
	if i < batch {
		setUint64(&s.notes[i], uint64(w))
	}
	return i >= batch-1
}

// take empties the stripe into words and returns how many there were. A note that is written this
// moment may be lost, or come with the next batch.
func (s *stripe) take(words *[batch]word) int {
	n := int(min(s.noted.Load(), batch))
	for i := range n {
		words[i] = word(s.notes[i].Load())
	}
	setUint32(&s.noted, 0)
	return n
}

// totals adds up the counters.
func (s *stripes) totals() (hits, misses uint64) {
	for i := range s.all {
		hits += s.all[i].hits.Load()
		misses += s.all[i].misses.Load()
	}
	return hits, misses
}
