// ristretto.go lets ristretto v2 take part: sampled LFU that admits and evicts by a goroutine of
// its own, and drops writes when that is behind. It does not load.

package main

import (
	"time"

	"github.com/dgraph-io/ristretto/v2"
)

type ristrettoCache[K ristretto.Key, V any] struct {
	c   *ristretto.Cache[K, V]
	ttl time.Duration
}

// newRistretto makes one that counts entries. It has no defaults for its three numbers: these are
// what its documentation recommends. IgnoreInternalCost is needed for a maximum in entries.
func newRistretto[K interface {
	ristretto.Key
	comparable
}, V any](max int, ttl time.Duration) cache[K, V] {
	c, err := ristretto.NewCache(&ristretto.Config[K, V]{
		NumCounters: 10 * int64(max), MaxCost: int64(max), BufferItems: 64,
		IgnoreInternalCost: true,
	})
	if err != nil {
		panic(err) // of a maximum below 1, which no flag lets through
	}
	return ristrettoCache[K, V]{c, ttl}
}

func (r ristrettoCache[K, V]) get(k K) (V, bool) { return r.c.Get(k) }
func (r ristrettoCache[K, V]) set(k K, v V)      { r.c.SetWithTTL(k, v, 1, r.ttl) }

// count walks over all entries, because it has no other way to tell; a walk during writes may count
// a little more or less than there was at any one moment.
func (r ristrettoCache[K, V]) count() (n int) {
	r.c.IterValues(func(V) (stop bool) {
		n++
		return false
	})
	return n
}

func (r ristrettoCache[K, V]) settle() { r.c.Wait() }
func (r ristrettoCache[K, V]) close()  { r.c.Close() }
