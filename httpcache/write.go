// write.go writes answers of the shared cache to a client.

package httpcache

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// serve writes f, or 304 where the caller's own condition is met.
func (v *visit) serve(f *found, o Outcome, why reason, now time.Time) {
	h := v.w.Header()
	f.copyHeader(h)
	age := currentAge(f.stored, now) / time.Second
	h["Age"] = []string{strconv.FormatInt(int64(age), 10)}
	left := (v.rules.lifetime(f.stored) - v.rules.age(f.stored, now)) / time.Second
	status := cacheStatus{hit: o != Revalidated, hasTTL: true, ttl: int64(left)}
	if o == Revalidated {
		status.forward, status.status = "stale", http.StatusNotModified
	}
	v.tell(Result{Outcome: o, TTL: left * time.Second}, why, status)
	c := content{stored: f.stored, size: f.length, r: f.body}
	if f.whole() {
		c.value, c.r = f.value, nil
	}
	coding, value := v.formOf(f)
	if coding != "" {
		c.size, c.value = int64(len(value)), value
	}
	v.dress(h, f.stored, coding)
	if (coding != "" || h["Content-Length"] == nil) && f.status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.FormatInt(c.size, 10)}
	}
	v.send(&c, h)
}

// field is a field of a header.
type field struct {
	name   string
	values []string
}

// fieldsOf are the fields of h, in a form that is quicker to go through.
func fieldsOf(h http.Header) []field {
	fields := make([]field, 0, len(h))
	for name, values := range h {
		fields = append(fields, field{name, values})
	}
	return fields
}

// copyHeader puts the header of o into h, in memory of its own.
func (o *object) copyHeader(h http.Header) {
	if o.fields == nil {
		copyHeader(h, o.header)
		return
	}
	n := 0
	for i := range o.fields {
		n += len(o.fields[i].values)
	}
	room := make([]string, 0, n)
	for i := range o.fields {
		f := &o.fields[i]
		at := len(room)
		room = append(room, f.values...)
		h[f.name] = room[at:len(room):len(room)]
	}
}

// copyHeader puts what is in from into h, in memory of its own.
func copyHeader(h, from http.Header) {
	n := 0
	for _, values := range from {
		n += len(values)
	}
	room := make([]string, 0, n)
	for name, values := range from {
		at := len(room)
		room = append(room, values...)
		h[name] = room[at:len(room):len(room)]
	}
}

// quiet keeps net/http from guessing what the origin did not say.
func (v *visit) quiet(h http.Header) {
	if h["Content-Type"] == nil {
		h["Content-Type"] = nil
	}
}

// stream writes a response while it arrives.
func (v *visit) stream(fl *flight, body *spoolReader, shared bool) {
	h := v.w.Header()
	copyHeader(h, fl.s.header)
	v.tell(Result{Outcome: Miss, Shared: shared}, fl.why, cacheStatus{
		forward: forwardOf(fl.why), status: fl.s.status, stored: true, collapsed: shared,
	})
	v.dress(h, fl.s, "")
	c := content{stored: fl.s, size: unknownSize, r: body}
	if n := announced(fl.s.header); n >= 0 {
		c.size = n
	}
	v.send(&c, h)
}

// relay writes a response that is for this request alone.
func (v *visit) relay(fl *flight) {
	resp := fl.resp
	defer fl.cancel()
	defer context.AfterFunc(v.r.Context(), fl.cancel)()
	defer resp.Body.Close()
	h := v.w.Header()
	maps.Copy(h, storableHeader(resp.Header))
	v.quiet(h)
	for name := range resp.Trailer {
		h.Add("Trailer", name)
	}
	v.tell(Result{Outcome: Miss, NotStored: string(fl.kept)}, fl.why, cacheStatus{
		forward: forwardOf(fl.why), status: resp.StatusCode, detail: fl.kept,
	})
	v.w.WriteHeader(resp.StatusCode)
	v.copy(resp.Body)
	for name, values := range resp.Trailer {
		h[http.TrailerPrefix+name] = values
	}
}

// copy writes a body as it arrives: each piece is on its way to the client before the next is
// waited for.
func (v *visit) copy(body io.Reader) {
	if method(v.req) == http.MethodHead {
		return
	}
	control := http.NewResponseController(v.w)
	if r, ok := body.(*spoolReader); !ok || r.waiting() {
		control.Flush()
	}
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	for {
		n, err := body.Read(buf[:])
		if n > 0 {
			if _, failed := v.w.Write(buf[:n]); failed != nil {
				return // the client has gone
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the client must not take a part for the whole
		}
		if r, ok := body.(*spoolReader); !ok || r.waiting() {
			control.Flush()
		}
	}
}

// fail answers with an error of ours.
func (v *visit) fail(status int, o Outcome, why reason) {
	h := v.w.Header()
	h["Content-Type"] = []string{"text/plain; charset=utf-8"}
	h["Cache-Control"] = []string{"no-store"}
	v.tell(Result{Outcome: o, Failed: true}, why, cacheStatus{forward: forwardOf(why)})
	v.w.WriteHeader(status)
	if method(v.req) != http.MethodHead {
		fmt.Fprintf(v.w, "%d %s\n", status, http.StatusText(status))
	}
}

// tell says in Cache-Status, and to who tracks the request, what the cache did. The detail is why
// something was not kept, or served though it is not fresh.
func (v *visit) tell(r Result, why reason, c cacheStatus) {
	c.name = v.h.cache.o.Name
	if c.hit && why != becauseFresh || r.Failed {
		c.detail = why
	}
	c.addTo(v.w.Header())
	r.Loads, r.Reason, r.Rule = v.loads, string(why), why.rule()
	v.h.cache.count(r)
	if tracked, ok := v.r.Context().Value(trackKey{}).(*Result); ok && tracked != nil {
		*tracked = r
	}
}
