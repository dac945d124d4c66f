// bound.go measures whether the maximum is one while many write.

package main

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
)

type bound struct {
	entries       list
	writers, each positive
}

func (b *bound) flags(set *flag.FlagSet) {
	b.entries = list{100, 10_000}
	set.Var(&b.entries, "entries", "`numbers` of entries that fit")
	positiveVar(set, &b.writers, "writers", 8, "goroutines that write")
	positiveVar(set, &b.each, "each", 50_000, "new keys of each of them")
}

// measure tells three counts as multiples of the maximum: the most that the cache itself counted at
// any of the probes, what it counted when the last writer was done, and the keys that can be read
// when it has settled.
func (b *bound) measure(caches []contestant, _ []string) ([]*table, error) {
	t := newTable("Entries as multiples of the maximum", "cache", "maximum", "probes",
		"most while they write", "after the burst", "settled", "just set, not there %")
	for _, entries := range b.entries.counts() {
		for _, c := range caches {
			s := b.burst(c.numbers(entries, noTTL))
			share := func(n int) float64 { return float64(n) / float64(entries) }
			t.add(c.name, entries, s.probes,
				share(s.most), share(s.after), share(s.settled), s.lost)
		}
	}
	return []*table{t}, nil
}

// burst is what was seen of one.
type burst struct {
	probes, most, after, settled int
	lost                         float64 // percent of the keys that were looked for
}

func (b *bound) burst(c numbers) (s burst) {
	defer c.close()
	var writing atomic.Bool
	writing.Store(true)
	var prober sync.WaitGroup
	prober.Go(func() { s.probes, s.most = probe(c, &writing) })
	s.lost = b.write(c)
	s.after = c.count()
	writing.Store(false)
	prober.Wait()
	c.settle()
	s.settled = b.readable(c)
	return s
}

// probe asks for the count again and again while others write.
func probe(c numbers, writing *atomic.Bool) (probes, most int) {
	for writing.Load() {
		most = max(most, c.count())
		probes++
		runtime.Gosched() // it takes turns with the writers, not a core from them
	}
	return probes, most
}

// write sets new keys in all writers at once, and returns how many percent of those that were read
// at once by who had set them were not there. A few may have been evicted by others, if the maximum
// is small.
func (b *bound) write(c numbers) (lost float64) {
	const lookEvery = 8
	var looked, missed atomic.Int64
	var wg sync.WaitGroup
	for w := range int(b.writers) {
		wg.Go(func() {
			for i := range int(b.each) {
				k := spread(w*int(b.each) + i)
				c.set(k, k)
				if i%lookEvery != 0 {
					continue
				}
				looked.Add(1)
				if _, ok := c.get(k); !ok {
					missed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return 100 * float64(missed.Load()) / float64(looked.Load())
}

// readable counts the keys that are there, whatever the cache says of itself.
func (b *bound) readable(c numbers) (n int) {
	for i := range int(b.writers) * int(b.each) {
		if _, ok := c.get(spread(i)); ok {
			n++
		}
	}
	return n
}
