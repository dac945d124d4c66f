// serve.go answers requests for assets.

package browsercache

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP implements http.Handler.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	t, _ := a.now() // as long as files cannot be read, those that were are served
	name, _ := strings.CutPrefix(r.URL.Path, a.options.Prefix)
	switch plain, printed := withoutPrint(name); {
	case t.printed[name] != nil:
		a.serve(w, r, t.printed[name], Immutable())
	case t.plain[name] != nil:
		a.serve(w, r, t.plain[name], NoCache())
	case printed && t.plain[plain] != nil:
		redirect(w, t.plain[plain])
	default:
		refuse(w)
	}
}

// redirect leads from another fingerprint of a file to today's, which is in the same folder: so it
// is right wherever the handler is mounted.
func redirect(w http.ResponseWriter, to *asset) {
	h := w.Header()
	h.Set("Location", "./"+(&url.URL{Path: path.Base(to.printed)}).EscapedPath())
	h.Set("Cache-Control", NoStore().String())
	w.WriteHeader(http.StatusFound)
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", NoStore().String())
	http.Error(w, "no such asset", http.StatusNotFound)
}

// serve sends a file, in the best encoding that the client takes.
func (a *Assets) serve(w http.ResponseWriter, r *http.Request, file *asset, p Permission) {
	h, c, tag := w.Header(), &file.content, `"`+file.tag+`"`
	if len(file.encodings) > 0 {
		h.Add("Vary", "Accept-Encoding")
	}
	if e := file.choose(r); e != nil {
		if encoded := e.get(); encoded != nil {
			c, tag = encoded, e.tagOf(file, encoded)
			h.Set("Content-Encoding", e.coding)
		}
	}
	body, closeBody, err := c.open(a.files)
	if err != nil { // gone, or not what its name says any more
		h.Del("Content-Encoding")
		refuse(w)
		return
	}
	defer closeBody()
	h.Set("Cache-Control", p.String())
	h.Set("Content-Type", file.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	if Answered(w, r, Version{ETag: tag}) {
		return
	}
	if h.Get("Content-Encoding") != "" { // else ServeContent says it
		h.Set("Content-Length", strconv.FormatInt(c.size, 10))
	}
	http.ServeContent(w, r, "", time.Time{}, body)
}
