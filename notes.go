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
	owner  atomic.Uintptr // the place of a stack, see here; 0 if nobody has claimed the stripe
	owned  atomic.Uint64  // hits of the owner, who alone writes this
	hits   atomic.Uint64  // hits of others
	misses atomic.Uint64
	noted  atomic.Uint32
	_      [4]byte
	// values that were replaced without the room: by the owner, and by others
	ownReplaced, replaced atomic.Uint64
	_                     [8]byte
	notes                 [batch]atomic.Uint64
}

// hit counts a hit of a goroutine whose stack is at here. Adding to a number that others add to as
// well costs as much as a third of a hit: the owner does without.
func (s *stripe) hit(here uintptr) {
	if s.owner.Load() == here {
		setUint64(&s.owned, s.owned.Load()+1)
		return
	}
	s.hitOfAnother(here)
}

// replace counts a value that a goroutine, whose stack is at here, has replaced.
func (s *stripe) replace(here uintptr) {
	if s.owner.Load() == here {
		setUint64(&s.ownReplaced, s.ownReplaced.Load()+1)
		return
	}
	s.replaced.Add(1)
}

func (s *stripe) hitOfAnother(here uintptr) {
	s.owner.CompareAndSwap(0, here)
	s.hits.Add(1)
}

// here tells where the stack of the calling goroutine is, to 2 KiB, the least that a stack takes:
// no two goroutines are at the same place at a time.
func here() uintptr {
	var b byte
	return uintptr(unsafe.Pointer(&b)) >> 11
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

// of returns the stripe of the goroutine whose stack is at here.
func (s *stripes) of(here uintptr) *stripe { return &s.all[uint32(here)*0x9e3779b1>>(s.shift&31)] }

// mine returns the stripe of the calling goroutine.
func (s *stripes) mine() *stripe { return s.of(here()) }

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

// replaced returns how many values were replaced without the room.
func (s *stripes) replaced() (n uint64) {
	for i := range s.all {
		n += s.all[i].replaced.Load() + s.all[i].ownReplaced.Load()
	}
	return n
}

// totals adds up hits and misses.
func (s *stripes) totals() (hits, misses uint64) {
	for i := range s.all {
		hits += s.all[i].hits.Load() + s.all[i].owned.Load()
		misses += s.all[i].misses.Load()
	}
	return hits, misses
}
