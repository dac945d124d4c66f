// reuse.go says whether a stored response may answer a request without asking the origin.

package httpcache

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// verdict is what may be done with a stored response.
type verdict uint8

const (
	validate   verdict = iota // ask the origin first
	serveFresh                // it is fresh
	serveStale                // it is stale, and the request accepts that
	serveWhile                // it is stale, and served while the origin is asked behind
)

// judge says what may be done with s for a request with the directives cc, and why (RFC 9111,
// sections 4 and 5.2.1).
func (r rules) judge(cc directives, s *stored, now time.Time) (verdict, reason) {
	age, lifetime := r.age(s, now), r.lifetime(s)
	switch {
	case cc.has(noCache):
		return validate, becauseRequestNoCache
	case !r.overrides(s) && s.cc.has(noCache):
		return validate, becauseNoCache
	case age < lifetime && s.cc.has(immutable) && cc.maxAge == 0:
		return serveFresh, becauseImmutable
	case cc.maxAge == 0, cc.maxAge != absent && age > cc.maxAge:
		return validate, becauseRequestMaxAge
	case cc.minFresh != absent && lifetime-age < cc.minFresh:
		return validate, becauseMinFresh
	case age < lifetime:
		return serveFresh, becauseFresh
	case cc.maxStale != absent && age-lifetime <= cc.maxStale && !r.strict(s):
		return serveStale, becauseMaxStale
	case age-lifetime < r.whileWindow(s):
		return serveWhile, becauseWhile
	}
	return validate, becauseStale
}

// strict reports whether s must not be served stale on anybody's word but its own (RFC 9111,
// section 4.2.4).
func (r rules) strict(s *stored) bool {
	return r.forbidsStale(s) || r.shared && s.cc.sMaxAge != absent
}

// forbidsStale reports whether s must never be served stale. s-maxage alone does not go as far:
// who adds stale-while-revalidate or stale-if-error to it has meant that.
func (r rules) forbidsStale(s *stored) bool {
	return s.cc.has(mustRevalidate|noCache) || r.shared && s.cc.has(proxyRevalidate)
}

// whileWindow is how long s may be served after its freshness while it is refreshed (RFC 5861,
// section 3), or less than nothing.
func (r rules) whileWindow(s *stored) time.Duration {
	return r.window(s, s.cc.staleWhileRevalidate, s.usualStale)
}

// onErrorWindow is how long s may stand in for an origin that fails (RFC 5861, section 4), or less
// than nothing.
func (r rules) onErrorWindow(s *stored) time.Duration {
	return r.window(s, s.cc.staleIfError, r.onError)
}

// window is what s itself says of serving it stale, or what is usual.
func (r rules) window(s *stored, own, usual time.Duration) time.Duration {
	switch {
	case r.forbidsStale(s):
		return absent
	case own != absent:
		return own
	case usual > 0 && s.status < 400 && !r.strict(s):
		return usual
	}
	return absent
}

// servesError reports whether s may stand in for an origin that failed (RFC 5861, section 4; RFC
// 9111, section 4.3.3). Where neither request nor response nor options permit it the caller learns
// of the error.
func (r rules) servesError(cc directives, s *stored, now time.Time) bool {
	window := r.onErrorWindow(s)
	if !r.strict(s) {
		window = max(window, cc.staleIfError)
	}
	stale := r.age(s, now) - r.lifetime(s)
	return !cc.has(noCache) && window != absent && stale <= window
}

// failed reports whether the origin failed in the sense of RFC 5861, section 4. A caller who gave
// up is no failure of the origin, nor is a layer below that refused to ask it.
func failed(resp *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, context.Canceled) && !refused(err)
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refused reports whether err says that the request was not to be made, or its response not to be
// used, as [Transport] promises to hand on.
func refused(err error) bool {
	var r interface{ Refused() bool }
	return errors.As(err, &r) && r.Refused()
}

// bypass says why req cannot be answered from the cache nor its response stored; "" if it can.
func bypass(req *http.Request) reason {
	switch m := method(req); {
	case m != http.MethodGet && m != http.MethodHead:
		return becauseMethod + reason(m)
	case req.Body != nil && req.Body != http.NoBody && req.ContentLength != 0:
		return becauseBody
	case req.URL.Opaque != "":
		return becauseURL
	}
	for _, name := range bypassFields {
		if req.Header[name] != nil {
			return becauseField + reason(name)
		}
	}
	return ""
}

// bypassFields ask for something that is not a whole stored response, or only the origin can judge
// (RFC 9111, section 4.3.2).
var bypassFields = []string{"If-Match", "If-Unmodified-Since", "Upgrade"}
