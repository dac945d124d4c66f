// fill.go asks the origin on behalf of all who wait, and stores what it answers while they read it.

package httpcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime/debug"
	"sync"
	"time"
)

// fill is one load of the cache: for a flight, or behind a stale response.
type fill struct {
	*exchange
	v     *visit
	cache *Cache
	fl    *flight
	f     *found // what is stored and to be validated, or nil
	out   *http.Request
	why   reason
	dog   *watchdog
}

// fill begins a load for fl. It goes on when the request has ended.
func (v *visit) fill(fl *flight, f *found, why reason) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(v.r.Context()))
	ctx = context.WithValue(ctx, trackKey{}, (*Result)(nil))
	ctx = context.WithValue(ctx, fillKey{}, &filling{v.h.cache, fl.key, v.r.Context()})
	fl.cancel = cancel
	x := v.exchange
	x.req = v.req.WithContext(ctx)
	x.req.Header = v.req.Header.Clone() // whose it is may change it when the request has ended
	out := v.h.outgoing(v.r, httptrace.WithClientTrace(ctx, fl.trace()))
	v.h.narrow(out, v.r)
	if v.question != nil {
		ask(out, v.question)
	}
	if fl.shared {
		for _, name := range ownConditions {
			delete(out.Header, name)
		}
	}
	fi := &fill{exchange: &x, v: v, cache: v.h.cache, fl: fl, f: f, out: out, why: why}
	stop := context.AfterFunc(fi.cache.ctx, cancel)
	if !fi.cache.start(func() { defer stop(); fi.run() }) {
		fl.err = errClosed
		fl.of.land(fl)
		cancel()
	}
}

// errClosed is what a load ends with that began too late.
var errClosed = errors.New("httpcache: the cache was closed")

type fillKey struct{}

// filling is what a context knows of the load it belongs to. One may be within another: a handler
// may have a cache of its own.
type filling struct {
	cache *Cache
	key   string
	outer context.Context
}

// isFilled reports whether the load of key waits for the request with this context: then the
// request must not wait for that load.
func (c *Cache) isFilled(ctx context.Context, key string) bool {
	for {
		f, ok := ctx.Value(fillKey{}).(*filling)
		if !ok {
			return false
		}
		if f.cache == c && f.key == key {
			return true
		}
		ctx = f.outer
	}
}

// ownConditions are fields of a request that make its answer of use to nobody else.
var ownConditions = []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range"}

// mostInterim is how many interim responses an origin may send before its response.
const mostInterim = 16

var errInterim = errors.New("httpcache: the origin sent too many interim responses")

// trace hears of interim responses.
func (fl *flight) trace() *httptrace.ClientTrace {
	n := 0
	return &httptrace.ClientTrace{
		Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
			if n++; n > mostInterim {
				return errInterim
			}
			fl.first.pass(status, http.Header(h))
			return nil
		},
	}
}

// run loads, and tells the flight how it went. A panic of a RoundTripper ends the load alone.
func (fi *fill) run() {
	fi.cache.loading.Add(1)
	defer fi.cache.loading.Add(-1)
	defer func() {
		if value := recover(); value != nil {
			fi.broke(&panicError{value, debug.Stack()})
		}
	}()
	fi.dog = watch(fi.cache.o.FillTimeout, fi.fl.cancel)
	body := fi.load()
	fi.fl.loads = fi.loads
	if body == nil {
		fi.dog.stop()
		if fi.fl.resp == nil {
			fi.fl.cancel()
		}
		fi.fl.of.land(fi.fl)
		return
	}
	fi.fl.of.land(fi.fl)
	fi.pump(body)
	fi.dog.stop()
	fi.fl.cancel()
}

// broke is for a load that panicked.
func (fi *fill) broke(err error) {
	fi.note(err)
	fi.dog.stop()
	fi.fl.cancel()
	if fi.fl.body != nil && fi.fl.landed {
		fi.fl.of.end(fi.fl)
		fi.fl.body.end(err)
		return
	}
	fi.fl.body, fi.fl.s, fi.fl.f, fi.fl.resp, fi.fl.err = nil, nil, nil, nil, err
	fi.fl.of.land(fi.fl)
}

// pump is a body on its way into the store and to its readers.
type pump struct {
	resp  *http.Response
	saver *saver
}

// load asks the origin and decides. It returns a body that is to be stored, if there is one.
func (fi *fill) load() *pump {
	fi.check()
	out, validating := fi.out, fi.f != nil && fi.f.validators()
	if validating {
		out = conditional(fi.out, fi.f.stored)
	}
	resp, at, err := fi.ask(out)
	err = fi.dog.blame(err)
	switch {
	case fi.f != nil && failed(resp, err) && fi.rules.servesError(fi.cc, fi.f.stored, time.Now()):
		closeResponse(resp)
		fi.note(err)
		fi.serve(fi.f, Stale, becauseIfError)
		return nil
	case err != nil:
		fi.note(err)
		fi.fl.err = err
		return nil
	case validating && resp.StatusCode == http.StatusNotModified:
		return fi.confirm(resp, at)
	}
	return fi.receive(resp, at)
}

// check makes sure that what is to be validated has a body: a 304 is of no use without.
func (fi *fill) check() {
	if fi.f == nil || fi.f.whole() {
		return
	}
	f := &found{object: fi.f.object}
	if gone := fi.open(f); gone != "" {
		fi.f, fi.why = nil, gone
	}
	f.close()
}

// serve has all who wait answered from f.
func (fi *fill) serve(f *found, o Outcome, why reason) {
	fi.fl.at = fi.key
	fi.fl.f, fi.fl.outcome, fi.fl.why = f, o, why
}

// confirm serves what is stored after a 304. One that speaks of another response is of no use (RFC
// 9111, section 4.3.4): then the whole is asked for.
func (fi *fill) confirm(resp *http.Response, at span) *pump {
	closeResponse(resp)
	if confirms(resp.Header, fi.f.stored) {
		f := *fi.f
		fi.fl.own = !fi.update(&f, resp.Header, at)
		fi.serve(&f, Revalidated, fi.why)
		return nil
	}
	if fi.v.question != nil {
		ask(fi.out, fi.v.question)
	}
	resp, at, err := fi.ask(fi.out)
	if err = fi.dog.blame(err); err != nil {
		fi.note(err)
		fi.fl.err = err
		return nil
	}
	return fi.receive(resp, at)
}

// receive decides what becomes of a response of the origin.
func (fi *fill) receive(resp *http.Response, at span) *pump {
	addDate(resp.Header, at.received)
	if method(fi.req) == http.MethodHead {
		fi.receiveHead(resp, fi.f, at)
	}
	fi.learnSearch(resp)
	fi.fl.at = fi.key
	s := fi.newStored(fi.req, resp, at)
	fi.fl.outcome, fi.fl.why = Miss, fi.why
	why := fi.unstorable(s, resp)
	var k *saver
	if why == "" {
		k, why = fi.newSaver(s, resp.ContentLength)
	}
	if why != "" {
		return fi.hand(resp, why)
	}
	fi.cache.notPrivate(fi.fl.key)
	fi.fl.s = s
	fi.fl.body = fi.cache.newSpool(resp.ContentLength)
	return &pump{resp, k}
}

// learnSearch notes what a response says of the query, by which it may lie under another key.
func (fi *fill) learnSearch(resp *http.Response) {
	h := fi.v.h
	if fi.v.question != nil || resp.StatusCode >= 300 || h.view.Query != nil {
		return
	}
	if key := fi.v.keyUnder(h.cache.searches.learn(fi.v.plain, resp.Header)); key != fi.key {
		fi.key, fi.primary, fi.variant = key, nil, nil
	}
}

// unstorable says why a response is not stored.
func (fi *fill) unstorable(s *stored, resp *http.Response) reason {
	if why := fi.rules.unstorable(fi.req, fi.cc, s); why != "" {
		return why
	}
	if resp.ContentLength > fi.maxBody {
		return becauseTooLarge
	}
	return ""
}

// hand leaves a response that is not stored to the first who asked.
func (fi *fill) hand(resp *http.Response, why reason) *pump {
	if fi.f != nil && supersedes(fi.req, resp) {
		fi.drop(fi.f)
	}
	if resp.StatusCode < http.StatusInternalServerError { // an error passes
		fi.cache.private(fi.fl.key, why)
	}
	resp.Body = &calmed{resp.Body, fi.dog}
	fi.fl.resp, fi.fl.kept = resp, why
	return nil
}

// calmed is a body whose readers tell the watchdog that something happens.
type calmed struct {
	io.ReadCloser
	dog *watchdog
}

func (c *calmed) Read(p []byte) (int, error) {
	c.dog.calm()
	n, err := c.ReadCloser.Read(p)
	c.dog.stop() // how long the reader takes is not for us to say
	return n, c.dog.blame(err)
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// pump stores a body while those who wait read it.
func (fi *fill) pump(p *pump) {
	defer p.resp.Body.Close()
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	var n int64
	for {
		fi.dog.calm()
		part, err := p.resp.Body.Read(buf[:])
		fi.dog.stop()
		n += int64(part)
		p.saver.add(buf[:part])
		if err == nil && n == p.resp.ContentLength && fi.fl.body.last(buf[:part]) {
			fi.end(p, n, io.EOF) // who has all of it may ask again at once
			return
		}
		if _, full := fi.fl.body.Write(buf[:part]); full != nil {
			err = full
		}
		if p.resp.ContentLength < 0 && fi.fl.body.isLeft(fi.cache.o.FillTimeout) {
			err = errAbandoned // it may have no end
		}
		if err != nil {
			fi.end(p, n, fi.dog.blame(err))
			return
		}
	}
}

// end says how the body ended. It is stored, and the load no longer under way, before its readers
// hear of that, so that what they ask for next they get from the cache, or anew.
func (fi *fill) end(p *pump, n int64, err error) {
	if want := p.resp.ContentLength; err == io.EOF && want >= 0 && n != want {
		err = io.ErrUnexpectedEOF
	}
	switch {
	case err == io.EOF:
		if p.saver.done { // it was given up
			break
		}
		p.saver.finish(fi.fl.body.whole())
	case errors.Is(err, errAbandoned):
		p.saver.drop(nil)
	default:
		p.saver.drop(nil)
		err = fmt.Errorf("httpcache: body of %q: %w", fi.key, err)
		fi.note(err)
	}
	fi.fl.of.end(fi.fl)
	fi.fl.body.end(err)
}
