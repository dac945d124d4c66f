// make.go goes from a file to its thumbnail: header, memory, decoder, kernel, orientation, encoder.

package thumb

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/tiff"

	"github.com/larder-go/larder/internal/jpegthumb"
)

// make makes a thumbnail of any kind of file.
func (m *Maker) make(r *reader, size int) (Thumb, error) {
	k := kindOf(r.head, r.file.Name)
	switch {
	case k == Raw:
		return m.raw(r, size)
	case k.NeedsProgram():
		return m.byProgram(r, k, containerSize(k, r), size)
	}
	return m.decode(r, k, unknown, size)
}

// decode makes a thumbnail of what this package decodes. It is turned by o if that is valid, else
// by what the file says.
func (m *Maker) decode(r *reader, k Kind, o orientation, size int) (Thumb, error) {
	h, err := readHeader(k, r, size)
	if o.valid() {
		h.orientation = o
	}
	for _, w := range h.ways {
		var s small
		if s, err = m.follow(r, h, w, size); err == nil {
			return m.finish(s, h)
		}
		if !errors.Is(err, jpegthumb.ErrUnusual) {
			break
		}
	}
	if h.unsupported(r, err) || h.unwieldy(err) {
		full := image.Pt(h.orientation.size(h.width, h.height))
		if t, failed := m.byProgram(r, k, full, size); failed == nil {
			return t, nil
		}
	}
	return Thumb{}, err
}

// unsupported reports whether a picture is whole for all that is known, and not too large, but of a
// kind that its decoder does not know: CMYK in TIFF, an animated WebP, JPEG with arithmetic coding.
func (h header) unsupported(r *reader, err error) bool {
	var inTIFF tiff.UnsupportedError
	var inJPEG jpeg.UnsupportedError
	animated := h.kind == WebP && string(r.head[12:16]) == "VP8X" && r.head[20]&0x02 != 0
	return errors.Is(err, ErrDamaged) &&
		(animated || errors.As(err, &inTIFF) || errors.As(err, &inJPEG))
}

// manyPixels is how large a TIFF is passed to a program at most: that takes time, if not memory.
const manyPixels = 256 << 20

// unwieldy reports whether a picture is a TIFF of ordinary size whose decoder would need too much:
// it holds a strip whole, and many programs write the picture as one. vipsthumbnail reads lines.
func (h header) unwieldy(err error) bool {
	return h.kind == TIFF && errors.Is(err, ErrTooLarge) &&
		int64(h.width)*int64(h.height) <= manyPixels
}

// follow decodes a picture in one way and shrinks it.
func (m *Maker) follow(r *reader, h header, w way, size int) (s small, err error) {
	wide, high := fit(h.width, h.height, size)
	free, err := m.budget.take(r.ctx, r.held+w.memory+16*int64(wide)*int64(high))
	if err != nil {
		return small{}, fmt.Errorf("%w, for %d x %d pixels", err, h.width, h.height)
	}
	defer free()
	defer func() {
		if p := recover(); p != nil { // of a decoder: the data is untrusted, and so is its code
			err = damaged(fmt.Errorf("decoder panics: %v", p))
		}
	}()
	picture, err := w.decode(r.ctx, r.again())
	if errors.Is(err, jpegthumb.ErrUnusual) {
		return small{}, err
	}
	if err != nil {
		return small{}, r.fail(err)
	}
	e := extent{float64(h.width) * w.scale, float64(h.height) * w.scale}
	return shrink(r.ctx, picture, e, image.Pt(wide, high)), r.ctx.Err()
}

// finish turns and encodes a small picture.
func (m *Maker) finish(s small, h header) (Thumb, error) {
	s = h.orientation.apply(s)
	t := Thumb{Hash: hash(s)}
	t.Width, t.Height = h.orientation.size(h.width, h.height)
	var out bytes.Buffer
	var err error
	if s.opaque() {
		t.Type = "image/jpeg"
		err = jpeg.Encode(&out, s.image(), &jpeg.Options{Quality: m.options.Quality})
	} else {
		t.Type = "image/png"
		err = png.Encode(&out, s.image())
	}
	t.Bytes = out.Bytes()
	return t, err
}

const maxPreview = 1 << 20 // pixels: cameras write 160 x 120, some 640 x 480

// preview makes a thumbnail of the small picture in the head of a file.
func (m *Maker) preview(r *reader) (Thumb, error) {
	none := fmt.Errorf("thumb: %w", ErrNoPreview)
	if kindOf(r.head, r.file.Name) != JPEG {
		return Thumb{}, none
	}
	j, err := jpegthumb.ReadHeader(bytes.NewReader(r.head))
	if j.Width == 0 || err != nil && !errors.Is(err, jpegthumb.ErrUnusual) {
		return Thumb{}, none
	}
	meta := parseEXIF(exifOfJPEG(r.head))
	c, err := jpeg.DecodeConfig(bytes.NewReader(meta.preview))
	if err != nil || c.Width < 1 || c.Height < 1 || c.Width*c.Height > maxPreview {
		return Thumb{}, none
	}
	picture, err := jpeg.Decode(bytes.NewReader(meta.preview))
	if err != nil {
		return Thumb{}, none
	}
	h := header{width: j.Width, height: j.Height, orientation: meta.orientation}
	return m.finish(h.crop(picture), h)
}
