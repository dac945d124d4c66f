// version_test.go replaces files while they are looked at.

package gallery_test

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/gallery"
)

func TestOtherBytesAreNeverKeptUnderTheVersionThatWasAskedFor(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jpg", jpegOf(t, photo(200, 100, 1)))
	c := open(t, dir, gallery.Options{})
	old := c.read("").Items[0]
	path, aside := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "a.bak")
	if err := os.Rename(path, aside); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "a.jpg", jpegOf(t, photo(100, 200, 6)))
	for _, url := range []string{"thumb/" + old.ID + "?size=320&v=", "original/" + old.ID + "?v="} {
		resp, b := c.get(url + old.V) // of what the server knows of the file, nothing has changed yet
		m, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || m.Width == 100 && resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: the new picture, to be kept as the old one: %s, %v", url,
				resp.Header.Get("Cache-Control"), err)
		}
	}
	if err := os.Rename(aside, path); err != nil {
		t.Fatal(err)
	}
	c.until("", func(l listed) bool { // the old one again, whatever its version is called now
		if len(l.Items) != 1 {
			return false
		}
		_, b := c.get(fmt.Sprintf("thumb/%s?size=320&v=%s", l.Items[0].ID, l.Items[0].V))
		m, err := jpeg.DecodeConfig(bytes.NewReader(b))
		return err == nil && m.Width == 200
	})
}

func TestBodiesOfManyPicturesByURLFitIntoMemory(t *testing.T) {
	const size, requests = 6 << 20, 32
	body := append([]byte("\xff\xd8\xff\xe0"), make([]byte, size)...)
	var mu sync.Mutex
	answering, most := 0, 0
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		answering++
		most = max(most, answering)
		mu.Unlock()
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body) // as far as it is read
		mu.Lock()
		answering--
		mu.Unlock()
	}))
	defer slow.Close()
	urls := make([]string, requests)
	for i := range urls {
		urls[i] = fmt.Sprintf("%s/%d.jpg", slow.URL, i)
	}
	g, err := gallery.URLs(urls, http.DefaultClient, gallery.Options{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	stop := mostHeap()
	var asking sync.WaitGroup
	for _, url := range urls {
		asking.Go(func() {
			if w := ask(t, g, "thumb/"+idOf(url)+"?size=320"); !strings.Contains(w.Body.String(), "damaged") {
				t.Errorf("%s: %s", url, w.Body)
			}
		})
	}
	asking.Wait()
	if heap := stop(); heap > 128<<20 {
		t.Errorf("%d MiB of heap for %d bodies of %d MiB at once, budget 64 MiB", heap>>20, requests, size>>20)
	}
	t.Logf("%d answers at once", most)
}

func TestAPictureWrittenWhileItIsReadIsNotKept(t *testing.T) {
	dir, b := t.TempDir(), pngOf(t, photo(3000, 2000, 1))
	for try := range 10 { // on a busy machine it may have been read before it is written
		name := fmt.Sprintf("%d.png", try)
		write(t, dir, name, b)
		g, err := gallery.Dir(dir, gallery.Options{})
		c := serve(t, g, err)
		i := c.read(fmt.Sprintf("from=%d&count=1", try)).Items[0]
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.get("thumb/" + i.ID + "?size=320&v=" + i.V)
		}()
		for g.Stats().Thumbs.Misses == 0 { // the server is at it
			time.Sleep(time.Millisecond)
		}
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), later, later); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
			continue
		default:
		}
		<-done
		if n := g.Stats().Thumbs.Entries; n != 0 {
			t.Errorf("%d thumbnails are kept", n)
		}
		return
	}
	t.Error("it was never written in time")
}
