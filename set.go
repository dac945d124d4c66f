// set.go changes what is kept: in memory, in the store, at the origin.

package larder

import (
	"context"
	"errors"
	"fmt"
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

// SetFor is Set with a time to live of its own, which may be Forever. With 0 or less the value is
// not kept, and what was there before is deleted. The first one in a cache whose options have
// neither TTL nor Idle moves all entries once, to make room for their times.
func (c *Cache[K, V]) SetFor(ctx context.Context, key K, value V, ttl time.Duration) error {
	if ttl <= 0 {
		return c.SetEntry(ctx, key, Entry[V]{Value: value, TTL: -1})
	}
	if c.simple {
		c.calls.drop(key)
		return c.engine.set(key, value, ttl)
	}
	return c.SetEntry(ctx, key, Entry[V]{Value: value, TTL: ttl})
}

// SetEntry is Set with all that there is to say about a value. With a negative TTL the value is not
// kept, and what was there before is deleted.
func (c *Cache[K, V]) SetEntry(ctx context.Context, key K, e Entry[V]) error {
	if c.open.Err() != nil {
		return fmt.Errorf("%w: the cache is closed", ErrRefused)
	}
	end, err := c.calls.beginWrite(ctx, key)
	if err != nil {
		return err
	}
	gone, err := c.setInTurn(ctx, key, e, end)
	c.engine.tellOf(gone) // who hears it may use the key
	return err
}

// setInTurn is SetEntry for who has the turn of key, and gives it back by end. It returns those who
// had to leave.
func (c *Cache[K, V]) setInTurn(
	ctx context.Context, key K, e Entry[V], end func(),
) (gone []departure[K, V], err error) {
	defer end()
	if err := c.writeOrigin(ctx, key, e); err != nil {
		return nil, err
	}
	if e.TTL < 0 {
		gone, _ = c.engine.take(key)
		if c.tier != nil {
			err = c.deleteThere(ctx, key)
		}
		return gone, err
	}
	n := c.entered(key, e)
	if c.tier == nil {
		return c.setHere(n)
	}
	item, bad := c.tier.item(e.Value, n.life, &c.engine.clock)
	gone, err = c.setHere(n)
	return gone, errors.Join(err, c.setThere(ctx, key, item, bad))
}

// entered makes an entry of what somebody sets.
func (c *Cache[K, V]) entered(key K, e Entry[V]) *newcomer[K, V] {
	n := &newcomer[K, V]{key: whole[K]{v: key}, value: whole[V]{v: e.Value}}
	n.life = c.newLife(origin[V]{entry: e, begun: time.Now()})
	if c.engine.options.Weigh != nil && e.Weight > 0 {
		n.weight = uint64(e.Weight)
	}
	if c.tier != nil && c.names.key == nil {
		n.life.name, _ = c.names.of(key)
	}
	return n
}

// setHere keeps an entry in memory, unless it turns out that changes go unheard from now on.
func (c *Cache[K, V]) setHere(n *newcomer[K, V]) ([]departure[K, V], error) {
	doubts := c.doubts.Load()
	c.admit(n)
	gone, err := c.engine.setInRoom(n)
	if c.doubts.Load() != doubts {
		left, _ := c.engine.take(n.key.v)
		gone = append(gone, left...)
	}
	return gone, err
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
func (c *Cache[K, V]) writeOrigin(ctx context.Context, key K, e Entry[V]) error {
	if c.behind != nil {
		return c.behind.add(ctx, key, e)
	}
	if write := c.engine.options.Write; write != nil {
		if err := write(ctx, key, e.Value); err != nil {
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
	gone, _ := c.engine.take(key)
	err = c.deleteThere(ctx, key)
	end()
	c.engine.tellOf(gone)
	return err
}

// deleteThere takes an item out of the store.
func (c *Cache[K, V]) deleteThere(ctx context.Context, key K) error {
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
	return c.forgetBoth(
		func() []departure[K, V] { return c.forgetTag(tag) },
		func() error { return c.tier.deleteTag(ctx, tag) })
}

// forgetBoth takes entries out of memory by here, and out of the store, if there is one, by there.
// What was read from the store meanwhile is taken out of memory after that.
func (c *Cache[K, V]) forgetBoth(here func() []departure[K, V], there func() error) error {
	c.engine.tellOf(here())
	if c.tier == nil {
		return nil
	}
	err := there()
	c.engine.tellOf(here())
	return err
}

// DeletePrefix takes all entries out whose keys' names begin with prefix: the names that
// Options.Key describes. It looks at all entries in memory. A store that cannot list its keys says
// so with errors.ErrUnsupported.
func (c *Cache[K, V]) DeletePrefix(ctx context.Context, prefix string) error {
	is := func(key K) bool {
		name, err := c.names.of(key)
		return err == nil && strings.HasPrefix(name, prefix)
	}
	return c.forgetBoth(func() []departure[K, V] {
		c.calls.dropWhere(is)
		return c.engine.takeWhere(is)
	}, func() error { return c.tier.deletePrefix(ctx, prefix) })
}

// Clear takes all entries out, of memory and of the store. Loads that are under way are not kept.
// A store that cannot list its keys says so with errors.ErrUnsupported.
func (c *Cache[K, V]) Clear(ctx context.Context) error {
	return c.forgetBoth(c.forgetAll, func() error { return c.tier.deletePrefix(ctx, "") })
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
// should have no effect of its own. In a cache with a Store or one that writes its origin it must
// not change the key itself, and others who do wait for it.
//
// Compute returns the value that is there in the end, and whether there is one; nothing is loaded.
// What is put or removed is put into or removed from the store too, and what is put is written to
// the origin as by Set: if that fails the key is in neither memory nor store. The error is that of
// the store or of the origin, or ErrRefused as of Set.
func (c *Cache[K, V]) Compute(
	ctx context.Context, key K, f func(value V, found bool) (V, Op),
) (V, bool, error) {
	end := func() {}
	if c.tier != nil || c.writes() {
		var err error
		if end, err = c.calls.beginWrite(ctx, key); err != nil {
			var none V
			return none, false, err
		}
	}
	done, err := c.computeInTurn(ctx, key, f, end)
	c.engine.tellOf(done.gone)
	return done.value, done.found, err
}

// writes tells whether Set writes the origin.
func (c *Cache[K, V]) writes() bool { return c.behind != nil || c.engine.options.Write != nil }

// computed is what came of a Compute.
type computed[K comparable, V any] struct {
	value V    // that is there in the end
	found bool // whether there is one
	put   V    // what f returned last
	op    Op
	gone  []departure[K, V]
}

// computeInTurn is Compute for who has the turn of key, and gives it back by end.
func (c *Cache[K, V]) computeInTurn(
	ctx context.Context, key K, f func(V, bool) (V, Op), end func(),
) (done computed[K, V], err error) {
	defer end()
	done.gone = c.recall(key)
	now := c.compute(key, f)
	now.gone = append(done.gone, now.gone...)
	done = now
	switch {
	case done.op == Put && !done.found:
		err = fmt.Errorf("%w: Compute of %v", ErrRefused, key)
	case done.op == Put:
		err = c.writeOrigin(ctx, key, Entry[V]{Value: done.put})
	}
	if err != nil && done.found { // the origin does not have it
		gone, _ := c.engine.take(key)
		done = computed[K, V]{op: Remove, gone: append(done.gone, gone...)}
	}
	if c.tier != nil && done.op != Keep && c.open.Err() == nil {
		err = errors.Join(err, c.computeThere(ctx, key, done))
	}
	return done, err
}

// recall brings a value back into memory that is still to be written to the origin.
func (c *Cache[K, V]) recall(key K) (gone []departure[K, V]) {
	if e, ok := c.behind.pending(key); ok && e.TTL >= 0 {
		if _, ok := c.engine.peek(key); !ok {
			gone, _ = c.setHere(c.entered(key, e))
		}
	}
	return gone
}

// computeThere does in the store what was done in memory.
func (c *Cache[K, V]) computeThere(ctx context.Context, key K, done computed[K, V]) error {
	if done.op == Remove {
		return c.deleteThere(ctx, key)
	}
	l := c.entered(key, Entry[V]{Value: done.put}).life
	item, bad := c.tier.item(done.put, l, &c.engine.clock)
	return c.setThere(ctx, key, item, bad)
}

// compute is Compute in memory.
func (c *Cache[K, V]) compute(key K, f func(V, bool) (V, Op)) (done computed[K, V]) {
	inner := func(value V, found bool) (V, Op) {
		done.put, done.op = f(value, found)
		switch {
		case done.op > Remove:
			panic(fmt.Sprintf("larder: Compute: no operation is %d", done.op))
		case done.op != Keep:
			c.calls.drop(key)
		}
		return done.put, done.op
	}
	done.value, done.found, done.gone = c.engine.compute(key, c.completeSet, inner)
	return done
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
