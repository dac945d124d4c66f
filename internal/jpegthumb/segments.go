// segments.go reads what comes before and between scans.

package jpegthumb

import (
	"bytes"
	"fmt"
)

// The markers that matter (ITU T.81, table B.1).
const (
	sof0 = 0xc0 // baseline
	sof1 = 0xc1 // extended sequential
	sof2 = 0xc2 // progressive
	dht  = 0xc4
	jpg  = 0xc8 // reserved
	dac  = 0xcc // arithmetic coding
	sofF = 0xcf // the last of the others: lossless, hierarchical, arithmetic
	rst0 = 0xd0
	rst7 = 0xd7
	soi  = 0xd8
	eoi  = 0xd9
	sos  = 0xda
	dqt  = 0xdb
	dri  = 0xdd
	app0 = 0xe0
	appE = 0xee
	appF = 0xef
	com  = 0xfe
)

// begins reports whether m is a marker that begins or ends something: neither a stuffed byte, nor a
// filling one, nor a restart.
func begins(m byte) bool { return m != 0 && m != 0xff && (m < rst0 || m > rst7) }

// isMarker reports whether m is a marker at all.
func isMarker(m byte) bool { return m != 0 && m != 0xff }

// segment returns the marker of the next segment and how many bytes it has.
func (d *decoder) segment() (marker byte, n int, err error) {
	marker, err = d.source.marker(begins)
	if err != nil || marker == eoi {
		return marker, 0, err
	}
	var size [2]byte
	if err := d.source.take(size[:]); err != nil {
		return 0, 0, err
	}
	n = int(size[0])<<8 + int(size[1]) - 2
	if n < 0 {
		return 0, 0, damaged("segment is too short")
	}
	return marker, n, nil
}

// untilScan reads the start of the file and everything up to its first scan. A header is there
// when it returns nil.
func (d *decoder) untilScan() error {
	var start [2]byte
	if err := d.source.take(start[:]); err != nil {
		return cut(err)
	}
	if start != [2]byte{0xff, soi} {
		return damaged("not a JPEG")
	}
	for {
		marker, n, err := d.segment()
		switch {
		case err != nil:
			return cut(err)
		case marker == eoi:
			return damaged("no scan")
		case marker == sos && d.frame.components == nil:
			return damaged("a scan before its frame")
		case marker == sos:
			d.scanLen = n
			return d.frame.usual(d.adobe, d.jfif)
		}
		if err := d.tables(marker, n); err != nil {
			return cut(err)
		}
	}
}

// tables reads a segment that is no scan.
func (d *decoder) tables(marker byte, n int) error {
	switch {
	case marker == dht:
		return d.readHuffman(n)
	case marker >= sof0 && marker <= sofF && marker != jpg && marker != dac:
		return d.readFrame(marker, n)
	case marker == dqt:
		return d.readQuantization(n)
	case marker == dri:
		return d.readRestarts(n)
	case marker == app0:
		return d.readApp(n, "JFIF\x00", func([]byte) { d.jfif = true })
	case marker == appE:
		return d.readApp(n, "Adobe", d.readTransform)
	case marker >= app0 && marker <= appF, marker == com:
		return d.source.drop(n)
	case marker < sof0:
		return damaged(fmt.Sprintf("marker %#x", marker))
	}
	return unusual(fmt.Sprintf("marker %#x", marker))
}

// readApp reads an application's segment, which is known by its name; known gets a few bytes of
// what is behind that.
func (d *decoder) readApp(n int, name string, known func([]byte)) error {
	p := make([]byte, min(n, 12))
	if err := d.source.take(p); err != nil {
		return err
	}
	if rest, ok := bytes.CutPrefix(p, []byte(name)); ok {
		known(rest)
	}
	return d.source.drop(n - len(p))
}

// readTransform reads what Adobe's programs say of the colours.
func (d *decoder) readTransform(p []byte) {
	if len(p) > 6 {
		d.adobe = adobe(p[6])
	}
}

func (d *decoder) readRestarts(n int) error {
	var p [2]byte
	if n != len(p) {
		return damaged("restart interval has a wrong length")
	}
	err := d.source.take(p[:])
	d.restart = int(p[0])<<8 + int(p[1])
	return err
}

// readQuantization reads tables of 64 steps of 8 or 16 bits, in zigzag order.
func (d *decoder) readQuantization(n int) error {
	var p [1 + 128]byte
	for n > 0 {
		if err := d.source.take(p[:1]); err != nil {
			return err
		}
		wide, id := int(p[0]>>4), p[0]&15
		size := 64 << (wide & 1)
		if wide > 1 || id > 3 || n < 1+size {
			return damaged("quantization table")
		}
		if err := d.source.take(p[1 : 1+size]); err != nil {
			return err
		}
		n -= 1 + size
		for i := range d.steps[id] {
			if wide == 1 {
				d.steps[id][i] = int32(p[1+2*i])<<8 | int32(p[2+2*i])
			} else {
				d.steps[id][i] = int32(p[1+i])
			}
		}
	}
	return nil
}

// readHuffman reads tables: how many codes there are of each length, and their symbols.
func (d *decoder) readHuffman(n int) error {
	var p [1 + longest]byte
	var values [256]byte
	for n > 0 {
		if n < len(p) {
			return damaged("Huffman table is short")
		}
		if err := d.source.take(p[:]); err != nil {
			return err
		}
		codes, counts := 0, [longest]uint8(p[1:])
		for _, c := range counts {
			codes += int(c)
		}
		class, id := p[0]>>4, p[0]&15
		n -= len(p) + codes
		if class > 1 || id > 3 || codes == 0 || codes > len(values) || n < 0 {
			return damaged("Huffman table")
		}
		if err := d.source.take(values[:codes]); err != nil {
			return err
		}
		if err := d.huffman[class][id].define(&counts, values[:codes]); err != nil {
			return err
		}
	}
	return nil
}

// readFrame reads the size of the picture and its components.
func (d *decoder) readFrame(marker byte, n int) error {
	if d.frame.components != nil {
		return damaged("two frames")
	}
	var p [6 + 3*4]byte
	if n < 6 || n > len(p) {
		return unusual("number of components")
	}
	if err := d.source.take(p[:n]); err != nil {
		return err
	}
	d.frame.progressive = marker >= sof2
	d.frame.height = int(p[1])<<8 + int(p[2])
	d.frame.width = int(p[3])<<8 + int(p[4])
	if marker > sof2 {
		return unusual(fmt.Sprintf("marker %#x", marker))
	}
	if n != 6+3*1 && n != 6+3*3 {
		return unusual("number of components")
	}
	if p[0] != 8 {
		return unusual("precision")
	}
	if int(p[5])*3+6 != n {
		return damaged("frame has a wrong length")
	}
	return d.frame.define(p[6:n])
}
