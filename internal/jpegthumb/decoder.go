// decoder.go goes from scan to scan until the picture is whole.

package jpegthumb

import (
	"context"
	"errors"
	"io"
)

// decoder is the state of one Decode.
type decoder struct {
	ctx    context.Context
	source source
	bits   stream
	scale  Scale
	colour Colour
	begun  bool // the planes are there

	frame   frame
	steps   [4][64]int32 // quantization, in zigzag order
	huffman [2][4]table  // of DC and AC
	restart int          // MCUs between restarts, 0 if there are none
	jfif    bool
	adobe   adobe
	scanLen int // bytes of the scan's header that is next

	endRun int // blocks that end before they began, in a progressive scan
}

// decode reads scans until nothing is missing that the scale needs.
func (d *decoder) decode() error {
	if err := d.untilScan(); err != nil {
		return err
	}
	d.frame.allocate(d.scale, d.colour)
	d.begun = true
	err := cut(d.scans())
	if d.frame.progressive {
		return errors.Join(err, d.render())
	}
	return err
}

// scans decodes the scan that is next, and those behind it.
func (d *decoder) scans() error {
	for {
		s, err := d.readScan(d.scanLen)
		if err != nil {
			return err
		}
		if err := s.decode(); err != nil {
			return err
		}
		if d.frame.whole() {
			return nil
		}
		more, err := d.nextScan()
		if err != nil || !more {
			return err
		}
	}
}

// nextScan reads what is between scans. There may be none where one is missing: whoever wrote the
// file meant it to end.
func (d *decoder) nextScan() (more bool, err error) {
	for {
		marker, n, err := d.segment()
		switch {
		case err != nil:
			return false, err
		case marker == eoi:
			return false, nil
		case marker == sos:
			d.scanLen = n
			return true, nil
		}
		if err := d.tables(marker, n); err != nil {
			return false, err
		}
	}
}

// cut makes the end of the data a damage.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("file is short")
	}
	return err
}
