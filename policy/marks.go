// marks.go lets many goroutines note hits without meeting.

package policy

import "sync/atomic"

// most is the highest mark: 2 bits are what S3-FIFO counts, and no lazy policy needs more.
const most = 3

// Marks count the hits of each slot up to 3. A slot whose mark is full is only read, so the hottest
// entries, which all goroutines hit, are written by none. Mark may be called by any number of
// goroutines at once; all else belongs to the policy.
type Marks struct {
	_     [64]byte                        // keeps what a policy writes at every eviction off
	words atomic.Pointer[[]atomic.Uint32] // four slots each
	_     [64]byte
}

// Mark notes a hit on slot. One that meets another on a neighbour may be lost.
func (m *Marks) Mark(slot uint32) {
	words := m.words.Load()
	if words == nil || int(slot/4) >= len(*words) {
		return // admitted this moment, by somebody else
	}
	w, shift := &(*words)[slot/4], slot%4*8
	old := w.Load()
	if old>>shift&0xff < most {
		w.CompareAndSwap(old, old+1<<shift)
	}
}

// of returns the mark of slot, 0 to 3.
func (m *Marks) of(slot uint32) uint32 {
	return (*m.words.Load())[slot/4].Load() >> (slot % 4 * 8) & 0xff
}

// set gives slot a mark.
func (m *Marks) set(slot, mark uint32) {
	w, shift := &(*m.words.Load())[slot/4], slot%4*8
	for {
		old := w.Load()
		if old>>shift&0xff == mark || w.CompareAndSwap(old, old&^(0xff<<shift)|mark<<shift) {
			return
		}
	}
}

// reach makes room for slot; there are never more than max. Marks set meanwhile may be lost.
func (m *Marks) reach(slot uint32, max uint64) {
	var old []atomic.Uint32
	if p := m.words.Load(); p != nil {
		old = *p
	}
	if int(slot/4) < len(old) {
		return
	}
	words := make([]atomic.Uint32, longer(len(old), int(slot/4)+1, max/4+1))
	for i := range old {
		words[i].Store(old[i].Load())
	}
	m.words.Store(&words)
}
