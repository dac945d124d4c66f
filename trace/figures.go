// figures.go says what a trace is like, before any cache.

package trace

import (
	"cmp"
	"slices"
)

// Count is a key and how often it is asked for.
type Count struct {
	Key   uint32
	Count int
}

// Top returns the n keys that are asked for most, the most asked for first; among equals the one
// that came first.
func (t *Trace) Top(n int) []Count {
	var all []Count
	for key, count := range t.counts() {
		all = append(all, Count{uint32(key), count})
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key))
	})
	return all[:max(0, min(n, len(all)))]
}

// Once counts the keys that are asked for only once: no cache can serve them.
func (t *Trace) Once() int {
	n := 0
	for _, count := range t.counts() {
		if count == 1 {
			n++
		}
	}
	return n
}

func (t *Trace) counts() []int {
	counts := make([]int, t.Distinct)
	for _, k := range t.Keys {
		counts[k]++
	}
	return counts
}

// Ceiling returns the hit ratio of a cache without bound: all but the first access to each key.
func (t *Trace) Ceiling() float64 {
	if len(t.Keys) == 0 {
		return 0
	}
	return 1 - float64(t.Distinct)/float64(len(t.Keys))
}

// WorkingSet returns how many distinct keys are asked for within so many accesses in a row, at
// least 1: the mean over all windows of that length, side by side. It is 0 if the trace is shorter
// than a window.
func (t *Trace) WorkingSet(window int) float64 {
	if window < 1 || window > len(t.Keys) {
		return 0
	}
	windows := len(t.Keys) / window
	seen := make([]uint32, t.Distinct) // the last window with the key, from 1
	sum := 0
	for w := range windows {
		for _, k := range t.Keys[w*window : (w+1)*window] {
			if seen[k] != uint32(w+1) {
				seen[k] = uint32(w + 1)
				sum++
			}
		}
	}
	return float64(sum) / float64(windows)
}
