// throughput.go measures what a read or a write takes when they come as fast as they can.

package main

import (
	"flag"
	"fmt"
)

type throughput struct {
	reads, goroutines          list
	ops, rounds, keys, entries positive
	skew                       float64
}

func (t *throughput) flags(set *flag.FlagSet) {
	t.reads, t.goroutines = list{100, 75, 50, 0}, list{1, 2, 8}
	set.Var(&t.reads, "reads", "percent of `reads`; the others are writes")
	set.Var(&t.goroutines, "goroutines", "`numbers` of goroutines")
	positiveVar(set, &t.ops, "ops", 1_000_000, "operations of one turn")
	positiveVar(set, &t.rounds, "rounds", 5, "turns of each contestant")
	positiveVar(set, &t.keys, "keys", 1<<20, "keys, and how many of them are drawn")
	positiveVar(set, &t.entries, "entries", 64<<10, "entries that fit")
	set.Float64Var(&t.skew, "skew", 1.01, "exponent of the Zipf distribution, above 1")
}

// measure runs every mix in every number of goroutines. A read that misses does not write, so that
// the mix is what it says; how many hit is told, because a miss is cheaper.
func (t *throughput) measure(caches []contestant, _ []string) ([]*table, error) {
	head := append([]string{"reads %", "goroutines"}, names(caches)...)
	tables := []*table{
		newTable("ns an operation, wall clock, all goroutines together", head...),
		newTable("Allocations an operation", head...),
		newTable("Hits, percent of the reads", head...),
	}
	if t.skew <= 1 {
		return nil, fmt.Errorf("skew %v: give more than 1", t.skew)
	}
	keys := zipfKeys(int(t.keys), t.skew)
	for _, reads := range t.reads {
		for _, goroutines := range t.goroutines.counts() {
			r := rush{keys: keys, goroutines: goroutines, ops: int(t.ops), reads: reads}
			medians := interleave(int(t.rounds), len(caches), func(i int) []float64 {
				p := t.turn(caches[i], r)
				return []float64{p.ns, p.allocs, p.hits}
			})
			for figure, found := range tables {
				row := []any{int(reads), goroutines}
				for _, m := range medians {
					row = append(row, m[figure])
				}
				found.add(row...)
			}
		}
	}
	return tables, nil
}

// turn rushes a cache that is full, as caches are.
func (t *throughput) turn(c contestant, r rush) pace {
	cache := c.numbers(int(t.entries), noTTL)
	defer cache.close()
	for i := range 4 * int(t.entries) {
		k := r.keys[i%len(r.keys)]
		cache.set(k, k)
	}
	cache.settle()
	return r.run(cache)
}
