// rounds.go lets contestants take turns, so that a noisy minute hits them all alike.

package main

import "slices"

// interleave measures each of n contestants once a round, and returns the medians of what measure
// returns, by contestant. Every round begins with another one: none always runs in the heat, or in
// the garbage, that the same other one has left.
func interleave(rounds, n int, measure func(contestant int) []float64) [][]float64 {
	samples := make([][][]float64, n) // by contestant, figure and round
	for round := range rounds {
		for turn := range n {
			c := (turn + round) % n
			for i, x := range measure(c) {
				if round == 0 {
					samples[c] = append(samples[c], nil)
				}
				samples[c][i] = append(samples[c][i], x)
			}
		}
	}
	medians := make([][]float64, n)
	for c, figures := range samples {
		for _, s := range figures {
			medians[c] = append(medians[c], median(s))
		}
	}
	return medians
}

// median returns the middle one of s, which must not be empty.
func median(s []float64) float64 {
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
