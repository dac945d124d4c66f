// exchange.go takes one request through the cache: find, judge, then serve, or load and store.

package httpcache

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// exchange is one request on its way to its response.
type exchange struct {
	t     *Transport
	rules rules
	req   *http.Request // as the rules read it, with canonical names
	asked *http.Request // as the caller made it, and the origin gets it
	cc    directives    // of req
	key   string        // of the primary response
	// primary is the response found under key, selected by req or not; variant is the one under
	// the variant key, if that was looked at.
	primary, variant *found
	loads            int
}

// run answers a request that may be answered from the store.
func (x *exchange) run() (*http.Response, error) {
	f, reason := x.find()
	if f != nil {
		var v verdict
		switch v, reason = x.rules.judge(x.cc, f.stored, time.Now()); v {
		case serveFresh:
			return x.serve(f, Hit, reason), nil
		case serveStale:
			return x.serve(f, Stale, reason), nil
		}
	}
	if x.cc.has(onlyIfCached) {
		f.close()
		return x.refuse(Miss, reason), nil
	}
	return x.load(f, reason)
}

// pass hands the request to the origin as it is, and forgets what the answer shows to be outdated.
func (x *exchange) pass(reason string) (*http.Response, error) {
	if x.cc.has(onlyIfCached) && safe(method(x.req)) {
		closeRequest(x.req)
		return x.refuse(Bypass, reason), nil
	}
	resp, _, err := x.ask(x.asked)
	if err != nil {
		return nil, err
	}
	for _, u := range invalidated(x.req, resp) {
		x.forgetKey(keyOf(x.req, u))
	}
	return x.give(resp, Result{Outcome: Bypass, Reason: reason, NotStored: reason}), nil
}

// load asks the origin: whether f is still current, if there is an f with a validator, and else
// for the whole.
func (x *exchange) load(f *found, reason string) (*http.Response, error) {
	out, validating := x.asked, f != nil && f.validators()
	if validating {
		out = conditional(x.asked, f.stored)
	}
	resp, at, err := x.ask(out)
	if f != nil && failed(resp, err) && x.rules.servesError(x.cc, f.stored, time.Now()) {
		closeResponse(resp)
		return x.serve(f, Stale, "stale-if-error"), nil
	}
	if err != nil {
		f.close()
		return nil, err
	}
	if validating && resp.StatusCode == http.StatusNotModified {
		return x.confirm(f, resp, at, reason)
	}
	f.close()
	return x.receive(resp, f, at, reason), nil
}

// confirm serves f after a 304. One that speaks of another response is of no use (RFC 9111,
// section 4.3.4): then the whole is asked for.
func (x *exchange) confirm(
	f *found, resp *http.Response, at span, reason string,
) (*http.Response, error) {
	closeResponse(resp)
	if !confirms(resp.Header, f.stored) {
		f.close()
		resp, at, err := x.ask(x.asked)
		if err != nil {
			return nil, err
		}
		return x.receive(resp, f, at, reason), nil
	}
	f.stored = freshened(f.stored, x.req, resp.Header, at)
	x.refresh(f)
	return x.serve(f, Revalidated, reason), nil
}

// receive hands out a response from the origin and arranges for it to be stored.
func (x *exchange) receive(resp *http.Response, f *found, at span, reason string) *http.Response {
	addDate(resp.Header, at.received)
	if method(x.req) == http.MethodHead {
		x.receiveHead(resp, f, at)
	}
	s := newStored(x.req, resp, at)
	why := x.rules.unstorable(x.req, x.cc, s)
	if why == "" && resp.ContentLength > x.t.maxBody() {
		why = "body over MaxBody"
	}
	switch {
	case why == "":
		x.keep(resp, s)
	case f != nil && supersedes(x.req, resp):
		x.forget(f)
	}
	return x.give(resp, Result{Outcome: Miss, Reason: reason, NotStored: why})
}

// receiveHead updates what is stored of GET by a response to HEAD (RFC 9111, section 4.3.5).
func (x *exchange) receiveHead(resp *http.Response, f *found, at span) {
	if f == nil || resp.StatusCode != http.StatusOK || f.status != http.StatusOK {
		return
	}
	if !matchesHead(resp.Header, resp.ContentLength, f.stored) {
		x.forget(f)
		return
	}
	f.stored = freshened(f.stored, x.req, resp.Header, at)
	x.refresh(f)
}

func (x *exchange) ask(req *http.Request) (*http.Response, span, error) {
	x.loads++
	requested := time.Now()
	resp, err := x.t.base().RoundTrip(req)
	if err == nil && resp.Header == nil {
		resp.Header = http.Header{}
	}
	return resp, span{requested, time.Now()}, err
}

// gaveUp reports whether the caller waits no longer. What the store does then is no sign of its
// health.
func (x *exchange) gaveUp() bool { return x.req.Context().Err() != nil }

// note hands an error of a call to the store under the request's context to OnError, unless the
// end of that context is the likely cause.
func (x *exchange) note(err error) {
	if !x.gaveUp() {
		x.t.note(err)
	}
}

// give hands resp to the caller.
func (x *exchange) give(resp *http.Response, r Result) *http.Response {
	r.Loads = x.loads
	return withResult(resp, x.asked, r)
}

// refuse is the answer to only-if-cached where nothing may be served (RFC 9111, section 5.2.1.7).
func (x *exchange) refuse(o Outcome, reason string) *http.Response {
	resp := newResponse(http.StatusGatewayTimeout, http.Header{})
	addDate(resp.Header, time.Now())
	return x.give(resp, Result{Outcome: o, Reason: reason})
}

// newResponse returns a response without a body.
func newResponse(status int, h http.Header) *http.Response {
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h,
		Body:   http.NoBody,
	}
}

// closeResponse closes the body of a response that nobody reads; nil is fine.
func closeResponse(resp *http.Response) {
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
}

// place says where s is stored, and the response known to lie there. The first variant of a URL
// has the primary key, so that most hits take one Get; those that the primary response is not
// selected by lie behind it. A response without the primary one's Vary becomes the primary one.
func (x *exchange) place(s *stored) (key string, old *found) {
	p := x.primary
	if p == nil || !slices.Equal(p.vary, s.vary) {
		s.generation = newID()
		return x.key, p
	}
	s.generation = p.generation
	if p.selectedBy(x.req.Header) {
		return x.key, p
	}
	return x.variantKey(), x.variant
}
