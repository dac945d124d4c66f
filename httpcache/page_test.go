// page_test.go looks at a page through a Proxy with a browser: it is whole, and the second view
// asks for next to nothing.

package httpcache_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/internal/browser"
)

// sitePage is the page itself: a browser is to ask whether it still holds, a shared cache need
// not.
const sitePage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tea</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.1f3a.css">
<script src="/script.js" defer></script>
</head><body>
<h1>Tea</h1>
<img src="/cup.png" alt="a cup" width="120" height="80">
<div class="part" data-part="/part/basket"></div>
<div class="part" data-part="/part/news"></div>
</body></html>`

const siteStyle = `body { margin: 0; background: rgb(240, 248, 255); font-family: sans-serif; }
h1 { color: rgb(0, 100, 0); font-size: 40px; line-height: 60px; height: 60px; margin: 0; }
img { display: block; }
.part { width: 300px; height: 50px; background: rgb(255, 250, 205); }`

const siteScript = `Promise.all([...document.querySelectorAll(".part")].map(async (part) => {
	part.innerHTML = await (await fetch(part.dataset.part)).text();
})).then(() => { document.body.dataset.whole = "yes"; });`

// picture is a PNG of one colour.
func picture() []byte {
	m := image.NewRGBA(image.Rect(0, 0, 120, 80))
	for i := range 120 * 80 {
		m.Set(i%120, i/120, color.RGBA{R: 139, G: 69, B: 19, A: 255})
	}
	var buf bytes.Buffer
	png.Encode(&buf, m)
	return buf.Bytes()
}

// siteOrigin serves the page and what it is made of.
func siteOrigin() http.Handler {
	mux := http.NewServeMux()
	serve := func(path, kind, cacheControl string, body []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Cache-Control", cacheControl)
			w.Header().Set("Etag", fmt.Sprintf(`"%d"`, len(body)))
			w.Write(body)
		})
	}
	serve("/{$}", "text/html; charset=utf-8", "max-age=0, s-maxage=3600", []byte(sitePage))
	serve("/style.1f3a.css", "text/css", "max-age=31536000, immutable", []byte(siteStyle))
	serve("/script.js", "text/javascript", "max-age=3600", []byte(siteScript))
	serve("/cup.png", "image/png", "max-age=3600", picture())
	serve("/part/news", "text/html", "max-age=3600", []byte("<b>First flush has come</b>"))
	serve("/part/basket", "text/html", "private, max-age=3600", []byte("<b>Your basket</b>"))
	return mux
}

// listening notes what is asked, with the condition and the status of the answer.
type listening struct {
	next http.Handler

	mu  sync.Mutex // guards the field below
	all []string
}

func (l *listening) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	l.next.ServeHTTP(s, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	condition := r.Header.Get("If-None-Match")
	l.all = append(l.all, fmt.Sprintf("%s %d %s", r.URL.Path, s.status, condition))
}

// heard returns what was asked since the last time, sorted.
func (l *listening) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	slices.Sort(all)
	return all
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func TestAPageLooksRightThroughTheProxyAndItsSecondViewAsksForLittle(t *testing.T) {
	origin := &listening{next: siteOrigin()}
	from := httptest.NewServer(origin)
	t.Cleanup(from.Close)
	to, err := url.Parse(from.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := &listening{next: openCache(t, httpcache.Options{}).Proxy(httpcache.Origin{URL: to})}
	s := frontOf(t, front)
	b := browser.Open(t)

	p := b.Page(800, 600)
	p.Visit(s.URL)
	wantSite(t, p)
	p.Screenshot(filepath.Join(t.ArtifactDir(), "page.png"))
	everything := []string{
		"/ 200 ", "/cup.png 200 ", "/part/basket 200 ", "/part/news 200 ", "/script.js 200 ",
		"/style.1f3a.css 200 ",
	}
	wantHeard(t, "first view, front", front, everything)
	wantHeard(t, "first view, origin", origin, everything)

	p.Visit("about:blank")
	p.Visit(s.URL)
	wantSite(t, p)
	wantHeard(t, "second view, front", front, []string{fmt.Sprintf(`/ 304 "%d"`, len(sitePage))})
	wantHeard(t, "second view, origin", origin, nil)
	p.DemandSilence()

	other := b.Page(800, 600) // another reader, who has nothing yet
	other.Visit(s.URL)
	wantSite(t, other)
	wantHeard(t, "another reader, front", front, everything)
	wantHeard(t, "another reader, origin", origin, []string{"/part/basket 200 "})
	other.DemandSilence()
}

// wantHeard checks what was asked since the last time.
func wantHeard(t *testing.T, what string, l *listening, want []string) {
	t.Helper()
	if heard := l.heard(); !slices.Equal(heard, want) {
		t.Errorf("%s: asked %q, want %q", what, heard, want)
	}
}

// wantSite checks how the page looks.
func wantSite(t *testing.T, p *browser.Page) {
	t.Helper()
	p.Await(`document.body && document.body.dataset.whole === "yes"`)
	for script, want := range map[string]string{
		`getComputedStyle(document.body).backgroundColor`:               "rgb(240, 248, 255)",
		`getComputedStyle(document.querySelector("h1")).color`:          "rgb(0, 100, 0)",
		`document.querySelector("h1").getBoundingClientRect().height`:   "60",
		`document.querySelector("img").naturalWidth`:                    "120",
		`document.querySelector("img").complete`:                        "true",
		`document.querySelector("img").getBoundingClientRect().top`:     "60",
		`document.querySelectorAll(".part")[1].innerText`:               "First flush has come",
		`document.querySelectorAll(".part")[0].innerText`:               "Your basket",
		`document.querySelector(".part").getBoundingClientRect().width`: "300",
		`document.documentElement.scrollHeight > 200`:                   "true",
		`document.compatMode`:                                           "CSS1Compat",
		`document.characterSet`:                                         "UTF-8",
	} {
		if got := browser.Eval[string](p, `String(`+script+`)`); got != want {
			t.Errorf("%s is %s, want %s", script, got, want)
		}
	}
}

// TestABrowserSeesWhatIsStreamed has a page whose second half comes when the first is seen.
func TestABrowserSeesWhatIsStreamed(t *testing.T) {
	seen := make(chan struct{})
	var once sync.Once
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><p id="first">first</p>`)
		io.WriteString(w, `<script>fetch("/seen")</script>`)
		w.(http.Flusher).Flush()
		<-seen
		io.WriteString(w, `<p id="last">last</p>`)
	})
	mux.HandleFunc("GET /seen", func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(seen) })
	})
	s := frontOf(t, openCache(t, httpcache.Options{}).Middleware(mux, httpcache.View{}))
	p := browser.Open(t).Page(400, 300)
	p.Visit(s.URL)
	p.Await(`document.querySelector("#last") && document.querySelector("#first")`)
	if asked.Load() != 1 {
		t.Errorf("the handler was asked %d times", asked.Load())
	}
	p.DemandSilence()
}
