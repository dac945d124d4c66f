// make_test.go makes thumbnails of every format, and of every way to hold a camera.

package thumb_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

// file returns bytes as a file.
func file(data []byte) thumb.File {
	return thumb.File{Reader: bytes.NewReader(data), Size: int64(len(data))}
}

// alone is a Maker that runs no programs.
func alone() *thumb.Maker {
	return thumb.New(thumb.Options{VipsThumbnail: thumb.Never, FFmpeg: thumb.Never})
}

func mustMake(t *testing.T, data []byte, size int) thumb.Thumb {
	t.Helper()
	got, err := alone().Make(context.Background(), file(data), size)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// decoded returns a thumbnail's picture.
func decoded(t *testing.T, th thumb.Thumb) image.Image {
	t.Helper()
	m, format, err := image.Decode(bytes.NewReader(th.Bytes))
	if err != nil || "image/"+format != th.Type {
		t.Fatalf("%s, said to be %s: %v", format, th.Type, err)
	}
	return m
}

// encode returns what an encoder writes.
func encode(t testing.TB, to func(w *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := to(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// convert returns m as another type of picture.
func convert(m image.Image, to draw.Image) image.Image {
	draw.Draw(to, to.Bounds(), m, m.Bounds().Min, draw.Src)
	return to
}

func asPNG(t testing.TB, m image.Image) []byte {
	return encode(t, func(w *bytes.Buffer) error { return png.Encode(w, m) })
}

func asTIFF(t testing.TB, m image.Image, c tiff.CompressionType) []byte {
	o := &tiff.Options{Compression: c, Predictor: c != tiff.Uncompressed}
	return encode(t, func(w *bytes.Buffer) error { return tiff.Encode(w, m, o) })
}

// formats returns one picture in every format that is decoded here.
func formats(t testing.TB, m *image.RGBA) map[string][]byte {
	r := m.Bounds()
	all := map[string][]byte{
		"JPEG":             jpegtest.Encode(m, jpegtest.Options{H: 2, V: 2}),
		"PNG":              asPNG(t, m),
		"PNG 16 bit":       asPNG(t, convert(m, image.NewRGBA64(r))),
		"PNG 16 bit alpha": asPNG(t, convert(m, image.NewNRGBA64(r))),
		"PNG gray":         asPNG(t, convert(m, image.NewGray(r))),
		"PNG gray 16 bit":  asPNG(t, convert(m, image.NewGray16(r))),
		"PNG palette":      asPNG(t, convert(m, image.NewPaletted(r, palette.Plan9))),
		"PNG interlaced":   interlaced(m),
		"TIFF":             asTIFF(t, m, tiff.Uncompressed),
		"TIFF deflate":     asTIFF(t, m, tiff.Deflate),
		"TIFF 16 bit":      asTIFF(t, convert(m, image.NewRGBA64(r)), tiff.Deflate),
		"TIFF gray":        asTIFF(t, convert(m, image.NewGray(r)), tiff.Uncompressed),
		"BMP":              encode(t, func(w *bytes.Buffer) error { return bmp.Encode(w, m) }),
		"BMP palette": encode(t, func(w *bytes.Buffer) error {
			return bmp.Encode(w, convert(m, image.NewPaletted(r, palette.Plan9)))
		}),
		"GIF": encode(t, func(w *bytes.Buffer) error {
			return gif.Encode(w, m, nil)
		}),
	}
	all["JPEG by image/jpeg"] = encode(t, func(w *bytes.Buffer) error {
		return jpeg.Encode(w, m, nil)
	})
	return all
}

// chunk returns a chunk of a PNG.
func chunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// pngHead returns the beginning of a PNG.
func pngHead(w, h int, depth, color, interlace byte) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(w))
	p = binary.BigEndian.AppendUint32(p, uint32(h))
	p = append(p, depth, color, 0, 0, interlace)
	return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", p)...)
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// interlaced returns a PNG in seven passes, which image/png does not write.
func interlaced(m *image.RGBA) []byte {
	passes := [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4},
		{1, 0, 2, 2}, {0, 1, 1, 2}}
	var rows []byte
	size := m.Bounds().Size()
	for _, p := range passes {
		for y := p[1]; y < size.Y && p[0] < size.X; y += p[3] {
			rows = append(rows, 0)
			for x := p[0]; x < size.X; x += p[2] {
				c := m.RGBAAt(x, y)
				rows = append(rows, c.R, c.G, c.B)
			}
		}
	}
	head := pngHead(size.X, size.Y, 8, 2, 1)
	return slices.Concat(head, chunk("IDAT", deflate(rows)), chunk("IEND", nil))
}

// light returns the mean lightness of a part of a picture, given in eighths.
func light(m image.Image, x0, y0, x1, y1 int) float64 {
	b := m.Bounds()
	sum, n := 0.0, 0
	for y := b.Min.Y + b.Dy()*y0/8; y < b.Min.Y+b.Dy()*y1/8; y++ {
		for x := b.Min.X + b.Dx()*x0/8; x < b.Min.X+b.Dx()*x1/8; x++ {
			sum += float64(color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y)
			n++
		}
	}
	return sum / float64(n)
}

func TestEveryFormatBecomesTheSamePicture(t *testing.T) {
	m := jpegtest.Picture(301, 203, 5)
	for name, data := range formats(t, m) {
		got := mustMake(t, data, 64)
		small := decoded(t, got)
		if got.Width != 301 || got.Height != 203 || small.Bounds().Size() != image.Pt(64, 43) {
			t.Errorf("%s: %v of %d x %d", name, small.Bounds().Size(), got.Width, got.Height)
		}
		for i := range 64 {
			x, y := i%8, i/8
			want, have := light(m, x, y, x+1, y+1), light(small, x, y, x+1, y+1)
			if math.Abs(want-have) > 8 {
				t.Errorf("%s: %d, %d is of lightness %.0f, want %.0f", name, x, y, have, want)
			}
		}
	}
}

func TestTheHeaderAloneSaysTheSize(t *testing.T) {
	for name, data := range formats(t, jpegtest.Picture(31, 17, 5)) {
		got, err := alone().Size(context.Background(), file(data))
		if err != nil || got.Width != 31 || got.Height != 17 || got.Kind == thumb.None {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestSmallPicturesKeepTheirSize(t *testing.T) {
	for name, data := range formats(t, jpegtest.Picture(7, 3, 1)) {
		if got := decoded(t, mustMake(t, data, 320)).Bounds().Size(); got != image.Pt(7, 3) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestThinPicturesKeepAPixel(t *testing.T) {
	for _, size := range []image.Point{{2000, 1}, {1, 2000}, {3000, 2}} {
		data := asPNG(t, jpegtest.Picture(size.X, size.Y, 1))
		got := decoded(t, mustMake(t, data, 100)).Bounds().Size()
		if max(got.X, got.Y) != 100 || min(got.X, got.Y) != 1 {
			t.Errorf("%v becomes %v", size, got)
		}
	}
}

func TestTheContentDecidesNotTheName(t *testing.T) {
	f := file(asPNG(t, jpegtest.Picture(20, 20, 1)))
	f.Name = "holiday.jpg"
	if _, err := alone().Make(context.Background(), f, 10); err != nil {
		t.Error(err)
	}
	f.Name = "clip.mp4"
	if _, err := alone().Make(context.Background(), f, 10); err != nil {
		t.Error(err)
	}
}

func TestTransparencyIsKept(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 256, 256))
	for i := range 256 * 256 {
		c := color.NRGBA{R: 255, A: 255}
		if i%256 >= 128 {
			c = color.NRGBA{G: 255} // what cannot be seen must not show
		}
		m.SetNRGBA(i%256, i/256, c)
	}
	got := mustMake(t, asPNG(t, m), 33)
	if got.Type != "image/png" {
		t.Fatalf("type %s", got.Type)
	}
	small := decoded(t, got)
	for x := range 33 {
		c := color.NRGBAModel.Convert(small.At(x, 16)).(color.NRGBA)
		if c.A > 8 && (c.G > 8 || c.R < 240) {
			t.Errorf("at %d: %v", x, c)
		}
	}
	if a := small.At(32, 0).(color.NRGBA).A; a != 0 {
		t.Errorf("alpha %d at the transparent edge", a)
	}
}

func TestTheFirstFrameOfAGIFIsPutInItsPlace(t *testing.T) {
	pal := color.Palette{color.Transparent, color.White}
	frame := image.NewPaletted(image.Rect(20, 20, 40, 40), pal)
	for i := range frame.Pix {
		frame.Pix[i] = 1
	}
	data := encode(t, func(w *bytes.Buffer) error {
		return gif.EncodeAll(w, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1},
			Config: image.Config{ColorModel: pal, Width: 40, Height: 40}})
	})
	got := mustMake(t, data, 20)
	small := decoded(t, got)
	_, _, _, inside := small.At(15, 15).RGBA()
	_, _, _, outside := small.At(4, 4).RGBA()
	if got.Width != 40 || inside != 0xffff || outside != 0 {
		t.Errorf("width %d, alpha %x inside, %x outside", got.Width, inside, outside)
	}
}

// turned returns m as a camera stores it that is held so that orientation o is upright.
func turned(m *image.RGBA, o int) *image.RGBA {
	size := m.Bounds().Size()
	if o >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			// EXIF 2.3: what the 0th row and the 0th column of what is stored are
			right, bottom := m.Rect.Max.X-1, m.Rect.Max.Y-1
			from := [...]image.Point{1: {x, y}, 2: {right - x, y}, 3: {right - x, bottom - y},
				4: {x, bottom - y}, 5: {y, x}, 6: {right - y, x}, 7: {right - y, bottom - x},
				8: {y, bottom - x}}[o]
			out.SetRGBA(x, y, m.RGBAAt(from.X, from.Y))
		}
	}
	return out
}

// withEXIF returns m in the formats that have a place for EXIF.
func withEXIF(t *testing.T, m *image.RGBA, o int) map[string][]byte {
	plain := asPNG(t, m)
	pixels := asTIFF(t, m, tiff.Uncompressed)
	return map[string][]byte{
		"JPEG": jpegtest.Encode(m, jpegtest.Options{H: 2, V: 2, Orientation: o}),
		"JPEG progressive": jpegtest.Encode(m, jpegtest.Options{Orientation: o,
			Scans: jpegtest.Progression(false)}),
		"PNG":  slices.Concat(plain[:33], chunk("eXIf", jpegtest.EXIF(o)), plain[33:]),
		"TIFF": addOrientation(pixels, o),
	}
}

// addOrientation adds a tag to the directory of a TIFF, which x/image/tiff writes at the end.
func addOrientation(data []byte, o int) []byte {
	le := binary.LittleEndian
	at := int(le.Uint32(data[4:]))
	n := int(le.Uint16(data[at:]))
	entries := slices.Clone(data[at+2 : at+2+12*n])
	tag := binary.LittleEndian.AppendUint16(nil, 274)
	tag = append(tag, 3, 0, 1, 0, 0, 0, byte(o), 0, 0, 0)
	for i := 0; ; i += 12 {
		if i == len(entries) || le.Uint16(entries[i:]) > 274 {
			entries = slices.Insert(entries, i, tag...)
			break
		}
	}
	out := slices.Clone(data)
	le.PutUint32(out[4:], uint32(len(out)))
	out = le.AppendUint16(out, uint16(n+1))
	return append(append(out, entries...), 0, 0, 0, 0)
}

func TestPicturesStandUprightHoweverTheCameraWasHeld(t *testing.T) {
	m := jpegtest.Picture(320, 160, 9)
	draw.Draw(m, image.Rect(0, 0, 80, 40), image.Black, image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(240, 0, 320, 40), image.White, image.Point{}, draw.Src)
	for o := 1; o <= 8; o++ {
		for name, data := range withEXIF(t, turned(m, o), o) {
			got := mustMake(t, data, 80)
			small := decoded(t, got)
			if got.Width != 320 || got.Height != 160 || small.Bounds().Size() != image.Pt(80, 40) {
				t.Errorf("%s, %d: %v of %d x %d", name, o, small.Bounds().Size(), got.Width,
					got.Height)
			}
			left, right := light(small, 0, 0, 1, 1), light(small, 7, 0, 8, 1)
			if left > 30 || right < 225 {
				t.Errorf("%s, %d: lightness %.0f left, %.0f right", name, o, left, right)
			}
		}
	}
}

func TestAFileOnDiskIsReadFromItsBeginning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a\nb<script>.png")
	if err := os.WriteFile(path, asPNG(t, jpegtest.Picture(30, 20, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		info, _ := f.Stat()
		got, err := alone().Make(context.Background(), thumb.File{Reader: f, Size: info.Size(),
			Name: path}, 10)
		if err != nil || got.Width != 30 {
			t.Errorf("got %d, %v", got.Width, err)
		}
	}
}

func TestCMYKIsLeftToImageJPEG(t *testing.T) {
	got := mustMake(t, cmyk(64, 48), 32)
	if got.Width != 64 || got.Height != 48 {
		t.Errorf("%d x %d", got.Width, got.Height)
	}
}

// cmyk returns an even CMYK JPEG.
func cmyk(w, h int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xee, 0, 14}
	b = append(b, "Adobe\x00\x64\x00\x00\x00\x00\x00"...)
	b = append(append(b, 0xff, 0xdb, 0, 67, 0), bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc0, 0, 20, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 4)
	for i := range 4 {
		b = append(b, byte(i+1), 0x11, 0)
	}
	for class := range 2 { // one code, of one bit: no difference, end of block
		b = append(append(b, 0xff, 0xc4, 0, 20, byte(class<<4), 1), make([]byte, 16)...)
	}
	b = append(b, 0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)
	bits := 2 * 4 * (w / 8) * (h / 8)
	return append(append(b, make([]byte, (bits+7)/8)...), 0xff, 0xd9)
}

func TestMakePanicsOnASizeThatMakesNoSense(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	alone().Make(context.Background(), file(nil), 0)
}

func TestWhatIsNoPictureIsErrFormat(t *testing.T) {
	for _, data := range []string{"", "x", "<svg xmlns='x'/>", "#EXTM3U\n", "%PDF-1.7"} {
		_, err := alone().Make(context.Background(), file([]byte(data)), 10)
		if !errors.Is(err, thumb.ErrFormat) {
			t.Errorf("%q: %v, want ErrFormat", data, err)
		}
	}
}
