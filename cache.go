// cache.go is the cache in memory as its users see it.

package larder

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// ErrRefused is returned, wrapped with the reason, for an entry that cannot be kept: it is heavier
// than MaxWeight, its key does not equal itself (a NaN is in it), or the cache is closed.
var ErrRefused = errors.New("larder: entry refused")

// Cache keeps values by key in memory, within a bound that holds at every moment, and loads what is
// not there. All its methods may be called by many goroutines at once. Values are shared: whoever
// changes what a value leads to changes it for all.
type Cache[K comparable, V any] struct {
	engine *engine[K, V]
	calls  calls[K, V]
	loaded loaded
}

// New makes a cache. It starts no goroutine. It panics on options that make no sense.
func New[K comparable, V any](o Options[K, V]) *Cache[K, V] {
	return &Cache[K, V]{engine: newEngine(o.complete())}
}

// Memoize makes a cache of what f returns: Get calls f for an argument that is not there. It is New
// with f as the loader, whose types need not be written twice.
func Memoize[K comparable, V any](
	f func(context.Context, K) (V, error), o Options[K, V],
) *Cache[K, V] {
	o.Load = f
	return New(o)
}

// Lookup returns the value of key if it is there and has not expired. It loads nothing and takes no
// lock.
func (c *Cache[K, V]) Lookup(key K) (V, bool) { return c.engine.get(key) }

// Set keeps value under key for the TTL of the options. A load of key that is under way does not
// undo it. Unless it returns an error, which is ErrRefused, the entry is there when it returns; if
// it does, what was there before is gone too.
func (c *Cache[K, V]) Set(_ context.Context, key K, value V) error {
	c.calls.drop(key)
	return c.engine.set(key, value, c.engine.options.TTL)
}

// SetFor is Set with a time to live of its own: Forever, or more than 0. The first one in a cache
// whose options have neither TTL nor Idle moves all entries once, to make room for their times.
func (c *Cache[K, V]) SetFor(_ context.Context, key K, value V, ttl time.Duration) error {
	if ttl <= 0 {
		panic("larder: SetFor: the time to live must be more than 0")
	}
	c.calls.drop(key)
	return c.engine.set(key, value, ttl)
}

// Delete takes key out. A load of it that is under way is not kept. An absent key is fine; the
// error is nil.
func (c *Cache[K, V]) Delete(_ context.Context, key K) error {
	c.calls.drop(key)
	c.engine.delete(key)
	return nil
}

// Op is what Compute does with the value that f returns.
type Op uint8

// The operations of Compute.
const (
	Keep   Op = iota // leave everything as it is
	Put              // keep the value for the TTL of the options
	Remove           // delete the entry
)

// Compute changes the value of key by f, which gets the present value and whether there is one.
// Between what f gets and what is done nobody else changes the key. No lock is held while f runs,
// so it may be called again, with another value, if somebody else was faster: it should have no
// effect of its own. Compute returns the value that is there in the end, and whether there is one;
// nothing is loaded.
func (c *Cache[K, V]) Compute(key K, f func(value V, found bool) (V, Op)) (V, bool) {
	return c.engine.compute(key, c.engine.options.TTL, func(value V, found bool) (V, Op) {
		value, op := f(value, found)
		switch {
		case op > Remove:
			panic(fmt.Sprintf("larder: Compute: no operation is %d", op))
		case op != Keep:
			c.calls.drop(key)
		}
		return value, op
	})
}

// Clear takes all entries out. Loads that are under way are not kept.
func (c *Cache[K, V]) Clear() {
	c.calls.dropAll()
	c.engine.clearAll()
}

// All visits the entries that have not expired, in no order. One that comes or goes meanwhile may
// be among them or not. The cache may be changed on the way.
func (c *Cache[K, V]) All() iter.Seq2[K, V] { return c.engine.all() }

// Len returns how many entries are kept, at most MaxEntries. Those that have expired count until
// their room is given back, which is some milliseconds later, at most two seconds.
func (c *Cache[K, V]) Len() int { return int(c.engine.count.Load()) }

// Weight returns the sum of the entries' weights, at most MaxWeight; where entries are counted it
// is their number.
func (c *Cache[K, V]) Weight() int64 { return c.engine.total() }

// Resize sets another bound, MaxEntries or MaxWeight, whichever the cache has, and evicts what is
// too much. It must be at least 1.
func (c *Cache[K, V]) Resize(max int64) {
	if max < 1 {
		panic("larder: Resize: the bound must be at least 1")
	}
	c.engine.resize(uint64(max))
}

// Close takes all entries out, and stops what would have expired them. A closed cache stays empty:
// Set refuses, Get loads and keeps nothing. It may be called again; the error is nil.
func (c *Cache[K, V]) Close() error {
	c.calls.dropAll()
	c.engine.close()
	return nil
}
