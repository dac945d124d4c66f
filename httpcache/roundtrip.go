// roundtrip.go takes one request of a client through its private cache: find, judge, then serve, or
// load and store.

package httpcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// roundTrip is one request through a Transport.
type roundTrip struct {
	*exchange
	asked     *http.Request // as the caller made it
	refreshes *sync.Map     // the keys of what is refreshed behind an answer
}

// run answers a request that may be answered from the store.
func (t *roundTrip) run() (*http.Response, error) {
	f, why := t.find(time.Now())
	if f != nil {
		if gone := t.open(f); gone != "" {
			f, why = nil, gone
		}
	}
	if f != nil {
		var v verdict
		switch v, why = t.rules.judge(t.cc, f.stored, time.Now()); v {
		case serveFresh:
			return t.serve(f, Hit, why), nil
		case serveStale:
			return t.serve(f, Stale, why), nil
		case serveWhile:
			t.refreshBehind(f)
			return t.serve(f, Stale, why), nil
		}
	}
	if f == nil && t.req.Header["Range"] != nil {
		return t.pass(becausePart)
	}
	if t.cc.has(onlyIfCached) {
		f.close()
		return t.refuse(Miss, why), nil
	}
	return t.load(f, why)
}

// refreshLimit is how long a refresh behind an answer may take.
const refreshLimit = time.Minute

// refreshBehind loads f again while it is served, unless somebody does already (RFC 5861, section
// 3). Parts and conditions of the request are no matter of the refresh.
func (t *roundTrip) refreshBehind(f *found) {
	if _, busy := t.refreshes.LoadOrStore(t.key, true); busy {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.context()), refreshLimit)
	again := &roundTrip{exchange: new(exchange), asked: t.asked.Clone(ctx)}
	*again.exchange = *t.exchange
	for _, name := range ownConditions {
		setOrDelete(again.asked.Header, name, "")
	}
	again.asked.Body = nil
	again.req = canonical(again.asked)
	own := *f.stored
	own.header = f.header.Clone() // the other is the caller's
	old := &found{object: &object{stored: &own, key: f.key, value: f.value}}
	go func() {
		defer cancel()
		defer t.refreshes.Delete(t.key)
		again.refresh(old)
	}()
}

// refresh loads f again, and reads it to its end, so that it is stored.
func (t *roundTrip) refresh(f *found) {
	if gone := t.open(f); gone != "" {
		return
	}
	resp, err := t.load(f, becauseWhile)
	if err != nil {
		t.noteUnless(t.context(), err)
		return
	}
	_, err = io.Copy(io.Discard, resp.Body)
	t.noteUnless(t.context(), errors.Join(err, resp.Body.Close()))
}

// pass hands the request to the origin as it is, and forgets what the answer shows to be outdated.
func (t *roundTrip) pass(why reason) (*http.Response, error) {
	if t.cc.has(onlyIfCached) && safe(method(t.req)) {
		closeRequest(t.req)
		return t.refuse(Bypass, why), nil
	}
	resp, _, err := t.ask(t.asked)
	if err != nil {
		return nil, err
	}
	t.invalidate(resp)
	return t.give(resp, Result{Outcome: Bypass, NotStored: string(why)}, why), nil
}

// load asks the origin: whether f is still current, if there is an f with a validator, and else
// for the whole.
func (t *roundTrip) load(f *found, why reason) (*http.Response, error) {
	out, validating := t.asked, f != nil && f.validators()
	if validating {
		out = conditional(t.asked, f.stored)
	}
	resp, at, err := t.ask(out)
	if f != nil && failed(resp, err) && t.rules.servesError(t.cc, f.stored, time.Now()) {
		closeResponse(resp)
		return t.serve(f, Stale, becauseIfError), nil
	}
	if err != nil {
		f.close()
		return nil, err
	}
	if validating && resp.StatusCode == http.StatusNotModified {
		return t.confirm(f, resp, at, why)
	}
	f.close()
	return t.receive(resp, f, at, why), nil
}

// confirm serves f after a 304. One that speaks of another response is of no use (RFC 9111,
// section 4.3.4): then the whole is asked for.
func (t *roundTrip) confirm(
	f *found, resp *http.Response, at span, why reason,
) (*http.Response, error) {
	closeResponse(resp)
	if !confirms(resp.Header, f.stored) {
		f.close()
		resp, at, err := t.ask(t.asked)
		if err != nil {
			return nil, err
		}
		return t.receive(resp, f, at, why), nil
	}
	t.update(f, resp.Header, at)
	return t.serve(f, Revalidated, why), nil
}

// receive hands out a response from the origin and arranges for it to be stored.
func (t *roundTrip) receive(resp *http.Response, f *found, at span, why reason) *http.Response {
	addDate(resp.Header, at.received)
	if method(t.req) == http.MethodHead {
		t.receiveHead(resp, f, at)
	}
	s := t.newStored(t.req, resp, at)
	unstored := t.rules.unstorable(t.req, t.cc, s)
	if unstored == "" && resp.ContentLength > t.maxBody {
		unstored = becauseTooLarge
	}
	switch {
	case unstored == "":
		t.keep(resp, s)
	case f != nil && supersedes(t.req, resp):
		t.drop(f)
	}
	return t.give(resp, Result{Outcome: Miss, NotStored: string(unstored)}, why)
}

// serve answers from f, with a 304 where the caller's own condition is met.
func (t *roundTrip) serve(f *found, o Outcome, why reason) *http.Response {
	age := currentAge(f.stored, time.Now()) / time.Second
	f.header["Age"] = []string{strconv.FormatInt(int64(age), 10)}
	if conditions(t.req.Header) && notModified(t.req.Header, f.stored) {
		f.close()
		return t.give(newResponse(http.StatusNotModified, notModifiedHeader(f.header)),
			Result{Outcome: o}, why)
	}
	c := content{stored: f.stored, size: f.length, value: f.value}
	if !f.whole() {
		c.r = f.body
	}
	if plan, ok := c.plan(t.req); ok {
		return t.give(servedParts(&c, plan, f.body), Result{Outcome: o}, why)
	}
	resp := &http.Response{
		Status:        f.statusText,
		StatusCode:    f.status,
		Proto:         protoName(f.protoMajor, f.protoMinor),
		ProtoMajor:    int(f.protoMajor),
		ProtoMinor:    int(f.protoMinor),
		Header:        f.header,
		Body:          f.body,
		ContentLength: f.length,
		Uncompressed:  f.uncompressed,
	}
	return t.give(resp, Result{Outcome: o}, why)
}

// servedParts is the response that has the parts of a plan.
func servedParts(c *content, plan rangePlan, body io.Closer) *http.Response {
	plan.describe(c.header)
	resp := newResponse(plan.status, c.header)
	resp.ContentLength = plan.length
	resp.Body = struct {
		io.Reader
		io.Closer
	}{c.read(plan), body}
	return resp
}

// give hands resp to the caller.
func (t *roundTrip) give(resp *http.Response, r Result, why reason) *http.Response {
	r.Loads, r.Reason, r.Rule = t.loads, string(why), why.rule()
	return withResult(resp, t.asked, r)
}

// refuse is the answer to only-if-cached where nothing may be served (RFC 9111, section 5.2.1.7).
func (t *roundTrip) refuse(o Outcome, why reason) *http.Response {
	resp := newResponse(http.StatusGatewayTimeout, http.Header{})
	addDate(resp.Header, time.Now())
	return t.give(resp, Result{Outcome: o}, why)
}

// notModifiedHeader leaves out what describes a body that is not sent (RFC 9110, section 15.4.5).
func notModifiedHeader(h http.Header) http.Header {
	for name := range h {
		if describesBody(name) {
			delete(h, name)
		}
	}
	return h
}

// describesBody reports whether a field is about a body that a 304 does not have.
func describesBody(name string) bool {
	return strings.HasPrefix(name, "Content-") && name != "Content-Location"
}

func protoName(major, minor uint8) string {
	switch {
	case major == 1 && minor == 1:
		return "HTTP/1.1"
	case major == 2 && minor == 0:
		return "HTTP/2.0"
	}
	return fmt.Sprintf("HTTP/%d.%d", major, minor)
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
