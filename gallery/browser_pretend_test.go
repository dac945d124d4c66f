// browser_pretend_test.go shows the page what a folder cannot be made to do in a test: five million
// pictures, a server that is slow, fails, or goes away.

package gallery_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/draw"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/internal/browser"
)

// pretender answers as a gallery does, of pictures that there are not.
type pretender struct {
	total  int
	hash   string       // ThumbHash of all pictures, in base64
	fail   atomic.Value // string: what the listing answers instead
	reject atomic.Bool  // closes all connections unanswered
	stuck  atomic.Bool  // thumbnails never come
}

// serve serves p until the test ends.
func (p *pretender) serve(t testing.TB) string {
	t.Helper()
	mux := http.NewServeMux()
	page := template.Must(template.ParseFiles("page/index.html"))
	mux.Handle("/static/", http.StripPrefix("/static/", http.FileServerFS(os.DirFS("page"))))
	mux.HandleFunc("/list", p.list)
	mux.HandleFunc("/hashes", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/thumb/{id}", p.thumb)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		first, _ := json.Marshal(p.window(0, 60))
		page.Execute(w, map[string]any{"Title": "Pretended", "Static": "static/",
			"First": template.JS(first), "Folders": true})
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.reject.Load() {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server.URL + "/"
}

func (p *pretender) window(from, count int) map[string]any {
	items := []map[string]any{}
	for i := from; i < min(from+count, p.total); i++ {
		items = append(items, map[string]any{"id": fmt.Sprintf("p%d", i), "v": "1", "kind": "jpeg",
			"name": fmt.Sprintf("%d.jpg", i), "w": 900, "h": 600, "hash": p.hash})
	}
	return map[string]any{"generation": 1, "total": p.total, "from": from, "items": items}
}

func (p *pretender) list(w http.ResponseWriter, r *http.Request) {
	if why, _ := p.fail.Load().(string); why != "" {
		w.WriteHeader(http.StatusInternalServerError)
		json.NewEncoder(w).Encode(map[string]string{"error": why})
		return
	}
	from, _ := strconv.Atoi(r.FormValue("from"))
	count, _ := strconv.Atoi(r.FormValue("count"))
	json.NewEncoder(w).Encode(p.window(from, count))
}

func (p *pretender) thumb(w http.ResponseWriter, r *http.Request) {
	if p.stuck.Load() {
		<-r.Context().Done()
		return
	}
	n, _ := strconv.Atoi(r.PathValue("id")[1:])
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Write(painted()[n%different])
}

// seen are the names of the tiles in the window, from the first to the last.
const seen = `[...document.querySelectorAll("#grid a")].filter((a) => {
	const r = a.getBoundingClientRect();
	return r.bottom > 52 && r.top < innerHeight;
}).map((a) => parseInt(a.title))`

func TestFiveMillionPicturesCanBeScrolledThrough(t *testing.T) {
	t.Parallel()
	const total = 5_000_000
	url := (&pretender{total: total}).serve(t)
	p := browser.Open(t).Page(1280, 800)
	p.Visit(url)
	p.Await(whole)
	p.Press("End")
	p.Await(whole)
	p.Await(seen + fmt.Sprintf(".at(-1) === %d", total-1))
	p.Run("scrollTo(0, document.documentElement.scrollHeight / 2)")
	p.Await(whole)
	if at := browser.Eval[int](p, seen+"[0]"); at < total*49/100 || at > total*51/100 {
		t.Errorf("in the middle of the bar there is picture %d of %d", at, total)
	}
	was := browser.Eval[int](p, seen+"[0]")
	p.Scroll(53, 40)
	p.Await(whole)
	if by := browser.Eval[int](p, seen+"[0]") - was; by < 50 || by > 66 {
		t.Errorf("scrolling by 2120 pixels went on by %d pictures, want some 60", by)
	}
	if nodes := p.Nodes(); nodes > 150 {
		t.Errorf("%d nodes", nodes)
	}
	p.Press("ArrowRight", "End", "Enter")
	p.Await(position + ` === "5\u00a0000\u00a0000 of 5\u00a0000\u00a0000"`)
	p.Press("Escape", "Home")
	p.Await(whole + " && " + seen + "[0] === 0")
	p.DemandSilence()
}

// TestPlaceholdersHaveTheColoursOfThePictures decodes a hash whose picture is known: red above,
// blue below.
func TestPlaceholdersHaveTheColoursOfThePictures(t *testing.T) {
	t.Parallel()
	pretended := &pretender{total: 1000, hash: redOverBlue(t)}
	pretended.stuck.Store(true)
	url := pretended.serve(t)
	p := browser.Open(t).Page(1280, 800)
	p.Go(url)
	p.Await(`document.querySelector("#grid a")`)
	p.Run("scrollTo(0, 20000)") // where the listing has to be asked for
	p.Await(seen + `[0] > 100`)
	got := browser.Eval[[]int](p, `(() => {
		const c = document.querySelector("main canvas").getContext("2d");
		const { data } = c.getImageData(50, 0, 1, 100);
		return [...data.slice(8 * 4, 9 * 4), ...data.slice(96 * 4, 97 * 4)];
	})()`)
	if got[0] < 150 || got[2] > 100 || got[4] > 100 || got[6] < 150 {
		t.Errorf("the placeholder is %v above and %v below, want red and blue", got[:4], got[4:])
	}
	if out := os.Getenv("GALLERY_SCREENSHOTS"); out != "" {
		p.Screenshot(filepath.Join(out, "placeholders.png"))
	}
	p.DemandSilence()
}

// redOverBlue is the ThumbHash of a picture that is red above and blue below, and twice as wide as
// high.
func redOverBlue(t *testing.T) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 64, 32))
	red := image.NewUniform(color.RGBA{230, 20, 20, 255})
	blue := image.NewUniform(color.RGBA{20, 20, 230, 255})
	draw.Draw(m, image.Rect(0, 0, 64, 16), red, image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(0, 16, 64, 32), blue, image.Point{}, draw.Src)
	b := pngOf(t, m)
	file := thumb.File{Reader: bytes.NewReader(b), Size: int64(len(b))}
	made, err := thumb.New(thumb.Options{}).Make(t.Context(), file, 320)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(made.Hash)
}

func TestTheServersErrorsAreToldAndGoAway(t *testing.T) {
	t.Parallel()
	pretended := &pretender{total: 1000}
	url := pretended.serve(t)
	p := browser.Open(t).Page(1280, 800)
	p.Visit(url)
	p.Await(whole)
	const note = `document.querySelector("#note").textContent`
	// look is what makes the page ask at once: a window that was hidden is seen again.
	const look = `document.dispatchEvent(new Event("visibilitychange"))`
	pretended.fail.Store("the folder cannot be read")
	p.Run(look)
	p.Await(note + ` === "the folder cannot be read"`)
	pretended.fail.Store("")
	p.Run(look)
	p.Await(note + ` === ""`)
	pretended.reject.Store(true)
	p.Run(look)
	p.Await(note + ` === "The server does not answer; trying again."`)
	p.Press("End")
	pretended.reject.Store(false)
	p.Run(look)
	p.Await(note + ` === "" && ` + whole)
}
