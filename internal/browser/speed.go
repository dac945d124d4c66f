// speed.go measures what a reader feels: the first paint, and frames while scrolling.

package browser

import (
	"fmt"
	"slices"
	"time"
)

// FirstPaint returns how long after the visit began something was to be seen (first contentful
// paint).
func (p *Page) FirstPaint() time.Duration {
	p.t.Helper()
	const entry = `performance.getEntriesByName("first-contentful-paint")[0]`
	p.Await(entry)
	return milliseconds(Eval[float64](p, entry+".startTime"))
}

// Frames are times between frames.
type Frames []time.Duration

// Sorted returns them shortest first.
func (f Frames) Sorted() Frames { return slices.Sorted(slices.Values(f)) }

// Percentile returns the time within which so many percent of them came; they must be sorted.
func (f Frames) Percentile(percent int) time.Duration {
	return f[min(len(f)-1, len(f)*percent/100)]
}

// Scroll scrolls the page down by so many pixels in each of so many frames, and returns how long
// the frames took, sorted.
func (p *Page) Scroll(pixels, frames int) Frames {
	p.t.Helper()
	took := Eval[[]float64](p, fmt.Sprintf(`new Promise((resolve) => {
		const times = [];
		function step(now) {
			times.push(now);
			if (times.length > %d) {
				resolve(times.slice(1).map((t, i) => t - times[i]));
				return;
			}
			window.scrollBy({ top: %d, behavior: "instant" });
			requestAnimationFrame(step);
		}
		requestAnimationFrame(step);
	})`, frames, pixels))
	var all Frames
	for _, ms := range took {
		all = append(all, milliseconds(ms))
	}
	return all.Sorted()
}

// Empty makes the page an empty one that can be scrolled over so many pixels, to compare with.
func (p *Page) Empty(height int) {
	p.t.Helper()
	p.Visit("about:blank")
	p.Run(fmt.Sprintf(`document.body.style.height = "%dpx"`, height))
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
