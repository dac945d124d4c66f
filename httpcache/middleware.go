// middleware.go is the door of an application: it caches what one of its handlers answers.

package httpcache

import (
	"net/http"
	"time"
)

// View says how the answers of one handler are cached. The zero value caches by the whole URL, and
// only what its header permits a shared cache to keep.
//
// What sets a cookie, and what answers a request with Authorization, is never shared, unless Scope
// says for whom it is, or the response itself says public or s-maxage (Authorization) and
// ShareCookies is set (Set-Cookie).
type View struct {
	// Route stands for the path in the key, so that several paths have one answer. "" means the path.
	Route string
	// Query names the parameters that count; their order does not. nil means all of the query as it
	// is written, an empty list none.
	Query []string
	// Scope returns for whom the answer is: a user, a group; "" means for everybody. Answers of
	// different scopes never meet. nil means that all are for everybody.
	Scope func(*http.Request) string
	// Languages are those the handler speaks; the one that suits Accept-Language best is part of the
	// key, and all that the handler gets to see of that field. nil means that the field is left alone.
	Languages []string
	// TTL is how long a success is fresh that does not say so itself. 0 means as RFC 9111 guesses.
	TTL time.Duration
	// Stale is how long after that a success is still served while a new one is made behind, where
	// it does not say itself (RFC 5861). 0 means not at all.
	Stale time.Duration
	// Tags are surrogate keys of all answers, for Purge.
	Tags []string
	// ShareCookies lets answers be shared that set a cookie, cookie and all.
	ShareCookies Sharing
}

// Sharing says whether responses that set a cookie are shared.
type Sharing uint8

// The ways to treat responses with Set-Cookie.
const (
	RefuseCookies Sharing = iota // they are not kept
	ShareCookies                 // they are kept if their header permits (RFC 9111, section 7.3)
)
