// serve.go answers what the page asks for. The URLs are listed in docs/gallery.md.

package gallery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/gallery/thumb"
)

// policy is what a page of the gallery may do: be itself, and nothing else.
const policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// forever is for answers whose URL says which version they are.
const forever = "private, max-age=31536000, immutable"

func (g *Gallery) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", g.servePage)
	mux.HandleFunc("GET /static/{hash}/{name}", g.page.serveStatic)
	mux.HandleFunc("GET /list", g.serveList)
	mux.HandleFunc("GET /hashes", g.serveHashes)
	mux.HandleFunc("GET /folders", g.serveFolders)
	mux.HandleFunc("GET /thumb/{id}", g.serveThumb)
	mux.HandleFunc("GET /original/{id}", g.serveOriginal)
	return mux
}

// ServeHTTP implements [http.Handler].
func (g *Gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.URL.Path == "" { // mounted at /photos, asked for as /photos: links are relative to /photos/
		here, query, _ := strings.Cut(r.RequestURI, "?")
		h.Set("Location", "./"+path.Base(here)+"/?"+query) // http.Redirect knows only the rest
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	g.mux.ServeHTTP(w, r)
}

// serveThumb answers with a thumbnail, or with a tile that says why there is none. It is never an
// error of HTTP: a browser would note it in its console, and a person sees nothing of it.
func (g *Gallery) serveThumb(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.Atoi(r.FormValue("size"))
	if err != nil || size != 320 && size != 640 && size != 1280 && size != 2048 {
		refuse(w, http.StatusBadRequest, errors.New("size: give 320, 640, 1280 or 2048"))
		return
	}
	p, ok := g.source.catalog().find(r.PathValue("id"))
	if !ok {
		serveTile(w, "", errGone.Error())
		return
	}
	m, err := g.pictures.thumb(r.Context(), p, size)
	switch {
	case r.Context().Err() != nil: // nobody is there any more
	case err != nil:
		serveTile(w, p.kindName(), label(err))
	case m.Wrong != "":
		serveTile(w, p.kindName(), m.Wrong)
	default:
		g.sendThumb(w, r, m, size)
	}
}

func (g *Gallery) sendThumb(w http.ResponseWriter, r *http.Request, m made, size int) {
	h := w.Header()
	h.Set("Content-Type", m.Type)
	h.Set("ETag", fmt.Sprintf(`"%s-%d"`, m.Tag, size))
	h.Set("Cache-Control", g.lasting(r, m.Tag))
	serveBytes(w, r, m.Bytes)
}

// lasting says how long a browser may keep an answer that was made of the bytes of that version.
func (g *Gallery) lasting(r *http.Request, version string) string {
	switch {
	case !g.source.local(): // an address may bring another picture some day
		return fmt.Sprintf("private, max-age=%d", g.options.Fresh/time.Second)
	case version != "" && r.FormValue("v") == version:
		return forever
	}
	return "no-cache" // the page knows another version than the one it gets
}

// serveOriginal answers with the file itself.
func (g *Gallery) serveOriginal(w http.ResponseWriter, r *http.Request) {
	p, ok := g.source.catalog().find(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, errGone)
		return
	}
	file, err := g.source.open(r.Context(), p)
	if err != nil {
		refuse(w, http.StatusNotFound, errors.New(label(err)))
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'") // it is a stranger's file
	h.Set("Content-Type", g.mediaType(r.Context(), file))
	if r.FormValue("download") != "" {
		h.Set("Content-Disposition",
			mime.FormatMediaType("attachment", map[string]string{"filename": readable(p.name())}))
	}
	h.Set("Cache-Control", g.lasting(r, file.version))
	if file.version != "" {
		h.Set("ETag", `"`+file.version+`"`)
	}
	http.ServeContent(w, r, "", file.modified, file.Reader)
}

// mediaTypes are those of the kinds that browsers show. Nothing else is ever called a picture.
var mediaTypes = map[thumb.Kind]string{
	thumb.JPEG: "image/jpeg", thumb.PNG: "image/png", thumb.GIF: "image/gif",
	thumb.WebP: "image/webp", thumb.BMP: "image/bmp", thumb.AVIF: "image/avif",
	thumb.TIFF: "image/tiff", thumb.HEIF: "image/heif",
}

// mediaType returns that of a file by its first bytes, whatever its name says.
func (g *Gallery) mediaType(ctx context.Context, file *opened) string {
	head, _ := g.maker.Size(ctx, file.File)
	if t := mediaTypes[head.Kind]; t != "" {
		return t
	}
	return "application/octet-stream"
}

// serveBytes answers with b, or says that it has not changed.
func serveBytes(w http.ResponseWriter, r *http.Request, b []byte) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// refuse answers with an error, as the page expects it.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// Who has left needs nothing.
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}

// serveJSON answers with what is true at this moment.
func serveJSON(w http.ResponseWriter, r *http.Request, answer any) {
	b, err := json.Marshal(answer)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	serveText(w, r, b)
}

// number reads a parameter that counts.
func number(q url.Values, name string, otherwise, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s: give 0 to %d", name, most)
	}
	return n, nil
}
