//go:build slow

// browser_slow_test.go measures the page with 100 000 pictures, against what was promised.

package gallery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/browser"
)

// TestAHundredThousandPicturesAreShownAtOnce measures all of it in one browser: making so many
// files takes longer than looking at them.
func TestAHundredThousandPicturesAreShownAtOnce(t *testing.T) {
	began := time.Now()
	dir := album(t, 100_000)
	t.Logf("100 000 files made in %v", time.Since(began).Round(time.Millisecond))
	s := visitable(t, dir, "/")
	p := look(t, s, 1280, 800)
	t.Run("first paint", func(t *testing.T) { paintsSoon(t, p) })
	t.Run("nodes", func(t *testing.T) { hasFewNodes(t, p) })
	t.Run("frames", func(t *testing.T) { scrollsSmoothly(t, p, s) })
	t.Run("end", func(t *testing.T) { jumpsToTheEnd(t, p, s) })
	t.Run("back", func(t *testing.T) { goesBackWithoutRequests(t, p, s) })
	p.DemandSilence()
}

// paintsSoon wants the first paint within 300 ms once the folder is known and the files of the page
// are in the browser's cache: the median of five.
func paintsSoon(t *testing.T, p *browser.Page) {
	var all browser.Frames
	for range 5 {
		p.Reload()
		p.Await(whole)
		all = append(all, p.FirstPaint())
	}
	if median := all.Sorted().Percentile(50); median > 300*time.Millisecond {
		t.Errorf("the first paint came after %v, want at most 300ms", all)
	}
	t.Logf("first paint: %v", all)
}

// hasFewNodes wants at most 150 nodes of any kind, in windows of all sizes.
func hasFewNodes(t *testing.T, p *browser.Page) {
	for _, size := range append(windows, [2]int{1920, 1080}) {
		p.Resize(size[0], size[1], 1)
		p.Await(fmt.Sprintf("innerWidth === %d", size[0]))
		p.Scroll(77, 10)
		p.Await(whole)
		nodes := p.Nodes()
		if nodes > 150 {
			t.Errorf("%d nodes in a window of %v, want at most 150", nodes, size)
		}
		t.Logf("%v: %d nodes", size, nodes)
	}
	p.Resize(1280, 800, 1)
}

// scrollsSmoothly wants the 95th percentile of the frames within twice that of an empty page, at
// the pace of a reader, of a turned wheel and of a flick: the medians of three rounds.
func scrollsSmoothly(t *testing.T, p *browser.Page, s *site) {
	for _, pixels := range []int{12, 40, 150} {
		var ratios []float64
		for range 3 {
			ratios = append(ratios, compareFrames(t, p, s, pixels))
		}
		if median := median(ratios); median > 2 {
			t.Errorf("at %d pixels a frame p95 is %.2f times that of an empty page, want at most 2",
				pixels, median)
		}
	}
}

// compareFrames returns how much longer the slowest frames take than those of an empty page. The
// pictures that come into the window were not seen before.
func compareFrames(t *testing.T, p *browser.Page, s *site, pixels int) float64 {
	p.Empty(3_000_000)
	empty := p.Scroll(pixels, 180)
	p.Visit(s.URL)
	p.Await(whole)
	p.Run("scrollTo(0, Math.random() * 0.9 * document.body.scrollHeight)")
	p.Await(whole)
	full := p.Scroll(pixels, 180)
	t.Logf("%d pixels a frame: p50 %v, p95 %v; empty page: p50 %v, p95 %v", pixels,
		full.Percentile(50), full.Percentile(95), empty.Percentile(50), empty.Percentile(95))
	return float64(full.Percentile(95)) / float64(empty.Percentile(95))
}

// jumpsToTheEnd wants all thumbnails of the end, never seen before, within 500 ms.
func jumpsToTheEnd(t *testing.T, p *browser.Page, s *site) {
	for _, jump := range []string{
		`document.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }))`,
		`scrollTo(0, document.body.scrollHeight * 0.61)`,
	} {
		s.forget()
		took := browser.Eval[float64](p, fmt.Sprintf(`(async () => {
			const begun = performance.now();
			%s;
			do await new Promise(requestAnimationFrame); while (!%s);
			return performance.now() - begun;
		})()`, jump, whole))
		t.Logf("a jump: %.0f ms, %d windows of the listing, %d thumbnails", took,
			len(s.asked("list?")), len(s.asked("thumb/")))
		if took > 500 {
			t.Errorf("after %s the thumbnails came in %.0f ms, want at most 500", jump, took)
		}
	}
}

// median returns the one in the middle.
func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
