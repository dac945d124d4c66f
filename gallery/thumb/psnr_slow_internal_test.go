// psnr_slow_internal_test.go is the comparison with the exact way for pictures of six megapixels.

//go:build slow

package thumb

import (
	"testing"

	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

func TestLargeThumbnailsAreNearToTheExactWay(t *testing.T) {
	picture := jpegtest.Picture(3000, 2000, 7)
	for _, name := range []string{"4:2:0", "4:4:4 progressive"} {
		data := jpegtest.Encode(picture, kinds()[name])
		for _, size := range []int{128, 240, 320, 350, 640, 1024, 1280, 1400, 2048} {
			s, h := smallOf(t, data, size)
			near := psnr(exactly(t, data, s.w, s.h), s.image())
			if near < least {
				t.Errorf("%s to %d: %.1f dB, want %d", name, size, near, least)
			}
			t.Logf("%s to %d at %g: %.1f dB", name, size, h.ways[0].scale, near)
		}
	}
}
