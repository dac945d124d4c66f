// ghosts_internal_test.go compares the history with a slice.

package policy

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// remembered is one ghost of the model, which has them from the oldest to the newest.
type remembered struct{ hash, weight uint32 }

type memory []remembered

func (m memory) weight() (sum uint64) {
	for _, r := range m {
		sum += uint64(r.weight)
	}
	return sum
}

func (m *memory) take(hash uint32) bool {
	i := slices.IndexFunc(*m, func(r remembered) bool { return r.hash == hash })
	if i < 0 {
		return false
	}
	*m = slices.Delete(*m, i, i+1)
	return true
}

func (m *memory) add(hash, weight uint32) {
	if m.take(hash); hash != 0 {
		*m = append(*m, remembered{hash, weight})
	}
}

func (m *memory) trim(max uint64) {
	for m.weight() > max {
		*m = (*m)[1:]
	}
}

func FuzzGhosts(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, heavy := range []bool{false, true} {
		operations := make([]byte, 2000)
		for i := range operations {
			operations[i] = byte(r.Uint32())
		}
		f.Add(operations, uint8(1), heavy)
		f.Add(operations, uint8(40), heavy)
		f.Add(operations, uint8(200), heavy)
	}
	f.Fuzz(func(t *testing.T, operations []byte, max uint8, heavy bool) {
		ghosts, model := newGhosts(uint64(max)), memory(nil)
		for len(operations) >= 2 {
			what, key := operations[0], operations[1]
			operations = operations[2:]
			ghostsAndModel(t, &ghosts, &model, what, uint32(key), heavy)
		}
		same(t, &ghosts, model)
	})
}

// ghostsAndModel does one operation to both. The hashes of the lower keys all want the same cell.
func ghostsAndModel(t *testing.T, g *ghosts, m *memory, what byte, key uint32, heavy bool) {
	hash, weight := key, uint32(1)
	if key > 128 {
		hash = key * 0x9e3779b9
	}
	if heavy {
		weight += uint32(what) / 64
	}
	if what%3 == 0 {
		if got, want := g.take(hash), m.take(hash); got != want {
			t.Fatalf("take %#x: %v, want %v", hash, got, want)
		}
		return
	}
	g.add(hash, uint64(weight))
	m.add(hash, weight)
	if what%16 != 1 { // sometimes it waits, as it may between Victim and Admit
		g.trim(g.most)
		m.trim(g.most)
	}
	if g.weight != m.weight() || g.live != len(*m) {
		t.Fatalf("%d ghosts weigh %d, want %d, %d", g.live, g.weight, len(*m), m.weight())
	}
}

// same compares what both remember, and in which order.
func same(t *testing.T, g *ghosts, m memory) {
	for _, r := range m {
		place, ok := g.find(r.hash)
		if !ok || g.weightOf(place) != uint64(r.weight) {
			t.Fatalf("%#x is not remembered", r.hash)
		}
	}
	for _, r := range m {
		if got := g.hashes[g.head]; got != r.hash {
			t.Fatalf("%#x is the oldest, want %#x", got, r.hash)
		}
		g.trim(g.weight - 1)
	}
}

func TestAGhostTakesThirteenBytes(t *testing.T) {
	const max = 100_000
	g := newGhosts(max)
	for i := range uint32(3 * max) {
		g.add(i*0x9e3779b9+1, 1)
		g.trim(max)
		if i%3 == 0 {
			g.take((i-i/8)*0x9e3779b9 + 1) // leaves gaps
		}
	}
	if bytes := 4 * (cap(g.hashes) + cap(g.cells)); bytes > 13*max {
		t.Errorf("%d ghosts take %d bytes, want at most %d", g.live, bytes, 13*max)
	}
}
