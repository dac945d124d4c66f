// pictures_linux_test.go runs the examples about pictures, over real files, servers and a slow share.

package examples_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/internal/slowshare"
)

// picture draws a JPEG of its own colour.
func picture(t *testing.T, n int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 800, 600))
	for i := range m.Pix {
		m.Pix[i] = byte(i*n/800 + n)
	}
	m.SetGray(0, 0, color.Gray{Y: 255})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// get returns the body at url, once somebody answers there.
func get(t *testing.T, url string) string {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); ; {
		resp, err := http.Get(url)
		if err == nil {
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s %v", url, resp.Status, err)
			}
			return string(body)
		}
		if time.Now().After(late) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// thumbs matches what the page of a gallery or of a shop says of thumbnails.
var thumbs = regexp.MustCompile(`thumb/[\w-]+\?size=320`)

func TestPictureGallery(t *testing.T) {
	dir, addr := t.TempDir(), servers.FreeAddr(t)
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jpg", i)), picture(t, i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, "picture-gallery", dir, addr)
	p.await("http://" + addr + "/photos/\n")
	if page := get(t, "http://"+addr+"/photos/"); !strings.Contains(page, "<title>Photos</title>") {
		t.Errorf("the page is %.200q", page)
	}
	list := ""
	for !strings.Contains(list, `"total":3`) {
		list = get(t, "http://"+addr+"/photos/list")
	}
	id := regexp.MustCompile(`"id":"([\w-]+)"`).FindStringSubmatch(list)[1]
	wantSmall(t, get(t, "http://"+addr+"/photos/thumb/"+id+"?size=320"))
}

// wantSmall demands a JPEG that fits into 320 pixels.
func wantSmall(t *testing.T, body string) {
	t.Helper()
	c, err := jpeg.DecodeConfig(strings.NewReader(body))
	if err != nil || c.Width != 320 || c.Height != 240 {
		t.Errorf("the thumbnail is %dx%d, %v", c.Width, c.Height, err)
	}
}

func TestProductPictures(t *testing.T) {
	var fetched atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		_, _ = w.Write(picture(t, len(r.URL.Path)))
	}))
	defer shop.Close()
	addr := servers.FreeAddr(t)
	p := start(t, "product-pictures", addr, shop.URL+"/tea.jpg", shop.URL+"/coffee.jpg")
	p.await("http://" + addr + "/\n")
	page := get(t, "http://"+addr+"/")
	urls := thumbs.FindAllString(page, -1)
	if len(urls) != 2 || fetched.Load() != 0 {
		t.Fatalf("%d thumbnails, %d pictures fetched before anybody has seen one: %s", len(urls),
			fetched.Load(), page)
	}
	for range 2 {
		wantSmall(t, get(t, "http://"+addr+"/pictures/"+urls[0]))
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("one picture was looked at twice and fetched %d times", n)
	}
}

func TestPictureSequence(t *testing.T) {
	dir := t.TempDir()
	for i := range 25 {
		name := filepath.Join(dir, fmt.Sprintf("%03d.jpg", i))
		if err := os.WriteFile(name, make([]byte, 200_000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	share := slowshare.Mount(t, dir, slowshare.Options{Latency: 50 * time.Millisecond, Bandwidth: 20e6})
	got := run(t, "picture-sequence", share.Dir)
	// The first is waited for, and the second if the direction is not known yet.
	match := regexp.MustCompile(`\Aforward: 25 pictures, 25 loads, [12] waits\nback: 10 pictures, 10 hits\n\z`)
	if !match.MatchString(got) {
		t.Errorf("printed %q", got)
	}
}
