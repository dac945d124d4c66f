// storable.go says which responses may be stored.

package httpcache

import (
	"net/http"
	"slices"
	"strings"
)

// understoodStatuses are those whose meaning for a cache is implemented, as must-understand asks
// (RFC 9111, section 5.2.2.3).
var understoodStatuses = []int{
	200, 203, 204, 300, 301, 302, 303, 307, 308,
	400, 401, 403, 404, 405, 410, 414, 421, 451, 500, 501, 502, 503, 504,
}

// unstorable says why s, the response to req, must not or need not be stored; "" means that it is
// to be stored (RFC 9111, section 3).
func (r rules) unstorable(req *http.Request, cc directives, s *stored) reason {
	switch {
	case method(req) != http.MethodGet && !(r.shared && req.Method == methodQuery):
		return becauseMethod + reason(req.Method)
	case s.status < 200, s.status == http.StatusPartialContent, s.status == http.StatusNotModified:
		return becauseStatus + reason(http.StatusText(s.status))
	case cc.has(noStore):
		return becauseRequestNoStore
	case s.forbidden():
		return becauseNoStore
	case slices.Contains(s.vary, "*"):
		return becauseVaryStar
	case r.overrides(s) && s.status >= 300 && s.header["Set-Cookie"] != nil:
		return becauseCookieRedirect
	}
	if why := r.unshareable(req, s); why != "" {
		return why
	}
	if r.shared && isStream(s.header) {
		return becauseStream
	}
	switch {
	case !r.permitted(s):
		return becauseUnpermitted
	case !r.keepUntil(s).After(s.received):
		return becauseUseless
	}
	return ""
}

// unshareable says why s, the response to req, must not answer anybody else, or "" if it may.
// Whether a cookie may be shared RFC 9111, section 7.3, leaves to the origin, and so do we only if
// told to: by the code, and by a header that says how long it may be.
func (r rules) unshareable(req *http.Request, s *stored) reason {
	personal := req.Header["Authorization"] != nil
	switch {
	case !r.shared:
		return ""
	case s.cc.has(private):
		return becausePrivate
	case personal && !r.scoped && !s.cc.licensesSharing():
		return becauseAuthorization
	case s.header["Set-Cookie"] != nil && (r.cookies != ShareCookies || !s.explicit(r)):
		return becauseSetCookie
	case req.Header["Cookie"] != nil && !r.named && !s.explicit(r) && !s.cc.has(public) &&
		!slices.Contains(s.vary, "cookie"):
		return becauseCookie
	case len(s.tags) > mostTags:
		return becauseTags
	}
	return ""
}

// isStream reports whether a body has no end by its nature: each client gets its own, and the origin
// hears when that one leaves.
func isStream(h http.Header) bool {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(trim(kind), "text/event-stream")
}

// mostTags is how many surrogate keys a response may have. It cannot be kept without all of them: a
// purge would not reach it.
const mostTags = 1000

// forbidden reports whether the response itself says no-store. With must-understand that counts
// only if the status is not understood, and such a status forbids by itself.
func (s *stored) forbidden() bool {
	if s.cc.has(mustUnderstand) {
		return !slices.Contains(understoodStatuses, s.status)
	}
	return s.cc.has(noStore)
}

// licensesSharing reports whether a response to a request with Authorization may be stored by a
// shared cache (RFC 9111, section 3.5).
func (d directives) licensesSharing() bool {
	return d.has(public|mustRevalidate) || d.sMaxAge != absent
}

// permitted is the last condition of RFC 9111, section 3: something says that a response of this
// status may be stored. A ttl of the caller says so for successes and redirects.
func (r rules) permitted(s *stored) bool {
	switch {
	case heuristicallyCacheable(s.status), s.cc.has(public), s.explicit(r):
		return true
	case !r.shared && s.cc.has(private):
		return true
	}
	return r.overrides(s) || r.guesses(s)
}

// hopByHop are the fields that concern one connection or one proxy and are never stored (RFC 9111,
// section 3.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// readByRules are the fields that say whether and how a response may be reused. They are for all
// recipients, so that a Connection that names them is in error (RFC 9110, section 7.6.1): without
// them what is stored would be under laxer rules than what was received.
var readByRules = []string{
	"Age", "Cache-Control", "Content-Encoding", "Date", "Etag", "Expires", "Last-Modified",
	"Set-Cookie", "Vary",
}

// storableHeader returns a copy of h without the fields that must not be stored: those of the
// connection and those that Connection names, unless the rules read them.
func storableHeader(h http.Header) http.Header {
	kept := h.Clone()
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = http.CanonicalHeaderKey(trim(name)); !slices.Contains(readByRules, name) {
				delete(kept, name)
			}
		}
	}
	for _, name := range hopByHop {
		delete(kept, name)
	}
	return kept
}

// method is the method of req, whose empty one means GET.
func method(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}
