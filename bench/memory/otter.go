// otter.go lets otter v2 take part: W-TinyLFU, evicting by a goroutine that it starts for it.

package main

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"
)

type otterCache[K comparable, V any] struct{ c *otter.Cache[K, V] }

func newOtter[K comparable, V any](max int, ttl time.Duration) cache[K, V] {
	o := &otter.Options[K, V]{MaximumSize: max}
	if ttl != noTTL {
		o.ExpiryCalculator = otter.ExpiryWriting[K, V](ttl)
	}
	return otterCache[K, V]{otter.Must(o)}
}

func (o otterCache[K, V]) get(k K) (V, bool) { return o.c.GetIfPresent(k) }
func (o otterCache[K, V]) set(k K, v V)      { o.c.Set(k, v) }
func (o otterCache[K, V]) count() int        { return o.c.EstimatedSize() }
func (o otterCache[K, V]) settle()           { o.c.CleanUp() }
func (o otterCache[K, V]) close()            { o.c.StopAllGoroutines() }

func loadOtter(max int, load loader) (loader, func()) {
	c := otter.Must(&otter.Options[string, uint64]{MaximumSize: max})
	get := func(ctx context.Context, key string) (uint64, error) {
		return c.Get(ctx, key, otter.LoaderFunc[string, uint64](load))
	}
	return get, func() { c.StopAllGoroutines() }
}
