// set.go changes what is kept: in memory, in the store, at the origin.

package larder

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/larder-go/larder/store"
)

// Set keeps value under key for the TTL of the options. A load of key that is under way does not
// undo it, in this process nor, where the store gives leases, in another one.
//
// With Write the origin is written first; if that fails nothing is kept. Then the value is in
// memory when Set returns, and in the store. If memory cannot hold it the error is ErrRefused, and
// what was there before is gone too; if the store fails, memory has the value all the same, and
// what the store held before is not read until it could be deleted.
func (c *Cache[K, V]) Set(ctx context.Context, key K, value V) error {
	if c.simple {
		c.calls.drop(key)
		return c.engine.set(key, value, c.engine.options.TTL)
	}
	return c.SetEntry(ctx, key, Entry[V]{Value: value})
}

// SetFor is Set with a time to live of its own: Forever, or more than 0. The first one in a cache
// whose options have neither TTL nor Idle moves all entries once, to make room for their times.
func (c *Cache[K, V]) SetFor(ctx context.Context, key K, value V, ttl time.Duration) error {
	if ttl <= 0 {
		panic("larder: SetFor: the time to live must be more than 0")
	}
	if c.simple {
		c.calls.drop(key)
		return c.engine.set(key, value, ttl)
	}
	return c.SetEntry(ctx, key, Entry[V]{Value: value, TTL: ttl})
}

// SetEntry is Set with all that there is to say about a value. Its TTL must not be negative.
func (c *Cache[K, V]) SetEntry(ctx context.Context, key K, e Entry[V]) error {
	if e.TTL < 0 {
		panic("larder: SetEntry: the time to live is negative")
	}
	if c.open.Err() != nil {
		return fmt.Errorf("%w: the cache is closed", ErrRefused)
	}
	end, err := c.calls.beginWrite(ctx, key)
	if err != nil {
		return err
	}
	defer end()
	if err := c.writeOrigin(ctx, key, e.Value); err != nil {
		return err
	}
	n := c.entered(key, e)
	if c.tier == nil {
		return c.setHere(n)
	}
	item, bad := c.tier.item(e.Value, n.life, &c.engine.clock)
	err = c.setHere(n)
	return errors.Join(err, c.setThere(ctx, key, item, bad))
}

// entered makes an entry of what somebody sets.
func (c *Cache[K, V]) entered(key K, e Entry[V]) *newcomer[K, V] {
	o := &c.engine.options
	ttl := e.TTL
	if ttl == 0 {
		ttl = jittered(o.TTL, o.Jitter, rand.Float64())
	}
	n := &newcomer[K, V]{key: whole[K]{v: key}, value: whole[V]{v: e.Value}}
	n.life = c.newLife(ttl, e, time.Now())
	if o.Weigh != nil && e.Weight > 0 {
		n.weight = uint64(e.Weight)
	}
	if c.tier != nil && c.names.key == nil {
		n.life.name, _ = c.names.of(key)
	}
	return n
}

// setHere keeps an entry in memory.
func (c *Cache[K, V]) setHere(n *newcomer[K, V]) error {
	c.admit(n)
	return c.engine.setSlowly(n)
}

// setThere keeps an item in the store. bad is why there is none.
func (c *Cache[K, V]) setThere(ctx context.Context, key K, item store.Item, bad error) error {
	name, err := c.tier.name(&c.names, key)
	if err != nil {
		return err
	}
	return c.tier.set(ctx, name, item, bad)
}

// writeOrigin writes a value to the origin, now or later.
func (c *Cache[K, V]) writeOrigin(ctx context.Context, key K, value V) error {
	if c.behind != nil {
		return c.behind.add(ctx, key, value)
	}
	if write := c.engine.options.Write; write != nil {
		if err := write(ctx, key, value); err != nil {
			return fmt.Errorf("larder: write of %v: %w", key, err)
		}
	}
	return nil
}

// Delete takes key out of memory and of the store. A load of it that is under way is not kept, in
// this process nor, where the store gives leases, in another one. An absent key is fine. If the
// store fails it says so; the key is not read from it until it could be deleted.
func (c *Cache[K, V]) Delete(ctx context.Context, key K) error {
	if c.tier == nil {
		c.calls.drop(key)
		c.engine.delete(key)
		return nil
	}
	end, err := c.calls.beginWrite(ctx, key)
	if err != nil {
		return err
	}
	defer end()
	c.engine.delete(key)
	name, err := c.tier.name(&c.names, key)
	if err != nil {
		return err
	}
	return c.tier.delete(ctx, name)
}

// DeleteTag takes all entries of a tag out of memory, of the store, and of the memory of all who
// share it. Loads of such that are under way are not kept. A store that cannot delete by tag says
// so with errors.ErrUnsupported.
func (c *Cache[K, V]) DeleteTag(ctx context.Context, tag string) error {
	c.forgetTag(tag)
	if c.tier == nil {
		return nil
	}
	defer c.forgetTag(tag) // what was read from the store meanwhile
	return c.tier.deleteTag(ctx, tag)
}

// DeletePrefix takes all entries out whose keys' names begin with prefix: the names that
// Options.Key describes. It looks at all entries in memory. A store that cannot list its keys says
// so with errors.ErrUnsupported.
func (c *Cache[K, V]) DeletePrefix(ctx context.Context, prefix string) error {
	forget := func() {
		is := func(key K) bool {
			name, err := c.names.of(key)
			return err == nil && strings.HasPrefix(name, prefix)
		}
		c.calls.dropWhere(is)
		c.engine.deleteWhere(is)
	}
	forget()
	if c.tier == nil {
		return nil
	}
	defer forget()
	return c.tier.deletePrefix(ctx, prefix)
}

// Clear takes all entries out, of memory and of the store. Loads that are under way are not kept.
// A store that cannot list its keys says so with errors.ErrUnsupported.
func (c *Cache[K, V]) Clear(ctx context.Context) error {
	c.forgetAll()
	if c.tier == nil {
		return nil
	}
	defer c.forgetAll()
	return c.tier.deletePrefix(ctx, "")
}

// Op is what Compute does with the value that f returns.
type Op uint8

// The operations of Compute.
const (
	Keep   Op = iota // leave everything as it is
	Put              // keep the value for the TTL of the options
	Remove           // delete the entry
)

// Compute changes the value of key by f, which gets the value in memory and whether there is one.
// Between what f gets and what is done nobody else in this process changes the key. No lock is held
// while f runs, so it may be called again, with another value, if somebody else was faster: it
// should have no effect of its own. Compute returns the value that is there in the end, and whether
// there is one; nothing is loaded. What is put or removed is put into or removed from the store
// too; the error is that of the store.
func (c *Cache[K, V]) Compute(
	ctx context.Context, key K, f func(value V, found bool) (V, Op),
) (V, bool, error) {
	if c.tier == nil {
		v, ok, _ := c.compute(key, f)
		return v, ok, nil
	}
	end, err := c.calls.beginWrite(ctx, key)
	if err != nil {
		var none V
		return none, false, err
	}
	defer end()
	v, ok, op := c.compute(key, f)
	switch op {
	case Put:
		l := c.entered(key, Entry[V]{Value: v}).life
		item, bad := c.tier.item(v, l, &c.engine.clock)
		err = c.setThere(ctx, key, item, bad)
	case Remove:
		var name string
		if name, err = c.tier.name(&c.names, key); err == nil {
			err = c.tier.delete(ctx, name)
		}
	}
	return v, ok, err
}

// compute is Compute in memory. It also returns what was done.
func (c *Cache[K, V]) compute(key K, f func(V, bool) (V, Op)) (v V, ok bool, done Op) {
	v, ok = c.engine.compute(key, c.completeSet, func(value V, found bool) (V, Op) {
		value, done = f(value, found)
		switch {
		case done > Remove:
			panic(fmt.Sprintf("larder: Compute: no operation is %d", done))
		case done != Keep:
			c.calls.drop(key)
		}
		return value, done
	})
	return v, ok, done
}

// completeSet makes a newcomer of Compute what Set would make it.
func (c *Cache[K, V]) completeSet(n *newcomer[K, V]) {
	if c.simple {
		c.engine.complete(n, c.engine.options.TTL)
		return
	}
	e := c.entered(n.key.v, Entry[V]{Value: n.value.v})
	n.life, n.weight = e.life, e.weight
	c.admit(n)
}
