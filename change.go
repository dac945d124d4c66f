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
	if e.plain && ttl == Forever {
		n.weight, n.times = 1, lasting
	} else {
		e.complete(&n, ttl)
	}
	if e.simple && e.update(&n) {
		return nil
	}
	return e.setSlowly(&n)
}

// setSlowly is set in the room.
func (e *engine[K, V]) setSlowly(n *newcomer[K, V]) error {
	gone, err := e.setInRoom(n)
	e.tellOf(gone)
	return err
}

// setInRoom is setSlowly that leaves it to the caller to tell of those who had to leave.
func (e *engine[K, V]) setInRoom(n *newcomer[K, V]) ([]departure[K, V], error) {
	e.enter()
	err := e.put(n)
	return e.exit(), err
}

// setLoaded is set of what was loaded, unless there is a value that may be served: then somebody
// set it while it was loaded, and knows better. Only old is replaced, of a refresh; nil is none.
// Those who had to leave are returned, for tellOf: the caller may hold a lock.
func (e *engine[K, V]) setLoaded(n *newcomer[K, V], old *whole[V]) []departure[K, V] {
	e.enter()
	w, _, seq := e.find(&n.key.v, n.hash, nil)
	if w == 0 || !e.serves(w) || old != nil && e.holds(w, old) {
		n.absent, n.seq = w == 0, seq
		e.put(n)
	}
	return e.exit()
}

// complete fills in what follows from key, value and life.
func (e *engine[K, V]) complete(n *newcomer[K, V], ttl time.Duration) {
	n.hash = hash(&e.hasher, &n.key.v)
	if e.options.Weigh != nil && n.weight == 0 {
		n.weight = uint64(max(e.options.Weigh(n.key.v, n.value.v), 1))
	}
	n.weight = max(n.weight, 1)
	n.times = lasting
	if ttl != Forever || e.options.Idle > 0 || n.life != nil {
		e.setTimes(n, ttl)
	}
}

// setTimes fills in the times of an entry that is set now. If it has a life, that tells when it is
// fresh.
func (e *engine[K, V]) setTimes(n *newcomer[K, V], ttl time.Duration) {
	end, idle := int64(never), int64(never)
	if ttl != Forever {
		end = e.clock.after(ttl)
	}
	if e.options.Idle > 0 {
		idle = e.clock.after(e.options.Idle)
	}
	need := shape{times: 1}
	if n.life == nil {
		look := min(end, idle)
		n.times = times{look, end, look}
	} else {
		need.rich = true
		n.times = times{min(e.rules.look(n.life), idle), idle, min(n.life.gone, idle)}
	}
	have := e.slots.Load().shape
	if n.times.look != never && have.times == 0 || need.rich && !have.rich {
		e.widen(need)
	}
}

// widen gives each entry room for times or for a life, when the first one needs it in a cache where
// none did so far. All entries are moved once.
func (e *engine[K, V]) widen(need shape) {
	e.enter()
	defer e.leave()
	old := e.slots.Load()
	need = shape{max(old.times, need.times), old.rich || need.rich}
	if old.shape == need {
		return
	}
	for i := range e.shards {
		e.shards[i].lock()
	}
	e.slots.Store(old.widened(need))
	for i := range e.shards {
		e.shards[i].unlock()
	}
}

// widened copies all slots.
func (s *slots[K, V]) widened(need shape) *slots[K, V] {
	wide := newSlots[K, V](16<<s.bits, need)
	for slot := range s.used {
		var k whole[K]
		var v whole[V]
		from := s.at(slot)
		s.loadKey(from, &k)
		s.loadValue(from, &v)
		to := wide.at(wide.take())
		wide.storeKey(to, &k)
		wide.storeValue(to, &v)
		t, l := s.widenedTimes(from, need)
		wide.setTimes(to, t, l)
	}
	wide.free = s.free
	// A reader may know a slot of before Clear.
	for len(*wide.chunks.Load()) < len(*s.chunks.Load()) {
		wide.grow()
	}
	return wide
}

// widenedTimes returns the times of an entry as wider slots keep them. With two times a rich entry
// has a life, since the second one is no end then.
func (s *slots[K, V]) widenedTimes(at unsafe.Pointer, need shape) (times, *life) {
	t, l := s.timesOf(at)
	if !need.rich || s.rich || s.times < 2 {
		return t, l
	}
	l = &life{fresh: t.second, gone: t.second}
	return times{t.look, t.look, t.look}, l
}

// delete takes k out, and tells whether it was there.
func (e *engine[K, V]) delete(k K) bool {
	gone, found := e.take(k)
	e.tellOf(gone)
	return found
}

// take is delete that leaves it to the caller to tell of it: he may hold a lock.
func (e *engine[K, V]) take(k K) (gone []departure[K, V], found bool) {
	h := hash(&e.hasher, &k)
	e.enter()
	e.tell(e.stripes.mine())
	if w, _, _ := e.find(&k, h, nil); w != 0 {
		cause := Deleted
		if !e.serves(w) {
			cause = Expired
		}
		e.remove(w, cause)
		found = cause == Deleted
	}
	return e.exit(), found
}

// compute changes the entry of k by f, which gets its value and whether it is there. No other
// change of k comes between what f was given and what is done. f runs without a lock, so it may be
// called again if another change was faster: it should have no effect of its own. It returns the
// value that is there in the end, and whether there is one, and those who left, to be told of.
// complete fills in what follows from key and value.
func (e *engine[K, V]) compute(
	k K, complete func(*newcomer[K, V]), f func(V, bool) (V, Op),
) (_ V, _ bool, gone []departure[K, V]) {
	h := hash(&e.hasher, &k)
	for {
		var old whole[V]
		w, l, state := e.view(&k, &old)
		there := state < kept && (l == nil || l.absent == nil)
		before := old
		if !there {
			before = whole[V]{}
		}
		v, op := f(before.v, there)
		if op == Keep || op == Remove && w == 0 {
			return before.v, there, gone
		}
		var n newcomer[K, V]
		n.key.v, n.hash = k, h
		if op == Put {
			n.value.v = v
			complete(&n)
		}
		kept, done, left := e.exchange(w, &old, there, &n, op)
		if gone = append(gone, left...); done {
			if !kept {
				n.value = whole[V]{}
			}
			return n.value.v, kept, gone
		}
	}
}

// exchange does op if the entry of n's key is still the one of w with the value old, or is still
// absent where w is 0; else done is false. kept tells whether an entry is there afterwards.
func (e *engine[K, V]) exchange(
	w word, old *whole[V], there bool, n *newcomer[K, V], op Op,
) (kept, done bool, gone []departure[K, V]) {
	e.enter()
	kept, done = e.exchangeInRoom(w, old, there, n, op)
	return kept, done, e.exit()
}

func (e *engine[K, V]) exchangeInRoom(
	w word, old *whole[V], there bool, n *newcomer[K, V], op Op,
) (kept, done bool) {
	s := e.shardOf(n.hash)
	now, _, seq := e.find(&n.key.v, n.hash, nil)
	switch {
	case now != w, w != 0 && !there && e.serves(w): // set again, maybe to the same
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
				if e.shows(entry) && !yield(entry.key, entry.value) {
					return
				}
			}
		}
	}
}

// shows tells whether an entry is seen by those who look at all.
func (e *engine[K, V]) shows(c copied[K, V]) bool {
	return e.stateOf(c.times, c.life) < kept && (c.life == nil || c.life.absent == nil)
}

// copied is an entry as it was.
type copied[K comparable, V any] struct {
	key   K
	value V
	times times
	life  *life
}

// copyShard returns the entries of a shard as they are at one moment.
func (e *engine[K, V]) copyShard(s *shard) []copied[K, V] {
	entries := make([]copied[K, V], 0, s.size.Load()*perBucket)
	s.lock()
	defer s.unlock()
	slots := e.slots.Load()
	s.each(func(slot uint32) {
		at := slots.at(slot)
		key, value := slots.entry(at)
		t, l := slots.timesOf(at)
		entries = append(entries, copied[K, V]{key, value, t, l})
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
	e.weighs, e.tagged, e.named = nil, nil, nil
	e.entries = 0
	e.weight.Store(0)
	e.newPolicy()
	if e.observer != nil {
		e.observer.Clear()
	}
}

// clearShard forgets the entries of a shard. Its lock and the room must be held.
func (e *engine[K, V]) clearShard(s *shard, slots *slots[K, V]) {
	s.each(func(slot uint32) {
		at := slots.at(slot)
		e.departed(at, Cleared)
		e.observeLeft(slot, Cleared)
		slots.forget(at)
	})
	s.clear()
}

// resize sets another bound, of entries or of weight, and evicts what is too much.
func (e *engine[K, V]) resize(max uint64) {
	e.enter()
	defer e.leave()
	e.max = max
	e.bound.Store(max)
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
	s.Replaced = e.left[Replaced] + e.stripes.replaced()
	s.Deleted, s.Cleared = e.left[Deleted], e.left[Cleared]
	s.DeletedByTag, s.Refused = e.byTag, e.refused
	s.StaleHits, s.Negative = e.odd.stale.Load(), e.odd.negative.Load()
	return s
}
