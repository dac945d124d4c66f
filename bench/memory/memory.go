// memory.go measures the heap that entries take, and how long the collector is busy with it.

package main

import (
	"flag"
	"fmt"
	"runtime"
	"time"
)

type memory struct{ entries, rounds positive }

func (m *memory) flags(set *flag.FlagSet) {
	positiveVar(set, &m.entries, "entries", 1_000_000, "entries that fit, and that are set")
	positiveVar(set, &m.rounds, "rounds", 5, "collections that are timed")
}

// The text shape: keys of 24 bytes, values of 100, which the allocator rounds to 24 and 112.
const (
	textKey   = "user:profile:%011d"
	textValue = 100
)

// measure fills one cache after the other. A plain map, which has no bound, is the yardstick.
func (m *memory) measure(caches []contestant, _ []string) ([]*table, error) {
	n, rounds := int(m.entries), int(m.rounds)
	head := []string{
		"cache", "entries there", "bytes an entry", "objects an entry", "collection ms",
	}
	small := newTable("uint64 to uint64, of which 16 bytes are key and value", head...)
	large := newTable("string of 24 to []byte of 100, of which 136 bytes are their text", head...)
	number := func(i int) (uint64, uint64) { return spread(i), uint64(i) }
	text := func(i int) (string, []byte) { return fmt.Sprintf(textKey, i), make([]byte, textValue) }
	plain := contestant{
		name: "a map", numbers: newPlainMap[uint64, uint64], texts: newPlainMap[string, []byte],
	}
	for _, c := range append([]contestant{plain}, caches...) {
		small.add(weigh(c.numbers, n, rounds, number).row(c.name)...)
		large.add(weigh(c.texts, n, rounds, text).row(c.name)...)
	}
	return []*table{small, large}, nil
}

// heap is what the entries of a cache take.
type heap struct {
	entries, bytes, objects int
	collection              float64 // ms
}

func (h heap) row(name string) []any {
	n := float64(max(1, h.entries))
	return []any{name, h.entries, float64(h.bytes) / n, float64(h.objects) / n, h.collection}
}

// weigh fills a cache and divides by the entries that are really there: one that dropped some must
// not look small.
func weigh[K comparable, V any](
	open func(int, time.Duration) cache[K, V], n, rounds int, entry func(int) (K, V),
) heap {
	bytes, objects := live()
	c := open(n, noTTL)
	defer c.close()
	for i := range n {
		c.set(entry(i))
		settleNowAndThen(c, i)
	}
	c.settle()
	var h heap
	h.bytes, h.objects = live()
	h.bytes, h.objects = max(0, h.bytes-bytes), max(0, h.objects-objects)
	h.collection = collect(rounds)
	for i := range n {
		k, _ := entry(i)
		if _, ok := c.get(k); ok {
			h.entries++
		}
	}
	return h
}

// live returns the bytes and the objects that are in use. The second collection takes what the
// first has only put aside, in sync.Pools for example.
func live() (bytes, objects int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc), int(m.HeapObjects)
}

// collect returns the median of some collections, in milliseconds.
func collect(rounds int) float64 {
	times := make([]float64, rounds)
	for i := range times {
		begin := time.Now()
		runtime.GC()
		times[i] = time.Since(begin).Seconds() * 1000
	}
	return median(times)
}

// settleNowAndThen waits after some of the writes, for those that drop writes when they come too
// fast.
func settleNowAndThen[K comparable, V any](c cache[K, V], i int) {
	if i%128 == 0 {
		c.settle()
	}
}
