// slots.go keeps the entries themselves, side by side, in chunks that never move.

package larder

import (
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// entry0, entry1 and entry2 are an entry without times, with a deadline, and with the end of its
// life besides. Only the offsets differ; slots works with those.
type entry0[K comparable, V any] struct {
	key   whole[K]
	value whole[V]
}

type entry1[K comparable, V any] struct {
	entry0[K, V]
	times [1]atomic.Int64
}

type entry2[K comparable, V any] struct {
	entry0[K, V]
	times [2]atomic.Int64
}

// never is the deadline of what does not expire.
const never = math.MaxInt64

// times are when an entry expires as it is, and what use cannot move that beyond.
type times struct{ deadline, end int64 }

// slots holds the entries by number. Chunks come when they are first needed and stay; chunks is
// replaced when it is full, under the room.
type slots[K comparable, V any] struct {
	chunks  atomic.Pointer[[]unsafe.Pointer]
	bits    uint32 // log2 of the entries in a chunk
	mask    uint32 // the entries in a chunk, less one
	single  bool   // key and value are a word each, and no pointer
	times   int    // words for times in an entry: 0, 1, 2
	stride  uintptr
	valueAt uintptr
	timeAt  uintptr
	keys    layout
	values  layout
	_       apart
	used    uint32   // slots that were ever handed out; guarded by the room
	free    []uint32 // those that came back; guarded by the room
}

// chunkBytes is what a chunk has at most, unless one entry has more.
const chunkBytes = 256 << 10

// newSlots makes room that grows as entries come; expected sizes the chunks.
func newSlots[K comparable, V any](expected uint64, times int) *slots[K, V] {
	var (
		e0 entry0[K, V]
		e1 entry1[K, V]
		e2 entry2[K, V]
	)
	strides := [...]uintptr{unsafe.Sizeof(e0), unsafe.Sizeof(e1), unsafe.Sizeof(e2)}
	chunk := min(max(expected/16, 16), 4096, max(chunkBytes/uint64(strides[times]+1), 1))
	s := &slots[K, V]{
		bits: uint32(bits.Len64(chunk - 1)), times: times,
		stride:  strides[times],
		valueAt: unsafe.Offsetof(e0.value), timeAt: unsafe.Offsetof(e1.times),
		keys: layoutOf[K](), values: layoutOf[V](),
	}
	s.mask = 1<<s.bits - 1
	s.single = s.keys.single() && s.values.single()
	s.chunks.Store(new([]unsafe.Pointer))
	return s
}

// take hands out a slot.
func (s *slots[K, V]) take() (slot uint32) {
	if n := len(s.free); n > 0 {
		slot, s.free = s.free[n-1], s.free[:n-1]
		return slot
	}
	slot = s.used
	s.reach(slot)
	s.used++
	return slot
}

func (s *slots[K, V]) release(slot uint32) { s.free = append(s.free, slot) }

// reset takes all slots back. The chunks stay.
func (s *slots[K, V]) reset() { s.used, s.free = 0, nil }

// reach makes sure that slot has a chunk.
func (s *slots[K, V]) reach(slot uint32) {
	if int(slot>>s.bits) >= len(*s.chunks.Load()) {
		s.grow()
	}
}

// grow adds a chunk.
func (s *slots[K, V]) grow() {
	old := *s.chunks.Load()
	// A reader sees no more of the array than the length that it has loaded.
	grown := append(old, s.newChunk(1<<s.bits))
	s.chunks.Store(&grown)
}

func (s *slots[K, V]) newChunk(n int) unsafe.Pointer {
	switch s.times {
	case 0:
		return unsafe.Pointer(unsafe.SliceData(make([]entry0[K, V], n)))
	case 1:
		return unsafe.Pointer(unsafe.SliceData(make([]entry1[K, V], n)))
	}
	return unsafe.Pointer(unsafe.SliceData(make([]entry2[K, V], n)))
}

// at returns the entry in a slot that was handed out.
func (s *slots[K, V]) at(slot uint32) unsafe.Pointer {
	chunk := (*s.chunks.Load())[slot>>(s.bits&31)]
	return unsafe.Add(chunk, uintptr(slot&s.mask)*s.stride)
}

// load reads key and value; they may be torn. A nil value is not read.
func (s *slots[K, V]) load(e unsafe.Pointer, k *whole[K], v *whole[V]) {
	if !s.single {
		s.loadWords(e, k, v)
		return
	}
	*(*uintptr)(unsafe.Pointer(k)) = atomic.LoadUintptr((*uintptr)(e))
	if v != nil {
		*(*uintptr)(unsafe.Pointer(v)) = atomic.LoadUintptr((*uintptr)(unsafe.Add(e, s.valueAt)))
	}
}

func (s *slots[K, V]) loadWords(e unsafe.Pointer, k *whole[K], v *whole[V]) {
	s.loadKey(e, k)
	if v != nil {
		s.loadValue(e, v)
	}
}

func (s *slots[K, V]) loadKey(e unsafe.Pointer, k *whole[K]) {
	s.keys.load(unsafe.Pointer(k), e)
}

func (s *slots[K, V]) loadValue(e unsafe.Pointer, v *whole[V]) {
	s.values.load(unsafe.Pointer(v), unsafe.Add(e, s.valueAt))
}

func (s *slots[K, V]) storeKey(e unsafe.Pointer, k *whole[K]) {
	s.keys.store(e, unsafe.Pointer(k))
}

func (s *slots[K, V]) storeValue(e unsafe.Pointer, v *whole[V]) {
	s.values.store(unsafe.Add(e, s.valueAt), unsafe.Pointer(v))
}

// entry returns key and value. The room or the lock of the shard must be held.
func (s *slots[K, V]) entry(e unsafe.Pointer) (K, V) {
	var key whole[K]
	var value whole[V]
	s.loadKey(e, &key)
	s.loadValue(e, &value)
	return key.v, value.v
}

// forget lets go of what the entry leads to.
func (s *slots[K, V]) forget(e unsafe.Pointer) {
	s.keys.forget(e)
	s.values.forget(unsafe.Add(e, s.valueAt))
}

// setTimes stores the times that an entry has.
func (s *slots[K, V]) setTimes(e unsafe.Pointer, t times) {
	if s.times > 0 {
		setInt64(s.deadline(e), t.deadline)
	}
	if s.times > 1 {
		setInt64(s.end(e), t.end)
	}
}

// deadlineOf returns when the entry expires, never if it has no times.
func (s *slots[K, V]) deadlineOf(e unsafe.Pointer) int64 {
	if s.times == 0 {
		return never
	}
	return s.deadline(e).Load()
}

// deadline is when the entry expires, in nanoseconds of the engine's clock. times must be 1 or 2.
func (s *slots[K, V]) deadline(e unsafe.Pointer) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Add(e, s.timeAt))
}

// end is what use cannot move the deadline beyond. times must be 2.
func (s *slots[K, V]) end(e unsafe.Pointer) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Add(e, s.timeAt+8))
}
