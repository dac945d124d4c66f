// browser_test.go looks at the page with a real browser.

package gallery_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/browser"
)

// names are those of the tiles, from the first to the last.
const names = `[...document.querySelectorAll("#grid a")].map((a) => a.title)`

// firstName is that of the first tile that is seen.
const firstName = names + `[0]`

// isOpen is true while the lightbox is.
const isOpen = `document.querySelector("dialog.lightbox[open]")`

// focused is the name of the tile that has the focus.
const focused = `document.activeElement.title`

// position is what the lightbox says of it.
const position = `document.querySelector(".position").textContent`

// windows are sizes from a phone's to a large screen's, in pixels.
var windows = [][2]int{{360, 740}, {768, 1024}, {1280, 800}, {1440, 2560}, {2560, 1440}}

func TestTheGridHasFewNodesInAnyWindow(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	p.Reload() // now it knows no more than what came with it
	for _, size := range windows {
		p.Resize(size[0], size[1], 1)
		p.Await(fmt.Sprintf("innerWidth === %d", size[0]))
		p.Scroll(77, 10)
		p.Await(whole)
		if nodes := p.Nodes(); nodes > 150 {
			t.Errorf("%d nodes in a window of %v, want at most 150", nodes, size)
		}
	}
	p.Press("ArrowRight", "Enter", "?") // the lightbox over the grid, and the help over that
	p.Await(isOpen)
	if nodes := p.Nodes(); nodes > 150 {
		t.Errorf("%d nodes with the lightbox, want at most 150", nodes)
	}
	p.DemandSilence()
}

func TestTheLightboxAsksForThePictureFirstAndThenForItsNeighbours(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	for range 10 {
		p.Press("ArrowRight")
	}
	s.delay(30 * time.Millisecond)
	p.Press("Enter")
	p.Await(sharp)
	for len(p.Requests("size=1280")) < 4 {
		p.Run("new Promise(requestAnimationFrame)")
	}
	asked := p.Requests("size=1280")[:4]
	for i, want := range listedAt(t, s, 10, 11, 12, 9) {
		if !strings.Contains(asked[i].URL, want) {
			t.Errorf("request %d was for %s, want %s", i, asked[i].URL, want)
		}
	}
	if first, next := asked[0].Priority, asked[1].Priority; first != "High" || next != "Low" {
		t.Errorf("priorities: %s for the picture, %s for the next one", first, next)
	}
	p.DemandSilence()
}

// largeOnes returns the pictures that were asked for in the size of the lightbox: their ids.
func largeOnes(s *site) (ids []string) {
	for _, r := range s.asked("thumb/") {
		if sizeOf(r) >= 1280 {
			u, _ := url.Parse(r)
			ids = append(ids, strings.TrimPrefix(u.Path, "/thumb/"))
		}
	}
	return ids
}

// listedAt returns the ids of the pictures at positions.
func listedAt(t *testing.T, s *site, positions ...int) (ids []string) {
	t.Helper()
	for _, i := range positions {
		ids = append(ids, idAt(t, s, i))
	}
	return ids
}

func TestGoingBackInTheLightboxMakesNoRequests(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	p.Press("ArrowRight")
	goesBackWithoutRequests(t, p, s)
	p.DemandSilence()
}

// goesBackWithoutRequests opens the picture with the focus, goes ten on, and then back.
func goesBackWithoutRequests(t *testing.T, p *browser.Page, s *site) {
	p.Press("End", "Enter")
	p.Await(sharp)
	for range 10 {
		p.Press("ArrowLeft")
		p.Await(sharp)
	}
	quiet(t, p, s)
	s.forget()
	for range 10 {
		p.Press("ArrowRight")
		if !browser.Eval[bool](p, "!!"+sharp) {
			t.Error("a picture was not there at once on the way back")
		}
	}
	quiet(t, p, s)
	if asked := append(s.asked("thumb/"), s.asked("original/")...); len(asked) > 0 {
		t.Errorf("going back asked for %q", asked)
	}
	p.Press("Escape")
}

// quiet waits until the page has asked for no picture for a while.
func quiet(t *testing.T, p *browser.Page, s *site) {
	t.Helper()
	for n, still := -1, 0; still < 20; still++ {
		p.Run("new Promise(requestAnimationFrame)")
		if now := len(s.asked("thumb/")); now != n {
			n, still = now, 0
		}
	}
}

func TestScrolledPastThumbnailsAreCancelled(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	quiet(t, p, s)
	s.delay(400 * time.Millisecond)
	s.forget()
	p.Run("scrollTo(0, 6000)")
	for len(s.asked("thumb/")) == 0 {
		p.Run("new Promise(requestAnimationFrame)")
	}
	p.Press("End")
	for late := time.Now().Add(10 * time.Second); s.givenUp() == 0; {
		if time.Now().After(late) {
			t.Fatal("no request was cancelled")
		}
		p.Run("new Promise(requestAnimationFrame)")
	}
	s.delay(0)
	p.Await(whole)
	if n := len(s.asked("thumb/")); n > 200 {
		t.Errorf("%d thumbnails were asked for on a way to the end of 500", n)
	}
	p.DemandSilence()
}

func TestTheScrollBarAsksForNothingOnItsWay(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 5000), "/")
	p := look(t, s, 1280, 800)
	quiet(t, p, s)
	s.forget()
	p.Scroll(5000, 20)
	during := len(s.asked("thumb/"))
	p.Await(whole)
	if during > 4 {
		t.Errorf("%d thumbnails were asked for while the bar was dragged", during)
	}
	p.DemandSilence()
}

func TestTheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	names := browser.Eval[[]string](p, names)
	steps := []struct{ key, focus string }{
		{"ArrowRight", names[1]}, {"ArrowDown", names[7]}, {"ArrowLeft", names[6]},
		{"ArrowUp", names[0]}, {"PageDown", names[18]}, {"Home", names[0]},
	}
	for _, step := range steps {
		p.Press(step.key)
		if got := browser.Eval[string](p, focused); got != step.focus {
			t.Errorf("after %s %q has the focus, want %q", step.key, got, step.focus)
		}
	}
	p.Press("End", " ")
	p.Await(isOpen)
	if got, want := browser.Eval[string](p, position), "500 of 500"; got != want {
		t.Errorf("the lightbox says %q, want %q", got, want)
	}
	p.Press("Home", "ArrowRight", "Escape")
	p.Await("!" + isOpen)
	if got := browser.Eval[string](p, focused); got != names[1] {
		t.Errorf("after the lightbox %q has the focus, want %q", got, names[1])
	}
	p.DemandSilence()
}

func TestTheLightboxZoomsByKeysWheelAndDoubleClick(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "1.jpg", painted()[1])
	write(t, dir, "2.jpg", paint(2, 3000, 2000))
	s := visitable(t, dir, "/")
	p := look(t, s, 1280, 800)
	p.Press("ArrowRight", "Enter")
	p.Await(sharp)
	const scale = `new DOMMatrix(getComputedStyle(document.querySelector(".stage")).transform).a`
	const moved = `new DOMMatrix(getComputedStyle(document.querySelector(".stage")).transform).e`
	middle := browser.Point{X: 640, Y: 400}
	p.Press("+")
	p.Await(scale + " > 1")
	p.Press("0")
	p.Await(scale + " === 1")
	p.Wheel(middle, -400)
	p.Await(scale + " > 1")
	p.DoubleClick(middle)
	p.Await(scale + " === 1")
	p.DoubleClick(middle)
	p.Await(scale + " > 1")
	p.Drag(middle, browser.Point{X: 500, Y: 400})
	p.Await(moved + " < 0")
	if got, want := browser.Eval[string](p, position), "2 of 2"; got != want {
		t.Errorf("after zooming the lightbox is at %q, want %q", got, want)
	}
	p.Await(`document.querySelector(".stage img:last-child").src.includes("original/")`)
	p.DemandSilence()
}

func TestFingersSwipePinchAndClose(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 60), "/")
	p := browser.Open(t).Page(360, 740)
	p.Phone(360, 740, 2)
	p.Visit(s.URL)
	p.Await(whole)
	p.Run(`document.querySelector("#grid a").click()`)
	p.Await(sharp)
	at := func(x, y float64) browser.Point { return browser.Point{X: x, Y: y} }
	p.Swipe([2]browser.Point{at(300, 400), at(80, 410)})
	p.Await(position + `.startsWith("2 ")`)
	p.Swipe([2]browser.Point{at(80, 400), at(300, 410)})
	p.Await(position + `.startsWith("1 ")`)
	p.Swipe([2]browser.Point{at(170, 400), at(60, 400)}, // two fingers: a pinch
		[2]browser.Point{at(190, 400), at(300, 400)})
	p.Await(`document.querySelector(".lightbox.zoomed")`)
	p.Press("0")
	p.Swipe([2]browser.Point{at(180, 300), at(185, 600)})
	p.Await("!" + isOpen)
	p.DemandSilence()
}

func TestHoldingTheKeyLoadsOnlyTheLastPicture(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	p.Press("ArrowRight", "Enter")
	p.Await(sharp)
	quiet(t, p, s)
	s.delay(50 * time.Millisecond)
	s.forget()
	p.Hold("ArrowRight", 60)
	p.Await(sharp)
	large := largeOnes(s)
	want := listedAt(t, s, 61)[0]
	if !slices.Contains(large, want) || len(large) > 12 {
		t.Errorf("holding the key loaded %d pictures, the last among them: %t", len(large),
			slices.Contains(large, want))
	}
	p.DemandSilence()
}

func TestSearchSortAndFolderChangeWhatIsListed(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	p.Press("/")
	p.Type("IMG_123.")
	p.Await(names + `.join() === "IMG_123.jpg"`)
	p.Await(`location.search === "?q=IMG_123."`)
	p.Run(`search.value = "no such thing"; search.dispatchEvent(new Event("input"))`)
	p.Await(`document.querySelector("#note").textContent === "Nothing matches."`)
	p.Run(`search.value = ""; search.dispatchEvent(new Event("input"))`)
	p.Await(firstName + ` === "IMG_1.jpg"`)
	p.Run(`sort.value = "-name"; sort.dispatchEvent(new Event("change"))`)
	p.Await(firstName + ` !== "IMG_1.jpg"`)
	p.Run(`sort.value = "name"; sort.dispatchEvent(new Event("change"))`)
	p.Click("#folder")
	p.Type("2003/0")
	p.Await(`document.querySelectorAll("datalist option").length === 3`)
	p.Type("5")
	p.Await(`document.querySelector("#count").textContent === "7 pictures"`)
	p.Press("Escape")
	p.Await(`!document.querySelector("datalist") && location.search === "?dir=2003%2F05"`)
	p.Reload()
	p.Await(`document.querySelector("#count").textContent === "7 pictures"`)
	p.DemandSilence()
}

func TestALinkOpensThePictureAndTheBackButtonClosesIt(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 500), "/photos/of/me/")
	p := browser.Open(t).Page(1280, 800)
	p.Visit(s.URL)
	p.Await(isRead)
	p.Visit("about:blank")
	p.Visit(s.URL + "#" + idAt(t, s, 300))
	p.Await(sharp)
	p.Await(position + ` === "301 of 500"`)
	p.Press("Escape")
	p.Await("location.hash === '' && !" + isOpen)
	p.Await(whole)
	p.Press("ArrowRight", "Enter")
	p.Await(sharp)
	p.Await(position + ` === "302 of 500" && location.hash.length > 1`)
	p.Run("history.back()")
	p.Await("location.hash === '' && !" + isOpen)
	p.Run("history.forward()")
	p.Await(isOpen)
	p.DemandSilence()
}

// idAt returns the id of the picture at a position.
func idAt(t *testing.T, s *site, at int) string {
	t.Helper()
	response, err := http.Get(fmt.Sprintf("%slist?from=%d&count=1", s.URL, at))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Items []struct{ ID string } }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Items) != 1 {
		t.Fatalf("the picture at %d: %v, %v", at, answer, err)
	}
	return answer.Items[0].ID
}

func TestNewChangedAndDeletedFilesAreNoticed(t *testing.T) {
	t.Parallel()
	dir := album(t, 500)
	s := visitable(t, dir, "/")
	p := look(t, s, 1280, 800)
	p.Scroll(1000, 1)
	p.Await(whole)
	const topRow = `[30, 250, 460, 670, 880, 1100].map((x) =>
		document.elementFromPoint(x, 80).closest("a").title)`
	was := browser.Eval[[]string](p, topRow)
	write(t, dir, "new.jpg", painted()[7])
	p.Await(`document.querySelector("#count").textContent === "501 pictures"`)
	if now := browser.Eval[[]string](p, topRow); !slices.Contains(now, was[0]) {
		t.Errorf("a new file moved %q to the top, where %q was", now, was)
	}
	p.Press("Home")
	p.Await(firstName + ` === "new.jpg" && ` + whole)
	src := browser.Eval[string](p, `document.querySelector("#grid img").src`)
	write(t, dir, "new.jpg", painted()[8])
	p.Await(`document.querySelector("#grid img")?.src !== "` + src + `" && ` + whole)
	if err := os.Remove(filepath.Join(dir, "new.jpg")); err != nil {
		t.Fatal(err)
	}
	p.Await(firstName + ` === "IMG_1.jpg"`)
	p.DemandSilence()
}

func TestTheLightboxStaysWithItsPictureWhenOthersComeAndGo(t *testing.T) {
	t.Parallel()
	dir := album(t, 60)
	s := visitable(t, dir, "/")
	p := look(t, s, 1280, 800)
	p.Press("ArrowRight", "ArrowRight", "Enter")
	p.Await(sharp + " && " + position + ` === "3 of 60"`)
	name := browser.Eval[string](p, `document.querySelector(".name").textContent`)
	write(t, dir, "new.jpg", painted()[7])
	p.Await(position + ` === "4 of 61"`)
	if now := browser.Eval[string](p, `document.querySelector(".name").textContent`); now != name {
		t.Errorf("the lightbox shows %s, want %s", now, name)
	}
	p.Press("Home")
	p.Await(sharp + ` && document.querySelector(".name").textContent === "new.jpg"`)
	if err := os.Remove(filepath.Join(dir, "new.jpg")); err != nil {
		t.Fatal(err)
	}
	p.Await(sharp + " && " + position + ` === "1 of 60"`)
	p.Await(`document.querySelector(".name").textContent === "IMG_1.jpg"`)
	p.DemandSilence()
}

func TestHostileNamesAndFilesAreOnlyShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, name := range []string{
		"<script>alert(1)<script>.jpg", "new\nline.jpg", "in\xffvalid.jpg", "<title>.jpg",
		`"><img src=x onerror=alert(1)>.jpg`, "{{.Title}}.jpg", "a&amp;b #?%41.jpg",
	} {
		write(t, dir, name, painted()[i])
	}
	write(t, dir, "broken.jpg", []byte("\xff\xd8\xff\xe0 this is no picture"))
	s := visitable(t, dir, "/")
	p := look(t, s, 1280, 800)
	p.Press("ArrowRight", "Home", "Enter", "i")
	for range 8 {
		p.Await(sharp)
		p.Press("ArrowRight")
	}
	p.Press("Escape")
	if n := browser.Eval[int](p, `document.scripts.length`); n != 1 {
		t.Errorf("the page has %d scripts, want its own one", n)
	}
	p.DemandSilence()
}

func TestAGIFMovesInTheLightboxUnlessTheReaderWantsCalm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "moving.gif", blinking(t))
	s := visitable(t, dir, "/")
	p := look(t, s, 1280, 800)
	for motion, path := range map[string]string{"no-preference": "original/", "reduce": "thumb/"} {
		p.Prefer("reduced-motion", motion)
		p.Press("ArrowRight", "Enter")
		p.Await(sharp)
		if src := browser.Eval[string](p, sharpImage+".src"); !strings.Contains(src, path) {
			t.Errorf("with motion %s the lightbox shows %s, want %s", motion, src, path)
		}
		p.Press("Escape")
	}
	p.DemandSilence()
}

// blinking is a GIF of two pictures.
func blinking(t *testing.T) []byte {
	t.Helper()
	var both gif.GIF
	for i := range 2 {
		m := image.NewPaletted(image.Rect(0, 0, 300, 200), color.Palette{color.Black, color.White})
		for j := range m.Pix {
			m.Pix[j] = uint8((i + j/40) % 2)
		}
		both.Image, both.Delay = append(both.Image, m), append(both.Delay, 20)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &both); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTextCanBeReadInBothThemes wants the contrast that WCAG 2.2 demands for level AA: 4.5 to 1.
func TestTextCanBeReadInBothThemes(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 60), "/")
	p := look(t, s, 1280, 800)
	const contrasts = `["body", "#count", "#search", "#sort", "#keys"].map((selector) => {
		const style = getComputedStyle(document.querySelector(selector));
		const under = selector === "#count" ? getComputedStyle(document.body) : style;
		const light = (color) => {
			const c = color.match(/[\d.]+/g).slice(0, 3).map((v) => v / 255)
				.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
			return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05;
		};
		const [a, b] = [light(style.color), light(under.backgroundColor)].sort((x, y) => y - x);
		return a / b;
	})`
	const isDark = `getComputedStyle(document.body).backgroundColor === "rgb(19, 19, 21)"`
	for _, scheme := range []string{"light", "dark"} {
		p.Prefer("color-scheme", scheme)
		p.Await(isDark + " === " + fmt.Sprint(scheme == "dark"))
		for _, c := range browser.Eval[[]float64](p, contrasts) {
			if c < 4.5 {
				t.Errorf("a contrast of %.1f in %s", c, scheme)
			}
		}
	}
	p.Click("#theme") // from the system's to light
	p.Await("!(" + isDark + ")")
	p.Reload()
	p.Await(`document.querySelector("#theme").title === "Theme: light" && !(` + isDark + `)`)
	p.DemandSilence()
}

// TestAllModulesAreFetchedAtOnce spares a far reader the round trips from one import to the next.
func TestAllModulesAreFetchedAtOnce(t *testing.T) {
	html, err := os.ReadFile("page/index.html")
	if err != nil {
		t.Fatal(err)
	}
	modules, _ := filepath.Glob("page/*.js")
	for _, path := range modules {
		if !strings.Contains(string(html), `href="{{.Static}}`+filepath.Base(path)) &&
			filepath.Base(path) != "main.js" {
			t.Errorf("page/index.html does not preload %s", path)
		}
	}
}

// TestThePageIsLight wants all its files within 40 KiB when they are compressed.
func TestThePageIsLight(t *testing.T) {
	files, err := filepath.Glob("page/*")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(text)
		w.Close()
		total += b.Len()
	}
	if total > 40<<10 {
		t.Errorf("the page has %d bytes in %d files, want at most 40 KiB", total, len(files))
	}
	t.Logf("%d bytes compressed, in %d files", total, len(files))
}

func TestAnEmptyFolderSaysSo(t *testing.T) {
	t.Parallel()
	s := visitable(t, t.TempDir(), "/")
	p := browser.Open(t).Page(1280, 800)
	p.Visit(s.URL)
	p.Await(`document.querySelector("#note").textContent === "There are no pictures here."`)
	p.Press("ArrowRight", "Enter", "End", " ")
	p.DemandSilence()
}

func TestThePageFitsIntoAPhone(t *testing.T) {
	t.Parallel()
	s := visitable(t, album(t, 60), "/")
	p := browser.Open(t).Page(360, 740)
	p.Phone(360, 740, 2)
	p.Visit(s.URL)
	p.Await(whole)
	const columns = `new Set([...document.querySelectorAll("#grid a")]
		.map((a) => a.getBoundingClientRect().x)).size`
	if n := browser.Eval[int](p, columns); n != 3 {
		t.Errorf("%d tiles in a row, want 3", n)
	}
	if over := browser.Eval[int](p, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
		t.Errorf("the page is %d pixels too wide", over)
	}
	const outside = `[...document.querySelectorAll("header > *")].filter((e) => {
		const r = e.getBoundingClientRect();
		return r.width < 20 || r.x < 0 || r.right > innerWidth || r.bottom > 92;
	}).map((e) => e.id || e.tagName)`
	if ids := browser.Eval[[]string](p, outside); len(ids) > 0 {
		t.Errorf("%q cannot be reached", ids)
	}
	p.DemandSilence()
}

// TestScreenshots takes pictures of the page for whoever wants to look at it: into the folder that
// GALLERY_SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	out := os.Getenv("GALLERY_SCREENSHOTS")
	if out == "" {
		t.Skip("set GALLERY_SCREENSHOTS to a folder to have them")
	}
	s := visitable(t, album(t, 500), "/")
	p := look(t, s, 1280, 800)
	p.Screenshot(filepath.Join(out, "light.png"))
	p.Prefer("color-scheme", "dark")
	p.Press("ArrowRight", "ArrowDown")
	p.Screenshot(filepath.Join(out, "dark.png"))
	p.Press("?")
	p.Screenshot(filepath.Join(out, "help.png"))
	p.Press("Escape", "Enter", "i")
	p.Await(sharp)
	p.Screenshot(filepath.Join(out, "lightbox.png"))
	p.Press("i", "Escape")
	p.Phone(360, 740, 2)
	p.Await("innerWidth === 360")
	p.Scroll(1, 3)
	p.Await(whole)
	p.Screenshot(filepath.Join(out, "phone.png"))
}
