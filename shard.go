// shard.go is a part of the index: from the hash of a key to a slot, read without a lock.

package larder

import (
	"math/bits"
	"runtime"
	"slices"
	"sync/atomic"
	"unsafe"
)

// word names an entry: its hash above, its slot plus one below. 0 is none.
type word uint64

func wordOf(hash, slot uint32) word { return word(hash)<<32 | word(slot+1) }

func (w word) hash() uint32 { return uint32(w >> 32) }
func (w word) slot() uint32 { return uint32(w) - 1 }

// shard is a hash table of buckets under a sequence lock: odd while somebody writes. Readers take
// no lock; they look at the sequence number before and after. Entries come and go only with the
// room (room.go) held as well, so whoever holds that reads the table as it is.
type shard struct {
	seq   atomic.Uint32
	size  atomic.Uint32  // buckets; set after table when that grows
	table unsafe.Pointer // their array
	count int            // entries in it; guarded by the room
	shift uint32         // bits of a hash that chose the shard
	_     [32]byte
}

// bucket is a cache line of twelve slots, each with eight bits of its hash, after F14 (Bronson and
// Shi, "Open-sourcing F14", 2019). passed counts the entries that belong here or before and lie
// behind for want of a place: where it is zero, a search ends. So nothing moves when an entry goes.
type bucket struct {
	tags  [2]atomic.Uint64 // tags of 0 to 7; of 8 to 11, with passed in the upper half
	slots [perBucket]atomic.Uint32
}

const (
	perBucket  = 12
	ones       = 0x0101010101010101
	lows       = 0x7f7f7f7f7f7f7f7f
	passedUnit = 1 << 32
)

// init gives an empty shard its first bucket, so that a search always finds one.
func (s *shard) init(shift uint32) {
	s.shift = shift
	s.table = unsafe.Pointer(new([1]bucket))
	s.size.Store(1)
}

// spins is how often a lock is looked at before the processor is given away: what it protects takes
// some tens of nanoseconds.
const spins = 64

// lock waits for other writers and makes the sequence odd.
func (s *shard) lock() {
	if !s.tryLock(s.seq.Load()) {
		s.lockSlowly()
	}
}

func (s *shard) lockSlowly() {
	for i := 0; !s.tryLock(s.seq.Load()); i++ {
		pause(i)
	}
}

// tryLock locks if nothing has changed since the sequence number was seq.
func (s *shard) tryLock(seq uint32) bool {
	return seq&1 == 0 && s.seq.CompareAndSwap(seq, seq+1)
}

func (s *shard) unlock() { setUint32(&s.seq, s.seq.Load()+1) }

// wait lets a writer finish.
func (s *shard) wait() {
	for i := 0; s.seq.Load()&1 != 0; i++ {
		pause(i)
	}
}

// unchanged tells whether what was read since the sequence number was seq is true.
func (s *shard) unchanged(seq uint32) bool { return seq&1 == 0 && s.seq.Load() == seq }

// pause lets the writer finish, who may have lost its processor.
func pause(i int) {
	if i%spins == spins-1 {
		runtime.Gosched()
	}
}

// table is the array of buckets at one moment. The size is read first: an array never gets shorter,
// so the other way round one could read beyond its end.
type table struct {
	base unsafe.Pointer
	size uint32
}

func (s *shard) buckets() table {
	size := s.size.Load()
	return table{atomic.LoadPointer(&s.table), size}
}

func (t table) at(i uint32) *bucket {
	return (*bucket)(unsafe.Add(t.base, uintptr(i)*unsafe.Sizeof(bucket{})))
}

// next is the bucket after i.
func (t table) next(i uint32) uint32 {
	if i++; i < t.size {
		return i
	}
	return 0
}

// home is the bucket where the search for a hash begins.
func (s *shard) home(hash, size uint32) uint32 {
	return uint32(uint64(hash<<(s.shift&31)) * uint64(size) >> 32)
}

// tagOf is what a bucket keeps of a hash: its lowest bits, which choose neither shard nor bucket. 0
// is an empty place.
func tagOf(hash uint32) uint64 {
	tag := uint64(hash & 0xff)
	return tag | (tag-1)>>63 // 1 for 0
}

// tagWords returns the tags, twelve bytes, and passed in the upper half of the second word.
func (b *bucket) tagWords() (lower, upper uint64) { return b.tags[0].Load(), b.tags[1].Load() }

// matches has a bit for each place with that tag: placeOf tells which.
func matches(lower, upper, tag uint64) uint64 {
	return zeros(lower^tag*ones)>>7 | zeros(upper^tag*ones)&(1<<32-1)>>6
}

// zeros has the highest bit of each byte that is zero (Warren, Hacker's Delight, 6-1).
func zeros(x uint64) uint64 { return ^(x&lows + lows | x | lows) }

// placeOf is the place that the lowest bit of matches stands for.
func placeOf(m uint64) uint32 {
	t := uint32(bits.TrailingZeros64(m))
	return t>>3 | t&1<<3
}

// tag returns the word with the tag of a place and how far to shift it.
func (b *bucket) tag(place uint32) (w *atomic.Uint64, shift uint32) {
	return &b.tags[place>>3], place & 7 * 8
}

// set fills a place. The lock must be held.
func (b *bucket) set(place, slot uint32, tag uint64) {
	setUint32(&b.slots[place], slot)
	w, shift := b.tag(place)
	setUint64(w, w.Load()&^(0xff<<shift)|tag<<shift)
}

// pass counts one more, or one less, entry that lies behind. The lock must be held.
func (b *bucket) pass(by uint64) {
	setUint64(&b.tags[1], b.tags[1].Load()+by)
}

// insert adds an entry; reserve has made the room. The lock and the room must be held.
func (s *shard) insert(w word) {
	t := s.buckets()
	for i := s.home(w.hash(), t.size); ; i = t.next(i) {
		b := t.at(i)
		lower, upper := b.tagWords()
		if m := matches(lower, upper, 0); m != 0 {
			b.set(placeOf(m), w.slot(), tagOf(w.hash()))
			s.count++
			return
		}
		b.pass(passedUnit)
	}
}

// has tells whether the entry is there. The room must be held.
func (s *shard) has(w word) bool {
	_, _, ok := s.locate(w)
	return ok
}

// locate returns the bucket and the place of an entry. The room must be held.
func (s *shard) locate(w word) (i, place uint32, ok bool) {
	t := s.buckets()
	i = s.home(w.hash(), t.size)
	for range t.size {
		b := t.at(i)
		lower, upper := b.tagWords()
		for m := matches(lower, upper, tagOf(w.hash())); m != 0; m &= m - 1 {
			if place = placeOf(m); b.slots[place].Load() == w.slot() {
				return i, place, true
			}
		}
		if upper < passedUnit {
			break
		}
		i = t.next(i)
	}
	return 0, 0, false
}

// remove takes an entry out of the place where locate has found it. The lock and the room must be
// held.
func (s *shard) remove(w word, at, place uint32) {
	t := s.buckets()
	t.at(at).set(place, 0, 0)
	for i := s.home(w.hash(), t.size); i != at; i = t.next(i) {
		t.at(i).pass(^uint64(passedUnit) + 1)
	}
	s.count--
}

// each visits the slots. The lock or the room must be held.
func (s *shard) each(visit func(slot uint32)) {
	t := s.buckets()
	for i := range t.size {
		b := t.at(i)
		for place := range uint32(perBucket) {
			if w, shift := b.tag(place); w.Load()>>shift&0xff != 0 {
				visit(b.slots[place].Load())
			}
		}
	}
}

// full tells that one more entry would fill more than seven eighths. The room must be held.
func (s *shard) full() bool { return 8*(s.count+1) > 7*perBucket*int(s.size.Load()) }

// reserve makes room for more entries. expected is how many there will be in the end, 0 if nobody
// knows. hashOf returns the hash of the entry in a slot. The room must be held.
func (s *shard) reserve(expected uint64, hashOf func(slot uint32) uint32) {
	size := uint64(s.size.Load())
	grown, final := 2*size, expected*4/3/perBucket+1
	if size < final {
		grown = min(grown, final)
	} else {
		grown = size + size/4 + 1
	}
	s.grow(int(grown), hashOf)
}

// grow moves the entries to a table of at least size buckets, as many as the allocator gives
// anyway.
func (s *shard) grow(size int, hashOf func(slot uint32) uint32) {
	fresh := slices.Grow([]bucket(nil), size)
	fresh = fresh[:cap(fresh)]
	var all []word
	s.each(func(slot uint32) { all = append(all, wordOf(hashOf(slot), slot)) })
	s.lock()
	atomic.StorePointer(&s.table, unsafe.Pointer(unsafe.SliceData(fresh)))
	s.size.Store(uint32(len(fresh)))
	s.count = 0
	for _, w := range all {
		s.insert(w)
	}
	s.unlock()
}

// clear takes all entries out. The lock and the room must be held.
func (s *shard) clear() {
	t := s.buckets()
	for i := range t.size {
		b := t.at(i)
		setUint64(&b.tags[0], 0)
		setUint64(&b.tags[1], 0)
	}
	s.count = 0
}
