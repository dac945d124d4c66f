// table_internal_test.go holds the table against a map.

package shadow

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// random returns where a random test begins: LARDER_SEED, or one that is always the same.
func random(t testing.TB) *rand.Rand {
	n, err := strconv.ParseUint(os.Getenv("LARDER_SEED"), 10, 64)
	if err != nil {
		n = 2026
	}
	t.Logf("LARDER_SEED=%d", n)
	return rand.New(rand.NewPCG(n, 9))
}

// modelled is a table and the map that it should be like.
type modelled struct {
	table table
	model map[uint32]uint32
}

// toggle takes hash out if it is there, else puts it there with slot.
func (m *modelled) toggle(hash, slot uint32) {
	if _, ok := m.model[hash]; ok {
		m.table.remove(hash)
		delete(m.model, hash)
		return
	}
	m.table.put(hash, slot)
	m.model[hash] = slot
}

// check fails t if hash is not found as in the map.
func (m *modelled) check(t *testing.T, hash uint32) {
	t.Helper()
	slot, ok := m.table.find(hash)
	if want, there := m.model[hash]; slot != want || ok != there {
		t.Fatalf("hash %#x: %d, %v; want %d, %v", hash, slot, ok, want, there)
	}
}

// checkAll looks for all hashes, and at how full the table is.
func (m *modelled) checkAll(t *testing.T) {
	t.Helper()
	for hash := range m.model {
		m.check(t, hash)
	}
	used := 0
	for _, c := range m.table.cells {
		if c.slot != 0 {
			used++
		}
	}
	if used != len(m.model) || m.table.live != used || 4*used > 3*len(m.table.cells) {
		t.Fatalf("%d of %d cells are used, %d said, for %d hashes", used, len(m.table.cells),
			m.table.live, len(m.model))
	}
}

func TestTableIsLikeAMap(t *testing.T) {
	r := random(t)
	for name, draw := range map[string]func() uint32{
		"any":             r.Uint32,
		"few":             func() uint32 { return r.Uint32N(300) },
		"multiples":       func() uint32 { return r.Uint32N(3000) << 20 },
		"at one place":    func() uint32 { return r.Uint32N(60) * 0x0e8b2f51 }, // home takes the factor back
		"the ends":        func() uint32 { return r.Uint32N(64) - 32 },
		"one much, often": func() uint32 { return r.Uint32() >> r.UintN(32) },
	} {
		t.Run(name, func(t *testing.T) {
			m := modelled{model: map[uint32]uint32{}}
			for i := range 20_000 {
				m.toggle(draw(), uint32(i))
				m.check(t, draw())
				if i%1000 == 0 {
					m.checkAll(t)
				}
			}
			m.checkAll(t)
		})
	}
}

// FuzzTableIsLikeAMap takes hashes of few bits, so that they meet.
func FuzzTableIsLikeAMap(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 0, 0})
	f.Add([]byte("the same place, and again the same place"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := modelled{model: map[uint32]uint32{}}
		for slot := uint32(0); len(ops) >= 2; ops = ops[2:] {
			op := uint32(binary.LittleEndian.Uint16(ops))
			hash := (op & 0xff) * 0x0e8b2f51 // nearly one home for all
			if op>>15 != 0 {
				hash = op << 17
			}
			m.toggle(hash, slot)
			m.check(t, hash)
			slot++
		}
		m.checkAll(t)
	})
}
