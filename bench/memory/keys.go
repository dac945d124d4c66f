// keys.go makes the keys that are asked for.

package main

import "math/rand/v2"

// spread turns small numbers into keys as they come in the field, all over the 64 bits. It is one
// to one: the factor, 2^64 by the golden ratio (Knuth, volume 3, 6.4), is odd.
func spread(i int) uint64 { return (uint64(i) + 1) * 0x9e3779b97f4a7c15 }

// zipfKeys draws n keys of as many: a few are asked for often, most hardly ever. The seed is fixed,
// so that every contestant of every run gets the same ones.
func zipfKeys(n int, skew float64) []uint64 {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), skew, 1, uint64(n-1))
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = spread(int(z.Uint64()))
	}
	return keys
}
