// slots.go keeps the entries themselves, side by side, in chunks that never move.

package larder

import (
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// entry0, entry1 and entry2 are an entry without times, with a deadline, and with a second time
// besides; rich1 and rich2 lead to its life as well. Only the offsets differ; slots works with
// those.
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

type rich1[K comparable, V any] struct {
	entry1[K, V]
	life atomic.Pointer[life]
}

type rich2[K comparable, V any] struct {
	entry2[K, V]
	life atomic.Pointer[life]
}

// never is the deadline of what does not expire.
const never = math.MaxInt64

// always is a time that has passed, far enough from the least number to be reckoned with.
const always = -1 << 62

// times are what an entry says of time. Only the first two are kept in it.
type times struct {
	look   int64 // until then a hit may be served without a thought; its deadline if it has no life
	second int64 // with Idle: what use cannot move look beyond; of rich entries the idle deadline
	leaves int64 // from then on it is gone, if nobody uses it
}

// due is the next time at which something about an entry changes: the clock has to be read before
// that, so that hits can do without.
func (t times) due(now int64) int64 {
	if t.look > now {
		return min(t.look, t.leaves)
	}
	return t.leaves
}

// lasting are the times of what does not expire.
var lasting = times{never, never, never}

// slots holds the entries by number. Chunks come when they are first needed and stay; chunks is
// replaced when it is full, under the room.
type slots[K comparable, V any] struct {
	chunks atomic.Pointer[[]unsafe.Pointer]
	bits   uint32 // log2 of the entries in a chunk
	mask   uint32 // the entries in a chunk, less one
	single bool   // key and value are a word each, and no pointer
	shape
	stride  uintptr
	valueAt uintptr
	timeAt  uintptr
	keys    layout
	values  layout
	lifeAt  uintptr
	_       apart
	used    uint32   // slots that were ever handed out; guarded by the room
	free    []uint32 // those that came back; guarded by the room
}

// chunkBytes is what a chunk has at most, unless one entry has more.
const chunkBytes = 256 << 10

// shape is which of the kinds of entries slots hold.
type shape struct {
	times uint8 // words for times
	rich  bool  // with a life; then times is at least 1
}

// newSlots makes room that grows as entries come; expected sizes the chunks.
func newSlots[K comparable, V any](expected uint64, kind shape) *slots[K, V] {
	var (
		e0 entry0[K, V]
		e1 entry1[K, V]
		e2 entry2[K, V]
		r1 rich1[K, V]
		r2 rich2[K, V]
	)
	strides := [...]uintptr{unsafe.Sizeof(e0), unsafe.Sizeof(e1), unsafe.Sizeof(e2)}
	lives := [...]uintptr{0, unsafe.Offsetof(r1.life), unsafe.Offsetof(r2.life)}
	if kind.rich {
		strides = [...]uintptr{0, unsafe.Sizeof(r1), unsafe.Sizeof(r2)}
	}
	stride := strides[kind.times]
	chunk := min(max(expected/16, 16), 4096, max(chunkBytes/uint64(stride+1), 1))
	s := &slots[K, V]{
		bits: uint32(bits.Len64(chunk - 1)), shape: kind,
		stride:  stride,
		valueAt: unsafe.Offsetof(e0.value), timeAt: unsafe.Offsetof(e1.times),
		lifeAt: lives[kind.times],
		keys:   layoutOf[K](), values: layoutOf[V](),
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
	switch s.shape {
	case shape{}:
		return unsafe.Pointer(unsafe.SliceData(make([]entry0[K, V], n)))
	case shape{times: 1}:
		return unsafe.Pointer(unsafe.SliceData(make([]entry1[K, V], n)))
	case shape{times: 2}:
		return unsafe.Pointer(unsafe.SliceData(make([]entry2[K, V], n)))
	case shape{times: 1, rich: true}:
		return unsafe.Pointer(unsafe.SliceData(make([]rich1[K, V], n)))
	}
	return unsafe.Pointer(unsafe.SliceData(make([]rich2[K, V], n)))
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
	if s.rich {
		s.lifeOf(e).Store(nil)
	}
}

// setTimes stores the times that an entry has, and its life.
func (s *slots[K, V]) setTimes(e unsafe.Pointer, t times, l *life) {
	if s.times > 0 {
		setInt64(s.look(e), t.look)
	}
	if s.times > 1 {
		setInt64(s.second(e), t.second)
	}
	if s.rich {
		s.lifeOf(e).Store(l)
	}
}

// lookOf returns until when a hit needs no thought, never if the entry has no times.
func (s *slots[K, V]) lookOf(e unsafe.Pointer) int64 {
	if s.times == 0 {
		return never
	}
	return s.look(e).Load()
}

// timesOf returns the times of an entry and its life, nil if it has none.
func (s *slots[K, V]) timesOf(e unsafe.Pointer) (t times, l *life) {
	t = times{s.lookOf(e), never, never}
	if s.times > 1 {
		t.second = s.second(e).Load()
	}
	if s.rich {
		l = s.lifeOf(e).Load()
	}
	t.leaves = t.look
	if l != nil {
		t.leaves = min(l.gone, t.second)
	}
	return t, l
}

// look is the first time of an entry, in nanoseconds of the engine's clock. There must be one.
func (s *slots[K, V]) look(e unsafe.Pointer) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Add(e, s.timeAt))
}

// second is the second time of an entry. There must be two.
func (s *slots[K, V]) second(e unsafe.Pointer) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Add(e, s.timeAt+8))
}

// lifeOf is where an entry's life is kept. The slots must be rich.
func (s *slots[K, V]) lifeOf(e unsafe.Pointer) *atomic.Pointer[life] {
	return (*atomic.Pointer[life])(unsafe.Add(e, s.lifeAt))
}
