// larder.go lets larder take part, with two of its policies.

package main

import (
	"context"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

func larderAdaptive() contestant { return larderWith("larder", policy.Adaptive) }

// larderLRU is here because most peers are LRU: it tells the engine's share from the policy's.
func larderLRU() contestant { return larderWith("larder LRU", policy.LRU) }

func larderWith(name string, p policy.New) contestant {
	return contestant{
		name, "github.com/larder-go/larder",
		newLarder[uint64, uint64](p), newLarder[string, []byte](p), loadLarder(p),
	}
}

type larderCache[K comparable, V any] struct{ c *larder.Cache[K, V] }

func newLarder[K comparable, V any](p policy.New) func(int, time.Duration) cache[K, V] {
	return func(max int, ttl time.Duration) cache[K, V] {
		o := larder.Options[K, V]{MaxEntries: max, Policy: p, TTL: ttl}
		return larderCache[K, V]{larder.New(o)}
	}
}

func (l larderCache[K, V]) get(k K) (V, bool) { return l.c.Lookup(k) }
func (l larderCache[K, V]) set(k K, v V)      { _ = l.c.Set(context.Background(), k, v) }
func (l larderCache[K, V]) count() int        { return l.c.Len() }
func (l larderCache[K, V]) settle()           {}
func (l larderCache[K, V]) close()            { _ = l.c.Close() }

func loadLarder(p policy.New) func(int, loader) (loader, func()) {
	return func(max int, load loader) (loader, func()) {
		c := larder.Memoize(load, larder.Options[string, uint64]{MaxEntries: max, Policy: p})
		return c.Get, func() { _ = c.Close() }
	}
}
