// proxy_page_test.go looks with a browser at pages that the command proxy serves.

//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/larder-go/larder/browsercache"
	"github.com/larder-go/larder/internal/browser"
)

const teaPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Leaf</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{ asset "app.css" }}">
<script src="{{ asset "app.js" }}" defer></script>
</head><body>
<h1>Teas of the week</h1>
<main>
<img src="{{ asset "img/cup.png" }}" alt="a cup from above" width="360" height="240">
<section>
<ul><li data-cents="1250">Sencha<li data-cents="890">Assam<li data-cents="1100">Lapsang</ul>
<p>Together: <output></output></p>
</section>
</main>
</body></html>`

const teaStyle = `@font-face { font-family: Go; src: url("font/go.ttf") }
:root { color-scheme: light dark; --leaf: light-dark(rgb(47, 107, 79), rgb(143, 207, 174)) }
body { margin: 0 auto; max-width: 60rem; padding: 24px; font: 18px/1.5 Go, monospace;
	background: light-dark(rgb(246, 248, 243), rgb(18, 24, 21)) }
h1 { margin: 0 0 16px; padding-left: 56px; color: var(--leaf); font-size: 32px; line-height: 48px;
	background: url("img/leaf.svg") left top / 40px no-repeat }
main { display: grid; gap: 24px; grid-template-columns: 360px minmax(0, 1fr) }
img { display: block; max-width: 100%; height: auto; border-radius: 12px }
@media (max-width: 45rem) { main { grid-template-columns: minmax(0, 1fr) } }`

const teaScript = `let cents = 0;
for (const li of document.querySelectorAll("li")) cents += Number(li.dataset.cents);
document.querySelector("output").value = "€ " + (cents / 100).toFixed(2);
document.fonts.load("18px Go").then(() => { document.body.dataset.whole = "yes"; });`

const teaLeaf = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">
<path d="M5 35C5 10 20 5 36 4 36 25 25 35 5 35Z" fill="#7a9"/></svg>`

// teaCup is a picture of a cup from above.
func teaCup() []byte {
	m := image.NewRGBA(image.Rect(0, 0, 360, 240))
	for x := range 360 {
		for y := range 240 {
			m.Set(x, y, color.RGBA{R: 221, G: 208, B: 190, A: 255})
			switch far := (x-180)*(x-180) + (y-120)*(y-120); {
			case far < 80*80:
				m.Set(x, y, color.RGBA{R: 150, G: 82, B: 30, A: 255})
			case far < 95*95:
				m.Set(x, y, color.White)
			}
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m) // into memory it never fails
	return b.Bytes()
}

// teaSite is an origin that notes what it is asked.
type teaSite struct {
	*httptest.Server
	paths []string // of the page and its assets, sorted

	mu    sync.Mutex // guards the field below
	asked []string
}

// teaHandler serves a page about which a browser is to ask each time, though a shared cache need
// not, and assets that nobody asks for twice.
func teaHandler(assets *browsercache.Assets) http.Handler {
	page := template.Must(template.New("").Funcs(assets.Funcs()).Parse(teaPage))
	home := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("CDN-Cache-Control", "max-age=3600")
		if err := page.Execute(w, nil); err != nil {
			panic(err) // the page is cut off, and does not look right
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/assets/", assets)
	mux.Handle("/{$}", browsercache.Validate(
		browsercache.With(browsercache.NoCache(), home), browsercache.ValidateOptions{}))
	return mux
}

func newTeaSite(t *testing.T) *teaSite {
	t.Helper()
	files := fstest.MapFS{
		"app.css": {Data: []byte(teaStyle)}, "app.js": {Data: []byte(teaScript)},
		"font/go.ttf": {Data: goregular.TTF}, "img/cup.png": {Data: teaCup()},
		"img/leaf.svg": {Data: []byte(teaLeaf)},
	}
	assets, err := browsercache.NewAssets(files, browsercache.AssetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := &teaSite{paths: []string{"/"}}
	for name := range files {
		s.paths = append(s.paths, assets.Path(name))
	}
	slices.Sort(s.paths)
	s.Server = httptest.NewServer(s.noting(teaHandler(assets)))
	t.Cleanup(s.Close)
	return s
}

func (s *teaSite) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// wantAsked checks what the origin was asked since the last time.
func (s *teaSite) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Sort(s.asked); !slices.Equal(s.asked, want) {
		t.Errorf("the origin was asked %q, want %q", s.asked, want)
	}
	s.asked = nil
}

// each returns how the log tells that all of the site was asked for, with the same outcome.
func (s *teaSite) each(outcome string) (lines []string) {
	for _, path := range s.paths {
		lines = append(lines, "GET "+path+" "+outcome)
	}
	return lines
}

// pageProxy is a larder proxy that tells what it was asked.
type pageProxy struct {
	*proxyProcess
	admin string
	log   *bufio.Scanner
}

// startPageProxy starts a proxy in front of an origin. Its access log is a pipe.
func startPageProxy(t *testing.T, to string) *pageProxy {
	t.Helper()
	t.Setenv("LARDER_ADMIN_TOKEN", "0123456789abcdef")
	s := newScene(t)
	log := s.fifo("log")
	if err := log.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, "--to", to, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--log", filepath.Join(s.dir, "log"), "--log-format", "json")
	return &pageProxy{p, p.await(t, `^larder: proxy: admin at (.*)$`), bufio.NewScanner(log)}
}

// next returns the next line of the log: "GET / 200 hit".
func (p *pageProxy) next(t *testing.T) string {
	t.Helper()
	var line struct {
		Method, URL, Cache string
		Status             int
	}
	if !p.log.Scan() {
		t.Fatalf("the log ended: %v", p.log.Err())
	}
	if err := json.Unmarshal(p.log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %d %s", line.Method, line.URL, line.Status, line.Cache)
}

// wantLogged checks what the proxy was asked since the last time, in any order. A request that it
// refuses is the mark behind which nothing is to follow.
func (p *pageProxy) wantLogged(t *testing.T, want ...string) {
	t.Helper()
	mark, err := http.NewRequest(http.MethodTrace, p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(mark)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var got []string
	for marked := false; !marked || len(got) < len(want); {
		if line := p.next(t); strings.HasPrefix(line, "TRACE ") {
			marked = true
		} else {
			got = append(got, line)
		}
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("larder was asked %q, want %q", got, want)
	}
}

// outdate makes all that the proxy keeps stale.
func (p *pageProxy) outdate(t *testing.T) {
	t.Helper()
	purge := exec.Command("larder", "proxy", "purge", "--all", "--soft", "--admin", p.admin)
	if out, err := purge.CombinedOutput(); err != nil {
		t.Fatalf("purge: %v, %s", err, out)
	}
}

// wantSeen checks what scripts evaluate to.
func wantSeen(t *testing.T, p *browser.Page, wants map[string]string) {
	t.Helper()
	for script, want := range wants {
		if got := browser.Eval[string](p, `String(`+script+`)`); got != want {
			t.Errorf("%s is %s, want %s", script, got, want)
		}
	}
}

// wantTeaSite visits the page and checks how it looks in a wide window.
func wantTeaSite(t *testing.T, p *browser.Page, url string) {
	t.Helper()
	p.Visit("about:blank")
	p.Visit(url)
	p.Await(`document.body && document.body.dataset.whole === "yes"`)
	wantSeen(t, p, map[string]string{
		`document.characterSet + " " + document.compatMode`:            "UTF-8 CSS1Compat",
		`getComputedStyle(document.body).backgroundColor`:              "rgb(246, 248, 243)",
		`getComputedStyle(document.querySelector("h1")).color`:         "rgb(47, 107, 79)",
		`document.querySelector("h1").getBoundingClientRect().height`:  "48",
		`[...document.fonts].map((f) => f.family + " " + f.status)`:    "Go loaded",
		`document.querySelector("img").complete`:                       "true",
		`document.querySelector("img").naturalWidth`:                   "360",
		`document.querySelector("img").getBoundingClientRect().top`:    "88",
		`document.querySelector("section").getBoundingClientRect().x`:  "544",
		`document.querySelector("section").innerText.match(/\w+/g)[1]`: "Assam",
		`document.querySelector("output").innerText`:                   "€ 32.40",
	})
	p.DemandSilence()
}

// shoot looks at a page by day and by night, on a phone and in a wide window, and takes pictures.
func shoot(t *testing.T, p *browser.Page, name, day string) {
	t.Helper()
	const grid = `getComputedStyle(document.querySelector("main")).gridTemplateColumns`
	for scheme, ground := range map[string]string{"dark": "rgb(18, 24, 21)", "light": day} {
		p.Prefer("color-scheme", scheme)
		p.Phone(390, 844, 2)
		wantSeen(t, p, map[string]string{
			`getComputedStyle(document.body).backgroundColor`: ground,
			`document.documentElement.scrollWidth`:            "390",
			grid + `.split(" ").length`:                       "1",
		})
		p.Screenshot(filepath.Join(t.ArtifactDir(), name+"-phone-"+scheme+".png"))
		p.Resize(1280, 800, 1)
		p.Screenshot(filepath.Join(t.ArtifactDir(), name+"-"+scheme+".png"))
	}
	p.Prefer("color-scheme", "light")
}

func TestAPageLooksRightThroughTheProxyAgainAndWithoutItsOrigin(t *testing.T) {
	site := newTeaSite(t)
	b := browser.Open(t)
	larder := startPageProxy(t, site.URL)
	p := b.Page(1280, 800)

	wantTeaSite(t, p, larder.url)
	larder.wantLogged(t, site.each("200 miss")...)
	site.wantAsked(t, site.paths...)
	shoot(t, p, "page", "rgb(246, 248, 243)")
	wantSecondView(t, p, larder)
	wantTeaSite(t, b.Page(1280, 800), larder.url) // another reader, who has nothing yet
	larder.wantLogged(t, site.each("200 hit")...)
	site.wantAsked(t)

	larder.outdate(t)
	site.CloseClientConnections()
	site.Close()
	wantTeaSite(t, p, larder.url)
	larder.wantLogged(t, "GET / 304 stale")
	late := b.Page(1280, 800)
	wantTeaSite(t, late, larder.url)
	larder.wantLogged(t, site.each("200 stale")...)
	late.Screenshot(filepath.Join(t.ArtifactDir(), "page-without-origin.png"))
}

// wantSecondView visits the page again: the browser asks whether the page holds, and for no asset.
func wantSecondView(t *testing.T, p *browser.Page, larder *pageProxy) {
	t.Helper()
	p.Forget()
	wantTeaSite(t, p, larder.url)
	assets := p.Requests("/assets/")
	if len(assets) != 5 {
		t.Errorf("the second view has assets %v, want 5", assets)
	}
	for _, r := range assets {
		if !r.Cached {
			t.Errorf("the second view asks for %s", r.URL)
		}
	}
	const told = `fetch("/").then((r) => r.headers.get("Cache-Status"))`
	if status := browser.Eval[string](p, told); !strings.HasPrefix(status, "larder; hit") {
		t.Errorf("the browser is told %q", status)
	}
	larder.wantLogged(t, "GET / 304 hit", "GET / 304 hit") // of the view, and of fetch
}

// startFragments builds the example page-fragments and starts it.
func startFragments(t *testing.T) (url string, cmd *exec.Cmd) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "page-fragments")
	build := exec.Command("go", "build", "-o", program, "../../examples/page-fragments")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v, %s", err, out)
	}
	cmd = exec.Command(program, "-listen", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // one that has ended does not mind
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), cmd
}

// The baskets of the readers, as a script joins their lines.
const annsBasket, bobsBasket = "Sencha, 100 g,A cup", "Lapsang, 50 g"

// wantShop visits the page of a reader, checks how it looks in a wide window, and returns how long
// it took to make.
func wantShop(t *testing.T, p *browser.Page, url, user, basket string) time.Duration {
	t.Helper()
	p.Visit("about:blank")
	p.Visit(url)
	wantSeen(t, p, map[string]string{
		`document.title + " " + document.compatMode`:                      "Leaf & Cup CSS1Compat",
		`getComputedStyle(document.body).backgroundColor`:                 "rgb(245, 247, 242)",
		`document.querySelector("h1").innerText`:                          "Leaf & Cup",
		`getComputedStyle(document.querySelector("h1")).color`:            "rgb(47, 107, 79)",
		`document.querySelector("[aria-current]").innerText`:              user,
		`document.querySelectorAll("article").length`:                     "3",
		`document.querySelectorAll("h3")[1].innerText`:                    "Assam <No. 4>",
		`document.querySelector("article p").innerText`:                   "Fresh grass & the sea",
		`document.querySelector("aside h2").innerText`:                    "Basket of " + user,
		`document.querySelector("aside ul").innerText.split("\n")`:        basket,
		`document.querySelectorAll("aside ul")[1].children.length`:        "3",
		`document.querySelector("aside").getBoundingClientRect().width`:   "288",
		`document.querySelector("article").getBoundingClientRect().x`:     "164",
		`document.querySelector("footer button").getClientRects().length`: "1",
		`document.documentElement.scrollHeight <= innerHeight`:            "true",
	})
	p.DemandSilence()
	const span = `document.querySelector("footer span").innerText.match(/took (.*)\./)[1]`
	took, err := time.ParseDuration(browser.Eval[string](p, span))
	if err != nil {
		t.Fatal(err)
	}
	return took
}

// pricesSince are those that the example may have set since then: it takes them off the clock.
func pricesSince(then time.Time) (all []string) {
	for at := then.Truncate(time.Second); !at.After(time.Now()); at = at.Add(time.Second) {
		cents := 500 + 10*at.Second()
		all = append(all, fmt.Sprintf("€ %d.%02d", cents/100, cents%100))
	}
	return all
}

// reprice presses the button of the page and looks for the new price.
func reprice(t *testing.T, p *browser.Page, larder *pageProxy) {
	t.Helper()
	began := time.Now()
	p.Run(`document.querySelector("footer button").click()`)
	larder.wantLogged(t, "POST /reprice 303 bypass", "GET / 200 miss")
	wantShop(t, p, larder.url, "Ann", annsBasket)
	const shown = `document.querySelectorAll("strong")[1].innerText`
	price, want := browser.Eval[string](p, shown), pricesSince(began)
	if !slices.Contains(want, price) {
		t.Errorf("the new price is %s, want one of %q", price, want)
	}
	larder.wantLogged(t, "GET / 200 miss")
}

// TestAPageOfFragmentsLooksRightThroughTheProxy has a page that is its reader's own: each view asks
// for it, and what is kept for the next are its fragments. Larder keeps no copy of it, not even for
// when there is nobody to ask.
func TestAPageOfFragmentsLooksRightThroughTheProxy(t *testing.T) {
	origin, cmd := startFragments(t)
	b := browser.Open(t)
	larder := startPageProxy(t, origin)
	p := b.Page(1280, 800)

	first := wantShop(t, p, larder.url, "Ann", annsBasket)
	shoot(t, p, "fragments", "rgb(245, 247, 242)")
	second := wantShop(t, p, larder.url, "Ann", annsBasket)
	if second >= first/2 {
		t.Errorf("the views took %v and %v: were the fragments kept?", first, second)
	}
	wantShop(t, p, larder.url+"/?user=Bob", "Bob", bobsBasket)
	larder.wantLogged(t, "GET / 200 miss", "GET / 200 miss", "GET /?user=Bob 200 miss")

	reprice(t, p, larder)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, user := range []string{"Ann", "Eve"} {
		if code, _ := ask(t, larder.url+"/?user="+user); code != http.StatusBadGateway {
			t.Errorf("without its origin the page of %s is answered with %d", user, code)
		}
	}
}
