// dashboard_picture_test.go takes the pictures of docs/dash.md.

package examples_test

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/browser"
)

// TestPicturesOfDash takes the pictures of docs/dash.md, if LARDER_SCREENSHOTS is a folder. It lets
// the shop be open for some minutes first, so that there is a past to be seen.
func TestPicturesOfDash(t *testing.T) {
	dir := os.Getenv("LARDER_SCREENSHOTS")
	if dir == "" {
		t.Skip("LARDER_SCREENSHOTS=DIR takes pictures, with -timeout 20m")
	}
	page := openShop(t) + "/debug/cache/"
	awaitPast(t, page, 110)
	p := browser.Open(t).Page(1200, 4000)
	p.Prefer("color-scheme", "light")
	shoot := func(elements, name string) {
		t.Helper()
		shootPart(t, p, elements, filepath.Join(dir, "dash-"+name+".png"))
	}
	p.Visit(page)
	p.Await(`document.querySelectorAll("#parts tbody").length === 3`)
	shoot("#table", "all")
	p.Resize(1000, 4000, 1)
	p.Visit(page + "#/memory/products")
	p.Await(`document.querySelectorAll("#lost-table tbody tr").length === 10`)
	shoot("#advice, [aria-labelledby=worth-title]", "worth")
	shoot("#size, #policy", "size")
	shoot("#loads", "loads")
	lookUp(p, evicted(t, page))
	shoot("#one", "key")
	p.Visit(page + "#/memory/prices")
	p.Await(`document.querySelector("#name").textContent === "prices"`)
	p.Await(`document.querySelectorAll("#misses-bars tbody tr").length > 1`)
	shoot("#misses, #left", "misses")
	p.DemandSilence()
}

// awaitPast looks at the page until it knows so many intervals of five seconds.
func awaitPast(t *testing.T, page string, intervals int) {
	t.Helper()
	late := time.Now().Add(15 * time.Minute)
	for known := 0; known < intervals; {
		if time.Now().After(late) {
			t.Fatalf("the page knows %d intervals, want %d", known, intervals)
		}
		var report struct{ Parts []struct{ History []any } }
		if err := json.Unmarshal([]byte(bodyOf(t, page+"?format=json")), &report); err != nil {
			t.Fatal(err)
		}
		known = len(report.Parts[0].History)
		time.Sleep(time.Second)
	}
}

// evicted returns a product that had to leave for room.
func evicted(t *testing.T, page string) (key string) {
	t.Helper()
	for id := range 5000 {
		key = fmt.Sprint(id)
		life := bodyOf(t, page+"?format=json&cache=products&key="+key)
		if strings.Contains(life, `"missed":"evicted"`) && strings.Contains(life, `"last_load"`) {
			return key
		}
	}
	t.Fatal("nothing had to leave for room")
	return ""
}

func lookUp(p *browser.Page, key string) {
	p.Run(`document.querySelector("#key").value = ` + key + `;
		document.querySelector("#lookup").requestSubmit()`)
	p.Await(`document.querySelector("#life-key").textContent === "` + key + `"`)
}

// shootPart takes a picture of the elements that a CSS selector matches, with few enough colours to
// be small.
func shootPart(t *testing.T, p *browser.Page, elements, path string) {
	t.Helper()
	type box struct{ Left, Top, Right, Bottom float64 }
	b := browser.Eval[box](p, `(() => {
		const all = [...document.querySelectorAll("`+elements+`")].map((e) => e.getBoundingClientRect());
		const least = (of) => Math.min(...all.map(of)), most = (of) => Math.max(...all.map(of));
		return { Left: least((r) => r.left), Top: least((r) => r.top),
			Right: most((r) => r.right), Bottom: most((r) => r.bottom) };
	})()`)
	p.Screenshot(path)
	whole := decode(t, path)
	const margin = 8
	part := image.Rect(int(b.Left), int(b.Top), int(b.Right)+1, int(b.Bottom)+1).
		Inset(-margin).Intersect(whole.Bounds())
	small := image.NewPaletted(part, paletteOf(whole, part))
	draw.Draw(small, part, whole, part.Min, draw.Src)
	encode(t, path, small)
}

// paletteOf returns the 256 colours that are most frequent in a part of a picture.
func paletteOf(img image.Image, part image.Rectangle) color.Palette {
	counts := map[color.RGBA]int{}
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			counts[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]++
		}
	}
	var all []color.RGBA
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { return counts[b] - counts[a] })
	var palette color.Palette
	for _, c := range all[:min(len(all), 256)] {
		palette = append(palette, c)
	}
	return palette
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func encode(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(f, img); err != nil {
		t.Fatal(err)
	}
}
