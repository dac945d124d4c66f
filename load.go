// load.go gets what is not there from the origin, once for all who ask.

package larder

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// ErrRecursive is returned to a loader that asks the cache for a key whose load waits for that very
// loader: it would wait for ever.
var ErrRecursive = errors.New("larder: the load of this key waits for itself")

// errExited is what the waiters of a loader get that called runtime.Goexit.
var errExited = errors.New("larder: the loader ended its goroutine")

// PanicError is what Get returns when a loader panics.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // where, as debug.Stack writes it
}

// Error returns the value and the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("larder: loader panicked: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// call is one load of one key, and what comes of it.
type call[V any] struct {
	load
	begun atomic.Bool // somebody runs it, or is about to; set by claim
	value V
	err   error // both are set before done is closed
}

// claim tells whether the caller is the one to run the load.
func (k *call[V]) claim() bool { return !k.begun.Swap(true) }

// calls holds the loads that are under way, by key.
type calls[K comparable, V any] struct {
	running atomic.Int64 // len(byKey), for whoever only wants to know whether there are any
	mu      sync.Mutex   // guards the field below; may be held when the room is entered
	byKey   map[K]*call[V]
}

// join returns the load of key that is under way, or begins one: then leads is true, and the caller
// has to see that it finishes. If it has just finished, or somebody has set the key, kept returns
// the value, and there is no call.
func (c *calls[K, V]) join(key K, kept func(K) (V, bool)) (k *call[V], leads bool, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.byKey[key]; k != nil {
		return k, false, v
	}
	if v, ok := kept(key); ok {
		return nil, false, v
	}
	if c.byKey == nil {
		c.byKey = map[K]*call[V]{}
	}
	k = &call[V]{load: load{done: make(chan struct{})}}
	if key != key { // a NaN could never be taken out again
		return k, true, v
	}
	c.byKey[key] = k
	c.running.Store(int64(len(c.byKey)))
	return k, true, v
}

// drop makes sure that no load that began before is kept: what it brings is out of date. Those who
// wait for it get it all the same.
func (c *calls[K, V]) drop(key K) {
	if c.running.Load() != 0 {
		c.remove(key)
	}
}

func (c *calls[K, V]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeLocked(key)
}

func (c *calls[K, V]) removeLocked(key K) {
	delete(c.byKey, key)
	c.running.Store(int64(len(c.byKey)))
}

// dropAll is drop for all keys.
func (c *calls[K, V]) dropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byKey = nil
	c.running.Store(0)
}

// Get returns the value of key: from memory, or from the origin by Load, which is called once for
// all who ask meanwhile. It returns the error of Load, ErrNotFound if there is no loader, a
// *PanicError if the loader panicked, or the error of ctx if that ends first; the load goes on then
// for those who still wait, and for the cache.
//
// A loader may ask the cache for other keys, with the context that it was given.
func (c *Cache[K, V]) Get(ctx context.Context, key K) (V, error) {
	if v, ok := c.engine.get(key); ok {
		return v, nil
	}
	if !c.loads() {
		var none V
		return none, ErrNotFound
	}
	return c.load(ctx, key)
}

// loads tells whether there is an origin.
func (c *Cache[K, V]) loads() bool {
	return c.engine.options.Load != nil || c.engine.options.LoadMany != nil
}

// load joins or begins the load of key and waits for it. Whoever waited for a loader that panicked
// tries again, once: it may have been the context of the other that it could not stand.
func (c *Cache[K, V]) load(ctx context.Context, key K) (V, error) {
	for tries := 0; ; tries++ {
		if err := ctx.Err(); err != nil {
			var none V
			return none, err
		}
		k, leads, v := c.calls.join(key, c.engine.peek)
		if k == nil {
			return v, nil
		}
		var panicked *PanicError
		v, err := c.awaitOne(ctx, key, k, leads)
		if leads || tries > 0 || !errors.As(err, &panicked) {
			return v, err
		}
	}
}

// awaitOne runs the load of key if this caller leads, and waits for it.
func (c *Cache[K, V]) awaitOne(ctx context.Context, key K, k *call[V], leads bool) (V, error) {
	end, err := await(ctx, &k.load)
	if err != nil {
		if leads {
			c.finish(key, k, nil, err)
		}
		var none V
		return none, err
	}
	defer end()
	if k.claim() { // it is new, or waits for its turn in GetMany
		c.start(ctx, func(ctx context.Context) { c.loadOne(ctx, key, k) }, &k.load)
	}
	return c.outcome(ctx, k)
}

// outcome waits for the value of a load, or for the end of ctx.
func (c *Cache[K, V]) outcome(ctx context.Context, k *call[V]) (V, error) {
	select {
	case <-k.done:
		return k.value, k.err
	default:
	}
	select {
	case <-k.done:
		return k.value, k.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// start runs a load: in a goroutine of its own if the caller may give up, else right here. Its
// context has the values of the caller's, but neither its end nor its deadline.
func (c *Cache[K, V]) start(ctx context.Context, run func(context.Context), l *load) {
	own := context.WithoutCancel(ctx)
	cancel := context.CancelFunc(func() {})
	if c.engine.options.LoadTimeout > 0 {
		own, cancel = context.WithTimeout(own, c.engine.options.LoadTimeout)
	}
	own = workingFor(own, l)
	if ctx.Done() == nil {
		defer cancel()
		run(own)
		return
	}
	go func() {
		defer cancel()
		run(own)
	}()
}

// loadOne calls the origin for one key.
func (c *Cache[K, V]) loadOne(ctx context.Context, key K, k *call[V]) {
	k.runs()
	var n *newcomer[K, V]
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
		}
		c.finish(key, k, n, err)
	}()
	var v V
	if v, err = c.callLoad(ctx, key); err == nil {
		n, err = c.fresh(key, v)
	}
}

// fresh makes an entry of a value that was loaded. Weigh may panic.
func (c *Cache[K, V]) fresh(key K, v V) (n *newcomer[K, V], err error) {
	defer func() {
		if p := recover(); p != nil {
			n, err = nil, &PanicError{p, debug.Stack()}
		}
	}()
	n = &newcomer[K, V]{key: whole[K]{v: key}, value: whole[V]{v: v}}
	c.engine.complete(n, c.engine.options.TTL)
	return n, nil
}

// callLoad calls Load, or LoadMany for one key.
func (c *Cache[K, V]) callLoad(ctx context.Context, key K) (v V, err error) {
	if c.engine.options.Load == nil {
		values, err := c.callLoadMany(ctx, []K{key})
		v, ok := values[key]
		if err == nil && !ok {
			err = ErrNotFound
		}
		return v, err
	}
	defer c.loaded.begin(&err)()
	return c.engine.options.Load(ctx, key)
}

// callLoadMany calls LoadMany.
func (c *Cache[K, V]) callLoadMany(ctx context.Context, keys []K) (values map[K]V, err error) {
	defer c.loaded.begin(&err)()
	return c.engine.options.LoadMany(ctx, keys)
}

// finish keeps what a load has brought, n, unless its key was set or deleted meanwhile, and lets go
// of all who wait.
func (c *Cache[K, V]) finish(key K, k *call[V], n *newcomer[K, V], err error) {
	c.engine.tellOf(c.settle(key, k, n, err))
}

// settle is finish that leaves it to the caller to tell of those who had to leave.
func (c *Cache[K, V]) settle(
	key K, k *call[V], n *newcomer[K, V], err error,
) (gone []departure[K, V]) {
	c.calls.mu.Lock()
	if c.calls.byKey[key] == k {
		if n != nil && err == nil {
			gone = c.engine.setLoaded(n)
		}
		c.calls.removeLocked(key)
	}
	c.calls.mu.Unlock()
	if k.err = err; err == nil {
		k.value = n.value.v
	}
	close(k.done)
	return gone
}
