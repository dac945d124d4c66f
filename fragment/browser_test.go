// browser_test.go lets a real browser read fragments that are where they do not belong.

package fragment_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/larder-go/larder/fragment"
	"github.com/larder-go/larder/internal/browser"
)

// attack runs wherever it is taken for markup or script.
const attack = `"'><script>hit=1</script><img src=x: onerror=hit=2>` + "`${hit=3}`" +
	`</style></textarea></title></script><script>hit=4</script>'+(hit=5)+'";hit=6;//`

// TestABrowserRunsNothingThatAFragmentHolds shows the text of a stranger, in a fragment, in all
// places of a page that are not refused, and looks whether any of it ran.
func TestABrowserRunsNothingThatAFragmentHolds(t *testing.T) {
	t.Parallel()
	const f = `{{ fragment "bar" . "5m" }}`
	c := open(t, fragment.Options{})
	var pages []*fragment.Pages
	for _, place := range []string{
		`<p>` + f, `<p title="` + f + `">`, `<p title=` + f + `>`, `<iframe srcdoc="` + f +
			`"></iframe>`,
		`<a href="` + f + `">x</a>`, `<a onclick="f(` + f + `)">x</a>`, `<script>var a = ` + f +
			`</script>`,
		`<style>p { color: ` + f + ` }</style>`, `<title>` + f + `</title>`, `<svg>` + f + `</svg>`,
		`<script type="text/plain">` + f + `</script>`, `<noscript>` + f + `</noscript>`,
		`<template>` + f + `</template>`, `<iframe>` + f + `</iframe>`, `<math>` + f + `</math>`,
	} {
		if p, _ := pagesOf(c,
			bar+`<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">`+
				`<script>hit = 0; f = () => 0</script>`+place+`<p id="end">`); p != nil {
			pages = append(pages, p)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); err != nil || n >= len(pages) {
			http.NotFound(w, r)
			return
		}
		if err := pages[n].Execute(r.Context(), w, "page", attack); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	p := browser.Open(t).Page(800, 600)
	for n := range pages {
		p.Visit(fmt.Sprintf("%s/%d", s.URL, n))
		hit := browser.Eval[int](p, `[...document.querySelectorAll("iframe")].reduce(
			(n, f) => n + (f.contentWindow.hit || 0), hit)`)
		if ends := browser.Eval[bool](p, `!!document.getElementById("end")`); hit != 0 || !ends {
			t.Errorf("page %d: script %d ran; the page is whole: %v", n, hit, ends)
		}
	}
	if len(pages) < 3 {
		t.Errorf("only %d places were not refused", len(pages))
	}
}
