// jpegtest.go is the face of the package: what kind of JPEG a test wants.

// Package jpegtest writes JPEGs of every kind for tests: any sampling, restarts, progressive scans,
// EXIF. It is slow, short, and meant to be read beside ITU T.81.
package jpegtest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"image"
)

// Options says what JPEG to write. The zero value is a sequential 4:4:4 one of quality 90.
type Options struct {
	H, V    int // samples of luma across and down for each of colour: 1, 2 or 4, and 1 or 2; 0 is 1
	Gray    bool
	RGB     bool // components are red, green and blue, and Adobe's segment says so
	Quality int  // 1 to 100; 0 is 90
	Restart int  // MCUs between restarts; 0 is none
	// Scans are those of a progressive file. nil means a sequential one.
	Scans []Scan
	// Split makes a scan of each component of a sequential file.
	Split bool
	// Orientation is what EXIF says; 0 is that there is no EXIF.
	Orientation int
	// Extra is put in front of the frame: whole segments.
	Extra []byte
}

// Scan is one of a progressive file: coefficients First to Last of components, without the Low
// lowest bits, of which a scan before had all but High; 0 means that there was none.
type Scan struct {
	Components  []int
	First, Last int
	High, Low   int
}

// Progression returns the scans that most programs write, for colour or gray.
func Progression(gray bool) []Scan {
	if gray {
		return []Scan{{[]int{0}, 0, 0, 0, 1}, {[]int{0}, 1, 5, 0, 2}, {[]int{0}, 6, 63, 0, 2},
			{[]int{0}, 1, 63, 2, 1}, {[]int{0}, 0, 0, 1, 0}, {[]int{0}, 1, 63, 1, 0}}
	}
	return []Scan{
		{[]int{0, 1, 2}, 0, 0, 0, 1}, {[]int{0}, 1, 5, 0, 2}, {[]int{2}, 1, 63, 0, 1},
		{[]int{1}, 1, 63, 0, 1}, {[]int{0}, 6, 63, 0, 2}, {[]int{0}, 1, 63, 2, 1},
		{[]int{0, 1, 2}, 0, 0, 1, 0}, {[]int{2}, 1, 63, 1, 0}, {[]int{1}, 1, 63, 1, 0},
		{[]int{0}, 1, 63, 1, 0},
	}
}

// Bands returns scans that split frequencies without approximation, each component alone.
func Bands(gray bool) (scans []Scan) {
	components := []int{0, 1, 2}
	if gray {
		components = components[:1]
	}
	for _, band := range [][2]int{{0, 0}, {1, 2}, {3, 9}, {10, 63}} {
		for _, c := range components {
			scans = append(scans, Scan{[]int{c}, band[0], band[1], 0, 0})
		}
	}
	return scans
}

// Encode returns m as a JPEG.
func Encode(m image.Image, o Options) []byte {
	o.H, o.V, o.Quality = cmp.Or(o.H, 1), cmp.Or(o.V, 1), cmp.Or(o.Quality, 90)
	w := &writer{options: o}
	w.planes(m)
	w.out.WriteString("\xff\xd8")
	if o.RGB {
		w.segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00"))
	} else {
		w.segment(0xe0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	}
	if o.Orientation != 0 {
		w.segment(0xe1, append([]byte("Exif\x00\x00"), EXIF(o.Orientation)...))
	}
	w.out.Write(o.Extra)
	w.frame(m.Bounds())
	for _, s := range w.scans() {
		w.scan(s)
	}
	w.out.WriteString("\xff\xd9")
	return w.out.Bytes()
}

// EXIF returns a TIFF block that says nothing but an orientation, 1 to 8.
func EXIF(orientation int) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	return append(b, 0, byte(orientation), 0, 0, 0, 0, 0, 0)
}

// segment writes a segment of up to 64 KB.
func (w *writer) segment(marker byte, data []byte) {
	w.out.Write([]byte{0xff, marker})
	w.out.Write(binary.BigEndian.AppendUint16(nil, uint16(len(data)+2)))
	w.out.Write(data)
}

// scans returns those of the options, or of a sequential file.
func (w *writer) scans() []Scan {
	all := make([]int, len(w.components))
	var alone []Scan
	for i := range all {
		all[i] = i
		alone = append(alone, Scan{Components: []int{i}, Last: 63})
	}
	switch {
	case w.options.Scans != nil:
		return w.options.Scans
	case w.options.Split:
		return alone
	}
	return []Scan{{Components: all, Last: 63}}
}

// frame writes the quantization tables and the frame.
func (w *writer) frame(b image.Rectangle) {
	for id := range w.components[:min(2, len(w.components))] {
		table := []byte{byte(id)}
		for _, z := range zigzag {
			table = append(table, byte(w.components[id].steps[z]))
		}
		w.segment(0xdb, table)
	}
	marker := byte(0xc1)
	if w.options.Scans != nil {
		marker = 0xc2
	}
	p := []byte{8}
	p = binary.BigEndian.AppendUint16(p, uint16(b.Dy()))
	p = binary.BigEndian.AppendUint16(p, uint16(b.Dx()))
	p = append(p, byte(len(w.components)))
	for i, c := range w.components {
		p = append(p, byte(i+1), byte(c.h<<4|c.v), byte(min(i, 1)))
	}
	w.segment(marker, p)
	if r := w.options.Restart; r > 0 {
		w.segment(0xdd, []byte{byte(r >> 8), byte(r)})
	}
}

// writer is the state of one Encode.
type writer struct {
	options    Options
	out        bytes.Buffer
	components []*component
	across     int // MCUs
	down       int
}
