// intern.go numbers keys by their first appearance.

package trace

// table finds the number of a key by 64 bits of its hash. It probes line by line: the cells lie in
// one array, at most half of them taken.
type table struct {
	cells []cell
	n     uint32
}

type cell struct {
	hash uint64
	id   uint32 // plus 1; 0 is an empty cell
}

const firstCells = 1 << 12

// id returns the number of the key with a hash, and whether it is new.
func (t *table) id(hash uint64) (id uint32, fresh bool) {
	if 2*int(t.n) >= len(t.cells) {
		t.grow()
	}
	mask := uint64(len(t.cells) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		c := &t.cells[i]
		if c.id == 0 {
			t.n++
			*c = cell{hash, t.n}
			return t.n - 1, true
		}
		if c.hash == hash {
			return c.id - 1, false
		}
	}
}

func (t *table) grow() {
	old := t.cells
	t.cells = make([]cell, max(firstCells, 2*len(old)))
	mask := uint64(len(t.cells) - 1)
	for _, c := range old {
		if c.id == 0 {
			continue
		}
		i := c.hash & mask
		for t.cells[i].id != 0 {
			i = (i + 1) & mask
		}
		t.cells[i] = c
	}
}

// mix spreads a number over all 64 bits, and no two numbers to the same (the finalizer of
// SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
