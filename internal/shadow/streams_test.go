// streams_test.go makes up the traffic on which predictions are tried.

package shadow_test

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/trace"
)

// seed is LARDER_SEED, or one that is always the same.
func seed(t testing.TB) uint64 {
	n, err := strconv.ParseUint(os.Getenv("LARDER_SEED"), 10, 64)
	if err != nil {
		n = 2026
	}
	t.Logf("LARDER_SEED=%d", n)
	return n
}

// stream is a kind of traffic: make returns n keys for a cache of about size entries.
type stream struct {
	name string
	make func(r *rand.Rand, size, n int) []uint32
}

func streams() []stream {
	return []stream{
		{"zipf 0.7", zipfStream(0.7)},
		{"zipf 0.8", zipfStream(0.8)},
		{"zipf 0.9", zipfStream(0.9)},
		{"zipf 1.0", zipfStream(1.0)},
		{"zipf 1.1", zipfStream(1.1)},
		{"loop", loopStream},
		{"shifting", shiftingStream},
		{"zipf and scans", scansStream},
	}
}

// zipf draws key k with a probability of 1/(k+1)^s.
type zipf []float64

func newZipf(s float64, keys int) zipf {
	sums, sum := make(zipf, keys), 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -s)
		sums[i] = sum
	}
	return sums
}

func (z zipf) draw(r *rand.Rand) uint32 {
	i, _ := slices.BinarySearch(z, r.Float64()*z[len(z)-1])
	return uint32(i)
}

// zipfStream draws from eight times as many keys as the cache holds.
func zipfStream(s float64) func(*rand.Rand, int, int) []uint32 {
	return func(r *rand.Rand, size, n int) []uint32 {
		z, keys := newZipf(s, 8*size), make([]uint32, n)
		for i := range keys {
			keys[i] = z.draw(r)
		}
		return keys
	}
}

// loopStream asks in a circle that is longer than the cache, with favourites between. All of it fits
// into twice the size: at the edge of a loop some keys more or less in the share are all hits or none,
// and no sample can tell.
func loopStream(r *rand.Rand, size, n int) []uint32 {
	length, z := uint32(size+size/5), newZipf(0.9, max(size/2, 1))
	keys, next := make([]uint32, n), uint32(0)
	for i := range keys {
		if r.IntN(3) == 0 {
			keys[i] = length + z.draw(r)
			continue
		}
		keys[i] = next
		next = (next + 1) % length
	}
	return keys
}

// shiftingStream asks for what is near a place that wanders on, and for favourites.
func shiftingStream(r *rand.Rand, size, n int) []uint32 {
	width, z := 2*size, newZipf(0.8, 2*size)
	keys := make([]uint32, n)
	for i := range keys {
		place := i * 20 * size / n
		if keys[i] = uint32(place + r.IntN(width)); r.IntN(2) == 0 {
			keys[i] = uint32(22*size) + z.draw(r)
		}
	}
	return keys
}

// scansStream is zipf, and again and again many keys in a row that nobody asks for twice.
func scansStream(r *rand.Rand, size, n int) []uint32 {
	z, fresh := newZipf(0.9, 4*size), uint32(4*size)
	keys := make([]uint32, 0, n)
	for len(keys) < n {
		for range 4 * size {
			keys = append(keys, z.draw(r))
		}
		for range size {
			keys = append(keys, fresh)
			fresh++
		}
	}
	return keys[:n]
}

// traceOf numbers keys by their first appearance, as package trace does.
func traceOf(keys []uint32) *trace.Trace {
	t := &trace.Trace{Keys: make([]uint32, len(keys))}
	numbers := map[uint32]uint32{}
	for i, k := range keys {
		number, ok := numbers[k]
		if !ok {
			number = uint32(len(numbers))
			numbers[k] = number
		}
		t.Keys[i] = number
	}
	t.Distinct = len(numbers)
	return t
}

// hashOf is a hash of a key that another seed makes another one (the finalizer of splitmix64).
func hashOf(seed uint64, key uint32) uint32 {
	x := seed*0x9e3779b97f4a7c15 + uint64(key)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32(x ^ x>>31)
}

// cache is a cache without values, whose entries weigh what weigh says.
type cache struct {
	policy  policy.Policy
	max     uint64
	used    uint64
	slots   map[uint32]uint32 // by hash
	hashes  []uint32          // by slot
	weights []uint32
	free    []uint32

	hits, misses uint64
}

func newCache(p policy.New, max uint64) *cache {
	return &cache{policy: p(max), max: max, slots: map[uint32]uint32{}}
}

// ask tells whether hash is a hit. If not it is taken in.
func (c *cache) ask(hash, weight uint32) bool {
	if slot, ok := c.slots[hash]; ok {
		c.policy.Touch(slot, hash)
		c.hits++
		return true
	}
	c.misses++
	if uint64(weight) <= c.max {
		c.admit(hash, weight)
	}
	return false
}

func (c *cache) admit(hash, weight uint32) {
	for c.used+uint64(weight) > c.max {
		c.leave(c.policy.Victim(hash))
	}
	slot := uint32(len(c.hashes))
	if n := len(c.free); n > 0 {
		slot, c.free = c.free[n-1], c.free[:n-1]
	} else {
		c.hashes, c.weights = append(c.hashes, 0), append(c.weights, 0)
	}
	c.hashes[slot], c.weights[slot], c.slots[hash] = hash, weight, slot
	c.used += uint64(weight)
	c.policy.Admit(slot, hash, weight)
}

func (c *cache) leave(slot uint32) {
	delete(c.slots, c.hashes[slot])
	c.used -= uint64(c.weights[slot])
	c.free = append(c.free, slot)
}

func (c *cache) ratio() float64 { return float64(c.hits) / float64(c.hits+c.misses) }
