package larder

import (
	"math/rand/v2"
	"testing"

	"github.com/larder-go/larder/policy"
)

func BenchmarkGet(b *testing.B) {
	e := newEngine(Options[uint64, uint64]{MaxEntries: 1 << 16, Policy: policy.SIEVE, TTL: Forever})
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.01, 1, 1<<20-1)
	keys := make([]uint64, 1<<20)
	for i := range keys {
		keys[i] = (z.Uint64() + 1) * 0x9e3779b97f4a7c15
		e.set(keys[i], 1, 1<<63-1)
	}
	i := 0
	for b.Loop() {
		e.get(keys[i&(1<<20-1)])
		i++
	}
}

func BenchmarkMap(b *testing.B) {
	m := map[uint64]uint64{}
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.01, 1, 1<<20-1)
	keys := make([]uint64, 1<<20)
	for i := range keys {
		keys[i] = (z.Uint64() + 1) * 0x9e3779b97f4a7c15
		if len(m) < 1<<16 {
			m[keys[i]] = 1
		}
	}
	i := 0
	for b.Loop() {
		sink += m[keys[i&(1<<20-1)]]
		i++
	}
}

var sink uint64

func BenchmarkSet(b *testing.B) {
	e := newEngine(Options[uint64, uint64]{MaxEntries: 1 << 16, Policy: policy.SIEVE, TTL: Forever})
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.01, 1, 1<<20-1)
	keys := make([]uint64, 1<<20)
	for i := range keys {
		keys[i] = (z.Uint64() + 1) * 0x9e3779b97f4a7c15
		e.set(keys[i], 1, 1<<63-1)
	}
	i := 0
	for b.Loop() {
		e.set(keys[i&(1<<20-1)], 1, 1<<63-1)
		i++
	}
	b.ReportMetric(float64(e.stats().Evicted)/float64(i+1<<20), "evictions/op")
}
