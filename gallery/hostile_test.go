// hostile_test.go shows a gallery what strangers may have put into a folder.

package gallery_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/gallery/thumb"
)

// chunk is a part of a PNG.
func chunk(name string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, name...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// pngHeader is a PNG that says it is that large, and holds nothing. Its pixels are RGBA (6) or grey
// (0).
func pngHeader(width, height uint32, colour byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, width)
	b = binary.BigEndian.AppendUint32(b, height)
	return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(b, 8, colour, 0, 0, 0))...)
}

// pngBomb is a small file that becomes a large picture.
func pngBomb(width, height int) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	row := make([]byte, 1+width)
	for range height {
		_, _ = z.Write(row) // memory does not fail
	}
	_ = z.Close()
	b := pngHeader(uint32(width), uint32(height), 0)
	return append(append(b, chunk("IDAT", packed.Bytes())...), chunk("IEND", nil)...)
}

// cmykOf is a JPEG of four components, as printers make them.
func cmykOf(t *testing.T) []byte {
	t.Helper()
	b := jpegOf(t, photo(64, 64, 1))
	i := bytes.Index(b, []byte{0xff, 0xc0})
	if i < 0 {
		t.Fatal("no frame header")
	}
	b = slices.Clone(b)
	b[i+9] = 4 // components: more than the header describes
	return b
}

func sixteenBit(t *testing.T) []byte {
	t.Helper()
	m := image.NewNRGBA64(image.Rect(0, 0, 400, 300))
	for i := range m.Rect.Dx() * m.Rect.Dy() {
		m.SetNRGBA64(i%400, i/400, color.NRGBA64{uint16(i), uint16(i * 3), 30000, uint16(40000 + i%1000)})
	}
	return pngOf(t, m)
}

// hostile is a folder of what one would rather not have, and what the tile says of it: "" means
// that it is a picture after all.
func hostile(t *testing.T) (dir string, says map[string]string) {
	t.Helper()
	dir = t.TempDir()
	outside := folderOf(t, "secret.jpg")
	whole := jpegOf(t, photo(800, 600, 3))
	bomb := pngBomb(12_000, 12_000)
	says = map[string]string{
		"truncated.jpg": "damaged", "empty.jpg": "not a picture", "text.jpg": "not a picture",
		"page.html.jpg": "not a picture", "huge.png": "too large", "bomb.png": "too large",
		"cmyk.jpg": "damaged", "sixteen.png": "", "png.jpg": "", "new\nline.jpg": "",
		"<script>alert(1)</script>.jpg": "", "\xff\xfe bad.jpg": "", "'\"&.jpg": "",
		"out.jpg": "link out of the folder", "loop.jpg": "too many", "dangling.jpg": "gone",
		"inside.jpg": "damaged", "folder.jpg/in.jpg": "", "linked.jpg": "not a file", "pipe.jpg": "not a file",
		"photo.heic": "vipsthumbnail", "film.mp4": "ffmpeg",
	}
	for name, b := range map[string][]byte{
		"truncated.jpg": whole[:len(whole)/2], "empty.jpg": nil, "text.jpg": []byte("hello"),
		"page.html.jpg": []byte("<html><script>alert(1)</script>"),
		"huge.png":      pngHeader(60_000, 60_000, 6), "bomb.png": bomb, "cmyk.jpg": cmykOf(t),
		"sixteen.png": sixteenBit(t), "png.jpg": pngOf(t, photo(10, 10, 1)), "new\nline.jpg": whole,
		"<script>alert(1)<\\script>.jpg": whole, "\xff\xfe bad.jpg": whole, "'\"&.jpg": whole,
		"folder.jpg/in.jpg": whole, "photo.heic": []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"),
		"film.mp4": []byte("\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42"),
	} {
		write(t, dir, name, b)
	}
	delete(says, "<script>alert(1)</script>.jpg") // a name has no slash
	says["<script>alert(1)<\\script>.jpg"] = ""
	for name, to := range map[string]string{
		"out.jpg": filepath.Join(outside, "secret.jpg"), "loop.jpg": "loop.jpg", "dangling.jpg": "none",
		"inside.jpg": "truncated.jpg", "linked.jpg": "folder.jpg", "up": "..", "round": ".",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	makePipe(t, filepath.Join(dir, "pipe.jpg"))
	return dir, says
}

// mostHeap samples the bytes of the heap until stop is called, which returns the most.
func mostHeap() (stop func() uint64) {
	done := make(chan struct{})
	var most uint64
	var sampling sync.WaitGroup
	sampling.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	return func() uint64 { close(done); sampling.Wait(); return most }
}

func TestHostileFilesAreLabelledTiles(t *testing.T) {
	dir, says := hostile(t)
	c := open(t, dir, gallery.Options{
		Memory: 64 << 20, VipsThumbnail: thumb.Never, FFmpeg: thumb.Never,
	})
	all := c.read("count=500")
	if len(all.Items) != len(says) {
		t.Errorf("%d pictures, want %d: %q", len(all.Items), len(says), all.names())
	}
	runtime.GC()
	stop := mostHeap()
	var asking sync.WaitGroup
	for i, p := range all.Items {
		asking.Go(func() {
			want, known := says[strings.ReplaceAll(all.names()[i], "\uFFFD", "\xff\xfe")]
			if !known {
				t.Errorf("%q was not expected", all.names()[i])
			}
			for _, size := range []string{"320", "2048"} {
				resp, b := c.get("thumb/" + p.ID + "?size=" + size)
				tile := resp.Header.Get("Content-Type") == "image/svg+xml"
				text := strings.ReplaceAll(string(b), `</text><text x="160"`, " ")
				if resp.StatusCode != http.StatusOK || tile != (want != "") ||
					tile && !inWords(string(b), want) {
					t.Errorf("%q: %s %s, want %q: %.300s", p.Name, resp.Status,
						resp.Header.Get("Content-Type"), want, text)
				}
			}
		})
	}
	asking.Wait()
	if most := stop(); most > 64<<20+64<<20 {
		t.Errorf("%d MiB of heap with a budget of 64 MiB", most>>20)
	}
	for i, p := range c.list("count=500").Items {
		if name := all.names()[i]; (p.Error != "") != (says[strings.ReplaceAll(name, "\uFFFD", "\xff\xfe")] != "") {
			t.Errorf("the listing says of %q: %q", name, p.Error)
		}
	}
}

// inWords tells whether the texts of a drawing, one after the other, contain want.
func inWords(svg, want string) bool {
	var words strings.Builder
	for _, part := range strings.Split(svg, "<text ")[1:] {
		_, text, _ := strings.Cut(part, ">")
		text, _, _ = strings.Cut(text, "</text>")
		words.WriteString(text + " ")
	}
	return strings.Contains(words.String(), want)
}

func TestNothingOutsideOfTheFolderCanBeHad(t *testing.T) {
	dir, _ := hostile(t)
	secret := folderOf(t, "secret.jpg")
	c := open(t, dir, gallery.Options{})
	c.read("")
	for _, path := range []string{
		"../" + filepath.Base(secret) + "/secret.jpg", filepath.Join(secret, "secret.jpg"), "out.jpg",
		"up/" + filepath.Base(dir) + "/truncated.jpg", "round/truncated.jpg", "linked.jpg/in.jpg",
		"./truncated.jpg", "truncated.jpg\x00", "", ".", "..", "/etc/passwd",
	} {
		id := idOf(path)
		resp, b := c.get("original/" + id)
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("original of %q: %s, %d bytes", path, resp.Status, len(b))
		}
		resp, b = c.get("thumb/" + id + "?size=320")
		if got := resp.Header.Get("Content-Type"); got == "image/jpeg" {
			t.Errorf("thumb of %q: %s, %d bytes", path, got, len(b))
		}
	}
	for _, path := range []string{"static/x/..%2fgallery.go", "static/x/index.html", "list/../../etc"} {
		if resp, _ := c.get(path); resp.StatusCode == http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

func TestAnUnreadableFileOrFolderIsATile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root reads everything: what is asserted is that nothing fails")
	}
	dir := folderOf(t, "a.jpg", "sub/b.jpg")
	for _, name := range []string{"a.jpg", "sub"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "sub"), 0o755) })
	c := open(t, dir, gallery.Options{})
	l := c.read("")
	if l.Total != 2 {
		t.Fatalf("got %q", l.names())
	}
	for i, item := range l.Items {
		resp, b := c.thumb(i, 320)
		if resp.StatusCode != http.StatusOK || os.Geteuid() != 0 && !inWords(string(b), "not readable") {
			t.Errorf("%s: %s, %.300s", item.Name, resp.Status, b)
		}
	}
}

func TestARequestThatEndsStopsTheDecoding(t *testing.T) {
	dir := t.TempDir()
	big := pngOf(t, photo(4000, 3000, 2))
	for _, name := range []string{"a.png", "b.png", "c.png"} {
		write(t, dir, name, big)
	}
	g, err := gallery.Dir(dir, gallery.Options{Parallel: 1})
	c := serve(t, g, err)
	l := c.read("")
	for n, i := range l.Items {
		req, _ := http.NewRequest(http.MethodGet, c.base+"thumb/"+i.ID+"?size=320", nil)
		ctx, cancel := contextOf(t)
		go func() {
			if resp, err := http.DefaultClient.Do(req.WithContext(ctx)); err == nil {
				resp.Body.Close()
			}
		}()
		for g.Stats().Thumbs.Misses <= uint64(n) { // the server has it
			time.Sleep(time.Millisecond)
		}
		cancel()
	}
	for end := time.Now().Add(10 * time.Second); g.Stats().Cancelled < 3; {
		if time.Now().After(end) {
			t.Fatalf("still %+v", g.Stats())
		}
		time.Sleep(time.Millisecond)
	}
	if s := g.Stats(); s.Made != 0 || s.Failed != 0 {
		t.Errorf("got %+v", s)
	}
}
