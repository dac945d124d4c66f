// vips_test.go decodes what libjpeg-turbo writes, which is what most files in the world are.

package jpegthumb_test

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/larder-go/larder/internal/jpegthumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

func TestFilesOfLibjpegDecode(t *testing.T) {
	if _, err := exec.LookPath("vips"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("vips is not installed: apt-get install libvips-tools")
		}
		t.Skip("vips is not installed: apt-get install libvips-tools")
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.png"), filepath.Join(dir, "to.jpg")
	var b bytes.Buffer
	if err := png.Encode(&b, jpegtest.Picture(317, 203, 1)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(from, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, options := range [][]string{{"--subsample-mode", "on"}, {"--subsample-mode", "off"},
		{"--interlace"}, {"--interlace", "--subsample-mode", "off"}, {"--optimize-coding"},
		{"--restart-interval", "3"}, {"--interlace", "--restart-interval", "8"}} {
		command := append([]string{"jpegsave", from, to, "--Q", "85"}, options...)
		if out, err := exec.Command("vips", command...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", command, err, out)
		}
		data, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		full, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil { // image/jpeg miscounts restarts of components alone
			t.Logf("%v: image/jpeg: %v", options, err)
		}
		for _, s := range scales {
			small, err := decode(data, s, jpegthumb.Fine)
			if err != nil {
				t.Errorf("%v at %d/8: %v", options, s, err)
			} else if full != nil {
				compare(t, fmt.Sprint(options), full, small, s)
			}
		}
	}
}
