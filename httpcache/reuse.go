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
)

// judge says what may be done with s for a request with the directives cc, and why (RFC 9111,
// sections 4 and 5.2.1).
func (r rules) judge(cc directives, s *stored, now time.Time) (verdict, string) {
	age, lifetime := r.age(s, now), r.lifetime(s)
	switch {
	case cc.has(noCache):
		return validate, "request no-cache"
	case !r.overrides(s) && s.cc.has(noCache):
		return validate, "no-cache"
	case cc.maxAge == 0, cc.maxAge != absent && age > cc.maxAge:
		return validate, "request max-age"
	case cc.minFresh != absent && lifetime-age < cc.minFresh:
		return validate, "request min-fresh"
	case age < lifetime:
		return serveFresh, "fresh"
	case cc.maxStale != absent && age-lifetime <= cc.maxStale && !r.strict(s):
		return serveStale, "request max-stale"
	}
	return validate, "stale"
}

// strict reports whether s must not be served stale, not even to who asks for it (RFC 9111,
// section 4.2.4).
func (r rules) strict(s *stored) bool {
	if s.cc.has(mustRevalidate | noCache) {
		return true
	}
	return r.shared && (s.cc.has(proxyRevalidate) || s.cc.sMaxAge != absent)
}

// servesError reports whether s may stand in for an origin that failed (RFC 5861, section 4; RFC
// 9111, section 4.3.3). Without a stale-if-error in the request or the response it may not: the
// caller learns of the error.
func (r rules) servesError(cc directives, s *stored, now time.Time) bool {
	stale := r.age(s, now) - r.lifetime(s)
	window := max(cc.staleIfError, s.cc.staleIfError)
	return !r.strict(s) && !cc.has(noCache) && window != absent && stale <= window
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
func bypass(req *http.Request) string {
	switch m := method(req); {
	case m != http.MethodGet && m != http.MethodHead:
		return "method " + m
	case req.Body != nil && req.Body != http.NoBody:
		return "request with a body"
	case req.URL.Opaque != "", req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return "not an http URL"
	}
	for _, name := range bypassFields {
		if req.Header[name] != nil {
			return "request with " + name
		}
	}
	return ""
}

// bypassFields ask for something that is not a whole stored response, or only the origin can judge
// (RFC 9111, sections 3.3 and 4.3.2).
var bypassFields = []string{"Range", "If-Range", "If-Match", "If-Unmodified-Since", "Upgrade"}
