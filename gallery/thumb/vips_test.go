// vips_test.go measures the promise: a thumbnail of 24 megapixels in less time than vipsthumbnail
// takes, in the same run. Run it with
//
//	go test -tags slow -run Vips -v ./gallery/thumb

//go:build slow && unix

package thumb_test

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

const (
	rounds  = 11
	promise = 0.9 // of what vipsthumbnail takes
)

// TestMain makes one thumbnail and ends, if it is asked to: the process that is measured.
func TestMain(m *testing.M) {
	if path := os.Getenv("THUMB_OF"); path != "" {
		if err := makeOne(path, os.Getenv("THUMB_TO")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func makeOne(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	got, err := thumb.New(thumb.Options{}).Make(context.Background(),
		thumb.File{Reader: f, Size: info.Size()}, 320)
	if err != nil {
		return err
	}
	return os.WriteFile(to, got.Bytes, 0o600)
}

// large writes 24 megapixels as most cameras do, and as progressive files for the web are.
func large(t *testing.T) (plain, progressive string) {
	t.Helper()
	dir := t.TempDir()
	plain, progressive = filepath.Join(dir, "plain.jpg"), filepath.Join(dir, "progressive.jpg")
	data := encode(t, func(w *bytes.Buffer) error {
		return jpeg.Encode(w, jpegtest.Picture(6000, 4000, 1), &jpeg.Options{Quality: 91})
	})
	if err := os.WriteFile(plain, data, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("24 megapixels, %.1f MB", float64(len(data))/1e6)
	run(t, "vips", "jpegsave", plain, progressive, "--interlace", "--Q", "91")
	return plain, progressive
}

func run(t *testing.T, command ...string) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", command, err, out)
	}
}

// median returns the middle of some times.
func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func TestVipsthumbnailIsSlower(t *testing.T) {
	need(t, "vipsthumbnail", "libvips-tools")
	need(t, "vips", "libvips-tools")
	plain, progressive := large(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{plain, progressive} {
		to := filepath.Join(t.TempDir(), "small.jpg")
		contestants := []func(){
			func() { run(t, "vipsthumbnail", path, "--size", "320", "--output", to) },
			func() { run(t, "env", "THUMB_OF="+path, "THUMB_TO="+to, self) },
			func() {
				if err := makeOne(path, to); err != nil {
					t.Fatal(err)
				}
			},
		}
		times := make([][]time.Duration, len(contestants))
		for range rounds { // in turn, so that all of them meet the same noise
			for i, c := range contestants {
				began := time.Now()
				c()
				times[i] = append(times[i], time.Since(began))
			}
		}
		vips, process, inside := median(times[0]), median(times[1]), median(times[2])
		t.Logf("%s: vipsthumbnail %v, a process of ours %v (%.2f), in process %v (%.2f)",
			filepath.Base(path), vips, process, ratio(process, vips), inside, ratio(inside, vips))
		if worse := max(process, inside); ratio(worse, vips) > promise {
			t.Errorf("%s: %.2f of vipsthumbnail, want %.2f", path, ratio(worse, vips), promise)
		}
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
