// room.go lets entries come and go, one goroutine at a time, so the bound holds at every moment.

package larder

import (
	"fmt"
	"unsafe"
)

// departure is an entry that left, for whoever wants to hear of it.
type departure[K comparable, V any] struct {
	key   K
	value V
	cause Cause
}

// awake is how often enter looks at the room before it sleeps, which costs as much as some ten
// entries that come and go: one or two microseconds.
const awake = 1000

// enter takes the room. What is done there is short, so waiting awake is cheaper than sleeping, for
// a while.
func (e *engine[K, V]) enter() {
	for range awake {
		if e.mu.TryLock() {
			return
		}
	}
	e.mu.Lock()
}

// leave gives the room back and tells of those who left meanwhile.
func (e *engine[K, V]) leave() { e.tellOf(e.exit()) }

// exit gives the room back and returns those who left meanwhile.
func (e *engine[K, V]) exit() []departure[K, V] {
	if e.count.Load() != int64(e.entries) {
		e.count.Store(int64(e.entries))
	}
	gone := e.gone
	if gone != nil {
		e.gone = nil
	}
	e.mu.Unlock()
	return gone
}

// tellOf tells of those who left. No lock may be held.
func (e *engine[K, V]) tellOf(gone []departure[K, V]) {
	for _, d := range gone {
		e.options.OnEvict(d.key, d.value, d.cause)
	}
}

// newcomer is an entry on its way in. It is filled in where it is: copying it costs more than it
// does.
type newcomer[K comparable, V any] struct {
	key    whole[K]
	value  whole[V]
	hash   uint32
	weight uint64
	times  times
	life   *life  // nil where the times say it all
	unkept bool   // for those who wait for it alone
	absent bool   // the key was not there when
	seq    uint32 // its shard had this sequence number
}

// update stores a value over one that is there, without the room; false if it needs the room.
func (e *engine[K, V]) update(n *newcomer[K, V]) bool {
	if e.slots.Load().rich { // lists of entries may have to change
		return false
	}
	s := e.shardOf(n.hash)
	for {
		w, look, seq := e.find(&n.key.v, n.hash, nil)
		if w == 0 || n.times.look < look { // the wheel would come too late
			n.absent, n.seq = w == 0, seq
			return false
		}
		if !s.tryLock(seq) {
			continue
		}
		slots := e.slots.Load()
		at := slots.at(w.slot())
		slots.storeValue(at, &n.value)
		slots.setTimes(at, n.times, n.life)
		s.unlock()
		stack := here()
		e.stripes.of(stack).replace(stack)
		e.touched(w)
		return true
	}
}

// put stores an entry, whether its key is there or not. It returns ErrRefused, wrapped, if it
// cannot be kept; then what was there before leaves. The room must be held.
func (e *engine[K, V]) put(n *newcomer[K, V]) error {
	e.tell(e.stripes.mine())
	s := e.shardOf(n.hash)
	var w word
	if !n.absent || !s.unchanged(n.seq) {
		w, _, _ = e.find(&n.key.v, n.hash, nil)
	}
	if err := e.refuse(n); err != nil {
		if n.weight > min(e.max, maxWeight) {
			e.refused++
		}
		if w != 0 {
			e.remove(w, Replaced)
		}
		return err
	}
	e.observePut(n, w)
	if w != 0 {
		e.replace(s, w, n)
		return nil
	}
	e.makeRoom(n.hash, n.weight)
	e.add(s, n)
	return nil
}

// refuse tells why an entry cannot be kept, if it cannot. The room must be held.
func (e *engine[K, V]) refuse(n *newcomer[K, V]) error {
	switch {
	case n.weight > min(e.max, maxWeight):
		most := min(e.max, maxWeight)
		return fmt.Errorf("%w: it weighs %d, the most is %d", ErrRefused, n.weight, most)
	case n.key.v != n.key.v: // a NaN is in it: it would never be found again
		return fmt.Errorf("%w: its key does not equal itself", ErrRefused)
	case e.closed:
		return fmt.Errorf("%w: the cache is closed", ErrRefused)
	}
	return nil
}

// maxWeight is what a policy can reckon with for one entry.
const maxWeight = 1<<32 - 1

// makeRoom evicts until an entry of weight fits. The room must be held.
func (e *engine[K, V]) makeRoom(hash uint32, weight uint64) {
	for e.load()+weight > e.max {
		e.depart(e.victim(hash), Evicted)
	}
}

// victim asks the policy who leaves for an entry with that hash. The room must be held.
func (e *engine[K, V]) victim(hash uint32) (slot uint32) {
	slot = e.policy.Victim(hash)
	if !e.listens { // it may know only now what it wants to hear of
		e.watch()
		e.listens = true
	}
	return slot
}

// load is what counts against the bound. The room must be held.
func (e *engine[K, V]) load() uint64 {
	if e.options.Weigh != nil {
		return e.weight.Load()
	}
	return e.entries
}

// add stores an entry that is not there. The room must be held, and there must be some.
func (e *engine[K, V]) add(s *shard, n *newcomer[K, V]) {
	slots := e.slots.Load()
	slot := slots.take()
	at := slots.at(slot)
	slots.storeKey(at, &n.key)
	slots.storeValue(at, &n.value)
	slots.setTimes(at, n.times, n.life)
	e.entries++
	e.setWeight(slot, n.weight)
	if s.full() {
		s.reserve(e.expected(), e.hashOf)
	}
	s.lock()
	s.insert(wordOf(n.hash, slot))
	s.unlock()
	e.policy.Admit(slot, n.hash, uint32(n.weight))
	e.schedule(slot, n.times)
	e.enlist(slot, n.life)
}

// expected is how many entries a shard will have in the end, 0 if nobody knows.
func (e *engine[K, V]) expected() uint64 {
	if e.options.Weigh != nil {
		return 0
	}
	return e.max / uint64(len(e.shards))
}

// hashOf returns the hash of the entry in a slot. The room must be held.
func (e *engine[K, V]) hashOf(slot uint32) uint32 {
	var key whole[K]
	slots := e.slots.Load()
	slots.loadKey(slots.at(slot), &key)
	return hash(&e.hasher, &key.v)
}

// setWeight keeps the weight of a slot that has none.
func (e *engine[K, V]) setWeight(slot uint32, weight uint64) {
	if e.options.Weigh == nil {
		return
	}
	for int(slot) >= len(e.weighs) {
		e.weighs = append(e.weighs, 0)
	}
	e.weighs[slot] = uint32(weight)
	e.weight.Add(weight)
}

// replace stores a value over that of w. The room must be held.
func (e *engine[K, V]) replace(s *shard, w word, n *newcomer[K, V]) {
	slot := w.slot()
	if e.options.Weigh != nil {
		old, chosen := uint64(e.weighs[slot]), false
		for e.weight.Load()-old+n.weight > e.max {
			victim := e.victim(n.hash)
			if victim == slot { // it stays: nobody may see its key without a value
				chosen = true
				continue
			}
			e.depart(victim, Evicted)
		}
		e.weight.Add(n.weight - old)
		e.weighs[slot] = uint32(n.weight)
		if chosen {
			e.policy.Admit(slot, n.hash, uint32(n.weight))
		} else {
			e.policy.Weigh(slot, uint32(n.weight))
		}
	}
	e.overwrite(s, w, n, nil)
}

// overwrite stores value and times over those of w, if its value is still old; nil is any. The room
// must be held.
func (e *engine[K, V]) overwrite(s *shard, w word, n *newcomer[K, V], old *whole[V]) bool {
	slots := e.slots.Load()
	at := slots.at(w.slot())
	var before whole[V]
	s.lock()
	if old != nil && !e.holds(w, old) {
		s.unlock()
		return false
	}
	slots.loadValue(at, &before)
	serves := e.serves(w)
	_, l := slots.timesOf(at)
	slots.storeValue(at, &n.value)
	slots.setTimes(at, n.times, n.life)
	s.unlock()
	cause := Replaced
	if !serves {
		cause = Expired
	}
	e.mourn(n.key.v, before.v, l, cause)
	e.policy.Touch(w.slot(), w.hash())
	e.unschedule(w.slot())
	e.schedule(w.slot(), n.times)
	e.delist(w.slot(), l)
	e.enlist(w.slot(), n.life)
	return true
}

// departed counts an entry that nobody can reach any more, and keeps it for OnEvict. The room must
// be held.
func (e *engine[K, V]) departed(at unsafe.Pointer, cause Cause) {
	slots := e.slots.Load()
	_, l := slots.timesOf(at)
	key, value := slots.entry(at)
	e.mourn(key, value, l, cause)
}

// mourn counts a value that left, and keeps it for OnEvict. What says that the origin has no such
// thing is no value. The room must be held.
func (e *engine[K, V]) mourn(key K, value V, l *life, cause Cause) {
	e.left[cause]++
	if e.options.OnEvict != nil && (l == nil || l.absent == nil) {
		e.gone = append(e.gone, departure[K, V]{key, value, cause})
	}
}

// remove takes an entry out for another reason than room. The room must be held.
func (e *engine[K, V]) remove(w word, cause Cause) {
	e.policy.Remove(w.slot())
	e.depart(w.slot(), cause)
}

// depart takes an entry out that the policy has forgotten. The room must be held.
func (e *engine[K, V]) depart(slot uint32, cause Cause) {
	h := e.hashOf(slot)
	e.unindex(e.shardOf(h), wordOf(h, slot), nil)
	e.vacate(slot, cause)
}

// unindex makes an entry unreachable, if its value is still old; nil is any. The room must be held.
func (e *engine[K, V]) unindex(s *shard, w word, old *whole[V]) bool {
	at, place, ok := s.locate(w)
	if !ok {
		panic("larder: an entry is not in the index") // its key changed its hash: ours to prevent
	}
	s.lock()
	same := old == nil || e.holds(w, old)
	if same {
		s.remove(w, at, place)
	}
	s.unlock()
	return same
}

// vacate gives back the slot of an entry that nobody can reach. The room must be held.
func (e *engine[K, V]) vacate(slot uint32, cause Cause) {
	slots := e.slots.Load()
	at := slots.at(slot)
	e.departed(at, cause)
	e.observeLeft(slot, cause)
	_, l := slots.timesOf(at)
	e.delist(slot, l)
	slots.forget(at)
	slots.release(slot)
	e.unschedule(slot)
	e.entries--
	if e.options.Weigh != nil {
		e.weight.Add(-uint64(e.weighs[slot]))
	}
}
