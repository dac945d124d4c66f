// transport.go is the door: an http.RoundTripper that asks the store before the origin.

// Package httpcache answers HTTP requests from what is kept, by the rules of RFC 9111.
//
// [Cache] is a shared cache, in memory and over any [store.Store]: [Cache.Middleware] puts it before
// a handler, [Cache.Proxy] before an origin. [Explain] says what caches do with a response.
//
// [Transport] is a private cache for an [http.Client]: for one user, over any store.
//
//	client := &http.Client{Transport: &httpcache.Transport{Store: s}}
//	resp, err := client.Get("https://example.com/")
//	fmt.Println(httpcache.ResultOf(resp).Outcome) // miss, then hit
//
// The rules are pure functions of a request, a stored response and the time; each names its
// section of the RFC. A Transport stores a response once its body has been read to the end: who
// closes it before stores nothing. It does not merge concurrent misses of one URL; a Cache does.
//
// Neither keeps parts (206) that an origin sent, nor trailers.
package httpcache

import (
	"cmp"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
)

// Transport is a private HTTP cache. It is safe for concurrent use; its fields must not change
// after the first request. The store stays open: who opened it closes it.
//
// A store that fails never fails a request: the origin answers instead. The credentials in
// Authorization are part of what selects a response, cookies are not (unless Vary names them):
// give each user of a site with sessions a store of their own, or a prefix.
type Transport struct {
	// Base makes the requests to the origin; nil means http.DefaultTransport. An error of it that
	// has a method Refused() bool, by errors.As, which returns true is a refusal and no failure of
	// the origin: the caller gets it, and stale-if-error does not apply.
	Base http.RoundTripper
	// Store keeps the responses. It is required. Its keys are URLs, some with a "#" and more.
	Store store.Store
	// TTL, if positive, is how long every success or redirect that may be stored is fresh, counted
	// from when it was received or last validated, whatever its header says. It also lets redirects
	// without explicit freshness be stored, and keeps all that set a cookie out of the store. Errors
	// (status 400 and above) stay under the rules of RFC 9111, no-store still forbids storing, and
	// no-cache in a request still asks the origin. 0 means the rules of RFC 9111 for everything.
	TTL time.Duration
	// MaxBody is the largest body kept, in bytes; 0 means 64 MiB. A larger one reaches the caller
	// whole and is not stored. Bodies over 256 KiB are streamed to and from a store that can; one
	// that cannot holds up to MaxBody bytes in memory for each.
	MaxBody int64
	// OnError, if set, is called with every error of the store and every damaged response found in
	// it, none of which fail a request. What the store says to a request whose context is done does
	// not count. It must be safe for concurrent use.
	OnError func(error)

	refreshes sync.Map // the keys of what is refreshed behind an answer
}

// RoundTrip implements [http.RoundTripper]. [ResultOf] tells what it did. A request with the
// directive only-if-cached never reaches the origin: it is answered from the store or with 504.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.Store == nil {
		closeRequest(req)
		return nil, errors.New("httpcache: Transport.Store is nil")
	}
	if req.URL == nil {
		return t.base().RoundTrip(req)
	}
	e := &engine{
		rules: rules{ttl: t.TTL}, store: t.Store, maxBody: t.maxBody(), onError: t.OnError,
	}
	x := &exchange{engine: e, origin: t.base(), req: canonical(req)}
	x.cc, x.site = requestDirectives(x.req.Header), site{req.URL.Scheme, req.URL.Host}
	trip := &roundTrip{exchange: x, asked: req, refreshes: &t.refreshes}
	if why := trip.bypass(); why != "" {
		return trip.pass(why)
	}
	x.key = keyOf(x.req, req.URL)
	return trip.run()
}

// bypass says why the request cannot be answered from the cache; "" if it can.
func (t *roundTrip) bypass() reason {
	switch {
	case t.req.URL.Scheme != "http" && t.req.URL.Scheme != "https":
		return becauseURL
	case t.req.Header["If-Range"] != nil && t.req.Header["Range"] == nil:
		return becauseField + "If-Range"
	}
	return bypass(t.req)
}

// CloseIdleConnections closes those of Base, if it can. It makes
// [http.Client.CloseIdleConnections] work.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

func (t *Transport) maxBody() int64 { return cmp.Or(t.MaxBody, 64<<20) }

// closeRequest closes the body that a RoundTripper owns.
func closeRequest(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
