// load.go gets what is not there, once for all who ask.

package larder

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
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

// Get returns the value of key: from memory, from the store, or from the origin by one load for all
// who ask meanwhile. What may be served stale is served at once, and refreshed behind.
//
// It returns the error of the load, unless StaleOnError has a value to serve instead; ErrNotFound
// if there is no loader, or if the origin is remembered not to have the key; a *PanicError if the
// loader panicked; or the error of ctx if that ends first: the load goes on then for those who
// still wait, and for the cache.
//
// A loader may ask the cache for other keys, with the context that it was given.
func (c *Cache[K, V]) Get(ctx context.Context, key K) (V, error) {
	if v, ok := c.engine.get(key); ok {
		return v, nil
	}
	return c.getSlowly(ctx, key)
}

// getSlowly is Get for what is not there, or needs a thought.
func (c *Cache[K, V]) getSlowly(ctx context.Context, key K) (V, error) {
	old := c.engine.regard(key)
	if v, err, ok := c.serve(ctx, key, old); ok {
		return v, err
	}
	c.engine.missed(key)
	if !c.loads() && c.tier == nil {
		var none V
		return none, ErrNotFound
	}
	return c.load(ctx, key, old)
}

// serve gives back what may be served as it is, and sees that it is refreshed if it is to be.
func (c *Cache[K, V]) serve(ctx context.Context, key K, old held[V]) (v V, err error, ok bool) {
	switch {
	case old.state == gone:
		return v, nil, false
	case old.state == kept:
		if old.life.next.Load() <= c.engine.clock.now() {
			return v, nil, false
		}
		c.counts.stale.Add(1)
		c.engine.odd.stale.Add(1)
		c.engine.stripes.mine().hits.Add(1)
		return old.value.v, nil, true
	case old.state == stale:
		c.counts.stale.Add(1)
		c.refreshBehind(ctx, key, old)
	case old.state == due:
		c.refreshBehind(ctx, key, old)
	}
	if old.life != nil {
		err = old.life.absent
	}
	return old.value.v, err, true
}

// loads tells whether there is an origin.
func (c *Cache[K, V]) loads() bool {
	o := &c.engine.options
	return o.Load != nil || o.LoadMany != nil || o.Reload != nil
}

// load joins or begins the load of key and waits for it. old is what memory holds. Whoever waited
// for a loader that panicked tries again, once: it may have been the context of the other that it
// could not stand.
func (c *Cache[K, V]) load(ctx context.Context, key K, old held[V]) (V, error) {
	for tries := 0; ; tries++ {
		if err := ctx.Err(); err != nil {
			var none V
			return none, err
		}
		k, leads, v := c.calls.join(key, c.engine.peek)
		if tries == 0 && !leads {
			c.counts.coalesced.Add(1)
		}
		if k == nil {
			return v, nil
		}
		v, err := c.awaitOne(ctx, &fetch[K, V]{key: key, call: k, old: old}, leads)
		if leads || !c.again(err) || tries > 0 && !errors.Is(err, errElsewhere) {
			return v, err
		}
	}
}

// awaitOne runs the load of f if this caller leads, and waits for it.
func (c *Cache[K, V]) awaitOne(ctx context.Context, f *fetch[K, V], leads bool) (V, error) {
	k := f.call
	end, err := await(ctx, &k.load)
	if err != nil {
		if leads {
			c.finish(f, nil, err)
		} else {
			c.calls.leave(f.key, k)
		}
		var none V
		return none, err
	}
	defer end()
	soft := c.softEnd()
	if f.newer != 0 {
		soft = time.Time{} // a refresh is not served an old value
	} else if f.old.state == kept {
		k.offer(f.old.value.v)
	}
	runs := k.claim() // else somebody does; in GetMany it may wait for its turn
	if runs {
		c.run(ctx, f)
	}
	v, err := c.outcome(ctx, k, soft)
	if err != nil && ctx.Err() != nil {
		c.calls.leave(f.key, k)
	} else if runs {
		c.awaitStored(ctx, k)
	}
	return v, err
}

// run starts the load of f for a caller who waits, and may abandon it.
func (c *Cache[K, V]) run(ctx context.Context, f *fetch[K, V]) {
	own, end := context.WithoutCancel(ctx), func() {}
	if c.engine.options.CancelAbandoned && f.newer == 0 { // a refresh goes on
		own, end = context.WithCancel(own)
		f.call.cancel = end
	}
	own = workingFor(own, &f.call.load)
	c.start(ctx, func() { defer end(); c.loadOne(own, f) })
}

// softEnd returns until when one waits who begins now and may have a stale value; zero: for ever.
func (c *Cache[K, V]) softEnd() (end time.Time) {
	if d := c.engine.options.SoftTimeout; d > 0 {
		end = time.Now().Add(d)
	}
	return end
}

// outcome waits for the value of a load, or for the end of ctx, or until soft if there is a stale
// value to serve.
func (c *Cache[K, V]) outcome(ctx context.Context, k *call[V], soft time.Time) (v V, err error) {
	select {
	case <-k.done:
		return k.value, k.err
	default:
	}
	var late <-chan time.Time
	if !soft.IsZero() {
		timer := time.NewTimer(time.Until(soft))
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case <-k.done:
			return k.value, k.err
		case <-ctx.Done():
			err = ctx.Err()
		case <-late:
		}
		if old := k.offered.Load(); old != nil && !soft.IsZero() {
			c.counts.stale.Add(1)
			return *old, nil
		}
		if err != nil {
			return v, err
		}
		late = k.offering(late)
	}
}

// awaitStored waits until what a load has brought is in the store as well: whoever led it may end
// the program next. The others need not wait for that.
func (c *Cache[K, V]) awaitStored(ctx context.Context, k *call[V]) {
	select {
	case <-k.done:
	default: // a stale value was served in its place
		return
	}
	select {
	case <-k.settled:
	case <-ctx.Done():
	}
}

// start runs a load: in a goroutine of its own if the caller, whose context ctx is, may give up,
// else right here.
func (c *Cache[K, V]) start(ctx context.Context, run func()) {
	if ctx.Done() == nil && c.engine.options.SoftTimeout == 0 {
		run()
		return
	}
	go run()
}

// loadOne gets the value of one key from the store or the origin.
func (c *Cache[K, V]) loadOne(ctx context.Context, f *fetch[K, V]) {
	f.call.runs()
	var n *newcomer[K, V]
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			n, err = nil, &PanicError{p, debug.Stack()}
		}
		c.finish(f, n, err)
	}()
	n, err = c.bring(ctx, f)
}

// bring gets a value from the store, or else from the origin.
func (c *Cache[K, V]) bring(ctx context.Context, f *fetch[K, V]) (*newcomer[K, V], error) {
	if c.tier != nil {
		if n, err := c.fromStore(ctx, f); n != nil || err != nil {
			return n, err
		}
	}
	return c.fromOrigin(ctx, f)
}

// fenceKey is the key under which a loader's context holds its fencing token.
type fenceKey struct{}

// Fence returns the fencing token of the lease under which a load runs, whose context ctx is: it is
// larger than that of every earlier lease of the key, so that whoever the loader writes to can
// refuse a loader that was overtaken. 0 means that there is none.
func Fence(ctx context.Context) uint64 {
	token, _ := ctx.Value(fenceKey{}).(uint64)
	return token
}

// originContext returns the context of a call of the origin.
func (c *Cache[K, V]) originContext(
	ctx context.Context, token uint64,
) (context.Context, context.CancelFunc) {
	if token != 0 {
		ctx = context.WithValue(ctx, fenceKey{}, token)
	}
	if d := c.engine.options.LoadTimeout; d > 0 {
		return context.WithTimeout(ctx, d)
	}
	return ctx, func() {}
}

// fromOrigin calls the origin for one key.
func (c *Cache[K, V]) fromOrigin(ctx context.Context, f *fetch[K, V]) (*newcomer[K, V], error) {
	if e, ok := c.behind.pending(f.key); ok { // the origin will have it
		return c.arrive(f, origin[V]{entry: e, begun: time.Now()})
	}
	ctx, cancel := c.originContext(ctx, f.token())
	defer cancel()
	got := origin[V]{begun: time.Now()}
	var err error
	got.entry, err = c.callOrigin(ctx, f)
	got.took = time.Since(got.begun)
	c.observeLoad(f.key, got.begun, got.took, err)
	if err != nil {
		if !errors.Is(err, ErrNotFound) || c.engine.options.NegativeTTL == 0 {
			return nil, err
		}
		got.absent = err
		got.entry = Entry[V]{TTL: c.engine.options.NegativeTTL, Tags: got.entry.Tags}
	}
	return c.arrive(f, got)
}

// callOrigin calls Reload, Load, or LoadMany for one key.
func (c *Cache[K, V]) callOrigin(ctx context.Context, f *fetch[K, V]) (e Entry[V], err error) {
	o := &c.engine.options
	old := c.entryOf(f.old)
	defer c.loaded.begin(&err)()
	switch {
	case o.Reload != nil && (o.Load == nil || !old.Created.IsZero()):
		return o.Reload(ctx, f.key, old)
	case o.Load != nil:
		e.Value, err = o.Load(ctx, f.key)
		return e, err
	}
	values, err := o.LoadMany(ctx, []K{f.key})
	v, ok := values[f.key]
	if err == nil && !ok {
		err = ErrNotFound
	}
	e.Value = v
	return e, err
}

// callLoadMany calls LoadMany.
func (c *Cache[K, V]) callLoadMany(ctx context.Context, keys []K) (values map[K]V, err error) {
	ctx, cancel := c.originContext(ctx, 0)
	defer cancel()
	defer c.loaded.begin(&err)()
	return c.engine.options.LoadMany(ctx, keys)
}

// entryOf returns an old version as Reload gets it.
func (c *Cache[K, V]) entryOf(old held[V]) Entry[V] {
	if old.life == nil || old.life.absent != nil {
		return Entry[V]{}
	}
	l := old.life
	return Entry[V]{
		Value: old.value.v, Tags: slices.Clone(l.tags), Validators: l.marks,
		Created: time.Unix(0, l.created),
	}
}
