// scan.go walks over the blocks of a scan, restarts included.

package jpegthumb

// scan is one pass over some components.
type scan struct {
	*decoder
	parts []part
	bits  *stream

	first, last int // coefficients, in zigzag order: 0, 63 unless progressive
	high, low   int // successive approximation: low bits are still missing, high were before
}

// part is a component in a scan.
type part struct {
	*component
	dc, ac *table
	steps  *[64]int32
	before int32 // the last block's DC coefficient
}

// readScan reads the header of a scan.
func (d *decoder) readScan(n int) (*scan, error) {
	var p [1 + 2*3 + 3]byte
	if n < 6 || n > len(p) {
		return nil, damaged("scan header has a wrong length")
	}
	if err := d.source.take(p[:n]); err != nil {
		return nil, err
	}
	count := int(p[0])
	if n != 4+2*count || count > len(d.frame.components) {
		return nil, damaged("scan header has a wrong length")
	}
	s := &scan{decoder: d, bits: &d.bits, last: 63}
	for i := range count {
		if err := s.join(p[1+2*i], p[2+2*i]); err != nil {
			return nil, err
		}
	}
	if !d.frame.progressive {
		return s, nil
	}
	tail := p[1+2*count:]
	s.first, s.last = int(tail[0]), int(tail[1])
	s.high, s.low = int(tail[2]>>4), int(tail[2]&15)
	return s, s.checkProgress()
}

// join adds a component and its tables.
func (s *scan) join(id, tables byte) error {
	for _, other := range s.parts {
		if other.id == id {
			return damaged("a component twice in a scan")
		}
	}
	dc, ac := tables>>4, tables&15
	if dc > 3 || ac > 3 {
		return damaged("no such Huffman table")
	}
	for i := range s.frame.components {
		c := &s.frame.components[i]
		if c.id == id {
			s.parts = append(s.parts, part{component: c, steps: &s.steps[c.table],
				dc: &s.huffman[0][dc], ac: &s.huffman[1][ac]})
			return nil
		}
	}
	return damaged("a scan of no component")
}

// decode reads the scan's data, or steps over it if it does not matter.
func (s *scan) decode() error {
	if s.frame.progressive {
		return s.decodeProgress()
	}
	for i := range s.parts {
		s.parts[i].ac.readySkips()
	}
	if err := s.walk((*scan).sequential); err != nil {
		return err
	}
	for _, p := range s.parts {
		p.done = true
	}
	return nil
}

// walk calls each for every block, in the order of the scan.
func (s *scan) walk(each func(s *scan, p *part, x, y int) error) error {
	s.begin()
	if len(s.parts) == 1 {
		return s.walkOne(each)
	}
	mcu := 0
	for y := range s.frame.down {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		for x := range s.frame.across {
			if err := s.restartAt(mcu); err != nil {
				return err
			}
			mcu++
			if err := s.mcu(x, y, each); err != nil {
				return err
			}
		}
	}
	return s.bits.check()
}

// mcu calls each for the blocks of an MCU.
func (s *scan) mcu(mx, my int, each func(*scan, *part, int, int) error) error {
	for i := range s.parts {
		p := &s.parts[i]
		for y := my * p.v; y < (my+1)*p.v; y++ {
			for x := mx * p.h; x < (mx+1)*p.h; x++ {
				if err := each(s, p, x, y); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// walkOne is walk for a component alone, whose blocks come row by row without what is only there to
// fill MCUs.
func (s *scan) walkOne(each func(*scan, *part, int, int) error) error {
	p := &s.parts[0]
	n := 0
	for y := range p.tall {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		for x := range p.wide {
			if err := s.restartAt(n); err != nil {
				return err
			}
			n++
			if err := each(s, p, x, y); err != nil {
				return err
			}
		}
	}
	return s.bits.check()
}

// begin forgets what the last scan, or what is before a restart, has left.
func (s *scan) begin() {
	s.bits.start(&s.source)
	s.endRun = 0
	for i := range s.parts {
		s.parts[i].before = 0
	}
}

// restartAt reads the restart marker before the n-th MCU, if there is to be one.
func (s *scan) restartAt(n int) error {
	if s.restart == 0 || n == 0 || n%s.restart != 0 {
		return nil
	}
	if err := s.bits.check(); err != nil {
		return err
	}
	marker, err := s.source.marker(isMarker)
	if err != nil {
		return err
	}
	if want := rst0 + byte(n/s.restart-1)%8; marker != want {
		return damaged("a restart is missing")
	}
	s.begin()
	return nil
}
