// entropy.go writes scans: symbols first, then the tables that suit them, then the bits.

package jpegtest

import (
	"math"
	"math/bits"
	"slices"
)

// token is a symbol and the bits behind it, bits alone, or a restart.
type token struct {
	table  int // 0, 1 for DC, 2, 3 for AC; -1: bits alone; -2: a restart
	symbol byte
	bits   int
	n      int
}

// encoder gathers the tokens of a scan.
type encoder struct {
	scan   Scan
	tokens []token
	before [3]int // DC

	table   int     // of AC
	endRun  int     // blocks that end before they began
	pending []token // corrections behind the end of those
}

// scan writes one scan.
func (w *writer) scan(s Scan) {
	e := &encoder{scan: s}
	units := 0
	w.walk(s, func(id int, b *[64]int, first bool) {
		if first && units > 0 && w.options.Restart > 0 && units%w.options.Restart == 0 {
			e.restart()
		}
		if first {
			units++
		}
		e.block(id, b, w.options.Scans != nil)
	})
	e.flush()
	w.write(e)
}

// walk calls each for the blocks of a scan in order, and says which are the first of an MCU.
func (w *writer) walk(s Scan, each func(id int, b *[64]int, first bool)) {
	if len(s.Components) == 1 {
		id := s.Components[0]
		c := w.components[id]
		for y := range c.tall {
			for x := range c.wide {
				each(id, &c.blocks[y*c.stride+x], true)
			}
		}
		return
	}
	for i := range w.across * w.down {
		first := true
		for _, id := range s.Components {
			c := w.components[id]
			for j := range c.h * c.v {
				x, y := i%w.across*c.h+j%c.h, i/w.across*c.v+j/c.h
				each(id, &c.blocks[y*c.stride+x], first)
				first = false
			}
		}
	}
}

func (e *encoder) restart() {
	e.flush()
	e.tokens = append(e.tokens, token{table: -2})
	e.before = [3]int{}
}

// block turns the part of a block that belongs to the scan into tokens.
func (e *encoder) block(id int, b *[64]int, progressive bool) {
	e.table = 2 + min(id, 1)
	switch {
	case !progressive:
		e.dc(id, b[0])
		e.ac(b, 1, 63)
		e.flush()
	case e.scan.First == 0 && e.scan.High > 0:
		e.tokens = append(e.tokens, token{-1, 0, b[0] >> e.scan.Low & 1, 1})
	case e.scan.First == 0:
		e.dc(id, b[0]>>e.scan.Low)
	case e.scan.High > 0:
		e.refine(b)
	default:
		e.ac(b, e.scan.First, e.scan.Last)
		if e.endRun == 0x7fff {
			e.flush()
		}
	}
}

// value returns a token for v behind a run of zeros.
func value(table, run, v int) token {
	size := bits.Len(uint(max(v, -v)))
	if v < 0 {
		v += 1<<size - 1
	}
	return token{table, byte(run<<4 | size), v, size}
}

func (e *encoder) dc(id, v int) {
	e.tokens = append(e.tokens, value(min(id, 1), 0, v-e.before[id]))
	e.before[id] = v
}

// low drops the bits that the scan leaves out.
func (e *encoder) low(v int) int {
	if v < 0 {
		return -(-v >> e.scan.Low)
	}
	return v >> e.scan.Low
}

func (e *encoder) ac(b *[64]int, first, last int) {
	run := 0
	for z := first; z <= last; z++ {
		v := e.low(b[z])
		if v == 0 {
			run++
			continue
		}
		e.flush()
		for ; run > 15; run -= 16 {
			e.tokens = append(e.tokens, token{table: e.table, symbol: 0xf0})
		}
		e.tokens = append(e.tokens, value(e.table, run, v))
		run = 0
	}
	if run > 0 {
		e.endRun++
	}
}

// refine writes one more bit of a block's coefficients (T.81, G.1.2.3).
func (e *encoder) refine(b *[64]int) {
	end := 0 // the last coefficient that becomes 1 or -1
	for z := e.scan.First; z <= e.scan.Last; z++ {
		if v := e.low(b[z]); v == 1 || v == -1 {
			end = z
		}
	}
	run, corrections := 0, []token(nil)
	emit := func(t token) {
		e.flush()
		e.tokens = append(append(e.tokens, t), corrections...)
		run, corrections = 0, nil
	}
	for z := e.scan.First; z <= e.scan.Last; z++ {
		v := e.low(b[z])
		if v == 0 {
			run++
			continue
		}
		for run > 15 && z <= end {
			left := run - 16
			emit(token{table: e.table, symbol: 0xf0})
			run = left
		}
		if v != 1 && v != -1 {
			corrections = append(corrections, token{-1, 0, max(v, -v) & 1, 1})
			continue
		}
		emit(token{e.table, byte(run<<4 | 1), (v + 1) / 2, 1})
	}
	if run > 0 || corrections != nil {
		e.endRun++
		e.pending = append(e.pending, corrections...)
		if e.endRun == 0x7fff || len(e.pending) > 900 {
			e.flush()
		}
	}
}

// flush writes that blocks have ended.
func (e *encoder) flush() {
	if e.endRun > 0 {
		size := bits.Len(uint(e.endRun)) - 1
		e.tokens = append(e.tokens, token{e.table, byte(size << 4), e.endRun - 1<<size, size})
	}
	e.tokens = append(e.tokens, e.pending...)
	e.endRun, e.pending = 0, nil
}

// code is what a symbol is written as.
type code struct{ bits, n int }

// write writes the tables, the header and the data of a scan.
func (w *writer) write(e *encoder) {
	var codes [4]map[byte]code
	for table := range codes {
		counts := map[byte]int{}
		for _, t := range e.tokens {
			if t.table == table {
				counts[t.symbol]++
			}
		}
		if len(counts) > 0 {
			lengths, symbols := shape(counts)
			head := []byte{byte(table/2<<4 | table%2)}
			w.segment(0xc4, slices.Concat(head, lengths[:], symbols))
			codes[table] = assign(lengths, symbols)
		}
	}
	head := []byte{byte(len(e.scan.Components))}
	for _, id := range e.scan.Components {
		head = append(head, byte(id+1), byte(min(id, 1)*0x11))
	}
	s := e.scan
	w.segment(0xda, append(head, byte(s.First), byte(s.Last), byte(s.High<<4|s.Low)))
	w.data(e.tokens, codes)
}

// shape chooses lengths of codes by how often symbols come, no more than 16 bits, and leaves the
// code of ones alone free.
func shape(counts map[byte]int) (lengths [16]byte, symbols []byte) {
	total := 0
	for s, n := range counts {
		total += n
		symbols = append(symbols, s)
	}
	length := func(s byte) int {
		share := (float64(counts[s])/float64(total) + 1.0/4096) / (1 + 257.0/4096)
		return int(math.Ceil(-math.Log2(share)))
	}
	slices.SortFunc(symbols, func(a, b byte) int {
		if d := length(a) - length(b); d != 0 {
			return d
		}
		return int(a) - int(b)
	})
	for _, s := range symbols {
		lengths[length(s)-1]++
	}
	return lengths, symbols
}

// assign gives codes to symbols in order.
func assign(lengths [16]byte, symbols []byte) map[byte]code {
	codes := map[byte]code{}
	next := 0
	for i, n := range lengths {
		for _, s := range symbols[:n] {
			codes[s] = code{next, i + 1}
			next++
		}
		symbols = symbols[n:]
		next <<= 1
	}
	return codes
}

// data writes tokens as bits.
func (w *writer) data(tokens []token, codes [4]map[byte]code) {
	acc, n, restarts := 0, 0, 0
	put := func(v, size int) {
		acc, n = acc<<size|v, n+size
		for ; n >= 8; n -= 8 {
			b := byte(acc >> (n - 8))
			w.out.WriteByte(b)
			if b == 0xff {
				w.out.WriteByte(0)
			}
		}
		acc &= 1<<n - 1
	}
	pad := func() { put(1<<(-n&7)-1, -n&7) }
	for _, t := range tokens {
		switch {
		case t.table == -2:
			pad()
			w.out.Write([]byte{0xff, byte(0xd0 + restarts%8)})
			restarts++
			continue
		case t.table >= 0:
			c := codes[t.table][t.symbol]
			put(c.bits, c.n)
		}
		put(t.bits, t.n)
	}
	pad()
}
