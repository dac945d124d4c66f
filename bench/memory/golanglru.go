// golanglru.go lets hashicorp/golang-lru v2 take part: LRU behind one lock. It does not load.

package main

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"
)

// golangLRU is what its two types have in common.
type golangLRU[K comparable, V any] interface {
	Get(K) (V, bool)
	Add(K, V) (evicted bool)
	Len() int
}

type golangLRUCache[K comparable, V any] struct{ c golangLRU[K, V] }

// newGolangLRU makes one of two types. The one with times starts a goroutine that never ends, so
// whoever measures it makes few of them.
func newGolangLRU[K comparable, V any](max int, ttl time.Duration) cache[K, V] {
	if ttl != noTTL {
		return golangLRUCache[K, V]{expirable.NewLRU[K, V](max, nil, ttl)}
	}
	c, err := lru.New[K, V](max)
	if err != nil {
		panic(err) // of a maximum below 1, which no flag lets through
	}
	return golangLRUCache[K, V]{c}
}

func (g golangLRUCache[K, V]) get(k K) (V, bool) { return g.c.Get(k) }
func (g golangLRUCache[K, V]) set(k K, v V)      { g.c.Add(k, v) }
func (g golangLRUCache[K, V]) count() int        { return g.c.Len() }
func (g golangLRUCache[K, V]) settle()           {}
func (g golangLRUCache[K, V]) close()            {}
