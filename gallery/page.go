// page.go serves the page and what it is made of.

package gallery

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

//go:embed page
var pageFiles embed.FS

// page is what is served of the page, ready to send.
type page struct {
	static   string // the path of the files: it changes with them
	template *template.Template
	files    map[string]packed
}

// newPage reads the page from the program. It panics if that was built wrong.
func newPage() *page {
	p := &page{files: map[string]packed{}}
	hash := sha256.New()
	entries, err := fs.ReadDir(pageFiles, "page")
	for _, e := range entries {
		var b []byte
		b, err = pageFiles.ReadFile("page/" + e.Name())
		p.files[e.Name()] = pack(b, gzip.BestCompression)
		hash.Write(b)
	}
	if err != nil {
		panic(err)
	}
	p.static = "static/" + hex.EncodeToString(hash.Sum(nil)[:8]) + "/"
	p.template = template.Must(template.New("page").Parse(string(p.files["index.html"].plain)))
	return p
}

// serveStatic answers with one of the files; their URL changes with them.
func (p *page) serveStatic(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	file, ok := p.files[name]
	if !ok || name == "index.html" {
		refuse(w, http.StatusNotFound, errGone)
		return
	}
	w.Header().Set("Content-Type", mimeOf(name))
	w.Header().Set("Cache-Control", "no-cache")
	if "static/"+r.PathValue("hash")+"/" == p.static { // else it is asked for by another version's page
		w.Header().Set("Cache-Control", forever)
	}
	file.serve(w, r)
}

// mimeOf returns the media type of a file of the page. Systems disagree about .js.
func mimeOf(name string) string {
	if path.Ext(name) == ".js" {
		return "text/javascript; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// servePage answers with the page and the first pictures in it, so that it can paint at once.
func (g *Gallery) servePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for _, no := range []string{"from", "count", "at"} {
		q.Del(no)
	}
	first, err := g.list(r.Context(), q, firstItems)
	if err != nil { // an order that there is not: the page begins with the usual one
		first, _ = g.list(r.Context(), nil, firstItems)
	}
	text, err := json.Marshal(first)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	var out bytes.Buffer
	err = g.page.template.Execute(&out, map[string]any{
		"Title": g.options.Title, "Static": g.page.static,
		"First":   template.JS(text), // written by encoding/json, which escapes <, > and &
		"Folders": g.source.local(),
	})
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	serveText(w, r, out.Bytes())
}
