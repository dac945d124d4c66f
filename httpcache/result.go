// result.go tells a caller what the cache did for a request.

package httpcache

import (
	"context"
	"net/http"
	"time"
)

// Outcome is how a request was answered.
type Outcome uint8

// The outcomes. Hit, Stale and, but for its small request, Revalidated spare the origin.
const (
	Unknown     Outcome = iota // the response came from no Transport of this package
	Hit                        // from the store, fresh
	Stale                      // from the store, stale, as the request or the response permits
	Revalidated                // from the store, after the origin said that it is still current
	Miss                       // from the origin; or, to only-if-cached, nowhere from
	Bypass                     // from the origin, for a request that no stored response can answer
)

// String returns the outcome in lower case.
func (o Outcome) String() string {
	switch o {
	case Hit:
		return "hit"
	case Stale:
		return "stale"
	case Revalidated:
		return "revalidated"
	case Miss:
		return "miss"
	case Bypass:
		return "bypass"
	}
	return "unknown"
}

// Result is what the cache did for one request.
type Result struct {
	Outcome Outcome
	// Reason says why, in a few words for people, such as "stale" or "request no-cache".
	Reason string
	// Rule is the section of the RFC behind that, such as "RFC 9111, section 4.2"; "" if there is
	// none.
	Rule string
	// NotStored says why the response from the origin is not stored, or "" if it is (once its body
	// has been read to the end) or if none came.
	NotStored string
	// Loads is how many requests were made to the origin: 0 for a hit, 1 as a rule, 2 if a 304
	// turned out to speak of another response.
	Loads int
	// TTL is how long the stored response is fresh still, or less than 0 for how long it has not been.
	TTL time.Duration
	// Shared says that another request had asked for the same, and this one got its response.
	Shared bool
	// Failed says that the answer is an error of the cache's own, since the origin gave none.
	Failed bool
}

// ResultOf returns what the cache did to get resp, which came from a Transport, maybe through an
// http.Client. It is the zero Result for any other. The responses to earlier requests of a chain
// of redirects are at resp.Request.Response.
func ResultOf(resp *http.Response) Result {
	if resp == nil || resp.Request == nil {
		return Result{}
	}
	if r, ok := resp.Request.Context().Value(resultKey{}).(*Result); ok {
		return *r
	}
	return Result{}
}

type resultKey struct{}

// resultContext carries a result in the request of a response, where it survives whoever wraps the
// body.
type resultContext struct {
	context.Context
	result Result
}

func (c *resultContext) Value(key any) any {
	if key == (resultKey{}) {
		return &c.result
	}
	return c.Context.Value(key)
}

// withResult makes resp the answer to req and attaches r.
func withResult(resp *http.Response, req *http.Request, r Result) *http.Response {
	resp.Request = req.WithContext(&resultContext{Context: req.Context(), result: r})
	return resp
}
