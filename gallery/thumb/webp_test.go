// webp_test.go makes thumbnails of files that nothing in Go writes: libvips does.

//go:build unix

package thumb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

// vips returns what a vips operation makes of a picture.
func vips(t *testing.T, m image.Image, operation, ending string, options ...string) []byte {
	t.Helper()
	need(t, "vips", "libvips-tools")
	from, to := filepath.Join(t.TempDir(), "from.png"), filepath.Join(t.TempDir(), "to"+ending)
	if err := os.WriteFile(from, asPNG(t, m), 0o600); err != nil {
		t.Fatal(err)
	}
	command := append([]string{operation, from, to}, options...)
	if out, err := exec.Command("vips", command...).CombinedOutput(); err != nil {
		t.Fatalf("vips %v: %v: %s", command, err, bytes.TrimSpace(out))
	}
	data, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// extended puts the chunks of a plain WebP into an extended one, with EXIF behind them.
func extended(plain []byte, w, h, orientation int) []byte {
	le := binary.LittleEndian
	head := []byte("VP8X\x0a\x00\x00\x00\x08\x00\x00\x00")
	head = append(head, byte(w-1), byte((w-1)>>8), 0, byte(h-1), byte((h-1)>>8), 0)
	exif := jpegtest.EXIF(orientation)
	tail := le.AppendUint32([]byte("EXIF"), uint32(len(exif)))
	body := slices.Concat([]byte("WEBP"), head, plain[12:], tail, exif)
	return append(le.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func TestWebPIsDecodedAndStandsUpright(t *testing.T) {
	m := jpegtest.Picture(200, 120, 1)
	for name, options := range map[string][]string{"lossy": nil, "lossless": {"--lossless"}} {
		data := vips(t, m, "webpsave", ".webp", options...)
		got := mustMake(t, data, 80)
		if small := decoded(t, got); got.Width != 200 || got.Height != 120 ||
			small.Bounds().Size() != image.Pt(80, 48) {
			t.Errorf("%s: %v of %d x %d", name, small.Bounds().Size(), got.Width, got.Height)
		}
		small := decoded(t, got)
		for i := range 64 {
			x, y := i%8, i/8
			want, have := light(m, x, y, x+1, y+1), light(small, x, y, x+1, y+1)
			if math.Abs(want-have) > 8 {
				t.Errorf("%s: %d, %d is of lightness %.0f, want %.0f", name, x, y, have, want)
			}
		}
		if string(data[12:16]) == "VP8X" {
			continue
		}
		got = mustMake(t, extended(data, 200, 120, 6), 50)
		if got.Width != 120 || got.Height != 200 {
			t.Errorf("%s on its side: %d x %d", name, got.Width, got.Height)
		}
	}
}

func TestWebPWithAlphaStaysTransparent(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 90, 60))
	copy(m.Pix, bytes.Repeat([]byte{200, 10, 10, 128}, 90*60))
	for name, options := range map[string][]string{"lossy": nil, "lossless": {"--lossless"}} {
		got := mustMake(t, vips(t, m, "webpsave", ".webp", options...), 30)
		if got.Type != "image/png" {
			t.Errorf("%s: %s", name, got.Type)
		}
	}
}

func TestKindsThatADecoderDoesNotKnowAreLeftToAProgram(t *testing.T) {
	data := vips(t, jpegtest.Picture(200, 120, 1), "tiffsave", ".tif", "--compression", "jpeg")
	got, err := thumb.New(thumb.Options{}).Make(context.Background(), file(data), 50)
	if err != nil || got.Width != 200 || got.Height != 120 {
		t.Errorf("%d x %d, %v", got.Width, got.Height, err)
	}
	_, err = alone().Make(context.Background(), file(data), 50)
	if !errors.Is(err, thumb.ErrDamaged) {
		t.Errorf("without programs: %v, want ErrDamaged", err)
	}
}

func TestTIFFOfOthersIsDecoded(t *testing.T) {
	m := jpegtest.Picture(200, 120, 1)
	for _, options := range [][]string{{"--compression", "lzw"}, {"--compression", "packbits"},
		{"--compression", "deflate", "--predictor", "horizontal", "--tile"}} {
		got := mustMake(t, vips(t, m, "tiffsave", ".tif", options...), 50)
		if got.Width != 200 || decoded(t, got).Bounds().Size() != image.Pt(50, 30) {
			t.Errorf("%v: %d", options, got.Width)
		}
	}
}

func TestAJPEGThatNobodyHereKnowsIsLeftToAProgram(t *testing.T) {
	arithmetic := jpegOf(64, 64, 0xc9)
	_, err := alone().Make(context.Background(), file(arithmetic), 50)
	if !errors.Is(err, thumb.ErrDamaged) {
		t.Errorf("without programs: %v, want ErrDamaged", err)
	}
	picture := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(picture, asPNG(t, jpegtest.Picture(30, 20, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	m := thumb.New(thumb.Options{VipsThumbnail: script(t, "cat "+picture), FFmpeg: thumb.Never})
	got, err := m.Make(context.Background(), file(arithmetic), 50)
	if err != nil || got.Width != 64 {
		t.Errorf("%d, %v", got.Width, err)
	}
}
