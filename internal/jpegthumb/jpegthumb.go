// jpegthumb.go is the face of the package: scales, the header, and Decode.

// Package jpegthumb decodes JPEGs at a part of their size, straight from the DCT coefficients.
//
// At 1/8 it takes the mean of each block and steps over everything else, at 1/4 and 1/2 the lowest
// frequencies; of progressive files it reads the scans that matter and no further. It knows
// sequential and progressive Huffman-coded files of 8 bits in gray, YCbCr of any usual sampling,
// and RGB. Anything else is ErrUnusual: use image/jpeg, which knows more and is slower. Colour
// profiles and EXIF are not looked at.
package jpegthumb

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
)

// Scale is a part of the full size in eighths.
type Scale int

// The scales that Decode knows.
const (
	Eighth  Scale = 1
	Quarter Scale = 2
	Half    Scale = 4
)

// Colour says how many samples colour gets, where the file has fewer of them than of luma.
type Colour int

// The ways to treat such colour. Half of the width or height is usual.
const (
	// Coarse keeps what is a half a half, and makes that of a quarter. It is for pictures that will
	// be made smaller by a factor of two or more.
	Coarse Colour = iota
	// Fine makes as many samples as there are of luma, up to a half of the full size. It takes
	// more time: in a progressive file, it has to be read further.
	Fine
)

// Of returns how many samples n pixels become: the last one may reach beyond the picture.
func (s Scale) Of(n int) int { return (n*int(s) + 7) / 8 }

// ErrUnusual is returned for JPEGs that image/jpeg may decode and this package does not: CMYK,
// arithmetic coding, 12 bits, odd sampling and the like.
var ErrUnusual = errors.New("jpegthumb: unusual JPEG")

// ErrDamaged is returned, wrapped, for what is not a JPEG or not a whole one.
var ErrDamaged = errors.New("jpegthumb: damaged JPEG")

func damaged(why string) error { return fmt.Errorf("%w: %s", ErrDamaged, why) }

func unusual(what string) error { return fmt.Errorf("%w: %s", ErrUnusual, what) }

// Header is what a JPEG says of itself before its first scan.
type Header struct {
	Width, Height int
	Progressive   bool
	// Blocks is how many blocks of 64 samples there are, of all components.
	Blocks int64

	frame frame
}

// Memory returns how many bytes Decode holds at most, the picture that it returns included.
func (h Header) Memory(s Scale, c Colour) int64 { return h.frame.memory(s, c) + int64(buffers) }

// FullMemory returns how many bytes image/jpeg holds at most for the full size, the picture that it
// returns included.
func (h Header) FullMemory() int64 {
	if h.frame.components == nil || h.frame.rgb { // up to four planes, and a picture made of them
		wide, high := int64(h.Width+31)&^31, int64(h.Height+31)&^31
		return wide * high * (8 + 16*int64(h.frame.coefficients()))
	}
	return h.Blocks * 64 * (1 + 4*int64(h.frame.coefficients()))
}

// ReadHeader reads r up to its first scan and decodes nothing. It returns ErrUnusual or ErrDamaged,
// wrapped, or the error of r. Width, Height and FullMemory are right beside ErrUnusual too, if the
// file said them before what is unusual.
func ReadHeader(r io.Reader) (Header, error) {
	d := decoder{source: source{r: r, store: make([]byte, headerLen)}, adobe: adobeNone}
	err := d.untilScan()
	f := d.frame
	return Header{Width: f.width, Height: f.height, Progressive: f.progressive,
		Blocks: f.blocks(), frame: f}, err
}

// Decode returns the JPEG in r at a scale, as an *image.YCbCr, *image.Gray or, of JPEGs that hold
// RGB, *image.RGBA. Its bounds are Scale.Of the full ones. It holds memory in proportion to what it
// returns, and reads no further than it needs.
//
// It stops at once if r fails and soon after ctx is done. Of damaged or short data it returns what
// was decoded, gray where nothing was, beside an error; nil where that is nothing.
func Decode(ctx context.Context, r io.Reader, s Scale, c Colour) (image.Image, error) {
	if s != Eighth && s != Quarter && s != Half {
		panic(fmt.Sprintf("jpegthumb: no scale of %d/8", s))
	}
	d := decoder{ctx: ctx, scale: s, colour: c, adobe: adobeNone}
	d.source = source{r: r, store: make([]byte, sourceLen)}
	err := d.decode()
	if !d.begun || errors.Is(err, ErrUnusual) {
		return nil, err
	}
	return d.frame.image(), err
}
