// post.go stores the response to a POST that says it is the one to a later GET.

package httpcache

import (
	"net/http"
	"time"
)

// keepPost begins to store what a POST is answered with, if that is also what a GET of the same URL
// would be: it says so by Content-Location, and how long it is fresh (RFC 9110, section 9.3.3). It
// returns nil if not.
func (v *visit) keepPost(status int, h http.Header) *posted {
	if v.req.Method != http.MethodPost || status != http.StatusOK || h["Content-Location"] == nil {
		return nil
	}
	u := v.absolute()
	same, err := u.Parse(h.Get("Content-Location"))
	if err != nil || same.String() != u.String() {
		return nil
	}
	get := *v.req
	get.Method = http.MethodGet
	x := v.exchange
	x.req, x.key = &get, shortKey(v.h.urlOf(v.req))+shortRest(v.h.restOf(v.req, v.scope))
	now := time.Now()
	resp := newResponse(status, h)
	s := x.newStored(&get, resp, span{now, now})
	addDate(s.header, now)
	if !s.explicit(x.rules) || x.rules.unstorable(&get, x.cc, s) != "" {
		return nil
	}
	x.look() // whose place it takes
	k, why := x.newSaver(s, -1)
	if why != "" {
		return nil
	}
	return &posted{saver: k}
}

// posted is the body of a response to POST on its way into the store.
type posted struct {
	saver *saver
	body  []byte // while it is little enough for memory
}

func (p *posted) add(b []byte) {
	p.saver.add(b)
	if held := p.saver.x.held; int64(len(p.body)+len(b)) <= held {
		p.body = append(p.body, b...)
		return
	}
	p.body = nil
}

// finish stores the response if its body is whole, that is: no shorter than announced.
func (p *posted) finish() {
	if p.saver.s.header["Content-Length"] != nil {
		p.saver.want = announced(p.saver.s.header)
	}
	if int64(len(p.body)) != p.saver.n {
		p.body = nil
		if p.saver.x.store == nil {
			p.saver.drop(nil)
			return
		}
	}
	p.saver.finish(p.body)
}
