// stored.go holds a response as it is kept, without its body.

package httpcache

import (
	"net/http"
	"time"

	"github.com/larder-go/larder/store"
)

// span is when a request was sent and its response came.
type span struct{ requested, received time.Time }

// stored is a response without its body, and what the rules need to know of its request. It is not
// changed once made; the header belongs to whoever decoded it.
type stored struct {
	span         // of the request that loaded or validated it
	status       int
	statusText   string // "200 OK"
	protoMajor   uint8
	protoMinor   uint8
	uncompressed bool // by net/http, on the way here
	header       http.Header
	vary         []string // names that select it, of Vary and by selecting
	selector     selector // what its request said in them
	generation   uint64   // of the variants that are found through it
	bodyID       uint64   // names the body's own key; 0: the body follows the envelope
	length       int64    // of the body

	cc   directives // read off the header
	date time.Time  // when it was generated
}

// newStored makes what would be kept of resp.
func newStored(req *http.Request, resp *http.Response, at span) *stored {
	s := &stored{
		span:   at,
		status: resp.StatusCode, statusText: resp.Status,
		protoMajor: uint8(resp.ProtoMajor), protoMinor: uint8(resp.ProtoMinor),
		uncompressed: resp.Uncompressed,
		header:       storableHeader(resp.Header),
	}
	s.selectFor(req)
	s.readHeader()
	return s
}

// selectFor makes s the answer to what req says in the fields that select it.
func (s *stored) selectFor(req *http.Request) {
	s.vary = selecting(s.header)
	s.selector = selectorOf(s.vary, req.Header)
}

// readHeader reads what the rules ask for again and again. A response without a Date, or with a
// wrong one, was generated when it was received (RFC 9110, section 6.6.1).
func (s *stored) readHeader() {
	s.cc = parseDirectives(s.header["Cache-Control"])
	s.date = s.received
	if t, err := http.ParseTime(s.header.Get("Date")); err == nil {
		s.date = t
	}
}

func (s *stored) etag() string { return s.header.Get("Etag") }

func (s *stored) lastModified() string { return s.header.Get("Last-Modified") }

// validators reports whether a conditional request can be made for s.
func (s *stored) validators() bool { return s.etag() != "" || s.lastModified() != "" }

// item describes s to the store.
func (r rules) item(s *stored) store.Item {
	return store.Item{
		Created:    s.received,
		FreshUntil: r.freshUntil(s),
		GoneAfter:  r.keepUntil(s),
		Validators: store.Validators{ETag: s.etag(), LastModified: s.lastModified()},
	}
}
