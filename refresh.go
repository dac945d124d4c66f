// refresh.go loads again what is there.

package larder

import (
	"context"
	"errors"
	"time"
)

// Refresh loads key now, even if there is a fresh value, and returns what the load has brought, or
// its error: no old value stands in. It joins a load that is under way. What another process has
// loaded after the call began is as good.
func (c *Cache[K, V]) Refresh(ctx context.Context, key K) (V, error) {
	if !c.loads() {
		var none V
		return none, ErrNotFound
	}
	for {
		if err := ctx.Err(); err != nil {
			var none V
			return none, err
		}
		k, leads, _ := c.calls.join(key, nothing[K, V])
		old := c.engine.inspect(key)
		f := &fetch[K, V]{key: key, call: k, old: old, newer: time.Now().UnixNano()}
		v, err := c.awaitOne(ctx, f, leads)
		if err == nil && k.failed != nil {
			var none V
			return none, k.failed
		}
		if leads || !errors.Is(err, errElsewhere) {
			return v, err
		}
	}
}

// nothing is what a refresh finds in memory.
func nothing[K comparable, V any](K) (v V, ok bool) { return v, false }

// refreshBehind refreshes an entry that was just served, unless somebody does or has tried to.
func (c *Cache[K, V]) refreshBehind(ctx context.Context, key K, old held[V]) {
	l, now := old.life, c.engine.clock.now()
	next := l.next.Load()
	if next > now || !c.loads() || c.open.Err() != nil ||
		!l.next.CompareAndSwap(next, after(now, c.engine.options.RetryAfter)) {
		return
	}
	k, leads, _ := c.calls.join(key, nothing[K, V])
	if !leads || !k.claim() {
		return
	}
	c.counts.refreshes.Add(1)
	f := &fetch[K, V]{key: key, call: k, old: old, newer: l.created, behind: true}
	own := workingFor(context.WithoutCancel(ctx), &k.load)
	go c.loadOne(own, f)
}
