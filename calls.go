// calls.go keeps the loads that are under way, and the writes that overtake them.

package larder

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// call is one load of one key, and what comes of it.
type call[V any] struct {
	load
	begun  atomic.Bool // somebody runs it, or is about to; set by claim
	left   atomic.Bool // nobody waits for it any more, so it was cancelled
	value  V
	err    error // both are set before done is closed, and
	failed error // why the origin brought nothing, where an old value is served instead

	offered atomic.Pointer[V] // what may be served if it takes too long
	again   chan time.Time    // gets a time when something is offered, for who is late already
	settled chan struct{}     // closed when what it brought is kept, or is not
	deleted []string          // tags that were deleted meanwhile; guarded by calls.mu
	doubted bool              // changes may have gone unheard meanwhile; guarded by calls.mu
	wanted  int               // by how many; guarded by calls.mu
	cancel  func()            // ends its context; nil unless it may be abandoned
}

func newCall[V any]() *call[V] {
	return &call[V]{
		load:    load{done: make(chan struct{})},
		settled: make(chan struct{}),
		again:   make(chan time.Time),
	}
}

// claim tells whether the caller is the one to run the load.
func (k *call[V]) claim() bool { return !k.begun.Swap(true) }

// bring sets what those get who wait, before done is closed.
func (k *call[V]) bring(value V, err error) { k.value, k.err = value, err }

// offer lets those who waited too long have an old value.
func (k *call[V]) offer(old V) {
	if k.offered.CompareAndSwap(nil, &old) {
		close(k.again)
	}
}

// offering returns what to wait for when it is late and nothing was offered yet. late is nil if it
// will never be late.
func (k *call[V]) offering(late <-chan time.Time) <-chan time.Time {
	if late == nil {
		return nil
	}
	return k.again
}

// calls holds the loads that are under way, and the writes, by key.
type calls[K comparable, V any] struct {
	running atomic.Int64 // len(byKey), for whoever only wants to know whether there are any
	mu      sync.Mutex   // guards the fields below; may be held when the room is entered
	byKey   map[K]*call[V]
	writing map[K]chan struct{} // closed when the write has ended
}

// join returns the load of key that is under way, or begins one: then leads is true, and the caller
// has to see that it finishes. If it has just finished, or somebody has set the key, there returns
// the value, and there is no call.
func (c *calls[K, V]) join(key K, there func(K) (V, bool)) (k *call[V], leads bool, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.byKey[key]; k != nil && len(k.deleted) == 0 { // else it may bring what is no more true
		k.wanted++
		return k, false, v
	}
	if v, ok := there(key); ok {
		return nil, false, v
	}
	if c.byKey == nil {
		c.byKey = map[K]*call[V]{}
	}
	k = newCall[V]()
	k.wanted = 1
	if key != key { // a NaN could never be taken out again
		return k, true, v
	}
	c.byKey[key] = k
	c.running.Store(int64(len(c.byKey)))
	return k, true, v
}

// leave takes back one join of k by somebody who has given up. The load ends with the last one, if
// it may be abandoned; who asks later begins another.
func (c *calls[K, V]) leave(key K, k *call[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.wanted--; k.wanted > 0 || k.cancel == nil {
		return
	}
	if c.byKey[key] == k {
		c.removeLocked(key)
	}
	k.left.Store(true)
	k.cancel()
}

// drop makes sure that no load that began before is kept: what it brings is out of date. Those who
// wait for it get it all the same.
func (c *calls[K, V]) drop(key K) {
	if c.running.Load() != 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.removeLocked(key)
	}
}

func (c *calls[K, V]) removeLocked(key K) {
	delete(c.byKey, key)
	c.running.Store(int64(len(c.byKey)))
}

// dropWhere is drop for all keys that match.
func (c *calls[K, V]) dropWhere(match func(K) bool) {
	if c.running.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.byKey {
		if match(key) {
			c.removeLocked(key)
		}
	}
}

// dropTag is drop for all loads that turn out to bring something with that tag.
func (c *calls[K, V]) dropTag(tag string) {
	if c.running.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, k := range c.byKey {
		if len(k.deleted) == someTags {
			c.removeLocked(key)
		} else if !slices.Contains(k.deleted, tag) {
			k.deleted = append(k.deleted, tag)
		}
	}
}

// someTags is how many deleted tags a load remembers; with one more it is not kept at all.
const someTags = 100

// doubtAll lets what is loaded now not be kept in memory: changes may have gone unheard. The store
// can tell by itself whether it was overtaken.
func (c *calls[K, V]) doubtAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.byKey {
		k.doubted = true
	}
}

// dropAll is drop for all keys.
func (c *calls[K, V]) dropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byKey = nil
	c.running.Store(0)
}

// beginWrite waits until nobody else writes key, or ctx ends. Until end is called nothing is kept
// that is loaded meanwhile: the store may have had the old value still.
func (c *calls[K, V]) beginWrite(ctx context.Context, key K) (end func(), err error) {
	if key != key { // a NaN: whoever keeps it will say so
		return func() {}, nil
	}
	for {
		c.mu.Lock()
		other := c.writing[key]
		if other == nil {
			break
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer c.mu.Unlock()
	if c.writing == nil {
		c.writing = map[K]chan struct{}{}
	}
	done := make(chan struct{})
	c.writing[key] = done
	c.removeLocked(key)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.writing, key)
		c.removeLocked(key)
		close(done)
	}, nil
}

// beginKeeping takes the turn of key for what k has brought, if that is still true. Whoever writes
// the key waits until end is called, which does not drop k as the end of a write does.
func (c *calls[K, V]) beginKeeping(key K, k *call[V], tags []string) (end func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key != key || !c.keepsLocked(key, k, tags) {
		return nil, false
	}
	if c.writing == nil {
		c.writing = map[K]chan struct{}{}
	}
	done := make(chan struct{})
	c.writing[key] = done
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.writing, key)
		close(done)
	}, true
}

// stillKeeps tells whether what k has brought is still true, for who has the turn of key.
func (c *calls[K, V]) stillKeeps(key K, k *call[V], tags []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trueLocked(key, k, tags)
}

// keepsLocked tells whether what k has brought is still true, and nobody is about to change it.
func (c *calls[K, V]) keepsLocked(key K, k *call[V], tags []string) bool {
	return c.writing[key] == nil && c.trueLocked(key, k, tags)
}

func (c *calls[K, V]) trueLocked(key K, k *call[V], tags []string) bool {
	if c.byKey[key] != k {
		return false
	}
	deleted := func(tag string) bool { return slices.Contains(k.deleted, tag) }
	return !slices.ContainsFunc(tags, deleted)
}
