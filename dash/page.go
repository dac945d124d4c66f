// page.go serves the page and what it is made of.

package dash

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/larder-go/larder/stats"
)

//go:embed page
var pageFiles embed.FS

// scripts are joined to dash.js in this order, and styles to dash.css: so the page needs no links
// between its files, which would have to know the address of the handler.
var (
	scripts = []string{"words.js", "nodes.js", "server.js", "charts.js", "parts.js", "bars.js",
		"keys.js", "detail.js", "main.js"}
	styles = []string{"frame.css", "parts.css", "detail.css"}
)

// page is what is served, ready to send.
type page map[string]packed

// packed is a file in both forms.
type packed struct {
	mime        string
	plain, gzip []byte
}

// newPage reads the page from the program. It panics if that was built wrong.
func newPage() page {
	return page{
		"":             pack("text/html; charset=utf-8", read("index.html")),
		"dash.js":      pack("text/javascript; charset=utf-8", joinScripts()),
		"dash.css":     pack("text/css; charset=utf-8", read(styles...)),
		"icon.svg":     pack("image/svg+xml", read("icon.svg")),
		"metrics.json": pack("application/json", meanings()),
	}
}

// meanings returns what the numbers mean, for people, in the order in which they are shown.
func meanings() []byte {
	type meaning struct{ Name, Label, Unit, Help string }
	var all []meaning
	for _, m := range stats.Metrics() {
		all = append(all, meaning{m.Name, m.Label, m.Unit, m.Help})
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // text can always be written
	}
	return b
}

func read(files ...string) (all []byte) {
	for _, name := range files {
		b, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			panic(err)
		}
		all = append(all, b...)
	}
	return all
}

// joinScripts makes one module of all. In it, all names are known without imports.
func joinScripts() []byte {
	imports := regexp.MustCompile(`(?m)^import [^;]*;\n`)
	exports := regexp.MustCompile(`(?m)^export `)
	b := imports.ReplaceAll(read(scripts...), nil)
	return exports.ReplaceAll(b, nil)
}

func pack(mime string, b []byte) packed {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // there is no such level
	}
	_, _ = w.Write(b) // memory does not fail
	_ = w.Close()
	return packed{mime, b, out.Bytes()}
}

// serve answers with a file: one that ?file names, as the page asks for them, since that leads here
// wherever the handler is; or that the path ends in. Every other path is the page.
func (p page) serve(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("file")
	file, ok := p[name]
	if !ok {
		return refuse(http.StatusNotFound, "the page has no such file")
	}
	if byPath, ok := p[path.Base(r.URL.Path)]; ok {
		file = byPath
	}
	file.serve(w, r)
	return nil
}

// serve answers with the file in the form that the browser reads.
func (f packed) serve(w http.ResponseWriter, r *http.Request) {
	body := f.plain
	w.Header().Set("Content-Type", f.mime)
	w.Header().Add("Vary", "Accept-Encoding")
	if unpacks(r) {
		w.Header().Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	_, _ = w.Write(body) // whoever is gone needs no error
}

// unpacks tells whether the browser reads gzip.
func unpacks(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if name == "gzip" && strings.ReplaceAll(quality, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
