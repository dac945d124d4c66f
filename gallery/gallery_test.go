// gallery_test.go asks a gallery what a page asks it, over real folders.

package gallery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/store"
)

// listed is what the page reads of a listing.
type listed struct {
	Generation uint64
	Total      int
	From       int
	At         *int
	Reading    bool
	Items      []listedItem
}

type listedItem struct {
	ID, Name, Dir, V, Kind, Error string
	Hash                          []byte
	W, H                          int
	Bytes                         int64
	Time                          *time.Time
}

// names returns the paths of what is listed.
func (l listed) names() (all []string) {
	for _, i := range l.Items {
		all = append(all, strings.TrimPrefix(i.Dir+"/"+i.Name, "/"))
	}
	return all
}

// client talks to a gallery.
type client struct {
	t    testing.TB
	base string
}

// serve serves g until the test ends.
func serve(t testing.TB, g *gallery.Gallery, err error) *client {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(func() {
		server.Close()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t, server.URL + "/"}
}

// get returns an answer and its body.
func (c *client) get(path string) (*http.Response, []byte) {
	c.t.Helper()
	resp, err := http.Get(c.base + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp, body
}

func (c *client) list(query string) (l listed) {
	c.t.Helper()
	resp, body := c.get("list?" + query)
	if resp.StatusCode != http.StatusOK {
		c.t.Fatalf("list?%s: %s: %s", query, resp.Status, body)
	}
	if err := json.Unmarshal(body, &l); err != nil {
		c.t.Fatalf("list?%s: %v: %s", query, err, body)
	}
	return l
}

// until asks for a listing until it is as it should be.
func (c *client) until(query string, right func(listed) bool) (l listed) {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if l = c.list(query); !l.Reading && right(l) {
			return l
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.t.Fatalf("list?%s is still %d pictures: %q", query, l.Total, l.names())
	return l
}

// read waits until a folder is read.
func (c *client) read(query string) listed {
	c.t.Helper()
	return c.until(query, func(listed) bool { return true })
}

// thumb returns the thumbnail of the picture at position n.
func (c *client) thumb(n, size int) (*http.Response, []byte) {
	c.t.Helper()
	i := c.list(fmt.Sprintf("from=%d&count=1", n)).Items[0]
	return c.get(fmt.Sprintf("thumb/%s?size=%d&v=%s", i.ID, size, i.V))
}

// photo draws something that looks a little like a photograph, one for each n.
func photo(width, height, n int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := math.Sin(float64(x*(n+1))/40) + math.Cos(float64(y*(n+2))/50)
			m.SetRGBA(x, y, color.RGBA{uint8(127 + 60*wave), uint8(x * 255 / width), uint8(40 * n), 255})
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// write writes a file, and the folders above it.
func write(t testing.TB, dir, name string, b []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// folderOf makes a folder with a small picture by each of these names.
func folderOf(t testing.TB, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		write(t, dir, name, jpegOf(t, photo(60+i, 40, i)))
	}
	return dir
}

// open serves the folder dir.
func open(t testing.TB, dir string, o gallery.Options) *client {
	t.Helper()
	g, err := gallery.Dir(dir, o)
	return serve(t, g, err)
}

func TestPicturesAreInNaturalOrderAndFilesBeforeFolders(t *testing.T) {
	dir := folderOf(t, "10.jpg", "2.jpg", "Img1.JPG", "img2.jpeg", "b/1.png", "a10/x.gif", "a2/y.webp",
		"a2/deep/z.bmp", ".hidden.jpg", ".git/a.jpg", "@eaDir/a.jpg", "notes.txt", "a.svg", "film.mov")
	got := open(t, dir, gallery.Options{}).read("").names()
	want := []string{"2.jpg", "10.jpg", "film.mov", "Img1.JPG", "img2.jpeg", "a2/y.webp", "a2/deep/z.bmp",
		"a10/x.gif", "b/1.png"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestViewsSortSearchAndStayBelowAFolder(t *testing.T) {
	dir := folderOf(t, "a.jpg", "b.jpg", "sub/Cat on mat.jpg", "sub/mat.jpg", "subway/mat.jpg")
	for i, name := range []string{"b.jpg", "a.jpg", "sub/mat.jpg"} {
		at := time.Date(2020+i, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, dir, gallery.Options{})
	c.read("")
	for query, want := range map[string]string{
		"q=MAT":           "sub/Cat on mat.jpg sub/mat.jpg subway/mat.jpg",
		"q=mat+sub%2F":    "sub/Cat on mat.jpg sub/mat.jpg",
		"q=cat+mat":       "sub/Cat on mat.jpg",
		"q=nothing":       "",
		"dir=sub":         "sub/Cat on mat.jpg sub/mat.jpg",
		"sort=-name":      "subway/mat.jpg sub/mat.jpg sub/Cat on mat.jpg b.jpg a.jpg",
		"sort=time&q=a":   "a.jpg sub/mat.jpg sub/Cat on mat.jpg subway/mat.jpg",
		"dir=../../etc":   "",
		"from=1&count=1":  "b.jpg",
		"from=99&count=9": "",
	} {
		if got := strings.Join(c.read(query).names(), " "); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	sizes := c.read("sort=-size").Items
	if !slices.IsSortedFunc(sizes, func(a, b listedItem) int { return int(b.Bytes - a.Bytes) }) {
		t.Errorf("by size: %+v", sizes)
	}
	resp, body := c.get("list?sort=colour")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "not an order") {
		t.Errorf("an order that there is not: %s %s", resp.Status, body)
	}
}

func TestAWindowIsFoundByThePictureInItsMiddle(t *testing.T) {
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("%d.jpg", i)
	}
	c := open(t, folderOf(t, names...), gallery.Options{})
	id := c.read("from=70&count=1").Items[0].ID
	l := c.list("count=10&at=" + id)
	if l.At == nil || *l.At != 70 || l.From != 65 || len(l.Items) != 10 || l.Items[5].ID != id {
		t.Errorf("got %+v", l)
	}
	if l := c.list("count=10&from=3&at=bm90aGluZw"); l.At == nil || *l.At != -1 || l.From != 3 {
		t.Errorf("for what is not there: %+v", l)
	}
}

func TestChangesAreNoticed(t *testing.T) {
	dir := folderOf(t, "a.jpg", "c.jpg", "sub/d.jpg")
	c := open(t, dir, gallery.Options{})
	noticesChanges(t, c, dir)
}

// noticesChanges changes the files in dir and looks at what c says.
func noticesChanges(t *testing.T, c *client, dir string) {
	t.Helper()
	is := func(names ...string) func(listed) bool {
		return func(l listed) bool { return slices.Equal(l.names(), names) }
	}
	before := c.until("", is("a.jpg", "c.jpg", "sub/d.jpg"))
	write(t, dir, "b.jpg", jpegOf(t, photo(50, 50, 5)))
	c.until("", is("a.jpg", "b.jpg", "c.jpg", "sub/d.jpg"))
	write(t, dir, "new/deep/e.jpg", jpegOf(t, photo(50, 50, 6)))
	c.until("", is("a.jpg", "b.jpg", "c.jpg", "new/deep/e.jpg", "sub/d.jpg"))
	write(t, dir, "new/deep/f.jpg", jpegOf(t, photo(50, 50, 7)))
	c.until("", is("a.jpg", "b.jpg", "c.jpg", "new/deep/e.jpg", "new/deep/f.jpg", "sub/d.jpg"))
	if err := os.Remove(filepath.Join(dir, "c.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "new/deep"), filepath.Join(dir, "old")); err != nil {
		t.Fatal(err)
	}
	now := c.until("", is("a.jpg", "b.jpg", "old/e.jpg", "old/f.jpg"))
	write(t, dir, "a.jpg", jpegOf(t, photo(90, 90, 8)))
	after := c.until("", func(l listed) bool {
		return l.Generation > now.Generation && l.Items[0].V != before.Items[0].V
	})
	if _, b := c.thumb(0, 320); len(b) == 0 {
		t.Error("no thumbnail of what has changed")
	} else if m, _, err := image.DecodeConfig(bytes.NewReader(b)); err != nil || m.Width != 90 {
		t.Errorf("the thumbnail is %v wide, %v: the old one?", m.Width, err)
	}
	if after.Items[0].ID != before.Items[0].ID {
		t.Error("a changed picture has another id")
	}
}

func TestAThumbnailIsMadeOnceAndKeptForTheNextProgram(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jpg", jpegOf(t, photo(1000, 500, 1)))
	kept := store.NewMemory(store.MemoryOptions{})
	for round := range 2 {
		g, err := gallery.Dir(dir, gallery.Options{Store: kept})
		c := serve(t, g, err)
		c.read("")
		for range 3 {
			resp, b := c.thumb(0, 320)
			m, err := jpeg.DecodeConfig(bytes.NewReader(b))
			if err != nil || m.Width != 320 || m.Height != 160 {
				t.Fatalf("got %dx%d, %v", m.Width, m.Height, err)
			}
			if got := resp.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
				t.Errorf("Cache-Control: %s", got)
			}
		}
		if made := g.Stats().Made; made != int64(1-round) {
			t.Errorf("program %d has made %d thumbnails", round+1, made)
		}
		if i := c.list("").Items[0]; len(i.Hash) == 0 || i.W != 1000 || i.H != 500 {
			t.Errorf("after that the listing says %+v", i)
		}
	}
}

func TestAnOldVersionIsNotKeptByTheBrowser(t *testing.T) {
	c := open(t, folderOf(t, "a.jpg"), gallery.Options{})
	id := c.read("").Items[0].ID
	resp, _ := c.get("thumb/" + id + "?size=320&v=old")
	if got := resp.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control: %s", got)
	}
	req, _ := http.NewRequest(http.MethodGet, c.base+"thumb/"+id+"?size=320&v=old", nil)
	req.Header.Set("If-None-Match", resp.Header.Get("ETag"))
	again, err := http.DefaultClient.Do(req)
	if err != nil || again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %v, %v", again.Status, err)
	}
}

func TestEveryAnswerSaysWhatAPageMayDo(t *testing.T) {
	c := open(t, folderOf(t, "a.jpg"), gallery.Options{})
	id := c.read("").Items[0].ID
	for _, path := range []string{"", "list", "folders", "hashes", "thumb/" + id + "?size=320", "nothing"} {
		resp, _ := c.get(path)
		if got := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'") {
			t.Errorf("%q: Content-Security-Policy: %s", path, got)
		}
		if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%q: X-Content-Type-Options: %s", path, got)
		}
	}
	resp, _ := c.get("original/" + id)
	if got := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "sandbox") {
		t.Errorf("a stranger's file: Content-Security-Policy: %s", got)
	}
	posted, err := http.Post(c.base+"list", "text/plain", nil)
	if err != nil || posted.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", posted.Status, err)
	}
}

func TestAGalleryCanBeMountedBelowAnyPath(t *testing.T) {
	g, err := gallery.Dir(folderOf(t, "a.jpg"), gallery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	mux := http.NewServeMux()
	mux.Handle("/x/photos/", http.StripPrefix("/x/photos", g))
	mux.Handle("/x/photos", http.StripPrefix("/x/photos", g))
	server := httptest.NewServer(mux)
	defer server.Close()
	resp, err := http.Get(server.URL + "/x/photos?q=a")
	if err != nil || resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/x/photos/" {
		t.Errorf("without the slash: %v %v %v", resp.Status, resp.Request.URL, err)
	}
}

func TestAnOriginalComesInPartsAndForDownload(t *testing.T) {
	dir := t.TempDir()
	b := jpegOf(t, photo(300, 200, 1))
	write(t, dir, "a \"b\".jpg", b)
	c := open(t, dir, gallery.Options{})
	i := c.read("").Items[0]
	req, _ := http.NewRequest(http.MethodGet, c.base+"original/"+i.ID+"?download=1&v="+url.QueryEscape(i.V), nil)
	req.Header.Set("Range", "bytes=10-19")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	part, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusPartialContent || !bytes.Equal(part, b[10:20]) {
		t.Errorf("%s, %d bytes", resp.Status, len(part))
	}
	if got := resp.Header.Get("Content-Disposition"); got != `attachment; filename="a \"b\".jpg"` {
		t.Errorf("Content-Disposition: %s", got)
	}
	if got := resp.Header.Get("Content-Type"); got != "image/jpeg" {
		t.Errorf("Content-Type: %s", got)
	}
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	if _, err := gallery.Dir(filepath.Join(t.TempDir(), "none"), gallery.Options{}); err == nil {
		t.Error("no error")
	}
	dir := folderOf(t, "a.jpg")
	if _, err := gallery.Dir(filepath.Join(dir, "a.jpg"), gallery.Options{}); err == nil {
		t.Error("a file: no error")
	}
}
