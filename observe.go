// observe.go tells an observer what happens in the memory of a cache.

package larder

import (
	"cmp"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/policy"
)

// odd counts the hits that are not simply fresh.
type odd struct{ stale, negative atomic.Uint64 }

// countOdd counts a hit on an entry that has a life.
func (e *engine[K, V]) countOdd(l *life, s state) {
	switch {
	case l != nil && l.absent != nil:
		e.odd.negative.Add(1)
	case s == stale:
		e.odd.stale.Add(1)
	}
}

// observe begins to observe, if the options say so.
func (e *engine[K, V]) observe() {
	o := e.options
	if !o.Observe {
		return
	}
	named := nameOf(o.Policy)
	host := shadow.Host{
		Cache: shadow.Cache{
			Policy: named, New: o.Policy, Max: min(e.max, mostWeight), Entries: e.max,
			Weighed: o.Weigh != nil,
		},
		Idle:    o.Idle,
		Totals:  e.stripes.totals,
		Shape:   e.outline,
		Listens: e.seek,
	}
	if o.TTL != Forever {
		host.Life = o.TTL + o.Stale
	}
	if o.Weigh != nil {
		host.Cache.Entries = shadow.Miniature // until it is known
	}
	e.observer = shadow.NewObserver(host, len(e.stripes.all))
}

// nameOf returns the name of a policy of package policy, or "own".
func nameOf(p policy.New) string {
	for _, named := range policy.All() {
		if reflect.ValueOf(named.New).Pointer() == reflect.ValueOf(p).Pointer() {
			return named.Name
		}
	}
	return "own"
}

// outline returns the bound, what is used of it, and how many entries there are.
func (e *engine[K, V]) outline() (max, used, count uint64) {
	return min(e.bound.Load(), mostWeight), uint64(e.total()), uint64(e.count.Load())
}

// seek sets of which hits the observer wants to hear: those with hash&mask == 0, or none.
func (e *engine[K, V]) seek(mask uint32, some bool) {
	e.enter()
	defer e.leave()
	e.seeks.Store(uint64(mask))
	if !some {
		e.seeks.Store(watchNone)
	}
	e.listen(e.wants.Load())
}

// listen sets of which hits the policy wants to hear, by a mask or watchNone. Hits look at one mask
// for both, which lets more pass than either wants. The room must be held, or nobody else be there.
func (e *engine[K, V]) listen(wants uint64) {
	e.wants.Store(wants)
	seeks := e.seeks.Load()
	switch {
	case wants == watchNone:
		e.watched.Store(seeks)
	case seeks == watchNone:
		e.watched.Store(wants)
	default:
		e.watched.Store(wants & seeks)
	}
}

// observeMiss tells of a miss.
func (e *engine[K, V]) observeMiss(here uintptr, k K) {
	h := hash(&e.hasher, &k)
	e.observer.Miss(here, h, e.reasonOf(&k, h))
}

// observePut tells of an entry that comes; w is what is there. The room must be held.
func (e *engine[K, V]) observePut(n *newcomer[K, V], w word) {
	if e.observer == nil {
		return
	}
	how := shadow.Loaded
	if w != 0 && e.serves(w) {
		how = shadow.Set
	}
	e.observer.Put(n.hash, uint32(n.weight), how)
}

// observeLeft tells why an entry leaves. The room must be held.
func (e *engine[K, V]) observeLeft(slot uint32, cause Cause) {
	if e.observer == nil {
		return
	}
	h := e.hashOf(slot)
	switch cause {
	case Evicted:
		e.observer.Left(h, shadow.Evicted)
	case Expired:
		e.observer.Left(h, shadow.Expired)
	case Deleted:
		e.observer.Delete(h)
		fallthrough
	default:
		e.observer.Left(h, shadow.Deleted)
	}
}

// observeLoad tells what a call of the origin has cost.
func (c *Cache[K, V]) observeLoad(key K, begun time.Time, took time.Duration, err error) {
	c.logLoad(key, took, err)
	o := c.engine.observer
	if o == nil {
		return
	}
	l := c.charge(key, shadow.Load{Key: textOf(key), At: begun, Took: took}, err)
	o.Rank(l)
}

// charge notes what a load has cost a key, and returns the load with its error.
func (c *Cache[K, V]) charge(key K, l shadow.Load, err error) shadow.Load {
	o := c.engine.observer
	h := hash(&c.engine.hasher, &key)
	if err != nil {
		l.Err = err.Error()
		o.Left(h, shadow.Failed)
	}
	o.Charge(h, l)
	return l
}

// observeLoads tells what a call of LoadMany has cost: each key its share.
func (c *Cache[K, V]) observeLoads(
	keys []K, values map[K]V, begun time.Time, took time.Duration, err error,
) {
	for _, key := range keys {
		c.logLoad(key, took, cmp.Or(err, absence(values, key)))
	}
	if c.engine.observer == nil {
		return
	}
	each := shadow.Load{At: begun, Took: took / time.Duration(len(keys))}
	for _, key := range keys {
		each.Key = textOf(key)
		c.charge(key, each, cmp.Or(err, absence(values, key)))
	}
	all := shadow.Load{Key: textOf(keys[0]), At: begun, Took: took}
	if len(keys) > 1 {
		all.Key += fmt.Sprintf(" and %d more", len(keys)-1)
	}
	if err != nil {
		all.Err = err.Error()
	}
	c.engine.observer.Rank(all)
}

// absence is ErrNotFound for a key that is not there.
func absence[K comparable, V any](values map[K]V, key K) error {
	if _, ok := values[key]; !ok {
		return ErrNotFound
	}
	return nil
}

// textOf writes a key for people. Its methods may panic.
func textOf[K any](key K) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T", key)
		}
	}()
	return fmt.Sprint(key)
}
