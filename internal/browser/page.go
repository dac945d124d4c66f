// page.go is a tab: where it goes, what runs in it, how it looks.

package browser

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Page is a tab of a browser.
type Page struct {
	t     testing.TB
	ctx   context.Context
	heard heard
}

// do runs actions; what says what they are for.
func (p *Page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("browser: %s: %v", what, err)
	}
}

// Visit goes to an address, and waits until that has loaded.
func (p *Page) Visit(url string) {
	p.t.Helper()
	p.do("visit "+url, chromedp.Navigate(url))
}

// Go begins to go to an address, and waits for nothing.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.do("go to "+url, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.Navigate, page.NavigateParams{URL: url})
		return err
	}))
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.do("reload", chromedp.Reload())
}

// Run runs a script, and waits for its promise if it returns one.
func (p *Page) Run(script string) {
	p.t.Helper()
	Eval[chromedp.Void](p, script)
}

// Eval returns what a script evaluates to, or what its promise is resolved with.
func Eval[T any](p *Page, script string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("browser: %s: %v", script, err)
	}
	return v
}

// Await waits until a script evaluates to what is true, looking at each frame.
func (p *Page) Await(script string) {
	p.t.Helper()
	for late := time.Now().Add(patience); !Eval[bool](p, "!!("+script+")"); {
		if time.Now().After(late) {
			p.t.Fatalf("browser: this did not become true: %s", script)
		}
		p.Run("new Promise(requestAnimationFrame)")
	}
}

// Resize gives the window another size, in CSS pixels, on a screen with scale pixels for each.
func (p *Page) Resize(width, height int, scale float64) {
	p.t.Helper()
	p.do("resize",
		chromedp.EmulateViewport(int64(width), int64(height), chromedp.EmulateScale(scale)))
}

// Phone makes the tab that of a phone with a touch screen.
func (p *Page) Phone(width, height int, scale float64) {
	p.t.Helper()
	p.do("be a phone", chromedp.EmulateViewport(int64(width), int64(height),
		chromedp.EmulateScale(scale), chromedp.EmulateMobile, chromedp.EmulateTouch))
}

// Prefer sets what the reader prefers: Prefer("color-scheme", "dark").
func (p *Page) Prefer(what, value string) {
	p.t.Helper()
	feature := &emulation.MediaFeature{Name: "prefers-" + what, Value: value}
	p.do("prefer", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{feature}})
		return err
	}))
}

// Screenshot writes what is seen to a file, as PNG.
func (p *Page) Screenshot(path string) {
	p.t.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, png, 0o644)
	}
	if err != nil {
		p.t.Fatalf("browser: screenshot: %v", err)
	}
}

// Nodes counts all nodes of the document: elements, text, and the document itself.
func (p *Page) Nodes() int {
	p.t.Helper()
	return Eval[int](p, `(() => {
		const walk = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
		let n = 1;
		while (walk.nextNode()) n++;
		return n;
	})()`)
}

// Problems returns what the page wrote to the console since it was opened, its exceptions, and what
// the browser complained of.
func (p *Page) Problems() []string { return p.heard.all() }

// DemandSilence fails the test if there are problems.
func (p *Page) DemandSilence() {
	p.t.Helper()
	if problems := p.Problems(); len(problems) > 0 {
		p.t.Errorf("the console has:\n%s", strings.Join(problems, "\n"))
	}
}
