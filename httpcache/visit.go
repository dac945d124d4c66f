// visit.go takes one request through the shared cache: find, judge, then serve, or wait for a load.

package httpcache

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// visit is one request to a handler of a Cache.
type visit struct {
	exchange
	h *handler
	w http.ResponseWriter
	r *http.Request

	question []byte // of a QUERY
	scope    string // for whom the answer is
	since    uint64 // how many loads had ended when it was looked for
	// The key is made of these: the URL with the query that counts, and what there is besides.
	plain, rest string
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := h.visit(w, r)
	if why := v.bypass(); why != "" {
		v.pass(why)
		return
	}
	v.locate()
	v.run()
}

// ServeHit answers r if a fresh response to it lies in memory, as ServeHTTP would. Otherwise it does
// nothing and returns false. It never waits. It is for servers that can write such an answer in a
// quicker way than others.
func (h *handler) ServeHit(w http.ResponseWriter, r *http.Request) bool {
	v := h.visit(w, r)
	if r.Method == methodQuery || v.bypass() != "" {
		return false
	}
	v.locate()
	now := time.Now()
	f := v.held()
	if f == nil || !f.whole() {
		return false
	}
	judged, why := v.rules.judge(v.cc, f.stored, now)
	if judged != serveFresh {
		return false
	}
	v.serve(f, Hit, why, now)
	return true
}

// held returns the response in memory that the request selects.
func (v *visit) held() *found {
	o := v.recall(v.key)
	if o != nil && !v.rules.selects(v.req.Header, o.stored) {
		v.primary = v.found(o)
		o = v.recall(v.variantKey())
	}
	if o == nil || !v.rules.selects(v.req.Header, o.stored) {
		return nil
	}
	return v.found(o)
}

// visit begins a visit.
func (h *handler) visit(w http.ResponseWriter, r *http.Request) *visit {
	scope := h.scopeOf(r) // once: the request may be another one later
	v := &visit{h: h, w: w, r: r, scope: scope, exchange: exchange{
		engine: h.engineOf(scope), origin: h.origin, req: h.asRead(canonical(r)),
	}}
	v.cc = requestDirectives(v.req.Header)
	v.site.scheme, v.site.host = h.trust.siteOf(r)
	return v
}

// locate says where the response lies.
func (v *visit) locate() {
	v.plain = v.site.scheme + "://" + v.site.host + v.h.targetOf(v.req)
	v.rest = shortRest(v.h.restOf(v.req, v.scope))
	if v.question != nil {
		v.rest += queryKey(v.req.Header, v.question)
	}
	v.key = v.keyNow()
}

// keyNow returns the key of the response. It may change with what is learned of queries.
func (v *visit) keyNow() string { return v.keyUnder(v.h.cache.searches.apply(v.plain)) }

// keyUnder returns the key of the response under a URL that stands for that of the request.
func (v *visit) keyUnder(url string) string { return shortKey(url) + v.rest }

// bypass says why the request cannot be answered from the cache; "" if it can.
func (v *visit) bypass() reason {
	switch {
	case v.h.cache.closed.Load():
		return becauseClosed
	case v.h.forwards && v.r.Header["Upgrade"] != nil && isWebSocket(v.r.Header):
		return becauseField + "Upgrade"
	case v.req.Method != methodQuery:
		return bypass(v.req)
	case !v.readQuery():
		return becauseBody
	}
	asked := *v.req
	asked.Method, asked.Body = http.MethodGet, nil
	return bypass(&asked)
}

// run answers a request that may be answered from the cache.
func (v *visit) run() {
	now := time.Now()
	v.since = v.h.cache.flights.ends.Load()
	f, why := v.find(now)
	if f != nil {
		var judged verdict
		judged, why = v.rules.judge(v.cc, f.stored, now)
		if judged != validate {
			gone := v.answer(f, judged, why, now)
			if gone == "" {
				return
			}
			f, why = nil, gone
		}
	}
	if v.cc.has(onlyIfCached) {
		v.fail(http.StatusGatewayTimeout, Miss, why)
		return
	}
	v.load(f, why)
}

// answer serves f as it was judged, or returns why that cannot be.
func (v *visit) answer(f *found, judged verdict, why reason, now time.Time) reason {
	if !f.whole() {
		if gone := v.open(f); gone != "" {
			return gone
		}
		defer f.close()
	}
	switch judged {
	case serveFresh:
		v.serve(f, Hit, why, now)
	case serveWhile:
		v.refreshBehind(f, why)
		v.serve(f, Stale, why, now)
	default:
		v.serve(f, Stale, why, now)
	}
	return ""
}

// refreshBehind has f loaded again while it is served, unless somebody does already.
func (v *visit) refreshBehind(f *found, why reason) {
	fl, first := v.h.cache.flights.join(v.flightKey())
	if first {
		v.tally.refreshes.Add(1)
		fl.leave()
		v.fill(fl, f, why)
	}
}

// flightKey names what is loaded: the variant that the request selects, as far as that is known.
func (v *visit) flightKey() string {
	if v.primary == nil || v.rules.selects(v.req.Header, v.primary.stored) {
		return v.key
	}
	return v.variantKey()
}

// load waits for the origin, together with all who ask for the same.
func (v *visit) load(f *found, why reason) {
	key := v.flightKey()
	if method(v.req) == http.MethodHead || v.cc.has(noStore) || v.h.cache.isPrivate(key) ||
		v.h.cache.isFilled(v.r.Context(), key) {
		v.loadAlone(key, f, why)
		return
	}
	for range rounds {
		fl, first := v.h.cache.flights.join(key)
		if first && v.h.cache.flights.ended(key, v.since) && v.landed(fl) {
			return
		}
		if first {
			v.lead(fl, f, why)
			return
		}
		if v.follow(fl) {
			return
		}
		if v.forOne(fl) {
			break
		}
		if fl.s != nil {
			v.primary = &found{object: &object{stored: fl.s, key: v.key}}
		}
		key = v.flightKey()
	}
	v.loadAlone(key, f, why)
}

// landed serves what a load has brought that ended between our look and fl, and reports whether there
// was one: then fl need not be.
func (v *visit) landed(fl *flight) bool {
	now := time.Now()
	f := v.held()
	if f == nil {
		return false
	}
	judged, why := v.rules.judge(v.cc, f.stored, now)
	if judged != serveFresh {
		return false
	}
	fl.f, fl.outcome, fl.why, fl.at = f, Hit, why, v.key
	fl.of.land(fl)
	if !v.serveLanded(fl) {
		v.loadAlone(fl.key, nil, becauseBodyGone)
	}
	return true
}

// rounds is how often a request joins others before it asks for itself: what they got may have been
// another variant, or an error.
const rounds = 3

// forOne reports whether what fl has brought was for the first alone, so that each has to ask.
func (v *visit) forOne(fl *flight) bool {
	if fl.own || fl.s == nil {
		return fl.resp == nil || fl.resp.StatusCode < http.StatusInternalServerError
	}
	return v.key == fl.at && v.rules.selects(v.req.Header, fl.s)
}

// loadAlone asks the origin for this request and no other.
func (v *visit) loadAlone(key string, f *found, why reason) {
	v.lead(newFlight(&v.h.cache.flights, key), f, why)
}

// lead asks the origin on behalf of all who wait for fl.
func (v *visit) lead(fl *flight, f *found, why reason) {
	fl.first.open(v.w)
	v.fill(fl, f, why)
	select {
	case <-fl.ready:
		fl.first.close()
	case <-v.r.Context().Done():
		fl.leave()
		switch {
		case !fl.shared:
			fl.cancel() // nobody else will want it
		case v.h.cache.loading.Load() > mostAbandoned:
			fl.of.abandon(fl)
		}
		return
	}
	v.loads = fl.loads
	switch {
	case fl.resp != nil:
		v.relay(fl)
	case fl.err != nil:
		v.fault(fl)
	case !v.join(fl, false):
		v.loadAlone(fl.key, nil, becauseBodyGone)
	}
}

// mostAbandoned is how many loads may be under way for one to go on when the first who asked for it
// has left: more would be somebody who only asks.
const mostAbandoned = 256

// follow waits for what another request asked for, and reports whether that is an answer to this
// one, too.
func (v *visit) follow(fl *flight) bool {
	select {
	case <-fl.ready:
	case <-v.r.Context().Done():
		fl.of.wait(fl, -1)
		return true
	}
	switch {
	case fl.resp != nil, fl.own:
		return false
	case fl.err != nil:
		v.fault(fl)
		return true
	}
	return v.join(fl, true)
}

// shares reports whether a response that another request has brought may answer this one, too: it
// is the variant that this one selects, and fresh, so that nobody has to be asked whether this
// client may have it. What stands in for an origin that failed is for all.
func (v *visit) shares(fl *flight) bool {
	s := fl.s
	if s == nil {
		s = fl.f.stored
	}
	v.key = v.keyNow()
	if v.key != fl.at || !v.rules.selects(v.req.Header, s) {
		return false
	}
	if fl.outcome == Stale {
		return v.rules.servesError(v.cc, s, time.Now())
	}
	judged, _ := v.rules.judge(noDirectives(), s, time.Now())
	return judged == serveFresh
}

// join serves what fl has brought, and reports whether it could.
func (v *visit) join(fl *flight, shared bool) bool {
	if fl.s == nil {
		return (!shared || v.shares(fl)) && v.serveLanded(fl)
	}
	if shared && !v.shares(fl) {
		fl.body.expect(-1)
		return false
	}
	body := fl.body.join(v.r.Context())
	fl.body.expect(-1)
	if body == nil {
		return false
	}
	defer body.Close()
	v.stream(fl, body, shared)
	return true
}

// serveLanded serves what a flight found stored.
func (v *visit) serveLanded(fl *flight) bool {
	f := &found{object: fl.f.object}
	if v.open(f) != "" {
		return false
	}
	defer f.close()
	v.serve(f, fl.outcome, fl.why, time.Now())
	return true
}

// fault answers for an origin that failed.
func (v *visit) fault(fl *flight) {
	var broken *panicError
	if errors.As(fl.err, &broken) {
		panic(broken.value) // as if it had been asked here
	}
	v.fail(statusOf(fl.err), Miss, fl.why)
}

// statusOf is the status that says how the origin failed (RFC 9110, sections 15.6.3 to 15.6.5): 504
// if it was late, else 502, unless the error has a method StatusCode() int that knows better.
func statusOf(err error) int {
	var own interface{ StatusCode() int }
	if errors.As(err, &own) {
		return own.StatusCode()
	}
	var late net.Error
	if errors.Is(err, errSilent) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &late) && late.Timeout() {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}
