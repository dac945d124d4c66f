// browser_site_test.go serves galleries of generated pictures to a browser, and counts requests.

package gallery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/internal/browser"
)

// different is how many pictures of an album differ from each other.
const different = 50

// painted are these, as JPEG.
var painted = sync.OnceValue(func() (all [][]byte) {
	for n := range different {
		all = append(all, paint(n, 900, 600))
	}
	return all
})

// album makes a folder with n pictures in a few folders: links to some 50 files, since nobody has
// the time to write so many. They are called IMG_1.jpg, ...
func album(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	path := func(i int) string {
		sub := filepath.Join(dir, fmt.Sprint(2001+i*24/n), fmt.Sprintf("%02d", 1+i%3*4))
		return filepath.Join(sub, fmt.Sprintf("IMG_%d.jpg", i+1))
	}
	for i := range n {
		var err error
		if i < different {
			write(t, dir, strings.TrimPrefix(path(i), dir), painted()[i])
		} else if err = os.Link(path(i%different), path(i)); errors.Is(err, fs.ErrNotExist) {
			err = errors.Join(os.MkdirAll(filepath.Dir(path(i)), 0o755),
				os.Link(path(i%different), path(i)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// paint returns a picture that can be told from others, as JPEG: hills of two colours below a sky.
func paint(n, width, height int) []byte {
	if n%4 == 3 {
		width, height = height, width
	}
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, landscape(n, float64(x)/float64(width), float64(y)/float64(height)))
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// landscape is the colour of a point of the nth picture; x and y are 0 to 1.
func landscape(n int, x, y float64) color.RGBA {
	a := float64(n)
	hill := 0.55 + 0.2*math.Sin(a+5*x) + 0.03*math.Sin(3*a+41*x)
	sun := math.Hypot(x-0.2-0.6*math.Mod(a*0.37, 1), y-0.25)
	switch {
	case y > hill+0.15:
		return tone(a+2.5, 0.35+0.1*math.Sin(90*x+70*y))
	case y > hill:
		return tone(a+1.2, 0.55)
	case sun < 0.07:
		return color.RGBA{255, 240, 200, 255}
	}
	return tone(a, 0.95-0.5*y)
}

// tone is a colour of a hue and a lightness.
func tone(hue, light float64) color.RGBA {
	channel := func(shift float64) uint8 {
		return uint8(255 * max(0, min(1, light*(0.75+0.25*math.Sin(hue*1.7+shift)))))
	}
	return color.RGBA{channel(0), channel(2.1), channel(4.2), 255}
}

// site is a gallery that a browser visits.
type site struct {
	URL string // ends in "/"

	mu        sync.Mutex // guards the fields below
	paths     []string   // what was asked for, in this order
	cancelled int        // requests that the browser gave up
	slow      time.Duration
}

// visitable serves the gallery of a folder below a path ("/" or "/photos/").
func visitable(t testing.TB, dir, below string) *site {
	t.Helper()
	g, err := gallery.Dir(dir, gallery.Options{Title: "Holidays", Poll: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	s := &site{}
	mux := http.NewServeMux()
	mux.Handle(below, http.StripPrefix(strings.TrimSuffix(below, "/"), s.watch(g)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.URL = server.URL + below
	return s
}

// watch counts what is asked of h, and makes it slow.
func (s *site) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.paths = append(s.paths, r.URL.RequestURI())
		slow := s.slow
		s.mu.Unlock()
		if strings.Contains(r.URL.Path, "thumb/") && !waited(r.Context(), slow) {
			s.mu.Lock()
			s.cancelled++
			s.mu.Unlock()
			return
		}
		h.ServeHTTP(w, r)
	})
}

// waited waits, and tells whether somebody still wants the answer.
func waited(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// delay makes each thumbnail take so much longer.
func (s *site) delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// asked returns the requests whose path or query has part in it, and forgets nothing.
func (s *site) asked(part string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.paths {
		if strings.Contains(p, part) {
			found = append(found, p)
		}
	}
	return found
}

// forget forgets what was asked for.
func (s *site) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths, s.cancelled = nil, 0
}

func (s *site) givenUp() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cancelled
}

// sizeOf returns the size that a request for a thumbnail asks for, 0 if it is none.
func sizeOf(request string) int {
	u, err := url.Parse(request)
	if err != nil {
		return 0
	}
	size, _ := strconv.Atoi(u.Query().Get("size"))
	return size
}

// whole is true when all tiles that are seen show their thumbnails.
const whole = `(() => {
	const tiles = [...document.querySelectorAll("#grid a")].filter((a) => {
		const r = a.getBoundingClientRect();
		return r.bottom > 92 && r.top < innerHeight;
	});
	return tiles.length > 0 && tiles.every((a) => a.querySelector("img")?.complete);
})()`

// isRead is true when the folder has been read.
const isRead = `document.querySelector("#count").textContent.match(/^[1-9][\d\u00a0]* pictures?$/)`

// sharp is true when the lightbox shows the picture itself.
const sharp = `document.querySelector(".stage.whole:not(.waiting) img:last-child")?.complete`

// sharpImage is that picture.
const sharpImage = `document.querySelector(".stage img:last-child")`

// look visits a site with a window of so many pixels, and waits for what is seen.
func look(t testing.TB, s *site, width, height int) *browser.Page {
	t.Helper()
	p := browser.Open(t).Page(width, height)
	p.Visit(s.URL)
	p.Await(isRead)
	p.Await(whole)
	return p
}
