// reason.go lists why a cache decides as it does, and the section of the RFC behind each.

package httpcache

import "strings"

// reason is why a request or a response was treated as it was, in a few words for people; "" is
// none.
type reason string

// Why a stored response is served, or not without asking.
const (
	becauseFresh          reason = "fresh"
	becauseImmutable      reason = "immutable"
	becauseStale          reason = "stale"
	becauseNoCache        reason = "no-cache"
	becauseRequestNoCache reason = "request no-cache"
	becauseRequestMaxAge  reason = "request max-age"
	becauseMinFresh       reason = "request min-fresh"
	becauseMaxStale       reason = "request max-stale"
	becauseWhile          reason = "stale-while-revalidate"
	becauseIfError        reason = "stale-if-error"
)

// Why there is none.
const (
	becauseAbsent      reason = "not stored"
	becauseVariant     reason = "no variant selected"
	becauseBodyGone    reason = "body not stored"
	becauseDamaged     reason = "damaged"
	becauseStoreFailed reason = "store failed"
	becausePart        reason = "part not stored"
)

// Why a request cannot be answered from the cache. A method or field follows some of them.
const (
	becauseMethod reason = "method "
	becauseBody   reason = "request with a body"
	becauseURL    reason = "not an http URL"
	becauseField  reason = "request with "
	becauseClosed reason = "cache closed"
)

// Why a response is not stored. A status follows the first.
const (
	becauseStatus         reason = "status "
	becauseRequestNoStore reason = "request no-store"
	becauseNoStore        reason = "no-store"
	becauseVaryStar       reason = "Vary: *"
	becausePrivate        reason = "private"
	becauseAuthorization  reason = "Authorization"
	becauseSetCookie      reason = "Set-Cookie"
	becauseCookie         reason = "Cookie, and no freshness of its own"
	becauseCookieRedirect reason = "redirect that sets a cookie"
	becauseUnpermitted    reason = "status without explicit freshness"
	becauseUseless        reason = "no freshness, no validator"
	becauseTooLarge       reason = "body over MaxBody"
	becauseHeaderTooLarge reason = "header over 1 MiB"
	becausePurged         reason = "purged meanwhile"
	becauseTags           reason = "over 1000 surrogate keys"
	becauseStream         reason = "event stream"
)

// rule names the section that a reason rests on, or "" where it is a choice of ours.
func (r reason) rule() string {
	switch r {
	case becauseFresh, becauseStale, becauseUseless:
		return "RFC 9111, section 4.2"
	case becauseImmutable:
		return "RFC 8246, section 2"
	case becauseNoCache:
		return "RFC 9111, section 5.2.2.4"
	case becauseRequestNoCache:
		return "RFC 9111, section 5.2.1.4"
	case becauseRequestMaxAge:
		return "RFC 9111, section 5.2.1.1"
	case becauseMinFresh:
		return "RFC 9111, section 5.2.1.3"
	case becauseMaxStale:
		return "RFC 9111, section 5.2.1.2"
	case becauseWhile:
		return "RFC 5861, section 3"
	case becauseIfError:
		return "RFC 5861, section 4"
	}
	return r.storingRule()
}

// storingRule is rule for what concerns storing and finding.
func (r reason) storingRule() string {
	switch r {
	case becauseVariant, becauseVaryStar:
		return "RFC 9111, section 4.1"
	case becauseRequestNoStore:
		return "RFC 9111, section 5.2.1.5"
	case becauseNoStore:
		return "RFC 9111, section 5.2.2.5"
	case becausePrivate:
		return "RFC 9111, section 5.2.2.7"
	case becauseAuthorization:
		return "RFC 9111, section 3.5"
	case becauseSetCookie, becauseCookie, becauseCookieRedirect:
		return "RFC 9111, section 7.3"
	case becauseUnpermitted, becauseBody:
		return "RFC 9111, section 3"
	case becausePart:
		return "RFC 9111, section 3.3"
	}
	switch {
	case strings.HasPrefix(string(r), string(becauseMethod)):
		return "RFC 9111, section 4"
	case strings.HasPrefix(string(r), string(becauseField)):
		return "RFC 9111, section 4.3.2"
	case strings.HasPrefix(string(r), string(becauseStatus)):
		return "RFC 9111, section 3"
	}
	return ""
}
