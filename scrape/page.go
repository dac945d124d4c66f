// page.go is what a fetch brings back.

package scrape

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// Page is one fetched page. Pages of duplicate addresses may be the same, so do not change it.
type Page struct {
	URL     string      // as it was asked for
	Final   string      // after redirects, in canonical form
	Status  int         // 200 to 299
	Header  http.Header // of the response, without cookies
	Body    []byte      // as the host wrote it, decompressed; see UTF8 for text
	Fetched time.Time   // when the host last sent or confirmed it, to about a second
	// Outcome is hit, stale, revalidated or miss: how the cache answered for the last address.
	Outcome httpcache.Outcome
	// Requests counts what was sent to the network for the page: redirects, retries, robots.txt.
	Requests int
}

func newPage(res *http.Response, u *url.URL, body []byte, now time.Time) *Page {
	return &Page{
		Final:   u.String(),
		Status:  res.StatusCode,
		Header:  res.Header,
		Body:    body,
		Fetched: now.Add(-age(res.Header)),
		Outcome: httpcache.ResultOf(res).Outcome,
	}
}

// age returns what a cache says about how old a response is.
func age(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Age"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// UTF8 returns the body as UTF-8. Where it is UTF-8 already that is Body itself, else a new slice
// that is decoded again by each call. The encoding is found as browsers do: byte order mark,
// Content-Type, meta element, content. What cannot be decoded becomes U+FFFD.
func (p *Page) UTF8() []byte {
	return toUTF8(p.Body, p.Header.Get("Content-Type"))
}
