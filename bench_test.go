package larder_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
)

// zipfKeys returns a million keys of 2^20, the popular ones far apart.
func zipfKeys() []uint64 {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.01, 1, 1<<20-1)
	keys := make([]uint64, 1<<20)
	for i := range keys {
		keys[i] = (z.Uint64() + 1) * 0x9e3779b97f4a7c15
	}
	return keys
}

// benchmarked are caches of 65 536 entries, warm.
var benchmarked = map[string]larder.Options[uint64, uint64]{
	"no TTL": {MaxEntries: 1 << 16},
	"TTL":    {MaxEntries: 1 << 16, TTL: time.Hour},
	"idle":   {MaxEntries: 1 << 16, Idle: time.Hour},
	"store": {MaxEntries: 1 << 16, TTL: time.Hour, Name: "bench",
		Store: store.NewMemory(store.MemoryOptions{})},
	"stale": {MaxEntries: 1 << 16, TTL: time.Hour, Stale: time.Hour, StaleOnError: time.Hour,
		RefreshAhead: 0.9, Early: 1},
}

func BenchmarkLookup(b *testing.B) {
	benchmark(b, func(c *larder.Cache[uint64, uint64], k uint64) { c.Lookup(k) })
}

func BenchmarkSet(b *testing.B) {
	benchmark(b, func(c *larder.Cache[uint64, uint64], k uint64) { c.Set(ctx, k, 1) })
}

// benchmark does op on caches that have seen all keys.
func benchmark(b *testing.B, op func(c *larder.Cache[uint64, uint64], k uint64)) {
	keys := zipfKeys()
	for _, name := range []string{"no TTL", "TTL", "idle", "store", "stale"} {
		c := larder.New(benchmarked[name])
		for _, k := range keys {
			c.Set(ctx, k, k)
		}
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				op(c, keys[i&(1<<20-1)])
			}
		})
		c.Close()
	}
}
