// many.go gets several keys at once: by one read of the store, and by one call of the origin for
// all that are not there.

package larder

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
)

// atOnceLoads is how many calls of the origin GetMany has under way at a time, and atOnceKeys how
// many of the store: clients send those together.
const (
	atOnceLoads = 16
	atOnceKeys  = 256
)

// GetMany returns the values of keys: from memory, from the store by one read of it, and from the
// origin by one call of LoadMany for all that nobody is loading yet, or by several of Load at a
// time. A key that the origin does not have is not in the map. If something else goes wrong, the
// map has what was got all the same, and the error is that of one key.
func (c *Cache[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	got := make(map[K]V, len(keys))
	var missing []*fetch[K, V]
	seen := make(map[K]struct{}, len(keys))
	for _, key := range keys {
		if _, ok := seen[key]; ok {
			continue
		}
		seen[key] = struct{}{}
		if v, ok := c.engine.get(key); ok {
			got[key] = v
			continue
		}
		old := c.engine.regard(key)
		if v, err, ok := c.serve(ctx, key, old); !ok {
			c.engine.missed(key)
			missing = append(missing, &fetch[K, V]{key: key, old: old, asked: true})
		} else if err == nil {
			got[key] = v
		}
	}
	if len(missing) == 0 || !c.loads() && c.tier == nil {
		return got, nil
	}
	_, err := c.loadMissing(ctx, missing, got)
	return got, err
}

// group is the loads that one GetMany waits for: those that it leads, and those of others.
type group[K comparable, V any] struct {
	led    []*fetch[K, V]
	waited map[K]*call[V]
	ends   []func()
}

func (g *group[K, V]) leads(k *call[V]) bool {
	return slices.ContainsFunc(g.led, func(f *fetch[K, V]) bool { return f.call == k })
}

// loadMissing loads what is missing into got. It returns how many loads failed, and the error of
// one.
func (c *Cache[K, V]) loadMissing(
	ctx context.Context, missing []*fetch[K, V], got map[K]V,
) (failed int, err error) {
	if err := ctx.Err(); err != nil {
		return len(missing), err
	}
	g := group[K, V]{waited: map[K]*call[V]{}}
	failed, err = c.joinAll(ctx, missing, &g, got)
	defer func() {
		for _, end := range g.ends {
			end()
		}
	}()
	c.startAll(ctx, &g)
	soft := c.softEnd()
	for key, k := range g.waited {
		v, e := c.outcome(ctx, k, soft)
		if c.again(e) && !g.leads(k) { // once more, as Get does for who only waited
			v, e = c.load(ctx, key, c.engine.inspect(key))
		}
		switch {
		case e == nil:
			got[key] = v
		case !isAbsent(e):
			failed++
			err = e
		}
	}
	for _, f := range g.led {
		c.awaitStored(ctx, f.call)
	}
	return failed, err
}

// again tells whether who only waited for a load should try by himself.
func (c *Cache[K, V]) again(err error) bool {
	var panicked *PanicError
	return errors.Is(err, errElsewhere) || errors.As(err, &panicked)
}

// joinAll joins or begins the loads of what is missing.
func (c *Cache[K, V]) joinAll(
	ctx context.Context, missing []*fetch[K, V], g *group[K, V], got map[K]V,
) (failed int, err error) {
	for _, f := range missing {
		k, leads, v := c.calls.join(f.key, c.engine.peek)
		if f.asked && !leads {
			c.counts.coalesced.Add(1)
		}
		if k == nil {
			got[f.key] = v
			continue
		}
		f.call = k
		end, e := await(ctx, &k.load)
		if e != nil {
			failed++
			err = e
			if leads {
				c.finish(f, nil, e)
			}
			continue
		}
		g.ends = append(g.ends, end)
		g.waited[f.key] = k
		if f.old.state == kept {
			k.offer(f.old.value.v)
		}
		if leads || !k.begun.Load() {
			g.led = append(g.led, f)
		}
	}
	return failed, err
}

// startAll starts the loads that g leads.
func (c *Cache[K, V]) startAll(ctx context.Context, g *group[K, V]) {
	if len(g.led) == 0 {
		return
	}
	led := slices.Clone(g.led)
	run := func(ctx context.Context) { c.loadAll(ctx, led) }
	if ctx.Done() == nil && c.engine.options.SoftTimeout == 0 {
		run(ctx)
		return
	}
	go run(context.WithoutCancel(ctx))
}

// loadAll brings all that was begun: from the store, then from the origin.
func (c *Cache[K, V]) loadAll(ctx context.Context, led []*fetch[K, V]) {
	up := false
	if c.tier != nil {
		led, up = c.readAll(ctx, led)
	}
	if c.engine.options.LoadMany == nil {
		c.loadEach(ctx, led)
		return
	}
	batches := slices.Collect(slices.Chunk(led, c.batchOf(len(led))))
	inParallel(atOnceLoads, len(batches), func(i int) { c.loadBatch(ctx, batches[i], up) })
}

// loadBatch brings what one call of LoadMany can. What somebody has begun to load by himself is left
// to him; so nobody waits for a batch whose turn has not come. up tells that the store can be asked.
func (c *Cache[K, V]) loadBatch(ctx context.Context, led []*fetch[K, V], up bool) {
	led = slices.DeleteFunc(led, func(f *fetch[K, V]) bool {
		if !f.call.claim() {
			return true
		}
		_, ok := c.behind.pending(f.key)
		if ok {
			go c.loadOne(workingFor(ctx, &f.call.load), f)
		}
		return ok
	})
	if up {
		led = c.leaseAll(ctx, led)
	}
	if len(led) == 0 {
		return
	}
	loads := make([]*load, len(led))
	for i, f := range led {
		loads[i] = &f.call.load
	}
	c.loadTogether(workingFor(ctx, joined(loads)), led)
}

// batchOf returns how many of n keys LoadMany gets at once.
func (c *Cache[K, V]) batchOf(n int) int {
	if most := c.engine.options.MaxBatch; most > 0 {
		return most
	}
	return max(n, 1)
}

// readAll reads the store once, finishes what it found there, and returns the rest; ok is false if
// the store cannot be read, and nothing else should be asked of it. What somebody has begun to load
// by himself meanwhile is left to him.
func (c *Cache[K, V]) readAll(
	ctx context.Context, led []*fetch[K, V],
) (rest []*fetch[K, V], ok bool) {
	names := make([]string, 0, len(led))
	for _, f := range led {
		if c.nameIt(f) == nil {
			names = append(names, f.name)
		}
	}
	found, ok := c.tier.readMany(ctx, names)
	c.tier.misses.Add(uint64(len(names) - len(found)))
	for _, f := range led {
		f.looked = true
		var n *newcomer[K, V]
		var err error
		if s, ok := found[f.name]; ok && f.name != "" {
			n, err = c.welcome(f, s)
		}
		if n == nil && err == nil {
			rest = append(rest, f)
		} else if f.call.claim() {
			c.finish(f, n, err)
		}
	}
	return rest, ok
}

// leaseAll takes the leases of what is to be loaded, looks into the store once more, and returns
// what is left. For what another process loads, it waits elsewhere.
func (c *Cache[K, V]) leaseAll(ctx context.Context, led []*fetch[K, V]) (rest []*fetch[K, V]) {
	errs := make([]error, len(led))
	inParallel(atOnceKeys, len(led), func(i int) {
		if f := led[i]; f.name != "" {
			errs[i] = c.takeLease(ctx, f)
		}
	})
	for i, f := range led {
		switch {
		case errors.Is(errs[i], store.ErrLeased):
			go c.loadOne(workingFor(ctx, &f.call.load), f)
			continue
		case !f.writes && errs[i] != nil:
			c.tier.fail("lease", errs[i])
		}
		rest = append(rest, f)
	}
	return c.readLeased(ctx, rest)
}

// readLeased finishes what was stored just before it was leased, and returns the rest.
func (c *Cache[K, V]) readLeased(ctx context.Context, led []*fetch[K, V]) (rest []*fetch[K, V]) {
	var names []string
	for _, f := range led {
		if f.lease != nil {
			names = append(names, f.name)
		}
	}
	if len(names) == 0 {
		return led
	}
	found, _ := c.tier.readMany(ctx, names)
	for _, f := range led {
		s, ok := found[f.name]
		if ok && f.lease != nil {
			if n, err := c.welcome(f, s); n != nil || err != nil {
				c.finish(f, n, err)
				continue
			}
		}
		rest = append(rest, f)
	}
	return rest
}

// inParallel calls f for 0 to n-1, most at a time, and waits.
func inParallel(most, n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	turns := make(chan struct{}, most)
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range n {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			f(i)
		})
	}
}

// loadEach calls Load for each key, several at a time. Each call has its own time, and works for
// its own key alone. Whoever asks meanwhile for a key whose turn has not come runs its load
// himself: a loader that waited for a turn could wait for its own.
func (c *Cache[K, V]) loadEach(ctx context.Context, led []*fetch[K, V]) {
	inParallel(atOnceLoads, len(led), func(i int) {
		if f := led[i]; f.call.claim() {
			c.loadOne(workingFor(ctx, &f.call.load), f)
		}
	})
}

// loadTogether calls LoadMany.
func (c *Cache[K, V]) loadTogether(ctx context.Context, led []*fetch[K, V]) {
	var values map[K]V
	begun, took := time.Now(), time.Duration(0)
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
		}
		gone := make([][]departure[K, V], len(led))
		finish := func(i int) {
			n, err := c.arriveOf(led[i], values, err, begun, took)
			gone[i] = c.settle(led[i], n, err)
		}
		if c.tier != nil {
			inParallel(atOnceKeys, len(led), finish) // what the store keeps goes in one go
		} else {
			for i := range led {
				finish(i)
			}
		}
		for _, g := range gone {
			c.engine.tellOf(g) // when nobody waits any more: it may panic
		}
	}()
	for _, f := range led {
		f.call.runs()
	}
	values, err = c.callLoadMany(ctx, keysOf(led))
	took = time.Since(begun)
	if o := &c.engine.options; o.Observe || o.Log != nil {
		c.observeLoads(keysOf(led), values, begun, took, err)
	}
}

func keysOf[K comparable, V any](led []*fetch[K, V]) []K {
	keys := make([]K, len(led))
	for i, f := range led {
		keys[i] = f.key
	}
	return keys
}

// arriveOf makes an entry of what LoadMany has brought for one key of many.
func (c *Cache[K, V]) arriveOf(
	f *fetch[K, V], values map[K]V, err error, begun time.Time, took time.Duration,
) (*newcomer[K, V], error) {
	v, ok := values[f.key]
	got := origin[V]{entry: Entry[V]{Value: v}, begun: begun, took: took}
	switch {
	case err != nil:
		return nil, err
	case !ok && c.engine.options.NegativeTTL == 0:
		return nil, ErrNotFound
	case !ok:
		got.absent, got.entry = ErrNotFound, Entry[V]{TTL: c.engine.options.NegativeTTL}
	}
	return c.arrive(f, got)
}
