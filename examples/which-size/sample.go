// sample.go notes a share of the keys that a program asks for, and finds the size that they want.

package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"

	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

const (
	oneIn     = 10      // keys are noted: one in so many of them, with all its accesses
	mostNoted = 1 << 20 // then nothing more is noted: what was is enough
)

// sample is what was asked for. Which keys are in it is decided by their hash: so either all
// accesses to a key are noted or none, and a cache of 100 entries does with the sample what one of
// 1000 does with the whole. It is not safe for concurrent use: put a mutex around it, or have one
// for each worker.
type sample struct {
	keys  bytes.Buffer // one a line
	noted int
}

// note remembers that a key was asked for.
func (s *sample) note(key uint64) {
	h := fnv.New64a()
	fmt.Fprint(h, key)
	if (h.Sum64()>>20)%oneIn == 0 && s.noted < mostNoted {
		fmt.Fprintln(&s.keys, key)
		s.noted++
	}
}

// advise returns the size for nine tenths of the hits that are possible, and their share of all
// accesses.
func (s *sample) advise(ctx context.Context) (size uint64, ratio float64, err error) {
	t, err := trace.Read(&s.keys, trace.Options{Format: "text"})
	if err != nil {
		return 0, 0, err
	}
	curve, err := sim.LRUCurve(ctx, t)
	if err != nil {
		return 0, 0, err
	}
	size, _ = curve.SizeFor(0.9 * curve.Ceiling())
	return size * oneIn, curve.At(size), nil
}
