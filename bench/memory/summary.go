// summary.go sums up hit ratios: by cell, and over all of them.

package main

import "fmt"

func ratioTable(caches []contestant, cells []cell) *table {
	t := newTable("Hit ratio, percent",
		append([]string{"trace", "maximum", "optimum"}, names(caches)...)...)
	for _, c := range cells {
		t.add(append([]any{c.trace, c.max, c.optimum}, anys(c.ratios)...)...)
	}
	return t
}

func keptTable(caches []contestant, cells []cell) *table {
	t := newTable("Entries at the end as multiples of the maximum",
		append([]string{"trace", "maximum"}, names(caches)...)...)
	for _, c := range cells {
		t.add(append([]any{c.trace, c.max}, anys(c.kept)...)...)
	}
	return t
}

func anys(figures []float64) []any {
	row := make([]any, len(figures))
	for i, x := range figures {
		row[i] = x
	}
	return row
}

// tolerance is what a cache may keep beyond its maximum and still count. One that keeps more has
// more room than the others, so it is nobody's mark.
const tolerance = 1.05

// near is the points that are no difference: runs of one cache with other seeds differ as much.
const near = 0.05

// summary has one line for each contestant. The mean gives every cell the same weight, however long
// its trace is.
func summary(caches []contestant, cells []cell) *table {
	t := newTable(fmt.Sprintf("Over %d cells", len(cells)), "cache", "mean hit ratio %",
		"percent of the optimum", "cells where best or near", "furthest below the best, points",
		fmt.Sprintf("cells where it keeps over %vx", tolerance))
	var optimum float64
	for _, c := range cells {
		optimum += c.optimum
	}
	for i, contestant := range caches {
		var sum, furthest float64
		var best, over int
		for _, c := range cells {
			below := c.best() - c.ratios[i]
			sum += c.ratios[i]
			furthest = max(furthest, below)
			switch {
			case c.kept[i] > tolerance:
				over++
			case below <= near:
				best++
			}
		}
		mean := sum / float64(len(cells))
		t.add(contestant.name, mean, 100*sum/max(optimum, 1e-9), best, furthest, over)
	}
	return t
}

// best returns the highest ratio of those that keep their maximum.
func (c cell) best() (best float64) {
	for i, ratio := range c.ratios {
		if c.kept[i] <= tolerance {
			best = max(best, ratio)
		}
	}
	return best
}
