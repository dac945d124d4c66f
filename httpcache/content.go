// content.go writes bodies, whole or in parts.

package httpcache

import (
	"crypto/rand"
	"io"
	"net/http"
	"slices"
)

// content is a body that is to be written, and the response it belongs to.
type content struct {
	*stored
	size  int64     // or unknownSize
	value []byte    // the body, or
	r     io.Reader // what reads it from its beginning
	pos   int64     // of r
}

// send writes the header h, which is that of the whole, and as much of c as the request asks for.
func (v *visit) send(c *content, h http.Header) {
	if conditions(v.req.Header) && notModified(v.req.Header, c.stored) {
		notModifiedHeader(h)
		v.w.WriteHeader(http.StatusNotModified)
		return
	}
	v.quiet(h)
	if v.sendParts(c, h) {
		return
	}
	v.w.WriteHeader(c.status)
	switch {
	case method(v.req) == http.MethodHead:
	case c.r != nil:
		v.copy(c.r)
	default:
		v.w.Write(c.value)
	}
}

// sendParts writes what Range asks for, and reports whether it asks for less than the whole.
func (v *visit) sendParts(c *content, h http.Header) bool {
	lines := v.req.Header["Range"]
	if lines == nil || c.status != http.StatusOK || c.size == unknownSize ||
		method(v.req) != http.MethodGet {
		return false
	}
	specs, ok := parseRange(lines)
	if !ok || !ifRangeHolds(v.req.Header["If-Range"], c.etag(), c.lastModified(), c.date) {
		return false
	}
	plan := planRanges(specs, c.size, h.Get("Content-Type"), rand.Text())
	if plan.status == http.StatusOK || c.r != nil && !plan.ascends() {
		return false
	}
	plan.describe(h)
	v.w.WriteHeader(plan.status)
	for _, part := range plan.parts {
		io.WriteString(v.w, part.head) // who has gone is noticed at the end
		if err := c.write(v.w, part.byteRange); err != nil {
			panic(http.ErrAbortHandler) // the client must not take a part for the whole
		}
	}
	io.WriteString(v.w, plan.tail)
	return true
}

// ascends reports whether the parts can be written by who reads the body once.
func (p rangePlan) ascends() bool {
	return slices.IsSortedFunc(p.parts, func(a, b rangePart) int { return int(a.offset - b.offset) })
}

// write writes one part of the body. Parts of what is read come one after the other.
func (c *content) write(w io.Writer, r byteRange) error {
	if c.r == nil {
		_, err := w.Write(c.value[r.offset:r.end()])
		return err
	}
	if _, err := io.CopyN(io.Discard, c.r, r.offset-c.pos); err != nil {
		return err
	}
	n, err := io.CopyN(w, c.r, r.length)
	c.pos = r.offset + n
	return err
}
