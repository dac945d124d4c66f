// progressive.go gathers the coefficients of progressive files, and makes samples of them.

package jpegthumb

import "math/bits"

// progress is what is known of a component's coefficients.
type progress struct {
	done   bool    // nothing is missing
	values []int16 // nh*nv to a block
	// seen says which coefficients of a block are not zero, in zigzag order: what refines them
	// depends on that, even of those that nobody wants. nil where only the means are wanted.
	seen []uint64
	// missing says how many low bits of a coefficient are still to come; 16 if all.
	missing [25]uint8
}

const nothing = 16 // bits missing where nothing has come

// progressLen returns how many bytes a block needs besides its samples.
func (c *component) progressLen() int64 {
	n := int64(2 * c.nh * c.nv)
	if c.last > 0 {
		n += 8
	}
	return n
}

func (c *component) newProgress(blocks int) (p progress) {
	p.values = make([]int16, c.nh*c.nv*blocks)
	if c.last > 0 {
		p.seen = make([]uint64, blocks)
	}
	for i := range p.missing {
		p.missing[i] = nothing
	}
	return p
}

// whole reports whether nothing is missing.
func (f *frame) whole() bool {
	for i := range f.components {
		if !f.components[i].done {
			return false
		}
	}
	return true
}

func (s *scan) checkProgress() error {
	switch {
	case s.first == 0 && s.last != 0, s.first > s.last, s.last > 63:
		return damaged("coefficients of a scan")
	case s.first != 0 && len(s.parts) != 1:
		return damaged("AC coefficients of several components")
	case s.high != 0 && s.high != s.low+1:
		return damaged("approximation of a scan")
	}
	return nil
}

// decodeProgress reads a scan that matters.
func (s *scan) decodeProgress() error {
	if !s.matters() {
		return nil // the search for the next marker steps over it
	}
	each := (*scan).firstDC
	switch {
	case s.first == 0 && s.high > 0:
		each = (*scan).refineDC
	case s.first > 0 && s.high > 0:
		each = (*scan).refineAC
	case s.first > 0:
		each = (*scan).firstAC
	}
	if err := s.walk(each); err != nil {
		return err
	}
	for _, p := range s.parts {
		p.note(s)
	}
	return nil
}

// matters reports whether a scan has something to say of what is wanted. Where a component's
// wanted coefficients are not whole, so has every scan of it: what it says of others tells how a
// later one is to be read.
func (s *scan) matters() bool {
	if s.first == 0 {
		return true
	}
	p := s.parts[0]
	return p.last > 0 && !p.done
}

// note marks what a scan has brought.
func (c *component) note(s *scan) {
	for z := s.first; z <= min(s.last, c.last); z++ {
		c.missing[z] = uint8(s.low)
	}
	c.done = true
	for z := range c.last + 1 {
		if c.place[z] != trash && c.missing[z] > 0 {
			c.done = false
		}
	}
}

// firstDC reads a mean for the first time.
func (s *scan) firstDC(p *part, x, y int) error {
	if err := s.bits.ready(); err != nil {
		return err
	}
	if err := p.readDC(s.bits); err != nil {
		return err
	}
	p.values[(y*p.stride+x)*p.nh*p.nv] = int16(p.before << s.low)
	return nil
}

// refineDC reads one more bit of a mean.
func (s *scan) refineDC(p *part, x, y int) error {
	if err := s.bits.ready(); err != nil {
		return err
	}
	s.bits.need()
	p.values[(y*p.stride+x)*p.nh*p.nv] |= int16(s.bits.take(1) << s.low)
	return nil
}

// firstAC reads other coefficients for the first time.
func (s *scan) firstAC(p *part, x, y int) error {
	if s.endRun > 0 {
		s.endRun--
		return nil
	}
	if err := s.bits.ready(); err != nil {
		return err
	}
	at := y*p.stride + x
	for z := s.first; z <= s.last; z++ {
		symbol, ok := p.ac.symbol(s.bits)
		if !ok {
			return errCode
		}
		run, size := int(symbol>>4), symbol&15
		if size == 0 && run < 15 {
			s.readRun(symbol >> 4)
			s.endRun--
			return nil
		}
		if z += run; z > s.last || size == 0 {
			continue
		}
		p.set(at, z, s.bits.extend(size)<<s.low)
	}
	return nil
}

// readRun reads for how many blocks there is nothing more.
func (s *scan) readRun(size uint) {
	s.bits.need()
	s.endRun = 1<<size + int(s.bits.take(size))
}

// set keeps a coefficient that was zero.
func (p *part) set(at, z int, v int32) {
	p.seen[at] |= 1 << z
	if i := p.index(at, z); i >= 0 {
		p.values[i] = int16(v)
	}
}

// index returns where a coefficient is kept, -1 if it is not.
func (p *part) index(at, z int) int {
	if z > p.component.last || p.place[z] == trash {
		return -1
	}
	place := int(p.place[z])
	return at*p.nh*p.nv + place>>2*p.nh + place&3
}

// refineAC reads one more bit of what is not zero, and what is no longer zero.
func (s *scan) refineAC(p *part, x, y int) error {
	if err := s.bits.ready(); err != nil {
		return err
	}
	at, z := y*p.stride+x, s.first
	for ; z <= s.last && s.endRun == 0; z++ {
		symbol, ok := p.ac.symbol(s.bits)
		if !ok {
			return errCode
		}
		run, size := int(symbol>>4), symbol&15
		if size == 0 && run < 15 {
			s.readRun(symbol >> 4)
			break
		}
		if size > 1 {
			return errCode
		}
		sign := s.bits.extend(size)
		if z = s.refineNonzero(p, at, z, run); z > s.last {
			return damaged("too many coefficients")
		}
		if size == 1 {
			p.set(at, z, sign<<s.low)
		}
	}
	if s.endRun > 0 {
		s.endRun--
		s.refineNonzero(p, at, z, 64)
	}
	return nil
}

// refineNonzero refines what is not zero from z on, until it has passed as many zeros as there are
// in run, and returns the place of the next.
func (s *scan) refineNonzero(p *part, at, z, run int) int {
	seen := p.seen[at]
	for z <= s.last {
		zeros := min(bits.TrailingZeros64(seen>>z), s.last+1-z)
		if run < zeros {
			return z + run
		}
		run, z = run-zeros, z+zeros
		if z > s.last {
			break
		}
		s.bits.need()
		if s.bits.take(1) == 1 {
			if i := p.index(at, z); i >= 0 {
				p.refine(i, int16(1)<<s.low)
			}
		}
		z++
	}
	return z
}

// refine moves a coefficient away from zero.
func (p *part) refine(i int, by int16) {
	if p.values[i] < 0 {
		by = -by
	}
	p.values[i] += by
}

// render makes samples of what has come.
func (d *decoder) render() error {
	for i := range d.frame.components {
		c := &d.frame.components[i]
		for y := range d.frame.down * c.v {
			if err := d.ctx.Err(); err != nil {
				return err
			}
			for x := range c.stride {
				b := c.gather(y*c.stride+x, &d.steps[c.table])
				c.put(&b, x, y)
			}
		}
	}
	return nil
}

// gather returns a block's coefficients times their steps.
func (c *component) gather(at int, steps *[64]int32) (b block) {
	values := c.values[at*c.nh*c.nv:]
	for z, place := range c.place[:c.last+1] {
		if place != trash {
			b[place] = int32(values[int(place)>>2*c.nh+int(place)&3]) * steps[z]
		}
	}
	return b
}
