// browser_test.go looks at a page twice with a real browser.

package browsercache_test

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/browsercache"
	"github.com/larder-go/larder/internal/browser"
)

const viewed = `<!doctype html><title>Tea</title><link rel="icon" href="{{ asset "icon.svg" }}">
{{ importmap }}
<link rel="stylesheet" href="{{ asset "app.css" }}">
<p id="tea">Tea</p><script type="module" src="{{ asset "js/app.js" }}"></script>`

var viewedFiles = fields{
	"app.css":      `@import "base.css"; p { background: url("img/leaf.svg") }`,
	"base.css":     `p { color: rgb(1, 2, 3); width: 100px; height: 100px }`,
	"img/leaf.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
	"icon.svg":     `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
	"js/app.js":    `import { name } from "./name.js"; document.title = name;`,
	"js/name.js":   `import "./app.js"; export const name = "Green tea";`,
}

// asked keeps what a server was asked for, and how it answered.
type asked struct {
	mu   sync.Mutex // guards the field below
	list []string
}

func (a *asked) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		a.mu.Lock()
		a.list = append(a.list, r.URL.Path+" "+http.StatusText(rec.Code))
		a.mu.Unlock()
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	})
}

// take returns what was asked for since the last call, sorted.
func (a *asked) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.list
	a.list = nil
	slices.Sort(list)
	return list
}

func TestTheSecondViewAsksOnceWhetherThePageHasChanged(t *testing.T) {
	assets := load(t, files(viewedFiles), browsercache.AssetOptions{})
	page := template.Must(template.New("").Funcs(assets.Funcs()).Parse(viewed))
	mux := http.NewServeMux()
	mux.Handle("/assets/", assets)
	mux.Handle("/", browsercache.Validate(browsercache.With(browsercache.NoCache(),
		http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) { page.Execute(w, nil) },
		)), browsercache.ValidateOptions{}))
	var heard asked
	s := httptest.NewServer(heard.listen(mux))
	t.Cleanup(s.Close)

	p := browser.Open(t).Page(800, 600)
	look := func() []string {
		p.Visit(s.URL + "/page")
		p.Await(`document.title === "Green tea"`)
		p.Await(`getComputedStyle(document.getElementById("tea")).color === "rgb(1, 2, 3)"`)
		p.Run(`new Promise((done) => requestIdleCallback(done))`)
		return heard.take()
	}
	first := look()
	for _, name := range []string{"app.css", "base.css", "img/leaf.svg", "js/app.js",
		"js/name.js"} {
		if !slices.Contains(first, assets.Path(name)+" OK") {
			t.Errorf("the first view asked for %q, want %s", first, assets.Path(name))
		}
	}
	if plain := slices.ContainsFunc(first, func(a string) bool {
		return strings.HasPrefix(a, "/assets/") && !printed.MatchString(strings.Fields(a)[0])
	}); plain {
		t.Errorf("the first view asked for a plain name: %q", first)
	}
	p.Visit("about:blank")
	heard.take()
	if again := look(); !slices.Equal(again, []string{"/page Not Modified"}) {
		t.Errorf("the second view asked for %q, want the page alone, not modified", again)
	}
	p.DemandSilence()
}
