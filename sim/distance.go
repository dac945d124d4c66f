// distance.go measures how far apart the accesses to a key are, in distinct keys between.

package sim

import (
	"math/bits"
)

// recency counts distinct keys since an access. It keeps a bit for each access that is the last one
// to its key: the bits since an access are the keys since then. Blocks of bits are summed up in a
// Fenwick tree, small enough for the nearest caches: 40 KB for 5 million accesses.
type recency struct {
	bits []uint64
	sums fenwick[uint32] // of the bits in a block
	live uint32          // bits that are set
}

// blockWords is how many words make a block: a cache line.
const blockWords = 8

func newRecency(accesses int) *recency {
	words := accesses/64 + 1
	return &recency{
		bits: make([]uint64, (words/blockWords+1)*blockWords),
		sums: newFenwick[uint32](words/blockWords + 1),
	}
}

// add notes that access i is the last one to its key.
func (r *recency) add(i uint32) {
	r.bits[i/64] |= 1 << (i % 64)
	r.sums.add(i/64/blockWords, 1)
	r.live++
}

// take returns how many keys were asked for since access i, its own included, and forgets i.
func (r *recency) take(i uint32) (distance uint32) {
	word := i / 64
	block := word / blockWords
	before := r.sums.before(block)
	for w := block * blockWords; w < word; w++ {
		before += uint32(bits.OnesCount64(r.bits[w]))
	}
	before += uint32(bits.OnesCount64(r.bits[word] & (1<<(i%64) - 1)))
	r.bits[word] &^= 1 << (i % 64)
	r.sums.add(block, ^uint32(0)) // minus 1
	distance = r.live - before
	r.live--
	return distance
}

// fenwick sums the beginning of an array that changes, both in logarithmic time (Fenwick 1994).
type fenwick[N uint32 | uint64] []N

func newFenwick[N uint32 | uint64](n int) fenwick[N] { return make(fenwick[N], n+1) }

// add adds to element i. It wraps around, so it subtracts too.
func (f fenwick[N]) add(i uint32, n N) {
	for i++; int(i) < len(f); i += i & -i {
		f[i] += n
	}
}

// before sums the elements before i.
func (f fenwick[N]) before(i uint32) (sum N) {
	for ; i > 0; i &= i - 1 {
		sum += f[i]
	}
	return sum
}

// heaviness is recency in bytes.
type heaviness struct {
	weights []uint32        // of each access that is the last one to its key
	sums    fenwick[uint64] // of the weights in a block
	live    uint64
}

// blockWeights is how many weights make a block: four cache lines.
const blockWeights = 64

func newHeaviness(accesses int) *heaviness {
	return &heaviness{
		weights: make([]uint32, accesses+1),
		sums:    newFenwick[uint64](accesses/blockWeights + 1),
	}
}

// add notes that access i is the last one to its key, which weighs so much.
func (h *heaviness) add(i, weight uint32) {
	h.weights[i] = weight
	h.sums.add(i/blockWeights, uint64(weight))
	h.live += uint64(weight)
}

// take returns the weight of the keys asked for since access i, its own included, and forgets i.
func (h *heaviness) take(i uint32) (distance uint64) {
	block := i / blockWeights
	before := h.sums.before(block)
	for _, w := range h.weights[block*blockWeights : i] {
		before += uint64(w)
	}
	weight := uint64(h.weights[i])
	h.weights[i] = 0
	h.sums.add(block, -weight)
	distance = h.live - before
	h.live -= weight
	return distance
}
