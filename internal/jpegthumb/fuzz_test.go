// fuzz_test.go feeds the decoder what nobody would write.

package jpegthumb_test

import (
	"bytes"
	"errors"
	"image/jpeg"
	"testing"

	"github.com/larder-go/larder/internal/jpegthumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

// FuzzDecode decodes any bytes, and holds that against image/jpeg: what that decodes is decoded,
// or unusual, and has the same size. Damaged progressive files are an exception: image/jpeg carries
// an end of several blocks over to the next scan, and so takes for good what is not.
func FuzzDecode(f *testing.F) {
	for _, o := range kinds() {
		f.Add(jpegtest.Encode(jpegtest.Picture(33, 18, 1), o))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := jpegthumb.ReadHeader(bytes.NewReader(data))
		if h.Width*h.Height > 1<<18 {
			return // bounded by the header, but slow
		}
		full, fullErr := jpeg.Decode(bytes.NewReader(data))
		for _, s := range scales {
			m, smallErr := decode(data, s, jpegthumb.Fine)
			if err != nil && smallErr == nil {
				t.Fatalf("header: %v, yet it decodes", err)
			}
			if fullErr != nil || errors.Is(smallErr, jpegthumb.ErrUnusual) {
				continue
			}
			if smallErr != nil && h.Progressive && errors.Is(smallErr, jpegthumb.ErrDamaged) {
				continue
			}
			if smallErr != nil {
				t.Fatalf("at %d/8: %v, while image/jpeg decodes it", s, smallErr)
			}
			size, small := full.Bounds().Size(), m.Bounds().Size()
			if small.X != s.Of(size.X) || small.Y != s.Of(size.Y) {
				t.Fatalf("at %d/8: %v of %v", s, small, size)
			}
		}
	})
}

// FuzzKinds writes JPEGs of any kind, and compares what becomes of them with image/jpeg.
func FuzzKinds(f *testing.F) {
	f.Add(uint8(40), uint8(30), uint8(2), uint8(2), uint8(75), uint8(3), uint8(1), uint64(1))
	f.Fuzz(func(t *testing.T, w, h, across, down, quality, restart, kind uint8, seed uint64) {
		o := jpegtest.Options{H: []int{1, 2, 4}[across%3], V: []int{1, 2}[down%2],
			Quality: int(quality)%100 + 1, Gray: kind&1 != 0, Restart: int(restart)}
		switch kind >> 1 % 4 {
		case 1:
			o.Scans, o.Restart = jpegtest.Progression(o.Gray), 0
		case 2:
			o.Scans, o.Restart = jpegtest.Bands(o.Gray), 0
		case 3:
			o.Split, o.Restart = true, 0
		}
		data := jpegtest.Encode(jpegtest.Picture(int(w)+1, int(h)+1, seed), o)
		full, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scales {
			small, err := decode(data, s, jpegthumb.Fine)
			if err != nil {
				t.Fatalf("%+v at %d/8: %v", o, s, err)
			}
			compare(t, "fuzzed", full, small, s)
		}
	})
}
