// stored.go holds a response as it is kept, without its body.

package httpcache

import (
	"net/http"
	"slices"
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
	vary         []string      // names that select it, of Vary and by selecting
	selector     selector      // what its request said in them
	loose        selector      // the same, but for Accept-Language
	generation   uint64        // of the variants that are found through it
	bodyID       uint64        // names the body's own key; 0: the body follows the envelope
	length       int64         // of the body
	guess        time.Duration // its freshness, if it does not say
	usualStale   time.Duration // how long it may be served while it is refreshed, if it does not say
	tags         []string      // surrogate keys
	outdated     time.Time     // when a soft purge made it stale; zero: none did

	cc     directives // read off the header
	target string     // the targeted field they were read off, or ""
	date   time.Time  // when it was generated
}

// newStored makes what would be kept of resp.
func (r rules) newStored(req *http.Request, resp *http.Response, at span) *stored {
	s := &stored{
		span:   at,
		status: resp.StatusCode, statusText: resp.Status,
		protoMajor: uint8(resp.ProtoMajor), protoMinor: uint8(resp.ProtoMinor),
		uncompressed: resp.Uncompressed,
		header:       storableHeader(resp.Header),
	}
	s.guess, s.usualStale = r.guess, r.stale
	s.tags = r.tagsOf(s.header)
	r.selectFor(s, req)
	r.readHeader(s)
	return s
}

// selectFor makes s the answer to what req says in the fields that select it.
func (r rules) selectFor(s *stored, req *http.Request) {
	s.vary = selecting(s.header)
	s.selector = r.selectorOf(s.vary, req.Header)
	s.loose = s.selector
	if s.speaks() {
		s.loose = r.selectorOf(s.otherNames(), req.Header)
	}
}

// speaks reports whether s is one language of several that Accept-Language selects.
func (s *stored) speaks() bool {
	return len(s.header["Content-Language"]) == 1 && slices.Contains(s.vary, acceptLanguage)
}

const acceptLanguage = "accept-language"

// otherNames are the names of the selecting fields but Accept-Language.
func (s *stored) otherNames() []string {
	i := slices.Index(s.vary, acceptLanguage)
	return slices.Concat(s.vary[:i], s.vary[i+1:])
}

// readHeader reads what the rules ask for again and again. A response without a Date, or with a
// wrong one, was generated when it was received (RFC 9110, section 6.6.1). What a targeted field
// says stands in for Cache-Control (RFC 9213, section 2.2).
func (r rules) readHeader(s *stored) {
	var targeted bool
	if s.cc, s.target, targeted = targetedDirectives(s.header, r.targets); !targeted {
		s.cc = parseDirectives(s.header["Cache-Control"])
	}
	s.date = s.received
	if t, ok := parseDate(s.header.Get("Date")); ok {
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
		Tags:       s.tags,
		Validators: store.Validators{ETag: s.etag(), LastModified: s.lastModified()},
	}
}
