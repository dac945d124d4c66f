// psnr_internal_test.go compares small pictures, before they are encoded, with the exact way: all
// of the pixels, and x/image/draw.

package thumb

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"golang.org/x/image/draw"

	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

// least is the PSNR in dB that no picture may fall below.
const least = 38

// exactly returns a JPEG as a picture of w x h by the exact way, as it is stored.
func exactly(t *testing.T, data []byte, w, h int) *image.RGBA {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(dst, dst.Rect, m, m.Bounds(), draw.Src, nil)
	return dst
}

// psnr returns how near two pictures of one size are, in dB.
func psnr(a *image.RGBA, b image.Image) float64 {
	sum, n := 0.0, 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			p := a.RGBAAt(x, y)
			q := color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				sum += float64(d * d)
				n++
			}
		}
	}
	return 10 * math.Log10(255*255*float64(n)/max(sum, 1e-9))
}

// smallOf returns a JPEG as this package makes it small, before it is encoded, and its header.
func smallOf(t *testing.T, data []byte, size int) (small, header) {
	t.Helper()
	f := File{Reader: bytes.NewReader(data), Size: int64(len(data))}
	r, err := f.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHeader(JPEG, r, size)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{}).follow(r, h, h.ways[0], size)
	if err != nil {
		t.Fatal(err)
	}
	return s, h
}

// kinds are JPEGs of every sampling, and of every way to write them.
func kinds() map[string]jpegtest.Options {
	all := map[string]jpegtest.Options{
		"gray": {Gray: true}, "rgb": {RGB: true},
		"gray progressive": {Gray: true, Scans: jpegtest.Progression(true)},
	}
	for name, hv := range map[string][2]int{"4:4:4": {1, 1}, "4:2:2": {2, 1}, "4:2:0": {2, 2},
		"4:4:0": {1, 2}, "4:1:1": {4, 1}, "4:1:0": {4, 2}} {
		h, v := hv[0], hv[1]
		all[name] = jpegtest.Options{H: h, V: v}
		all[name+" restarts"] = jpegtest.Options{H: h, V: v, Restart: 5}
		all[name+" progressive"] = jpegtest.Options{H: h, V: v, Scans: jpegtest.Progression(false)}
	}
	all["4:2:0 split"] = jpegtest.Options{H: 2, V: 2, Split: true}
	all["4:2:2 bands"] = jpegtest.Options{H: 2, Scans: jpegtest.Bands(false)}
	return all
}

// turnedBack returns m upright: the other way round than orientation does it, by flips alone.
func turnedBack(m *image.RGBA, o int) *image.RGBA {
	size := m.Rect.Size()
	if o >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			tx, ty := x, y
			if o >= 5 {
				tx, ty = y, x
			}
			if o == 2 || o == 3 || o == 6 || o == 7 {
				tx = size.X - 1 - tx
			}
			if o == 3 || o == 4 || o == 7 || o == 8 {
				ty = size.Y - 1 - ty
			}
			out.SetRGBA(tx, ty, m.RGBAAt(x, y))
		}
	}
	return out
}

func TestThumbnailsAreNearToTheExactWay(t *testing.T) {
	count, worst := 0, math.Inf(1)
	for i, size := range [][3]int{{1, 1, 320}, {17, 33, 8}, {16, 16, 4}, {131, 97, 24}, {333, 217, 40},
		{403, 251, 160}} {
		picture := jpegtest.Picture(size[0], size[1], uint64(i))
		for name, o := range kinds() {
			count++
			o.Orientation = count%8 + 1
			data := jpegtest.Encode(picture, o)
			s, h := smallOf(t, data, size[2])
			exact := turnedBack(exactly(t, data, s.w, s.h), o.Orientation)
			near := psnr(exact, h.orientation.apply(s).image())
			if near < least {
				t.Errorf("%s, %v: %.1f dB, want %d", name, size, near, least)
			}
			worst = min(worst, near)
		}
	}
	if t.Logf("%d pictures, the worst %.1f dB", count, worst); count < 100 {
		t.Error("fewer than 100")
	}
}
