// index.go finds numbers by hash.

package policy

import "math/bits"

// index finds small numbers by the hash that is kept for each: open addressing, 4 bytes a cell,
// three fifths of them used at most. The bits of a cell that its number leaves free hold a piece of
// the hash, so that what is not there is seldom looked at elsewhere. A hash of 0 is never found.
type index struct {
	hashes []uint32 // by number; set before put
	cells  []uint32 // hash<<shift | number+1; 0 is empty
	shift  int
	live   int
	most   uint64 // no more numbers than that, for an array that ends where it should
}

// room makes hashes long enough for n numbers.
func (x *index) room(n int) {
	x.hashes = stretch(x.hashes, n)
	if shift := bits.Len(uint(n)); shift > x.shift {
		x.rehash(len(x.cells), shift)
	}
}

// home is where the search for a hash starts.
func (x *index) home(hash uint32) int { return int(uint64(hash) * uint64(len(x.cells)) >> 32) }

// number is what a cell holds that is not empty.
func (x *index) number(cell uint32) uint32 { return cell&(1<<x.shift-1) - 1 }

// find returns a number whose hash this is.
func (x *index) find(hash uint32) (n uint32, ok bool) {
	if x.live == 0 || hash == 0 {
		return 0, false
	}
	tag := hash << x.shift
	for i := x.home(hash); x.cells[i] != 0; i = x.after(i) {
		if (x.cells[i]^tag)>>x.shift != 0 {
			continue
		}
		if n := x.number(x.cells[i]); x.hashes[n] == hash {
			return n, true
		}
	}
	return 0, false
}

func (x *index) after(i int) int {
	if i++; i < len(x.cells) {
		return i
	}
	return 0
}

// put makes n one of the numbers that are found. It must not be one, nor another of its hash.
func (x *index) put(n uint32) {
	x.reserve()
	x.live++
	x.place(n)
}

// insert is put, unless there is a number of its hash: then it returns that, and does nothing.
func (x *index) insert(n uint32) (same uint32, ok bool) {
	x.reserve()
	hash := x.hashes[n]
	tag, i := hash<<x.shift, x.home(hash)
	for ; x.cells[i] != 0; i = x.after(i) {
		if (x.cells[i]^tag)>>x.shift != 0 {
			continue
		}
		if same := x.number(x.cells[i]); x.hashes[same] == hash {
			return same, false
		}
	}
	x.cells[i] = tag | (n + 1)
	x.live++
	return 0, true
}

// reserve makes room for one more.
func (x *index) reserve() {
	if need := x.live + 1; 5*need > 3*len(x.cells) {
		x.rehash(longer(len(x.cells), 5*need/3+1, x.most*5/3+8), x.shift)
	}
}

func (x *index) place(n uint32) {
	i := x.home(x.hashes[n])
	for x.cells[i] != 0 {
		i = x.after(i)
	}
	x.cells[i] = x.hashes[n]<<x.shift | (n + 1)
}

// renumber makes to the number of what from was found for. Both must have its hash.
func (x *index) renumber(from, to uint32) { x.cells[x.cell(from)] += to - from }

// cell is where n is. It must be a number that is found.
func (x *index) cell(n uint32) int {
	i, cell := x.home(x.hashes[n]), x.hashes[n]<<x.shift|(n+1)
	for x.cells[i] != cell {
		i = x.after(i)
	}
	return i
}

// del makes n a number that is not found. It must be one that is.
func (x *index) del(n uint32) {
	i := x.cell(n)
	x.live--
	for j := x.after(i); x.cells[j] != 0; j = x.after(j) {
		if x.between(i, x.home(x.hashes[x.number(x.cells[j])]), j) {
			x.cells[i] = x.cells[j]
			i = j
		}
	}
	x.cells[i] = 0
}

// between tells whether what sits in cell j, sought from cell home on, is still found in cell i.
func (x *index) between(i, home, j int) bool {
	if i <= j {
		return home <= i || home > j
	}
	return home <= i && home > j
}

// rehash moves all numbers to a table of n cells.
func (x *index) rehash(n, shift int) {
	old, mask := x.cells, uint32(1)<<x.shift-1
	x.cells, x.shift = make([]uint32, n), shift
	for _, cell := range old {
		if cell != 0 {
			x.place(cell&mask - 1)
		}
	}
}

// stretch returns a with at least n elements.
func stretch[T any](a []T, n int) []T {
	if len(a) >= n {
		return a
	}
	return append(make([]T, 0, n), a...)[:n]
}
