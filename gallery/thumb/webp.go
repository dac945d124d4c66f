// webp.go mends what x/image/webp says of colours.

package thumb

import (
	"image"
	"io"

	"golang.org/x/image/webp"
)

// decodeWebP decodes a WebP. The luma of lossy ones is from 16 to 235 and colour from 16 to 240
// (RFC 6386, section 9.2; RFC 9649), which image.YCbCr knows nothing of: without stretching, black
// were gray.
func decodeWebP(r io.Reader) (image.Image, error) {
	m, err := webp.Decode(r)
	switch m := m.(type) {
	case *image.YCbCr:
		stretchAll(m)
	case *image.NYCbCrA:
		stretchAll(&m.YCbCr)
	}
	return m, err
}

func stretchAll(m *image.YCbCr) {
	stretch(m.Y, 16, 0, 219)
	stretch(m.Cb, 128, 128, 224)
	stretch(m.Cr, 128, 128, 224)
}

// stretch spreads a span of values over all 255 of them; what is at from is moved to to.
func stretch(p []byte, from, to, span int) {
	var table [256]byte
	for v := range table {
		scaled := ((v-from)*255*2 + span) / (2 * span)
		if v < from {
			scaled = ((v-from)*255*2 - span) / (2 * span)
		}
		table[v] = byte(min(max(scaled+to, 0), 255))
	}
	for i, v := range p {
		p[i] = table[v]
	}
}
