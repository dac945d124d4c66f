// program_test.go has other programs make thumbnails: those that are installed, and scripts that
// behave as badly as programs can.

//go:build unix

package thumb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/image/tiff"

	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

// need skips a test where a program is not installed, and fails it where it has to be.
func need(t testing.TB, program, install string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: apt-get install %s", program, install)
	}
	t.Skipf("%s is not installed: apt-get install %s", program, install)
}

// script returns a program that runs lines of sh.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// heif is a file that looks like HEIF, and is none.
var heif = []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic and then nothing")

func TestAMissingProgramIsNamed(t *testing.T) {
	for _, o := range []thumb.Options{{VipsThumbnail: thumb.Never, FFmpeg: thumb.Never},
		{VipsThumbnail: "/nowhere/vips", FFmpeg: "/nowhere/ffmpeg"}} {
		_, err := thumb.New(o).Make(context.Background(), file(heif), 50)
		if !errors.Is(err, thumb.ErrNoProgram) || !strings.Contains(err.Error(), "vipsthumbnail") {
			t.Errorf("got %v, want ErrNoProgram and its name", err)
		}
	}
}

func TestAProgramGetsTheFileAndNothingElse(t *testing.T) {
	t.Setenv("SECRET", "password")
	picture := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(picture, asPNG(t, jpegtest.Picture(30, 20, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	vips := script(t, fmt.Sprintf(`
		test -z "$SECRET" || exit 3
		case "$*" in *heic*) exit 4;; esac
		test "$(dd bs=1 skip=4 count=8 2>/dev/null </dev/fd/3)" = ftypheic || exit 5
		cat %s`, picture))
	m := thumb.New(thumb.Options{VipsThumbnail: vips, FFmpeg: thumb.Never})
	name := filepath.Join(t.TempDir(), "-rf;$(reboot)\n.heic")
	if err := os.WriteFile(name, heif, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, f := range []thumb.File{{Reader: f, Size: int64(len(heif)), Name: name}, file(heif)} {
		got, err := m.Make(context.Background(), f, 50)
		if err != nil || got.Width != 30 {
			t.Errorf("%d: got %d, %v", i, got.Width, err)
		}
	}
}

func TestATIFFOfOneStripThatDoesNotFitIntoMemoryGoesToAProgram(t *testing.T) {
	need(t, "vipsthumbnail", "libvips-tools")
	data := asTIFF(t, jpegtest.Picture(1500, 1000, 3), tiff.Deflate)
	for program, want := range map[string]error{"": nil, thumb.Never: thumb.ErrTooLarge} {
		m := thumb.New(thumb.Options{Memory: 8 << 20, VipsThumbnail: program, FFmpeg: thumb.Never})
		got, err := m.Make(context.Background(), file(data), 320)
		if !errors.Is(err, want) || want == nil && (got.Width != 1500 || got.Height != 1000) {
			t.Errorf("with %q: %dx%d, %v; want %v", program, got.Width, got.Height, err, want)
		}
	}
}

func TestAProgramThatFailsMakesADamagedPicture(t *testing.T) {
	for name, lines := range map[string]string{
		"says why":         "echo no such codec >&2; exit 1",
		"says too much":    "head -c 9000000 /dev/zero >&2; exit 1",
		"writes nothing":   "exit 0",
		"writes too much":  "exec cat /dev/zero",
		"writes no JPEG":   "echo hello",
		"is killed":        "kill -9 $$",
		"writes a program": "echo '#!/bin/sh'",
	} {
		m := thumb.New(thumb.Options{VipsThumbnail: script(t, lines), FFmpeg: thumb.Never})
		_, err := m.Make(context.Background(), file(heif), 50)
		if !errors.Is(err, thumb.ErrDamaged) && !errors.Is(err, thumb.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: %d bytes of error", name, len(err.Error()))
		}
	}
}

func TestTheSecondProgramIsAskedIfTheFirstFails(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "picture.jpg")
	data := jpegtest.Encode(jpegtest.Picture(30, 20, 1), jpegtest.Options{})
	if err := os.WriteFile(picture, data, 0o600); err != nil {
		t.Fatal(err)
	}
	m := thumb.New(thumb.Options{VipsThumbnail: script(t, "exit 1"),
		FFmpeg: script(t, "cat "+picture)})
	if _, err := m.Make(context.Background(), file(heif), 50); err != nil {
		t.Error(err)
	}
}

func TestACancelledContextEndsAProgramAndItsChildren(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	m := thumb.New(thumb.Options{FFmpeg: thumb.Never,
		VipsThumbnail: script(t, "sleep 60 & echo > "+started+"; wait")})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := m.Make(ctx, file(heif), 50)
		done <- err
	}()
	if _, err := os.ReadFile(started); err != nil { // waits for the script
		t.Fatal(err)
	}
	began := time.Now()
	cancel()
	err := <-done
	// A child that lived on would hold its output open, for which we wait a second.
	if took := time.Since(began); !errors.Is(err, context.Canceled) || took > 900*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
}

func TestVideosAndModernFormatsAreMadeByPrograms(t *testing.T) {
	need(t, "ffmpeg", "ffmpeg")
	need(t, "vips", "libvips-tools")
	dir := t.TempDir()
	source := filepath.Join(dir, "source.png")
	if err := os.WriteFile(source, asPNG(t, jpegtest.Picture(320, 200, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	video := func(name string, seconds string) []string {
		return []string{"ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i",
			"testsrc=d=" + seconds + ":s=320x200", "-y", filepath.Join(dir, name)}
	}
	for name, command := range map[string][]string{
		"a.avif": {"vips", "heifsave", source, filepath.Join(dir, "a.avif"), "--compression",
			"av1"},
		"a.heic": {"vips", "heifsave", source, filepath.Join(dir, "a.heic")},
		"a.jxl":  {"vips", "jxlsave", source, filepath.Join(dir, "a.jxl")},
		"a.mp4":  video("a.mp4", "3"), "a.mkv": video("a.mkv", "3"), "a.avi": video("a.avi", "3"),
		"short.webm": video("short.webm", "0.2"),
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Logf("%s: not written here: %v: %s", name, err, bytes.TrimSpace(out))
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		f := file(data)
		f.Name = name
		got, err := thumb.New(thumb.Options{}).Make(context.Background(), f, 100)
		if err != nil || got.Width != 320 || got.Height != 200 {
			t.Errorf("%s: %d x %d, %v", name, got.Width, got.Height, err)
		}
	}
}

func TestAPlaylistThatSaysItIsAVideoReadsNothingElse(t *testing.T) {
	need(t, "ffmpeg", "ffmpeg")
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.mp4")
	make := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=d=2:s=64x48",
		"-y", secret)
	if out, err := make.CombinedOutput(); err != nil {
		t.Skipf("no video here: %s", out)
	}
	for _, list := range []string{
		"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://" + secret + "\n#EXT-X-ENDLIST\n",
		"ffconcat version 1.0\nfile '" + secret + "'\n",
	} {
		f := file([]byte(list))
		f.Name = "film.mp4"
		got, err := thumb.New(thumb.Options{}).Make(context.Background(), f, 50)
		if err == nil {
			t.Errorf("%q shows %d x %d", list[:8], got.Width, got.Height)
		}
	}
}
