// theine.go lets theine-go take part: W-TinyLFU, evicting by a goroutine of its own.

package main

import (
	"context"
	"time"

	"github.com/Yiling-J/theine-go"
)

type theineCache[K comparable, V any] struct {
	c   *theine.Cache[K, V]
	ttl time.Duration
}

func newTheine[K comparable, V any](max int, ttl time.Duration) cache[K, V] {
	c, err := theine.NewBuilder[K, V](int64(max)).Build()
	if err != nil {
		panic(err) // of a maximum below 1, which no flag lets through
	}
	return theineCache[K, V]{c, ttl}
}

func (t theineCache[K, V]) get(k K) (V, bool) { return t.c.Get(k) }

func (t theineCache[K, V]) set(k K, v V) {
	if t.ttl == noTTL {
		t.c.Set(k, v, 1)
		return
	}
	t.c.SetWithTTL(k, v, 1, t.ttl)
}

func (t theineCache[K, V]) count() int { return t.c.Len() }
func (t theineCache[K, V]) settle()    { t.c.Wait() }
func (t theineCache[K, V]) close()     { t.c.Close() }

func loadTheine(max int, load loader) (loader, func()) {
	weighed := func(ctx context.Context, key string) (theine.Loaded[uint64], error) {
		v, err := load(ctx, key)
		return theine.Loaded[uint64]{Value: v, Cost: 1}, err
	}
	c, err := theine.NewBuilder[string, uint64](int64(max)).Loading(weighed).Build()
	if err != nil {
		panic(err) // as above
	}
	return c.Get, c.Close
}
