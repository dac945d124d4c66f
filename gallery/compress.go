// compress.go makes answers shorter for those who can read that.

package gallery

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
)

// worthIt is how many bytes an answer has at least that is compressed.
const worthIt = 1 << 10

// packed is text that is sent often, in both forms.
type packed struct{ plain, gzip []byte }

func pack(b []byte, level int) packed {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		panic(err) // there is no such level
	}
	_, _ = w.Write(b) // memory does not fail
	_ = w.Close()
	return packed{b, out.Bytes()}
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

// serve answers with p in the form that the browser reads.
func (p packed) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept-Encoding")
	if unpacks(r) {
		w.Header().Set("Content-Encoding", "gzip")
		serveBytes(w, r, p.gzip)
		return
	}
	serveBytes(w, r, p.plain)
}

// serveText answers with text that is made for this request.
func serveText(w http.ResponseWriter, r *http.Request, b []byte) {
	if len(b) < worthIt {
		serveBytes(w, r, b)
		return
	}
	pack(b, gzip.BestSpeed).serve(w, r)
}
