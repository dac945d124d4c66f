// engine.go is the cache in memory: a hit, and what there is to say about it from outside.

package larder

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/policy"
)

// engine is a bounded map that many goroutines share.
//
// A hit takes no lock and writes nothing that all cores write to: it hashes the key, reads the
// index under a sequence number (shard.go), reads the entry word by word (words.go, slots.go), and
// leaves a mark or a note for the policy (notes.go). Whatever comes or goes does so in the room
// (room.go), one goroutine at a time, so the bound holds at every moment. Expiry is decided by
// comparison (clock.go); the wheel (wheel.go, alarm.go) only gives the room back.
//
// It is part of this package, and not one of its own, because the compiler does not inline
// functions of a package that the program does not import itself into its instances of a generic
// type: a hit took twice as long.
type engine[K comparable, V any] struct {
	shards  []shard
	shift   uint32 // a hash's bits above it choose the shard
	slots   atomic.Pointer[slots[K, V]]
	hasher  hasher
	stripes stripes
	marks   atomic.Pointer[policy.Marks] // nil if the policy wants none
	watched atomic.Uint64                // mask of the hashes whose hits are noted; see watchNone
	wants   atomic.Uint64                // of these, the mask of those that the policy hears of,
	seeks   atomic.Uint64                // and of those that the observer hears of

	observer *shadow.Observer // nil if nobody wants to know
	simple   bool             // updates need no room: no weights, no OnEvict
	plain    bool             // simple, and there are neither Idle nor lives
	options  Options[K, V]
	rules    freshness
	_        apart

	clock clock
	_     apart

	count  atomic.Int64  // entries, when the room was last left
	weight atomic.Uint64 // their weight, if they have one; changed with the room held
	odd    odd

	mu      sync.Mutex // the room: guards what is below, and the coming and going of entries
	policy  policy.Policy
	max     uint64        // entries or weight
	bound   atomic.Uint64 // max, for who is not in the room
	entries uint64
	weighs  []uint32 // weights by slot, if entries have one
	alarm   alarm
	left    [Cleared + 1]uint64            // entries that left, by cause
	byTag   uint64                         // of those deleted, by a tag
	refused uint64                         // values that were too heavy
	gone    []departure[K, V]              // what OnEvict is to hear of
	tagged  map[string]map[uint32]struct{} // slots by tag
	named   map[string]uint32              // slots by the name of the entry in the store
	closed  bool
	listens bool // the policy was asked what it wants to hear of, after its first victim
}

// apart keeps what every hit reads off the cache lines that others write.
type apart [64]byte

// watchNone is a bit above those of a hash. A hit adds it to the hash, so a mask of it lets none
// pass.
const watchNone = 1 << 32

// newEngine makes an engine of complete options. It starts nothing.
func newEngine[K comparable, V any](o Options[K, V]) *engine[K, V] {
	e := &engine[K, V]{options: o, hasher: newHasher[K](), stripes: newStripes()}
	e.max = uint64(o.MaxEntries)
	expected := min(e.max, math.MaxUint32)
	if o.Weigh != nil {
		e.max, expected = uint64(o.MaxWeight), 1<<16
	}
	e.rules = o.freshness()
	e.simple = o.Weigh == nil && o.OnEvict == nil && !o.shape().rich
	e.plain = e.simple && o.Idle == 0
	e.slots.Store(newSlots[K, V](expected, o.shape()))
	e.newShards(expected)
	e.bound.Store(e.max)
	e.seeks.Store(watchNone)
	e.newPolicy()
	e.clock.start(o.usualLife())
	e.alarm.wheel.tick = e.clock.margin / 2
	e.observe()
	return e
}

// newShards makes as many shards as let writers seldom meet, and none of more than some 512 entries
// unless there are millions: an empty shard takes 128 bytes.
func (e *engine[K, V]) newShards(expected uint64) {
	bits := uint32(1)
	for bits < 8 && expected>>bits > 64 || bits < 15 && expected>>bits > 512 {
		bits++
	}
	e.shards = make([]shard, 1<<bits)
	e.shift = 32 - bits
	for i := range e.shards {
		e.shards[i].init(bits)
	}
}

// mostWeight is what policies promise to reckon with in all.
const mostWeight = 1<<62 - 1

// newPolicy begins with an empty policy. The room must be held, or nobody else be there.
func (e *engine[K, V]) newPolicy() {
	e.policy, e.listens = e.options.Policy(min(e.max, mostWeight)), false
	e.watch()
}

// watch asks the policy how it wants to hear of hits.
func (e *engine[K, V]) watch() {
	m, ok := e.policy.(policy.Marker)
	if !ok {
		e.marks.Store(nil)
		e.listen(0)
		return
	}
	mask, some := m.Watches()
	if some {
		e.listen(uint64(mask))
	} else {
		e.listen(watchNone)
	}
	e.marks.Store(nil)
	if !some || mask != 0 { // else it hears of every hit by a note
		e.marks.Store(m.Marks())
	}
}

// get returns the value of k if it is there and needs no thought. A miss is not counted.
func (e *engine[K, V]) get(k K) (v V, ok bool) {
	var value whole[V]
	w, look, _ := e.find(&k, hash(&e.hasher, &k), &value)
	if w == 0 || look != never && !e.use(&k, w, look) {
		return v, false
	}
	e.hit(w)
	at := here()
	e.stripes.of(at).hit(at)
	return value.v, true
}

// lookup is get that finds what is stale as well, and counts a miss. It is no call of get because
// that would be one more on every hit.
func (e *engine[K, V]) lookup(k K) (v V, ok bool) {
	var value whole[V]
	w, look, _ := e.find(&k, hash(&e.hasher, &k), &value)
	if w == 0 || look != never && !e.use(&k, w, look) {
		return e.lookupSlowly(k)
	}
	e.hit(w)
	at := here()
	e.stripes.of(at).hit(at)
	return value.v, true
}

func (e *engine[K, V]) lookupSlowly(k K) (v V, ok bool) {
	h := e.regard(k)
	if h.state >= kept {
		e.missed(k)
	}
	if h.state >= kept || h.life != nil && h.life.absent != nil {
		return v, false
	}
	return h.value.v, true
}

// missed counts a miss.
func (e *engine[K, V]) missed(k K) {
	at := here()
	e.stripes.of(at).misses.Add(1)
	if e.options.Log != nil {
		e.logMiss(k)
	}
	if e.observer != nil {
		e.observeMiss(at, k)
	}
}

// held is an entry as it is at one moment.
type held[V any] struct {
	value whole[V]
	life  *life
	state state // gone if there is none
}

// inspect returns the entry of k and what it may be used for. Neither the policy nor the counters
// hear of it.
func (e *engine[K, V]) inspect(k K) held[V] {
	var value whole[V]
	_, l, s := e.view(&k, &value)
	return held[V]{value, l, s}
}

// regard is inspect for an entry that is used if it may be: policy and counters hear of a hit, and
// its idle time begins again. Where no entry has a life there is nothing that get would not have
// found.
func (e *engine[K, V]) regard(k K) held[V] {
	if !e.slots.Load().rich {
		return held[V]{state: gone}
	}
	var value whole[V]
	w, l, s := e.view(&k, &value)
	if s < kept {
		if e.options.Idle > 0 {
			e.renewLife(&k)
		}
		e.hit(w)
		at := here()
		e.stripes.of(at).hit(at)
		e.countOdd(l, s)
	}
	return held[V]{value, l, s}
}

// view reads the entry of k with its life, without a lock. Its word is 0 if there is none.
func (e *engine[K, V]) view(k *K, value *whole[V]) (w word, l *life, s state) {
	h := hash(&e.hasher, k)
	for {
		w, _, seq := e.find(k, h, value)
		if w == 0 {
			*value = whole[V]{}
			return 0, nil, gone
		}
		slots := e.slots.Load()
		t, l := slots.timesOf(slots.at(w.slot()))
		if e.shardOf(h).unchanged(seq) {
			return w, l, e.stateOf(t, l)
		}
	}
}

// stateOf tells what an entry may be used for.
func (e *engine[K, V]) stateOf(t times, l *life) state {
	switch {
	case t.look == never || !e.clock.passed(t.look):
		return fresh
	case l == nil || e.clock.passed(t.leaves):
		return gone
	}
	draw := 1.0
	if e.rules.early > 0 {
		draw -= rand.Float64() // above 0
	}
	return e.rules.at(l, e.clock.now(), draw)
}

// serves tells whether an entry may be served as it is. The room or the lock of its shard must be
// held.
func (e *engine[K, V]) serves(w word) bool {
	slots := e.slots.Load()
	t, l := slots.timesOf(slots.at(w.slot()))
	return e.stateOf(t, l) < kept && (l == nil || l.absent == nil)
}

// peek is get that neither the policy nor the counters hear of; what is stale counts as absent.
func (e *engine[K, V]) peek(k K) (v V, ok bool) {
	h := e.inspect(k)
	if h.state > due || h.life != nil && h.life.absent != nil {
		return v, false
	}
	return h.value.v, true
}

// use tells whether an entry with times may be used without a thought, and moves its deadline where
// use does that.
func (e *engine[K, V]) use(k *K, w word, look int64) bool {
	if e.clock.passed(look) {
		return false
	}
	if e.options.Idle > 0 {
		e.renew(k, w, look)
	}
	return true
}

// renew moves the deadline of an entry that was used, if it moves by more than a thousandth of the
// idle time. If the entry has left meanwhile, its deadline is another one, and stays.
func (e *engine[K, V]) renew(k *K, w word, look int64) {
	slots := e.slots.Load()
	at := slots.at(w.slot())
	if slots.rich && slots.lifeOf(at).Load() != nil {
		e.renewLife(k)
		return
	}
	if e.clock.now() >= look { // it took so long to come here
		return
	}
	fresh := min(e.clock.after(e.options.Idle), slots.second(at).Load())
	if fresh-look > int64(e.options.Idle/1000) {
		slots.look(at).CompareAndSwap(look, fresh)
	}
}

// renewLife is renew for an entry that has a life: two times move together.
func (e *engine[K, V]) renewLife(k *K) {
	h := hash(&e.hasher, k)
	s := e.shardOf(h)
	for {
		w, _, seq := e.find(k, h, nil)
		if w == 0 {
			return
		}
		slots := e.slots.Load()
		at := slots.at(w.slot())
		t, l := slots.timesOf(at)
		idle := e.clock.after(e.options.Idle)
		if l == nil || e.clock.now() >= t.second || idle-t.second <= int64(e.options.Idle/1000) {
			return
		}
		if !s.tryLock(seq) {
			continue
		}
		setInt64(slots.second(at), idle)
		setInt64(slots.look(at), min(e.rules.look(l), idle))
		s.unlock()
		return
	}
}

// find reads the entry of k as it is at one moment: its word, 0 if there is none, until when it
// needs no thought, never if it has no times, and its value if value is not nil. seq is the
// sequence number of its shard at that moment. It is one function because it is what every hit
// costs.
func (e *engine[K, V]) find(k *K, h uint32, value *whole[V]) (w word, look int64, seq uint32) {
	var key whole[K]
	s := e.shardOf(h)
again:
	if seq = s.seq.Load(); seq&1 != 0 {
		s.wait()
		goto again
	}
	t := s.buckets()
	i := s.home(h, t.size)
	for passed := uint32(0); ; i = t.next(i) {
		b := t.at(i)
		lower, upper := b.tagWords()
		for m := matches(lower, upper, tagOf(h)); m != 0; m &= m - 1 {
			slot := b.slots[placeOf(m)].Load()
			slots := e.slots.Load() // after slot: older ones may not reach that far
			at := slots.at(slot)
			slots.load(at, &key, value)
			look = slots.lookOf(at)
			if s.seq.Load() != seq { // the key may be torn: it must not be looked at
				goto again
			}
			if key.v == *k {
				return wordOf(h, slot), look, seq
			}
		}
		if passed++; upper < passedUnit || passed >= t.size {
			break
		}
	}
	if s.seq.Load() != seq {
		goto again
	}
	return 0, never, seq
}

// shardOf returns the shard of a hash.
func (e *engine[K, V]) shardOf(h uint32) *shard { return &e.shards[h>>(e.shift&31)] }

// hit tells the policy of a hit, at once by a mark, or later by a note.
func (e *engine[K, V]) hit(w word) {
	if m := e.marks.Load(); m != nil {
		m.Mark(w.slot())
	}
	if (watchNone|uint64(w.hash()))&e.watched.Load() == 0 {
		e.note(w)
	}
}

// note puts a hit down in the caller's stripe.
func (e *engine[K, V]) note(w word) {
	if e.observer != nil {
		h := watchNone | uint64(w.hash())
		if h&e.seeks.Load() == 0 {
			e.observer.Hit(here(), w.hash())
		}
		if h&e.wants.Load() != 0 {
			return
		}
	}
	if s := e.stripes.mine(); s.note(w) {
		e.tryTell(s)
	}
}

// touched tells the policy of an entry that was set anew.
func (e *engine[K, V]) touched(w word) {
	if e.observer == nil {
		e.hit(w)
		return
	}
	if m := e.marks.Load(); m != nil {
		m.Mark(w.slot())
	}
	if (watchNone|uint64(w.hash()))&e.wants.Load() == 0 {
		if s := e.stripes.mine(); s.note(w) {
			e.tryTell(s)
		}
	}
	e.observer.Put(w.hash(), 1, shadow.Set)
}

// tryTell passes the notes of a full stripe on, unless somebody has the room.
func (e *engine[K, V]) tryTell(s *stripe) {
	if e.mu.TryLock() {
		e.tell(s)
		e.mu.Unlock()
	}
}

// tell passes the notes of a stripe on to the policy, if the entries are still there. The room must
// be held.
func (e *engine[K, V]) tell(s *stripe) {
	if s.noted.Load() == 0 {
		return
	}
	var words [batch]word
	for _, w := range words[:s.take(&words)] {
		if w == 0 {
			continue
		}
		if e.shardOf(w.hash()).has(w) {
			e.policy.Touch(w.slot(), w.hash())
		}
	}
}

// total is the weight of the entries, or their number.
func (e *engine[K, V]) total() int64 {
	if e.options.Weigh != nil {
		return int64(e.weight.Load())
	}
	return e.count.Load()
}
