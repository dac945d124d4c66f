// phuslu.go lets phuslu/lru take part: LRU in shards, which keeps times in a type of its own.

package main

import (
	"context"
	"time"

	"github.com/phuslu/lru"
)

func newPhuslu[K comparable, V any](max int, ttl time.Duration) cache[K, V] {
	if ttl == noTTL {
		return phusluCache[K, V]{lru.NewLRUCache[K, V](max)}
	}
	return phusluTTL[K, V]{lru.NewTTLCache[K, V](max), ttl}
}

type phusluCache[K comparable, V any] struct{ c *lru.LRUCache[K, V] }

func (p phusluCache[K, V]) get(k K) (V, bool) { return p.c.Get(k) }
func (p phusluCache[K, V]) set(k K, v V)      { p.c.Set(k, v) }
func (p phusluCache[K, V]) count() int        { return p.c.Len() }
func (p phusluCache[K, V]) settle()           {}
func (p phusluCache[K, V]) close()            {}

type phusluTTL[K comparable, V any] struct {
	c   *lru.TTLCache[K, V]
	ttl time.Duration
}

func (p phusluTTL[K, V]) get(k K) (V, bool) { return p.c.Get(k) }
func (p phusluTTL[K, V]) set(k K, v V)      { p.c.Set(k, v, p.ttl) }
func (p phusluTTL[K, V]) count() int        { return p.c.Len() }
func (p phusluTTL[K, V]) settle()           {}
func (p phusluTTL[K, V]) close()            {}

func loadPhuslu(max int, load loader) (loader, func()) {
	c := lru.NewLRUCache[string, uint64](max)
	get := func(ctx context.Context, key string) (uint64, error) {
		v, err, _ := c.GetOrLoad(ctx, key, load)
		return v, err
	}
	return get, func() {}
}
