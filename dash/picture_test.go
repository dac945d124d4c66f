// picture_test.go takes pictures of the page for those who want to look at it.

package dash_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/internal/browser"
	"github.com/larder-go/larder/stats"
)

// others are parts of several kinds, besides users.
func others() []stats.Source {
	thumbs := &rich{curve: curveOf("LRU", 256<<20, 0.612, 0.12)}
	thumbs.shot = stats.Snapshot{Name: "thumbnails", Kind: stats.Memory, Policy: "LRU",
		Durations: durations(2000, 140*time.Millisecond), Samples: []stats.Sample{
			stats.Requests.Of(stats.Hit, 88_120), stats.Requests.Of(stats.Miss, 55_871),
			stats.Misses.Of(stats.MissEvicted, 41_871), stats.Misses.Of(stats.MissNew, 14_000),
			stats.Loads.Of(stats.LoadOK, 55_830), stats.Loads.Of(stats.LoadError, 41),
			stats.Departures.Of(stats.LeftRoom, 41_000), stats.Entries.Is(2_204),
			stats.Weight.Is(268_131_204), stats.WeightLimit.Is(256 << 20)}}
	thumbs.keys = usersKeys()
	sessions := &plain{shot: stats.Snapshot{Name: "sessions", Kind: stats.Redis, Samples: []stats.Sample{
		stats.Requests.Of(stats.Hit, 120_981), stats.Requests.Of(stats.Miss, 9_412),
		stats.Requests.Of(stats.Failed, 3), stats.Heard.Is(218), stats.Linked.Is(1)}}}
	pages := &plain{shot: stats.Snapshot{Name: "pages", Kind: stats.HTTP, Policy: "SIEVE",
		Durations: durations(900, 64*time.Millisecond), Samples: []stats.Sample{
			stats.Requests.Of(stats.Hit, 9_204), stats.Requests.Of(stats.Revalidated, 2_911),
			stats.Requests.Of(stats.Stale, 310), stats.Requests.Of(stats.Bypass, 801),
			stats.Requests.Of(stats.Miss, 1_702), stats.Loads.Of(stats.LoadOK, 4_900),
			stats.Loads.Of(stats.LoadError, 0), stats.Bytes.Is(41 << 20), stats.BytesLimit.Is(64 << 20),
			stats.Entries.Is(1_204)}}}
	reports := &plain{shot: stats.Snapshot{Name: "reports", Kind: stats.Memory, Policy: "FIFO",
		Durations: durations(120, 900*time.Microsecond), Samples: []stats.Sample{
			stats.Requests.Of(stats.Hit, 3), stats.Requests.Of(stats.Miss, 9_997),
			stats.Loads.Of(stats.LoadOK, 9_997), stats.Loads.Of(stats.LoadError, 0),
			stats.Entries.Is(500), stats.Weight.Is(500), stats.WeightLimit.Is(500)}}}
	disk := &plain{shot: stats.Snapshot{Name: "/var/cache/app", Kind: stats.Disk, Samples: []stats.Sample{
		stats.Entries.Is(412_033), stats.Bytes.Is(3.1e9), stats.BytesLimit.Is(4 << 30)}}}
	return []stats.Source{thumbs, pages, sessions, reports, disk}
}

// staged answers as h does, as if somebody had looked for ten minutes.
func staged(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := httptest.NewRecorder()
		h.ServeHTTP(inner, r)
		for name, values := range inner.Header() {
			w.Header()[name] = values
		}
		var report dash.Report
		if strings.HasPrefix(r.URL.RawQuery, "format=json") && !strings.Contains(r.URL.RawQuery, "cache") &&
			json.Unmarshal(inner.Body.Bytes(), &report) == nil {
			for i := range report.Parts {
				stage(&report.Parts[i], float64(i))
			}
			inner.Body.Reset()
			_ = json.NewEncoder(inner.Body).Encode(report)
		}
		w.WriteHeader(inner.Code)
		_, _ = inner.Body.WriteTo(w)
	})
}

// stage gives a part a past around its hit ratio.
func stage(p *dash.Part, seed float64) {
	if p.HitRatio == nil {
		return
	}
	p.History = nil
	for i := range 120 {
		x := float64(i)
		n := 900 + 300*math.Sin(x/17+seed) + 80*math.Sin(x*1.7)
		wave := 0.02*math.Sin(x/19+seed*2) + 0.008*math.Sin(x*0.7+seed) + 0.006*math.Sin(x*x)
		ratio := math.Min(1, math.Max(0, *p.HitRatio+wave*math.Min(1, *p.HitRatio*9)))
		p.History = append(p.History, dash.Interval{Requests: math.Round(n), Hits: math.Round(n * ratio),
			End: time.Now().Add(-time.Duration(119-i) * 5 * time.Second).UnixMilli()})
	}
	last, ten := *p.HitRatio*1.006, *p.HitRatio*0.995
	rate, loads := 210.4*(seed+1), 13.2/(seed+1)
	p.HitRatio1m, p.HitRatio10m, p.RequestsPerSecond, p.LoadsPerSecond = &last, &ten, &rate, &loads
}

func TestPicturesOfThePage(t *testing.T) {
	dir := os.Getenv("LARDER_SCREENSHOTS")
	if dir == "" {
		t.Skip("LARDER_SCREENSHOTS=DIR takes pictures")
	}
	h := handler(t, dash.Options{Actions: true, Token: "secret", Version: "shop 2.4.1"},
		append([]stats.Source{users()}, others()...)...)
	s := httptest.NewServer(staged(h))
	t.Cleanup(s.Close)
	p := browser.Open(t).Page(1280, 860)
	for _, scheme := range []string{"light", "dark"} {
		p.Resize(1280, 860, 1)
		p.Prefer("color-scheme", scheme)
		p.Visit(s.URL + "/")
		p.Await(`document.querySelectorAll("#parts tbody").length === 6`)
		p.Screenshot(filepath.Join(dir, scheme+".png"))
		tall(t, p, s.URL+"/#/memory/users", 1280, filepath.Join(dir, scheme+"-detail"))
	}
	p.Run(`document.querySelector("#changes button[value=delete]").click()`)
	p.Await(`document.activeElement.id === "token"`)
	p.Screenshot(filepath.Join(dir, "dialog.png"))
	tall(t, p, s.URL+"/", 390, filepath.Join(dir, "phone"))
	tall(t, p, s.URL+"/#/memory/users", 390, filepath.Join(dir, "phone-detail"))
	p.DemandSilence()
}

// tall takes pictures of a whole page, from its top on.
func tall(t *testing.T, p *browser.Page, url string, width int, path string) {
	t.Helper()
	p.Visit("about:blank")
	p.Resize(width, sliceHeight, 1)
	p.Visit(url)
	if strings.Contains(url, "#") {
		p.Await(`document.querySelectorAll("#hits-table tbody tr").length > 5`)
		p.Run(`document.querySelector("#key").value = "user:2678";
			document.querySelector("#lookup").requestSubmit()`)
		p.Await(`document.querySelector("#life-key").textContent !== ""`)
	} else {
		p.Await(`document.querySelectorAll("#parts tbody").length === 6`)
	}
	for i := range 8 {
		top := i * sliceHeight
		if top > browser.Eval[int](p, "document.documentElement.scrollHeight") {
			return
		}
		p.Run(fmt.Sprintf(`scrollTo({ top: %d, behavior: "instant" })`, top))
		p.Run("new Promise(requestAnimationFrame)")
		p.Screenshot(fmt.Sprintf("%s-%d.png", path, i+1))
	}
}

// sliceHeight is that of a picture, in pixels: a page is longer than what one can look at.
const sliceHeight = 1300
