// huffman.go turns codes into symbols, several at a time where only their lengths matter.

package jpegthumb

import "unsafe"

const (
	lookBits = 10 // codes up to this long are found by one look
	skipBits = 12 // bits looked at to step over symbols
	longest  = 16 // bits of the longest code
	tableLen = int(unsafe.Sizeof(table{}))
)

// table is a Huffman table.
type table struct {
	// symbols has, for the next lookBits, a code's length in the upper byte and its symbol in the
	// lower one; 0 if the code is longer.
	symbols [1 << lookBits]uint16
	// skips has, for the next skipBits, what stepping over whole AC coefficients takes.
	skips   [1 << skipBits]skip
	skipsOK bool

	values [256]uint8
	codes  int              // how many of values there are
	ends   [longest + 1]int // the first code of 16 bits that is longer than this
	firsts [longest + 1]int // what to add to a code of this length for its index in values
}

// skip says in its lowest 5 bits how many bits some AC coefficients have, in the next 7 how many
// places they fill, and in bit 12 whether the block ends after them. 0 says nothing.
type skip uint16

const skipEnd skip = 1 << 12

func (s skip) bits() uint  { return uint(s & 31) }
func (s skip) places() int { return int(s >> 5 & 127) }

// define makes a table of how many codes there are of each length, and their symbols in order.
// Codes that do not fit into their lengths are refused.
func (t *table) define(counts *[longest]uint8, values []byte) error {
	clear(t.symbols[:])
	t.skipsOK = false
	t.codes = copy(t.values[:], values)
	code, index := 0, 0
	for i, n := range counts {
		length, count := i+1, int(n)
		t.firsts[length] = index - code
		if code+count > 1<<length {
			return unusual("Huffman codes that overlap")
		}
		t.look(code, length, values[index:index+count])
		code, index = code+count, index+count
		t.ends[length] = code << (longest - length)
		code <<= 1
	}
	return nil
}

// look enters the codes of a length, beginning with first, into symbols.
func (t *table) look(first, length int, values []byte) {
	if length > lookBits {
		return
	}
	span := 1 << (lookBits - length)
	for i, v := range values {
		from := (first + i) * span
		for j := range t.symbols[from : from+span] {
			t.symbols[from+j] = uint16(length)<<8 | uint16(v)
		}
	}
}

// symbol takes the next symbol off b. It is not ok if there is no such code.
func (t *table) symbol(b *stream) (symbol uint, ok bool) {
	b.need()
	if e := t.symbols[b.acc>>(64-lookBits)]; e != 0 {
		b.take(uint(e >> 8))
		return uint(e & 0xff), true
	}
	code := int(b.acc >> (64 - longest))
	for length := lookBits + 1; length <= longest; length++ {
		if code < t.ends[length] {
			code >>= longest - length
			b.take(uint(length))
			return uint(t.values[(code+t.firsts[length])&0xff]), true
		}
	}
	return 0, false
}

// readySkips fills skips, once for each definition.
func (t *table) readySkips() {
	if t.skipsOK {
		return
	}
	t.skipsOK = true
	for i := range t.skips {
		t.skips[i] = t.skipOf(uint32(i) << (32 - skipBits))
	}
}

// skipOf returns what to do for the window's upper skipBits. The bits behind a code need not be in
// the window, since only their number counts.
func (t *table) skipOf(window uint32) skip {
	used, places := 0, 0
	for places < 64 {
		e := t.symbols[window<<used>>(32-lookBits)]
		length, run, size := int(e>>8), int(e>>4&15), int(e&15)
		if e == 0 || used+length > skipBits || used+length+size > 31 {
			break
		}
		if size == 0 && run == 0 {
			return skipEnd | skip(places<<5|(used+length))
		}
		if size == 0 && run != 15 { // an end of several blocks
			break
		}
		used, places = used+length+size, places+run+1
	}
	if places == 0 {
		return 0
	}
	return skip(places<<5 | used)
}
