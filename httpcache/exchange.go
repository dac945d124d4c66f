// exchange.go is one request: what is stored for it, and where its answer will lie.

package httpcache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/larder-go/larder/store"
)

// exchange is one request on its way to its response.
type exchange struct {
	*engine
	origin http.RoundTripper
	req    *http.Request // as the rules read it, with canonical names
	site   site          // what is asked for
	cc     directives    // of req
	key    string        // of the primary response
	// primary is the response found under key, selected by req or not; variant is the one under
	// the variant key, if that was looked at.
	primary, variant *found
	room             [2]found // for these
	loads            int
}

// site is the scheme and the host of a URL.
type site struct{ scheme, host string }

// group names a group of the site's responses for a purge (RFC 9875, section 2).
func (s site) group(name string) string {
	return groupTag(&url.URL{Scheme: s.scheme, Host: s.host}, name)
}

// context is that of the request.
func (x *exchange) context() context.Context { return x.req.Context() }

// ask asks the origin.
func (x *exchange) ask(req *http.Request) (resp *http.Response, at span, err error) {
	x.loads++
	requested := time.Now()
	defer func() { x.tally.load(x.key, requested, resp, err) }()
	resp, err = x.origin.RoundTrip(req)
	if err == nil && (resp.StatusCode < 200 || resp.StatusCode > 999) {
		closeResponse(resp)
		resp, err = nil, fmt.Errorf("httpcache: the origin answered with status %d", resp.StatusCode)
	}
	if err == nil && resp.Header == nil {
		resp.Header = http.Header{}
	}
	return resp, span{requested, time.Now()}, err
}

// invalidate forgets what resp, the answer to req, shows to be outdated.
func (x *exchange) invalidate(resp *http.Response) {
	for _, u := range invalidated(x.req, resp) {
		x.forget(x.context(), keyOf(x.req, u))
	}
	for _, group := range groupsInvalidatedBy(x.req.Method, resp.Header) {
		err := store.DeleteTag(x.context(), x.store, x.site.group(group))
		if !errors.Is(err, errors.ErrUnsupported) { // then what is stored lives as long as it says
			x.note(err)
		}
	}
}

// newStored makes what would be kept of resp.
func (x *exchange) newStored(req *http.Request, resp *http.Response, at span) *stored {
	s := x.rules.newStored(req, resp, at)
	for _, group := range groupsOf(resp.Header) {
		s.tags = append(s.tags, x.site.group(group))
	}
	return s
}

// update takes over what a 304, or a response to HEAD, says of f, and stores it again. It reports
// whether f may still answer others.
func (x *exchange) update(f *found, h http.Header, at span) bool {
	f.object = &object{
		stored: x.rules.freshened(f.stored, x.req, h, at), key: f.key, value: f.value, forms: f.forms,
	}
	return x.refresh(f)
}

// receiveHead updates what is stored of GET by a response to HEAD (RFC 9111, section 4.3.5).
func (x *exchange) receiveHead(resp *http.Response, f *found, at span) {
	if f == nil || resp.StatusCode != http.StatusOK || f.status != http.StatusOK {
		return
	}
	if !matchesHead(resp.Header, resp.ContentLength, f.stored) {
		x.drop(f)
		return
	}
	x.update(f, resp.Header, at)
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
	if x.rules.selects(x.req.Header, p.stored) {
		return x.key, p
	}
	return x.variantKey(), x.variant
}

// drop removes f.
func (x *exchange) drop(f *found) {
	x.delete(x.context(), f.key)
	x.forgetBody(x.context(), x.key, f.bodyID)
}

// refresh stores f again after its header changed, or drops it if it may no longer be stored, and
// reports whether it may.
func (x *exchange) refresh(f *found) bool {
	get := *x.req
	get.Method = http.MethodGet
	switch why := x.rules.unstorable(&get, x.cc, f.stored); {
	case x.cc.has(noStore):
		return false // nothing of this exchange may be stored; what was there before may stay
	case why != "":
		x.drop(f)
		return false
	}
	if x.purges.hit(f.object, f.requested) {
		return true
	}
	if !x.restore(f.object) {
		x.drop(f)
		return true
	}
	keep := func() { x.remember(f.object, time.Now()) }
	if !x.purges.unless(f.object, f.requested, keep) { // purged meanwhile
		x.drop(f)
	}
	return true
}

// restore puts the envelope of o into the store again, and reports whether it is not too large.
func (x *exchange) restore(o *object) bool {
	if x.store == nil {
		return true
	}
	value := appendEnvelope(make([]byte, 0, 2048+len(o.value)), o.stored)
	if len(value) > maxEnvelope {
		return false
	}
	if o.bodyID == 0 {
		value = append(value, o.value...)
	}
	seal(value, o.key, o.length, o.bodyID)
	x.set(x.context(), o.key, o.stored, value)
	return true
}
