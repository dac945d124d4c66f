// many.go gets several keys at once, with one call of the origin for all that are not there.

package larder

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
)

// atOnceLoads is how many calls of Load GetMany has under way at a time where there is no LoadMany.
const atOnceLoads = 16

// GetMany returns the values of keys: from memory, and from the origin by one call of LoadMany for
// all that nobody is loading yet, or by several of Load at a time. A key that the origin does not
// have is not in the map. If something else goes wrong, the map has what was got all the same, and
// the error is that of one key.
func (c *Cache[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	got := make(map[K]V, len(keys))
	var missing []K
	for _, key := range keys {
		if _, ok := got[key]; ok {
			continue
		}
		if v, ok := c.engine.get(key); ok {
			got[key] = v
		} else {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 || !c.loads() {
		return got, nil
	}
	return got, c.loadMissing(ctx, missing, got)
}

// group is the loads that one GetMany waits for: those that it leads, and those of others.
type group[K comparable, V any] struct {
	led     []K
	leading []*call[V]
	waited  map[K]*call[V]
	ends    []func()
}

// loadMissing loads keys into got.
func (c *Cache[K, V]) loadMissing(ctx context.Context, keys []K, got map[K]V) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g := group[K, V]{waited: map[K]*call[V]{}}
	err := c.joinAll(ctx, keys, &g, got)
	defer func() {
		for _, end := range g.ends {
			end()
		}
	}()
	c.startAll(ctx, &g)
	for key, k := range g.waited {
		v, e := c.outcome(ctx, k)
		var panicked *PanicError
		if errors.As(e, &panicked) && !slices.Contains(g.leading, k) {
			v, e = c.load(ctx, key) // once more, as Get does for who only waited
		}
		switch {
		case e == nil:
			got[key] = v
		case errors.As(e, &panicked) || !errors.Is(e, ErrNotFound):
			err = e
		}
	}
	return err
}

// joinAll joins or begins the loads of keys.
func (c *Cache[K, V]) joinAll(
	ctx context.Context, keys []K, g *group[K, V], got map[K]V,
) (err error) {
	for _, key := range keys {
		if _, ok := g.waited[key]; ok {
			continue
		}
		k, leads, v := c.calls.join(key, c.engine.peek)
		if k == nil {
			got[key] = v
			continue
		}
		end, e := await(ctx, &k.load)
		if e != nil {
			err = e
			if leads {
				c.finish(key, k, nil, e)
			}
			continue
		}
		g.ends = append(g.ends, end)
		g.waited[key] = k
		if leads || !k.begun.Load() {
			g.led, g.leading = append(g.led, key), append(g.leading, k)
		}
	}
	return err
}

// startAll starts the loads that g leads.
func (c *Cache[K, V]) startAll(ctx context.Context, g *group[K, V]) {
	if len(g.led) == 0 {
		return
	}
	if c.engine.options.LoadMany == nil {
		c.startEach(ctx, g)
		return
	}
	loads := make([]*load, 0, len(g.leading))
	var keys []K
	var calls []*call[V]
	for i, k := range g.leading {
		if k.claim() {
			keys, calls, loads = append(keys, g.led[i]), append(calls, k), append(loads, &k.load)
		}
	}
	if len(keys) > 0 {
		c.start(ctx, func(ctx context.Context) { c.loadTogether(ctx, keys, calls) }, joined(loads))
	}
}

// startEach calls Load for each key that g leads, several at a time. Each call has its own time,
// and works for its own key alone. Whoever asks meanwhile for a key whose turn has not come runs
// its load himself: a loader that waited for a turn could wait for its own.
func (c *Cache[K, V]) startEach(ctx context.Context, g *group[K, V]) {
	each := func() {
		turns := make(chan struct{}, atOnceLoads)
		var wg sync.WaitGroup
		defer wg.Wait()
		for i, k := range g.leading {
			turns <- struct{}{}
			wg.Go(func() {
				defer func() { <-turns }()
				if k.claim() {
					run := func(ctx context.Context) { c.loadOne(ctx, g.led[i], k) }
					c.start(context.WithoutCancel(ctx), run, &k.load)
				}
			})
		}
	}
	if ctx.Done() == nil {
		each()
		return
	}
	go each()
}

// loadTogether calls LoadMany.
func (c *Cache[K, V]) loadTogether(ctx context.Context, keys []K, calls []*call[V]) {
	var values map[K]V
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
		}
		var gone []departure[K, V]
		for i, key := range keys {
			gone = append(gone, c.finishOf(key, calls[i], values, err)...)
		}
		c.engine.tellOf(gone) // when nobody waits any more: it may panic
	}()
	for _, k := range calls {
		k.runs()
	}
	values, err = c.callLoadMany(ctx, keys)
}

// finishOf finishes the load of one key of many.
func (c *Cache[K, V]) finishOf(
	key K, k *call[V], values map[K]V, err error,
) (gone []departure[K, V]) {
	v, ok := values[key]
	if err == nil && !ok {
		err = ErrNotFound
	}
	var n *newcomer[K, V]
	if err == nil {
		n, err = c.fresh(key, v)
	}
	return c.settle(key, k, n, err)
}
