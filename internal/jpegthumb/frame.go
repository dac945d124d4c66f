// frame.go is the picture that is decoded: its components, and the planes that they become.

package jpegthumb

import (
	"cmp"
	"image"
)

// adobe is what Adobe's segment says of the colours.
type adobe int

const (
	adobeNone adobe = -1
	adobeRGB  adobe = 0
)

// frame is a picture of one or three components.
type frame struct {
	width, height int // in pixels
	progressive   bool
	rgb           bool
	across, down  int // how many MCUs there are
	components    []component
}

// component is one of the planes of a frame.
type component struct {
	id, table  byte // table is that of the quantization steps
	h, v       int  // blocks in an MCU
	wide, tall int  // blocks that have pixels in them
	stride     int  // blocks in a row of MCUs

	nh, nv int       // samples that a block becomes
	last   int       // the last coefficient, in zigzag order, that those need
	place  [25]uint8 // where coefficients go, by zigzag order
	plane  []byte

	progress // of a progressive file
}

// define reads what a frame says of each component, three bytes.
func (f *frame) define(p []byte) error {
	f.components = make([]component, len(p)/3)
	for i := range f.components {
		c := &f.components[i]
		*c = component{id: p[3*i], h: int(p[3*i+1] >> 4), v: int(p[3*i+1] & 15), table: p[3*i+2]}
		for _, other := range f.components[:i] {
			if other.id == c.id {
				return damaged("two components of one name")
			}
		}
		if c.table > 3 || c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return damaged("component")
		}
	}
	if len(f.components) == 1 { // has no MCUs of several blocks, whatever it says
		f.components[0].h, f.components[0].v = 1, 1
	}
	f.measure()
	return nil
}

// measure counts blocks.
func (f *frame) measure() {
	y := f.components[0]
	f.across, f.down = ceil(f.width, 8*y.h), ceil(f.height, 8*y.v)
	for i := range f.components {
		c := &f.components[i]
		c.stride = f.across * c.h
		c.wide = ceil(f.width*c.h, 8*y.h)
		c.tall = ceil(f.height*c.v, 8*y.v)
	}
}

func ceil(n, by int) int { return (n + by - 1) / by }

// usual returns ErrUnusual unless this package decodes the frame.
func (f *frame) usual(transform adobe, jfif bool) error {
	if f.width == 0 || f.height == 0 {
		return unusual("no width or height")
	}
	if len(f.components) == 1 {
		return nil
	}
	y, b, r := f.components[0], f.components[1], f.components[2]
	if b.h != r.h || b.v != r.v || b.h != 1 && b.h != y.h || b.v != 1 && b.v != y.v ||
		y.h == 3 || y.v >= 3 || y.h*y.v+2*b.h*b.v > 10 {
		return unusual("sampling")
	}
	named := y.id == 'R' && b.id == 'G' && r.id == 'B'
	f.rgb = !jfif && (transform == adobeRGB || named)
	if f.rgb && (y.h != b.h || y.v != b.v) {
		return unusual("sampling of RGB")
	}
	return nil
}

// coefficients returns 1 if all coefficients are kept until the last scan, else 0.
func (f *frame) coefficients() int {
	if f.progressive {
		return 1
	}
	return 0
}

func (f *frame) blocks() (n int64) {
	for _, c := range f.components {
		n += int64(c.stride) * int64(f.down*c.v)
	}
	return n
}

// memory returns how many bytes the planes take at a scale, and what else grows with them.
func (f frame) memory(s Scale, colour Colour) (n int64) {
	luma := f.components[0]
	for _, c := range f.components {
		c.reduce(s, colour, luma)
		each := int64(c.nh * c.nv)
		if f.progressive {
			each += c.progressLen()
		}
		n += each * int64(c.stride) * int64(f.down*c.v)
	}
	if f.rgb {
		n += 4 * int64(s.Of(f.width)) * int64(s.Of(f.height))
	}
	return n
}

// allocate makes planes that are gray, or not yet there.
func (f *frame) allocate(s Scale, colour Colour) {
	luma := f.components[0]
	for i := range f.components {
		c := &f.components[i]
		c.reduce(s, colour, luma)
		c.plane = make([]byte, c.nh*c.nv*c.stride*f.down*c.v)
		for i := range c.plane {
			c.plane[i] = 128
		}
		if f.progressive {
			c.progress = c.newProgress(c.stride * f.down * c.v)
		}
	}
}

// reduce decides how many samples each block becomes.
func (c *component) reduce(s Scale, colour Colour, luma component) {
	across, down := luma.h/c.h, luma.v/c.v // samples of luma for each of these
	if colour == Coarse {
		across, down = max(1, across/2), max(1, down/2)
	}
	c.nh, c.nv = min(int(s)*across, 4), min(int(s)*down, 4)
	c.last = [...]int{1: 0, 2: 4, 4: 24}[max(c.nh, c.nv)]
	for z := range c.place {
		u, v := int(zigzag[z]&7), int(zigzag[z]>>3)
		c.place[z] = trash
		if u < c.nh && v < c.nv {
			c.place[z] = uint8(4*v + u)
		}
	}
}

// image returns the planes as a picture of what can be seen of them.
func (f *frame) image() image.Image {
	y := f.components[0]
	bounds := image.Rect(0, 0, ceil(f.width*y.nh, 8), ceil(f.height*y.nv, 8))
	if len(f.components) == 1 {
		return &image.Gray{Pix: y.plane, Stride: y.stride * y.nh, Rect: bounds}
	}
	cb, cr := f.components[1], f.components[2]
	m := &image.YCbCr{
		Y: y.plane, Cb: cb.plane, Cr: cr.plane, Rect: bounds,
		YStride: y.stride * y.nh, CStride: cb.stride * cb.nh,
		SubsampleRatio: ratio(y.h*y.nh/(cb.h*cb.nh), y.v*y.nv/(cb.v*cb.nv)),
	}
	if f.rgb {
		return interleave(m)
	}
	return m
}

// ratio returns the name of h samples of luma across and v down for each of colour.
func ratio(h, v int) image.YCbCrSubsampleRatio {
	names := map[[2]int]image.YCbCrSubsampleRatio{
		{1, 2}: image.YCbCrSubsampleRatio440, {2, 1}: image.YCbCrSubsampleRatio422,
		{2, 2}: image.YCbCrSubsampleRatio420, {4, 1}: image.YCbCrSubsampleRatio411,
		{4, 2}: image.YCbCrSubsampleRatio410,
	}
	return cmp.Or(names[[2]int{h, v}], image.YCbCrSubsampleRatio444)
}

// interleave makes a picture of planes that are red, green and blue.
func interleave(m *image.YCbCr) *image.RGBA {
	out := image.NewRGBA(m.Rect)
	for y := range m.Rect.Dy() {
		row := out.Pix[y*out.Stride : (y+1)*out.Stride]
		for x := range m.Rect.Dx() {
			i := y*m.YStride + x
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = m.Y[i], m.Cb[i], m.Cr[i], 255
		}
	}
	return out
}
