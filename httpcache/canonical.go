// canonical.go lets the rules read a request whatever the case of its field names.

package httpcache

import (
	"maps"
	"net/http"
	"slices"
)

// canonical returns req with the names of its header fields in canonical form, or req itself if
// they are. net/http sends "authorization", put into the map by hand, as it sends "Authorization";
// a rule that missed it would mix up two users. It is for the rules alone: the origin gets the
// names as the caller wrote them.
func canonical(req *http.Request) *http.Request {
	if isCanonical(req.Header) {
		return req
	}
	out := *req
	out.Header = make(http.Header, len(req.Header))
	for _, key := range slices.Sorted(maps.Keys(req.Header)) {
		name := http.CanonicalHeaderKey(key)
		out.Header[name] = append(out.Header[name], req.Header[key]...)
	}
	return &out
}

// isCanonical reports whether every name in h is in canonical form.
func isCanonical(h http.Header) bool {
	for name := range h {
		if !isCanonicalName(name) && name != http.CanonicalHeaderKey(name) {
			return false
		}
	}
	return true
}

// isCanonicalName reports whether a name is of the usual kind: words of letters and digits, each
// with a capital, and hyphens between them.
func isCanonicalName(name string) bool {
	first := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '-':
			first = true
			continue
		case isDigit(c):
		case first && !isAlpha(c), first == isLower(c), !isAlpha(c):
			return false
		}
		first = false
	}
	return true
}
