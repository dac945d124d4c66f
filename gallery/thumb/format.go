// format.go reads headers: how large a picture is, what decoding it takes, and how it is done.

package thumb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/larder-go/larder/internal/jpegthumb"
)

// maxSide is how many pixels a picture may have across or down, whatever its format: products of
// such numbers do not overflow.
const maxSide = 1 << 20

// header is what is known of a picture before it is decoded. Width and height are as it is stored.
type header struct {
	kind          Kind
	width, height int
	orientation   orientation
	// ways to decode it, to be tried in turn as long as they answer jpegthumb.ErrUnusual.
	ways []way
}

// way is one of decoding a picture.
type way struct {
	memory int64 // bytes that it takes
	decode func(ctx context.Context, r io.Reader) (image.Image, error)
	scale  float64 // of what it returns
}

// full is the one way of a decoder that knows only the full size.
func full(memory int64, decode func(io.Reader) (image.Image, error)) []way {
	return []way{{memory, func(_ context.Context, r io.Reader) (image.Image, error) {
		return decode(r)
	}, 1}}
}

// readHeader reads the header of a picture that is to become one of size pixels.
func readHeader(k Kind, r *reader, size int) (h header, err error) {
	switch k {
	case JPEG:
		h, err = jpegHeader(r, size)
	case PNG:
		h, err = pngHeader(r)
	case GIF:
		h, err = gifHeader(r)
	case WebP:
		h, err = webpHeader(r)
	case TIFF:
		h, err = tiffHeader(r)
	case BMP:
		h, err = bmpHeader(r)
	default:
		return h, fmt.Errorf("thumb: %w", ErrFormat)
	}
	if err == nil && (h.width < 1 || h.height < 1) {
		err = damaged(fmt.Errorf("%d x %d pixels", h.width, h.height))
	}
	if err == nil && (h.width > maxSide || h.height > maxSide) {
		err = fmt.Errorf("thumb: %w: %d x %d pixels", ErrTooLarge, h.width, h.height)
	}
	if err != nil {
		return header{}, err
	}
	h.kind = k
	if k != TIFF {
		h.orientation = readMeta(k, r).orientation
	}
	return h, nil
}

// margin is how many times larger than wanted a reduced JPEG is at least. The frequencies that it
// lacks are above those that the kernel leaves, so that very little is lost: at 1.15 the worst
// picture of the tests is 39 dB from the exact way, at 1.0 it would be 34.
const margin = 1.15

// fineBelow is how many times larger a reduced JPEG has to be for colour to get along with half of
// the samples.
const fineBelow = 2.25

func jpegHeader(r *reader, size int) (header, error) {
	j, err := jpegthumb.ReadHeader(r.again())
	if err != nil && !(errors.Is(err, jpegthumb.ErrUnusual) && j.Width > 0) {
		return header{}, r.fail(err)
	}
	h := header{width: j.Width, height: j.Height}
	if err == nil && r.file.Size*8 < j.Blocks {
		return h, damaged(fmt.Errorf("%d bytes for %d x %d pixels", r.file.Size, j.Width, j.Height))
	}
	if s, colour := scaleOf(j, size); s > 0 && err == nil {
		h.ways = append(h.ways, way{j.Memory(s, colour),
			func(ctx context.Context, r io.Reader) (image.Image, error) {
				return jpegthumb.Decode(ctx, r, s, colour)
			}, float64(s) / 8})
	}
	h.ways = append(h.ways, full(j.FullMemory(), jpeg.Decode)...)
	return h, nil
}

// scaleOf returns the smallest scale at which j is still margin times what is wanted; 0 if only its
// full size is.
func scaleOf(j jpegthumb.Header, size int) (jpegthumb.Scale, jpegthumb.Colour) {
	w, h := fit(j.Width, j.Height, size)
	larger := min(float64(j.Width)/float64(w), float64(j.Height)/float64(h)) / 8
	for _, s := range []jpegthumb.Scale{jpegthumb.Eighth, jpegthumb.Quarter, jpegthumb.Half} {
		switch ratio := larger * float64(s); {
		case ratio >= fineBelow:
			return s, jpegthumb.Coarse
		case ratio >= margin:
			return s, jpegthumb.Fine
		}
	}
	return 0, jpegthumb.Fine
}

func pngHeader(r *reader) (header, error) {
	if len(r.head) < 29 || string(r.head[12:16]) != "IHDR" {
		return header{}, damaged(io.ErrUnexpectedEOF)
	}
	p := r.head[16:]
	w, h := binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:])
	depth, color, interlaced := p[8], p[9], p[12] != 0
	bytes := map[byte]int64{0: 1, 2: 4, 3: 1, 4: 4, 6: 4}[color]
	if color == 0 && chunkOfPNG(r.again(), "tRNS") != nil {
		bytes = 4
	}
	if depth == 16 {
		bytes *= 2
	}
	if interlaced { // passes are pictures of their own
		bytes *= 2
	}
	if w > maxSide || h > maxSide {
		return header{width: int(w), height: int(h)}, nil
	}
	memory := int64(w)*int64(h)*bytes + 20*int64(w)
	return header{width: int(w), height: int(h), ways: full(memory, png.Decode)}, nil
}

func gifHeader(r *reader) (header, error) {
	if len(r.head) < 10 {
		return header{}, damaged(io.ErrUnexpectedEOF)
	}
	w := int(binary.LittleEndian.Uint16(r.head[6:]))
	h := int(binary.LittleEndian.Uint16(r.head[8:]))
	return header{width: w, height: h, ways: full(int64(w)*int64(h), gif.Decode)}, nil
}

// webpHeader counts what x/image/webp takes: three planes for lossy files; for lossless ones, and
// alpha, the pixels before and after each transform.
func webpHeader(r *reader) (header, error) {
	c, err := webp.DecodeConfig(r.again())
	if err != nil {
		return header{}, r.fail(err)
	}
	_, lossless := findWebP(r.again(), "VP8L")
	alpha := string(r.head[12:16]) == "VP8X" && r.head[20]&0x10 != 0
	bytes := int64(2)
	if lossless || alpha {
		bytes = 12
	}
	memory := int64(c.Width+32)*int64(c.Height+32)*bytes + min(r.file.Size, 64<<20)
	return header{width: c.Width, height: c.Height, ways: full(memory, decodeWebP)}, nil
}

func tiffHeader(r *reader) (header, error) {
	all, err := directories(r)
	if err != nil {
		return header{}, r.fail(err)
	}
	d := all[0]
	w, h := d.first(tagWidth, 0), d.first(tagHeight, 0)
	head := header{width: int(w), height: int(h)}
	head.orientation = orientation(d.first(tagOrientation, 1))
	if w <= maxSide && h <= maxSide {
		head.ways = full(tiffMemory(d, r.file.Size), tiff.Decode)
	}
	return head, nil
}

func bmpHeader(r *reader) (header, error) {
	c, err := bmp.DecodeConfig(r.again())
	if err != nil {
		return header{}, r.fail(err)
	}
	memory := int64(c.Width) * int64(c.Height) * 4
	return header{width: c.Width, height: c.Height, ways: full(memory, bmp.Decode)}, nil
}

// fail returns why reading or decoding failed: what the reader said, if it did, or damage.
func (r *reader) fail(err error) error {
	if r.failed != nil {
		return r.failed
	}
	return damaged(err)
}
