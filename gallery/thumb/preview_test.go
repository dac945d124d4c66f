// preview_test.go looks at the small pictures that cameras put into their files.

package thumb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/draw"
	"slices"
	"testing"

	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

// exifWith returns a TIFF block with an orientation, and a preview in its second directory.
func exifWith(orientation int, preview []byte) []byte {
	le := binary.LittleEndian
	b := []byte("II*\x00\x08\x00\x00\x00")
	entry := func(tag, kind uint16, v uint32) {
		b = le.AppendUint16(le.AppendUint16(b, tag), kind)
		b = le.AppendUint32(le.AppendUint32(b, 1), v)
	}
	b = le.AppendUint16(b, 1)
	entry(0x112, 3, uint32(orientation))
	b = le.AppendUint32(b, uint32(len(b)+4))
	b = le.AppendUint16(b, 2)
	entry(0x201, 4, uint32(len(b)+24+4))
	entry(0x202, 4, uint32(len(preview)))
	b = le.AppendUint32(b, 0)
	return append(b, preview...)
}

// photo returns a JPEG as a camera writes it.
func photo(m *image.RGBA, orientation int, preview []byte) []byte {
	block := append([]byte("Exif\x00\x00"), exifWith(orientation, preview)...)
	app1 := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(block)+2))
	return jpegtest.Encode(m, jpegtest.Options{H: 2, V: 2, Extra: append(app1, block...)})
}

func TestThePreviewOfACameraIsUprightAndWithoutBars(t *testing.T) {
	m := jpegtest.Picture(600, 400, 1)
	draw.Draw(m, image.Rect(0, 0, 150, 100), image.White, image.Point{}, draw.Src)
	for o := 1; o <= 8; o++ {
		stored := turned(m, o)
		small := decoded(t, mustMake(t, asPNG(t, stored), 160))
		bars := image.NewRGBA(image.Rect(0, 0, 160, 160)) // black
		at := small.Bounds().Sub(image.Pt(small.Bounds().Dx()/2-80, small.Bounds().Dy()/2-80))
		draw.Draw(bars, at, small, image.Point{}, draw.Src)
		data := photo(stored, o, jpegtest.Encode(bars, jpegtest.Options{}))
		got, err := alone().Preview(context.Background(), file(data))
		if err != nil {
			t.Fatalf("%d: %v", o, err)
		}
		size := decoded(t, got).Bounds().Size()
		if got.Width != 600 || got.Height != 400 || size.X < 158 || size.Y < 105 || size.Y > 109 {
			t.Errorf("%d: %v of %d x %d", o, size, got.Width, got.Height)
		}
		if l := light(decoded(t, got), 0, 0, 1, 1); l < 225 || len(got.Hash) < 5 {
			t.Errorf("%d: lightness %.0f in the corner", o, l)
		}
	}
}

func TestPreviewReadsNoMoreThanTheHead(t *testing.T) {
	data := photo(jpegtest.Picture(800, 600, 1), 1,
		jpegtest.Encode(jpegtest.Picture(160, 120, 1), jpegtest.Options{}))
	f := file(data)
	tooFar := errors.New("too far")
	f.Reader = &broken{Reader: bytes.NewReader(data), after: headLen, failure: tooFar}
	if _, err := alone().Preview(context.Background(), f); err != nil {
		t.Error(err)
	}
}

func TestFilesWithoutAPreviewHaveNone(t *testing.T) {
	m := jpegtest.Picture(60, 40, 1)
	huge := jpegOf(60000, 60000, 0xc0)
	for name, data := range map[string][]byte{
		"PNG":              asPNG(t, m),
		"JPEG":             jpegtest.Encode(m, jpegtest.Options{}),
		"empty preview":    photo(m, 1, nil),
		"broken preview":   photo(m, 1, []byte("\xff\xd8\xff")),
		"huge preview":     photo(m, 1, huge),
		"cut in its EXIF":  photo(m, 1, huge)[:100],
		"nothing":          nil,
		"not even a thing": []byte("hello"),
	} {
		_, err := alone().Preview(context.Background(), file(data))
		if !errors.Is(err, thumb.ErrNoPreview) {
			t.Errorf("%s: %v, want ErrNoPreview", name, err)
		}
	}
}

func TestRawFilesShowTheirLargestJPEG(t *testing.T) {
	preview := jpegtest.Encode(jpegtest.Picture(600, 400, 1), jpegtest.Options{H: 2})
	f := file(exifWith(6, preview))
	f.Name = "DSC_0001.NEF"
	got, err := alone().Make(context.Background(), f, 60)
	if err != nil || got.Width != 400 || got.Height != 600 {
		t.Errorf("%d x %d, %v", got.Width, got.Height, err)
	}
	raf := slices.Concat([]byte("FUJIFILMCCD-RAW "), make([]byte, 68), []byte{0, 0, 0, 92},
		binary.BigEndian.AppendUint32(nil, uint32(len(preview))), preview)
	got, err = alone().Make(context.Background(), file(raf), 60)
	if err != nil || got.Width != 600 {
		t.Errorf("RAF: %d x %d, %v", got.Width, got.Height, err)
	}
}

func TestRawFilesWithoutAJPEGNeedAProgram(t *testing.T) {
	f := file(exifWith(1, []byte("nothing of the kind")))
	f.Name = "x.dng"
	if _, err := alone().Make(context.Background(), f, 60); !errors.Is(err, thumb.ErrNoProgram) {
		t.Errorf("got %v, want ErrNoProgram", err)
	}
}

func BenchmarkPreview(b *testing.B) {
	data := photo(jpegtest.Picture(1200, 800, 1), 6,
		jpegtest.Encode(jpegtest.Picture(160, 120, 1), jpegtest.Options{H: 2}))
	m := alone()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Preview(context.Background(), file(data)); err != nil {
			b.Fatal(err)
		}
	}
}
