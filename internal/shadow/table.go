// table.go finds the slot of a hash.

package shadow

import "math/bits"

// table finds slots by hash: open addressing, linear probing, at most three quarters full. The zero
// value is empty.
type table struct {
	cells []cell
	shift int
	live  int
}

// cell is empty where slot is 0.
type cell struct{ hash, slot uint32 }

func (t *table) home(hash uint32) int { return int(hash * 0x9e3779b1 >> t.shift) }

// find returns the slot of hash.
func (t *table) find(hash uint32) (slot uint32, ok bool) {
	if t.live == 0 {
		return 0, false
	}
	for i := t.home(hash); t.cells[i].slot != 0; i = (i + 1) & (len(t.cells) - 1) {
		if t.cells[i].hash == hash {
			return t.cells[i].slot - 1, true
		}
	}
	return 0, false
}

// put adds a hash that is not there.
func (t *table) put(hash, slot uint32) {
	if 4*(t.live+1) > 3*len(t.cells) {
		t.grow()
	}
	t.live++
	t.place(cell{hash, slot + 1})
}

func (t *table) place(c cell) {
	i := t.home(c.hash)
	for t.cells[i].slot != 0 {
		i = (i + 1) & (len(t.cells) - 1)
	}
	t.cells[i] = c
}

func (t *table) grow() {
	old := t.cells
	t.cells = make([]cell, max(16, 2*len(old)))
	t.shift = 33 - bits.Len(uint(len(t.cells)))
	for _, c := range old {
		if c.slot != 0 {
			t.place(c)
		}
	}
}

// remove takes a hash out that is there, and moves up what lies behind it.
func (t *table) remove(hash uint32) {
	mask := len(t.cells) - 1
	i := t.home(hash)
	for t.cells[i].hash != hash || t.cells[i].slot == 0 {
		i = (i + 1) & mask
	}
	t.live--
	for hole := i; ; {
		i = (i + 1) & mask
		c := t.cells[i]
		if c.slot == 0 {
			t.cells[hole] = cell{}
			return
		}
		if (i-t.home(c.hash))&mask >= (i-hole)&mask {
			t.cells[hole] = c
			hole = i
		}
	}
}
