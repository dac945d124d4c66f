// ttl.go measures what it costs a hit that entries have an end.

package main

import (
	"flag"
	"time"
)

type ttl struct {
	goroutines           list
	ops, rounds, entries positive
}

func (t *ttl) flags(set *flag.FlagSet) {
	t.goroutines = list{1, 2}
	set.Var(&t.goroutines, "goroutines", "`numbers` of goroutines")
	positiveVar(set, &t.ops, "ops", 2_000_000, "operations of one turn")
	positiveVar(set, &t.rounds, "rounds", 5, "turns of each contestant")
	positiveVar(set, &t.entries, "entries", 64<<10, "entries that fit; half of them are there")
}

// far is an end that no run lives to see: the look at the clock is measured, not the expiry.
const far = time.Hour

// measure reads from caches that are half empty, so that all reads hit. There are two of each
// contestant, which take turns like any two others, and stay for all rounds: some start a goroutine
// that never ends.
func (t *ttl) measure(caches []contestant, _ []string) ([]*table, error) {
	keys := zipfKeys(t.present(), 1.01)
	var filled []numbers // two for each contestant: without an end, and with one
	for _, c := range caches {
		filled = append(filled, t.fill(c.numbers, noTTL), t.fill(c.numbers, far))
	}
	found := newTable("ns a hit, wall clock, all goroutines together",
		"cache", "goroutines", "without TTL", "with TTL", "ratio",
		"hits % without TTL", "hits % with TTL")
	for _, goroutines := range t.goroutines.counts() {
		r := rush{keys: keys, goroutines: goroutines, ops: int(t.ops), reads: 100}
		medians := interleave(int(t.rounds), len(filled), func(i int) []float64 {
			p := r.run(filled[i])
			return []float64{p.ns, p.hits}
		})
		for i, c := range caches {
			without, with := medians[2*i], medians[2*i+1]
			found.add(c.name, goroutines, without[0], with[0], with[0]/without[0],
				without[1], with[1])
		}
	}
	for _, c := range filled {
		c.close()
	}
	return []*table{found}, nil
}

// present is how many entries are there.
func (t *ttl) present() int { return max(2, int(t.entries)/2) }

func (t *ttl) fill(open func(int, time.Duration) numbers, end time.Duration) numbers {
	c := open(int(t.entries), end)
	for i := range t.present() {
		c.set(spread(i), uint64(i))
		settleNowAndThen(c, i)
	}
	c.settle()
	return c
}
