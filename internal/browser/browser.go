// browser.go starts Chromium for a test, and ends it with the test.

// Package browser drives headless Chromium in tests.
//
//	b := browser.Open(t)
//	p := b.Page(1280, 800)
//	p.Visit(server.URL)
//	p.Press("ArrowRight", "Enter")
//	p.Await(`document.querySelector("dialog").open`)
//	p.DemandSilence()
//
// What goes wrong ends the test; so no function returns an error. A page belongs to one goroutine.
package browser

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// names are those of the program.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// Browser is a Chromium that runs for one test.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Open starts Chromium. It ends with the test, before the servers that were started before it: they
// need not wait for it. Where it is not installed the test is skipped, and
// says what to install; under CI=true it fails.
func Open(t testing.TB) *Browser {
	t.Helper()
	o := options(program(t), t.TempDir())
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), o...)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("browser: start: %v", err)
	}
	return &Browser{t: t, ctx: ctx}
}

func program(t testing.TB) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const why = "chromium is not installed: apt-get install chromium"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// options are those of a browser that paints without a graphics card and keeps its profile in dir.
func options(path, dir string) []chromedp.ExecAllocatorOption {
	return append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(dir),
		chromedp.DisableGPU,
		chromedp.Flag("headless", "new"),
		chromedp.Flag("disable-features", "Translate,MediaRouter,OptimizationHints"),
		chromedp.Flag("disable-component-update", true),
	)
}

// Page opens an empty tab with a window of so many pixels. It has cookies and a cache of its own.
func (b *Browser) Page(width, height int) *Page {
	b.t.Helper()
	p := &Page{t: b.t}
	ctx, cancel := chromedp.NewContext(b.ctx,
		chromedp.WithNewBrowserContext(), chromedp.WithListener(p.heard.hear))
	b.t.Cleanup(cancel)
	p.ctx = ctx
	p.do("open a tab", chromedp.EmulateViewport(int64(width), int64(height)))
	return p
}
