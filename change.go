// change.go is what a caller does to entries: set, delete, compute, clear, resize.

package larder

import (
	"iter"
	"time"
	"unsafe"
)

// set keeps v under k for ttl.
func (e *engine[K, V]) set(k K, v V, ttl time.Duration) error {
	var n newcomer[K, V]
	n.key.v, n.value.v = k, v
	n.hash = hash(&e.hasher, &n.key.v)
	n.weight, n.times = 1, times{never, never}
	if !e.plain || ttl != Forever {
		e.complete(&n, ttl)
	}
	if e.simple && e.update(&n) {
		return nil
	}
	return e.setSlowly(&n)
}

// setSlowly is set in the room.
func (e *engine[K, V]) setSlowly(n *newcomer[K, V]) error {
	e.enter()
	err := e.put(n)
	e.leave()
	return err
}

// setLoaded is set, unless the key is there: then somebody set it while it was loaded, and knows
// better. Those who had to leave are returned, for tellOf: the caller may hold a lock.
func (e *engine[K, V]) setLoaded(n *newcomer[K, V]) []departure[K, V] {
	e.enter()
	w, deadline, seq := e.find(&n.key.v, n.hash, nil)
	if w == 0 || deadline != never && e.clock.passed(deadline) {
		n.absent, n.seq = w == 0, seq
		e.put(n)
	}
	return e.exit()
}

// complete fills in what follows from key and value.
func (e *engine[K, V]) complete(n *newcomer[K, V], ttl time.Duration) {
	n.hash = hash(&e.hasher, &n.key.v)
	n.weight = 1
	n.times = times{never, never}
	if e.options.Weigh != nil {
		n.weight = uint64(max(e.options.Weigh(n.key.v, n.value.v), 1))
	}
	if ttl != Forever || e.options.Idle > 0 {
		n.times = e.timesFor(ttl)
	}
}

// timesFor returns the times of an entry that is set now.
func (e *engine[K, V]) timesFor(ttl time.Duration) times {
	t := times{never, never}
	if ttl != Forever {
		t.end = e.clock.after(ttl)
		if e.slots.Load().times == 0 {
			e.addTimes()
		}
	}
	t.deadline = t.end
	if e.options.Idle > 0 {
		t.deadline = min(t.end, e.clock.after(e.options.Idle))
	}
	return t
}

// addTimes gives each entry room for its times, when the first one expires in a cache where nothing
// did so far. All entries are moved once.
func (e *engine[K, V]) addTimes() {
	e.enter()
	defer e.leave()
	old := e.slots.Load()
	if old.times > 0 {
		return
	}
	for i := range e.shards {
		e.shards[i].lock()
	}
	fresh := old.withTimes()
	e.slots.Store(fresh)
	for i := range e.shards {
		e.shards[i].unlock()
	}
}

// withTimes copies all slots; what is in them never expires.
func (s *slots[K, V]) withTimes() *slots[K, V] {
	fresh := newSlots[K, V](16<<s.bits, 1)
	for slot := range s.used {
		var k whole[K]
		var v whole[V]
		from := s.at(slot)
		s.loadKey(from, &k)
		s.loadValue(from, &v)
		to := fresh.at(fresh.take())
		fresh.storeKey(to, &k)
		fresh.storeValue(to, &v)
		fresh.setTimes(to, times{never, never})
	}
	fresh.free = s.free
	// A reader may know a slot of before Clear.
	for len(*fresh.chunks.Load()) < len(*s.chunks.Load()) {
		fresh.grow()
	}
	return fresh
}

// delete takes k out, and tells whether it was there.
func (e *engine[K, V]) delete(k K) bool {
	h := hash(&e.hasher, &k)
	e.enter()
	defer e.leave()
	e.tell(e.stripes.mine())
	w, deadline, _ := e.find(&k, h, nil)
	if w == 0 {
		return false
	}
	cause := Deleted
	if e.clock.passed(deadline) {
		cause = Expired
	}
	e.remove(w, cause)
	return cause == Deleted
}

// compute changes the entry of k by f, which gets its value and whether it is there. No other
// change of k comes between what f was given and what is done. f runs without a lock, so it may be
// called again if another change was faster: it should have no effect of its own. It returns the
// value that is there in the end, and whether there is one.
func (e *engine[K, V]) compute(k K, ttl time.Duration, f func(V, bool) (V, Op)) (V, bool) {
	h := hash(&e.hasher, &k)
	for {
		var old whole[V]
		w, deadline, _ := e.find(&k, h, &old)
		there := w != 0 && !e.clock.passed(deadline)
		before := old
		if !there {
			before = whole[V]{}
		}
		v, op := f(before.v, there)
		if op == Keep || op == Remove && !there {
			return before.v, there
		}
		var n newcomer[K, V]
		n.key.v, n.hash = k, h
		if op == Put {
			n.value.v = v
			e.complete(&n, ttl)
		}
		if kept, done := e.exchange(w, &old, there, &n, op); done {
			if !kept {
				n.value = whole[V]{}
			}
			return n.value.v, kept
		}
	}
}

// exchange does op if the entry of n's key is still the one of w with the value old, or is still
// absent where w is 0; else done is false. kept tells whether an entry is there afterwards.
func (e *engine[K, V]) exchange(
	w word, old *whole[V], there bool, n *newcomer[K, V], op Op,
) (kept, done bool) {
	e.enter()
	defer e.leave()
	s := e.shardOf(n.hash)
	now, deadline, seq := e.find(&n.key.v, n.hash, nil)
	switch {
	case now != w, w != 0 && !there && !e.clock.passed(deadline): // set again, maybe to the same
		return false, false
	case w == 0:
		n.absent, n.seq = true, seq
		return e.put(n) == nil, true
	case op == Put && e.options.Weigh == nil:
		return true, e.overwrite(s, w, n, old)
	case op == Put: // no value changes without the room where entries have weights
		if !e.holds(w, old) {
			return false, false
		}
		return e.put(n) == nil, true
	}
	if !e.unindex(s, w, old) {
		return false, false
	}
	e.policy.Remove(w.slot())
	e.vacate(w.slot(), Deleted)
	return false, true
}

// holds tells whether the value of w is the one given, word for word. The room or the lock of the
// shard must be held.
func (e *engine[K, V]) holds(w word, value *whole[V]) bool {
	slots := e.slots.Load()
	var now whole[V]
	slots.loadValue(slots.at(w.slot()), &now)
	return slots.values.same(unsafe.Pointer(&now), unsafe.Pointer(value))
}

// all visits the entries that have not expired, shard by shard. An entry that comes or goes
// meanwhile may be among them or not; each is visited at most once unless it is set again. The
// caller may change the engine on the way.
func (e *engine[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for i := range e.shards {
			for _, entry := range e.copyShard(&e.shards[i]) {
				if !e.clock.passed(entry.deadline) && !yield(entry.key, entry.value) {
					return
				}
			}
		}
	}
}

// lasting is an entry and when it expires.
type lasting[K comparable, V any] struct {
	key      K
	value    V
	deadline int64
}

// copyShard returns the entries of a shard as they are at one moment.
func (e *engine[K, V]) copyShard(s *shard) []lasting[K, V] {
	entries := make([]lasting[K, V], 0, s.size.Load()*perBucket)
	s.lock()
	defer s.unlock()
	slots := e.slots.Load()
	s.each(func(slot uint32) {
		at := slots.at(slot)
		key, value := slots.entry(at)
		entries = append(entries, lasting[K, V]{key, value, slots.deadlineOf(at)})
	})
	return entries
}

// clear takes all entries out. The room must be held.
func (e *engine[K, V]) clear() {
	slots := e.slots.Load()
	for i := range e.shards {
		s := &e.shards[i]
		s.lock()
		e.clearShard(s, slots)
		s.unlock()
	}
	slots.reset()
	e.alarm.wheel = wheel{tick: e.alarm.wheel.tick}
	e.weighs = nil
	e.entries = 0
	e.weight.Store(0)
	e.newPolicy()
}

// clearShard forgets the entries of a shard. Its lock and the room must be held.
func (e *engine[K, V]) clearShard(s *shard, slots *slots[K, V]) {
	s.each(func(slot uint32) {
		at := slots.at(slot)
		e.departed(at, Cleared)
		slots.forget(at)
	})
	s.clear()
}

// clearAll takes all entries out.
func (e *engine[K, V]) clearAll() {
	e.enter()
	defer e.leave()
	e.clear()
}

// resize sets another bound, of entries or of weight, and evicts what is too much.
func (e *engine[K, V]) resize(max uint64) {
	e.enter()
	defer e.leave()
	e.max = max
	e.policy.Resize(min(max, mostWeight))
	e.listens = false
	e.watch()
	e.makeRoom(0, 0)
}

// close takes all entries out and stops expiry. A closed engine stays empty.
func (e *engine[K, V]) close() {
	e.enter()
	defer e.leave()
	if e.closed {
		return
	}
	e.closed = true
	if e.alarm.timer != nil {
		e.alarm.timer.Stop()
	}
	e.clear()
}

// stats returns what the engine knows of itself.
func (e *engine[K, V]) stats() (s Stats) {
	s.Hits, s.Misses = e.stripes.totals()
	e.enter()
	defer e.leave()
	s.Entries, s.Weight, s.Max = int(e.entries), int64(e.load()), int64(e.max)
	s.Evicted, s.Expired = e.left[Evicted], e.left[Expired]
	s.Deleted, s.Cleared = e.left[Deleted], e.left[Cleared]
	return s
}
