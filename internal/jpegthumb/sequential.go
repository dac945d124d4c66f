// sequential.go decodes the blocks of sequential scans.

package jpegthumb

var (
	errCode = damaged("no such Huffman code")
	errDC   = damaged("DC coefficient is too large")
	errRun  = unusual("end of several blocks in a sequential scan")
)

// sequential decodes a block as far as it is wanted, and steps over the rest.
func (s *scan) sequential(p *part, x, y int) error {
	if err := s.bits.ready(); err != nil {
		return err
	}
	if err := p.readDC(s.bits); err != nil {
		return err
	}
	if p.last == 0 {
		at := y*p.stride + x
		p.plane[at] = sample(p.before * p.steps[0])
		return s.bits.stepOver(1, p.ac)
	}
	var b block
	b[0] = p.before * p.steps[0]
	if err := p.readAC(s.bits, &b); err != nil {
		return err
	}
	p.put(&b, x, y)
	return nil
}

// readDC adds to p.before what this block has more.
func (p *part) readDC(b *stream) error {
	size, ok := p.dc.symbol(b)
	if !ok {
		return errCode
	}
	if size > 16 {
		return errDC
	}
	p.before += b.extend(size)
	return nil
}

// readAC reads the coefficients that are wanted, and steps over the rest.
func (p *part) readAC(bits *stream, b *block) error {
	for z := 1; z <= p.last; z++ {
		symbol, ok := p.ac.symbol(bits)
		if !ok {
			return errCode
		}
		run, size := int(symbol>>4), symbol&15
		if size == 0 && run == 0 {
			return nil
		}
		if size == 0 && run != 15 {
			return errRun
		}
		z += run
		if z > 63 {
			return nil
		}
		if v := bits.extend(size); z <= p.last {
			b[p.place[z]] = v * p.steps[z]
			continue
		}
		return bits.stepOver(z+1, p.ac)
	}
	return bits.stepOver(p.last+1, p.ac)
}

// stepOver steps over the coefficients of a block from z on, as many at a time as the table knows.
// This is what most of the time goes into.
func (b *stream) stepOver(z int, t *table) error {
	for z < 64 {
		b.need()
		e := t.skips[b.acc>>(64-skipBits)]
		next := z + e.places()
		if e&skipEnd != 0 && next < 64 {
			b.take(e.bits())
			return nil
		}
		if e == 0 || e&skipEnd != 0 || next > 64 {
			var err error
			if z, err = b.stepOne(z, t); err != nil {
				return err
			}
			continue
		}
		b.take(e.bits())
		z = next
	}
	return nil
}

// stepOne steps over one coefficient, and returns which is next.
func (b *stream) stepOne(z int, t *table) (int, error) {
	symbol, ok := t.symbol(b)
	if !ok {
		return 0, errCode
	}
	run, size := int(symbol>>4), symbol&15
	switch {
	case symbol == 0:
		return 64, nil
	case size == 0 && run != 15:
		return 0, errRun
	}
	if z += run; z < 64 {
		b.take(size)
	}
	return z + 1, nil
}
