// browser_test.go drives Chromium over pages whose behaviour is known.

package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/browser"
)

// serve serves one page; /slow answers never, and closes gone when the browser gives it up.
func serve(t *testing.T, html string) (url string, gone chan struct{}) {
	t.Helper()
	gone = make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!doctype html><link rel="icon" href="/icon">`+html)
		case "/slow":
			<-r.Context().Done()
			close(gone)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, gone
}

func TestProblemsOfThePageAreHeard(t *testing.T) {
	url, _ := serve(t, `<script>
		console.log("said");
		setTimeout(() => { throw new Error("thrown"); });
		Promise.reject(new Error("rejected"));
		setTimeout(() => { window.ready = true; }, 50);
	</script>`)
	p := browser.Open(t).Page(300, 200)
	p.Visit(url)
	p.Await("window.ready")
	all := strings.Join(p.Problems(), "\n")
	for _, want := range []string{"said", "thrown", "rejected"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q was not heard in:\n%s", want, all)
		}
	}
}

func TestACancelledRequestIsSeenOnBothSides(t *testing.T) {
	url, gone := serve(t, `<p>A page`)
	p := browser.Open(t).Page(300, 200)
	p.Visit(url)
	p.Forget()
	p.Run(`window.abort = new AbortController();
		fetch("/slow", { signal: abort.signal }).catch(() => {});
		0`)
	p.Run(`abort.abort()`)
	<-gone
	for i := 0; i < 300 && !p.Requests("/slow")[0].Cancelled; i++ {
		p.Run("new Promise(requestAnimationFrame)")
	}
	asked := p.Requests("/slow")
	if len(asked) != 1 || !asked[0].Cancelled {
		t.Errorf("requests: %+v, want one, cancelled", asked)
	}
	p.DemandSilence()
}

func TestKeysMouseAndFingersArrive(t *testing.T) {
	url, _ := serve(t, `<input><button onclick="window.clicked = true">A</button><script>
		window.keys = [];
		document.documentElement.style.touchAction = "none";
		addEventListener("keydown", (e) => {
			keys.push(e.key + e.repeat);
			if (e.key === "x") e.preventDefault();
		});
		addEventListener("pointerup", (e) => { window.up = e.pointerType; });
		addEventListener("wheel", (e) => { window.turned = e.deltaY; });
	</script>`)
	p := browser.Open(t).Page(300, 200)
	p.Visit(url)
	p.Click("input")
	p.Type("axb")
	p.Press("ArrowLeft")
	p.Hold("ArrowLeft", 1)
	want := []string{"afalse", "xfalse", "bfalse", "ArrowLeftfalse", "ArrowLefttrue"}
	if got := browser.Eval[[]string](p, "keys"); !slices.Equal(got, want) {
		t.Errorf("keys: %q, want %q", got, want)
	}
	if got := browser.Eval[string](p, `document.querySelector("input").value`); got != "ab" {
		t.Errorf("the input has %q, want ab: x was prevented", got)
	}
	p.Click("button")
	p.Await("window.clicked")
	p.Wheel(browser.Point{X: 20, Y: 100}, 120)
	p.Await("window.turned === 120")
	p.Phone(300, 200, 2)
	p.Swipe([2]browser.Point{{X: 10, Y: 150}, {X: 200, Y: 150}})
	p.Await(`window.up === "touch"`)
	p.DemandSilence()
}

func TestTheReaderIsWhoTheTestSays(t *testing.T) {
	url, _ := serve(t, `<p>A page`)
	p := browser.Open(t).Page(300, 200)
	p.Visit(url)
	p.Prefer("color-scheme", "dark")
	p.Await(`matchMedia("(prefers-color-scheme: dark)").matches`)
	p.Resize(500, 400, 2)
	p.Await("innerWidth === 500 && innerHeight === 400 && devicePixelRatio === 2")
	if nodes := p.Nodes(); nodes != 8 { // document, doctype, html, head, link, body, p, text
		t.Errorf("%d nodes, want 8", nodes)
	}
}

func TestFramesOfAnEmptyPageComeInTime(t *testing.T) {
	url, _ := serve(t, `<p>A page`)
	p := browser.Open(t).Page(300, 200)
	p.Visit(url)
	if paint := p.FirstPaint(); paint <= 0 || paint > 10*time.Second {
		t.Errorf("first paint after %v", paint)
	}
	p.Empty(100_000)
	frames := p.Scroll(10, 30)
	if len(frames) != 30 || frames.Percentile(50) > frames.Percentile(95) {
		t.Errorf("frames: %v, want 30, sorted", frames)
	}
	if y := browser.Eval[float64](p, "scrollY"); y != 300 {
		t.Errorf("scrolled to %v, want 300", y)
	}
}
