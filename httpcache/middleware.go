// middleware.go is the door of an application: it caches what one of its handlers answers.

package httpcache

import (
	"context"
	"net/http"
	"time"
)

// View says how the answers of one handler are cached. The zero value caches by the whole URL, and
// only what its header permits a shared cache to keep.
//
// What sets a cookie is not kept unless Cookies says so and its header says for how long. What
// answers a request with Authorization is not kept unless its header says public, s-maxage or
// must-revalidate, or Scope is set. What says private is never kept.
type View struct {
	// Route stands for the path in the key, so that several paths have one answer. "" means the path.
	Route string
	// Query names the parameters that count; their order does not. The handler gets no others. nil
	// means all of the query as it is written, an empty list none.
	Query []string
	// Scope returns for whom the answer is: a user, a group; "" means for everybody. Answers of
	// different scopes never meet. nil means that all are for everybody.
	Scope func(*http.Request) string
	// Languages are those the handler speaks; the one that suits Accept-Language best is part of the
	// key, and all that the handler gets to see of that field. nil means that the field is left alone.
	Languages []string
	// TTL is how long a success is fresh that does not say so itself. 0 means as RFC 9111 guesses.
	// Without Scope, which may say "", it is not for answers to requests with a cookie, unless they
	// say Vary: Cookie: nobody knows whether it is the cookie that they are about.
	TTL time.Duration
	// Stale is how long after that a success is still served while a new one is made behind, where
	// it does not say itself (RFC 5861). 0 means not at all.
	Stale time.Duration
	// Tags are surrogate keys of all answers, for Purge.
	Tags []string
	// Cookies says what becomes of answers that set a cookie.
	Cookies Sharing
}

// Sharing says whether responses that set a cookie are shared.
type Sharing uint8

// The ways to treat responses with Set-Cookie.
const (
	// RefuseCookies does not keep them.
	RefuseCookies Sharing = iota
	// ShareCookies keeps them if their header says for how long (RFC 9111, section 7.3).
	ShareCookies
)

// Middleware returns a handler that caches what next answers to GET and HEAD. What next is asked on
// behalf of all who wait it is asked in another goroutine, with the values of the first request's
// context but not its end. What no cache may answer it gets as it came. Trailers are not kept (RFC
// 9110, section 6.5.1).
func (c *Cache) Middleware(next http.Handler, v View) http.Handler {
	h := &handler{view: v, origin: inProcess{next}, pass: next}
	h.outgoing = func(r *http.Request, ctx context.Context) *http.Request {
		out := r.Clone(ctx)
		out.Body = http.NoBody
		return out
	}
	return c.handle(h)
}
