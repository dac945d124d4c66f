// rush.go drives a cache as fast as it goes.

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// rush is some goroutines that read and write, each on its own way through the same keys.
type rush struct {
	keys       []uint64
	goroutines int
	ops        int     // of all goroutines together
	reads      float64 // percent; the others are writes
}

// pace is how fast it went.
type pace struct {
	ns     float64 // an operation, wall clock
	allocs float64 // an operation, those in the background too
	hits   float64 // percent of the reads
}

func (r rush) run(c numbers) pace {
	var hits, reads atomic.Int64
	var before, after runtime.MemStats
	runtime.GC() // what the one before has left is not this one's
	runtime.ReadMemStats(&before)
	var wg sync.WaitGroup
	begin := time.Now()
	for g := range r.goroutines {
		wg.Go(func() {
			h, n := r.drive(c, g)
			hits.Add(int64(h))
			reads.Add(int64(n))
		})
	}
	wg.Wait()
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	n := float64(r.each() * r.goroutines)
	return pace{
		ns:     float64(took.Nanoseconds()) / n,
		allocs: float64(after.Mallocs-before.Mallocs) / n,
		hits:   100 * float64(hits.Load()) / float64(max(1, reads.Load())),
	}
}

// each is how many operations one goroutine does.
func (r rush) each() int { return max(1, r.ops/r.goroutines) }

// drive is one goroutine. What it does besides calling the cache is three shifts and a comparison,
// a nanosecond or two, the same for all.
func (r rush) drive(c numbers, g int) (hits, reads int) {
	next := g * len(r.keys) / r.goroutines
	least := uint32(r.reads / 100 * (1 << 31))
	dice := uint32(g+1) * 2654435761
	for range r.each() {
		k := r.keys[next]
		if next++; next == len(r.keys) {
			next = 0
		}
		dice ^= dice << 13 // xorshift, by George Marsaglia
		dice ^= dice >> 17
		dice ^= dice << 5
		if dice>>1 >= least {
			c.set(k, k)
			continue
		}
		reads++
		if _, ok := c.get(k); ok {
			hits++
		}
	}
	return hits, reads
}
