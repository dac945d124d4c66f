// observe.go measures what it costs a hit that a cache observes itself.

package main

import (
	"flag"

	"github.com/larder-go/larder"
)

type observe struct {
	goroutines, entries list
	ops, rounds         positive
}

func (o *observe) flags(set *flag.FlagSet) {
	o.goroutines, o.entries = list{1, 2}, list{500, 64 << 10, 1 << 20}
	set.Var(&o.goroutines, "goroutines", "`numbers` of goroutines")
	set.Var(&o.entries, "entries", "`numbers` of entries that fit; half of them are there")
	positiveVar(set, &o.ops, "ops", 20_000_000, "operations of one turn")
	positiveVar(set, &o.rounds, "rounds", 9, "turns of each contestant")
}

// measure reads from caches of larder that are half empty, so that all reads hit. Turns are long: a
// cache observes itself for a moment, and then not for seconds.
func (o *observe) measure([]contestant, []string) ([]*table, error) {
	found := newTable("ns a hit, wall clock, all goroutines together",
		"entries", "goroutines", "not observed", "observed", "ratio")
	for _, entries := range o.entries.counts() {
		plain, observed := o.fill(entries, false), o.fill(entries, true)
		for _, goroutines := range o.goroutines.counts() {
			r := rush{
				keys: zipfKeys(max(2, entries/2), 1.01), goroutines: goroutines, ops: int(o.ops),
				reads: 100,
			}
			medians := interleave(int(o.rounds), 2, func(i int) []float64 {
				return []float64{r.run([]numbers{plain, observed}[i]).ns}
			})
			found.add(entries, goroutines, medians[0][0], medians[1][0],
				medians[1][0]/medians[0][0])
		}
		plain.close()
		observed.close()
	}
	return []*table{found}, nil
}

func (o *observe) fill(entries int, observed bool) numbers {
	c := larderCache[uint64, uint64]{larder.New(larder.Options[uint64, uint64]{
		MaxEntries: entries, Observe: observed,
	})}
	for i := range max(2, entries/2) {
		c.set(spread(i), uint64(i))
	}
	return c
}
