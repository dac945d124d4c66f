// content.go writes bodies, whole or in parts.

package httpcache

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"strings"
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
	if conditions(v.req.Header) && (notModified(v.req.Header, c.stored) || v.hasForm(h)) {
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

// hasForm reports whether the client has the body in the content coding of the header h.
func (v *visit) hasForm(h http.Header) bool {
	return h["Content-Encoding"] != nil && matchesETag(v.req.Header["If-None-Match"], h.Get("Etag"))
}

// sendParts writes what Range asks for, and reports whether it asks for less than the whole.
func (v *visit) sendParts(c *content, h http.Header) bool {
	plan, ok := c.plan(v.req)
	if !ok {
		return false
	}
	plan.describe(h)
	v.w.WriteHeader(plan.status)
	v.copy(c.read(plan))
	return true
}

// plan says which parts of c a request asks for; ok is false if that is the whole.
func (c *content) plan(req *http.Request) (plan rangePlan, ok bool) {
	lines := req.Header["Range"]
	if lines == nil || c.status != http.StatusOK || c.size == unknownSize ||
		method(req) != http.MethodGet {
		return plan, false
	}
	specs, ok := parseRange(lines)
	if !ok || !ifRangeHolds(req.Header["If-Range"], c.etag(), c.lastModified(), c.date) {
		return plan, false
	}
	plan = planRanges(specs, c.size, c.header.Get("Content-Type"), rand.Text())
	return plan, plan.status != http.StatusOK && (c.r == nil || plan.ascends())
}

// ascends reports whether the parts can be written by who reads the body once.
func (p rangePlan) ascends() bool {
	return slices.IsSortedFunc(p.parts, func(a, b rangePart) int { return int(a.offset - b.offset) })
}

// read returns what reads the parts of a plan, one after the other.
func (c *content) read(plan rangePlan) io.Reader {
	var all []io.Reader
	for _, part := range plan.parts {
		all = append(all, strings.NewReader(part.head), c.section(part.byteRange))
	}
	return io.MultiReader(append(all, strings.NewReader(plan.tail))...)
}

func (c *content) section(r byteRange) io.Reader {
	if c.r == nil {
		return bytes.NewReader(c.value[r.offset:r.end()])
	}
	return &section{c, r}
}

// section reads a part of a body that can be read only once, behind what was read of it.
type section struct {
	c *content
	byteRange
}

// Read implements io.Reader. A body that ends before the section is an error.
func (s *section) Read(p []byte) (int, error) {
	if s.length == 0 {
		return 0, io.EOF
	}
	skipped, err := io.CopyN(io.Discard, s.c.r, s.offset-s.c.pos)
	s.c.pos += skipped
	if err != nil {
		return 0, cutShort(err)
	}
	n, err := s.c.r.Read(p[:min(int64(len(p)), s.length)])
	s.c.pos += int64(n)
	s.offset, s.length = s.c.pos, s.length-int64(n)
	if s.length == 0 {
		err = nil
	}
	return n, cutShort(err)
}

func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
