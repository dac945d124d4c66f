// find.go looks for a stored response, and serves it.

package httpcache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/store"
)

// found is a stored response, the key it lies under and its body, which must be closed.
type found struct {
	*stored
	key   string
	value []byte // the body that followed the envelope
	body  io.ReadCloser
}

// close closes the body of f; a nil f is fine.
func (f *found) close() {
	if f != nil && f.body != nil {
		f.body.Close()
	}
}

// find returns the stored response that req selects with its body at hand, or nil and the reason.
func (x *exchange) find() (*found, string) {
	p, reason := x.get(x.key)
	if p == nil {
		return nil, reason
	}
	x.primary = p
	if p.selectedBy(x.req.Header) {
		return x.open(p)
	}
	x.variant, _ = x.get(x.variantKey())
	if x.variant == nil || !x.variant.selectedBy(x.req.Header) {
		return nil, "no variant selected"
	}
	return x.open(x.variant)
}

// variantKey is where the variant that req selects lies, behind the primary response.
func (x *exchange) variantKey() string {
	p := x.primary
	return variantKey(x.key, p.generation, selectorOf(p.vary, x.req.Header))
}

// get reads the response under key. What cannot be read is a miss.
func (x *exchange) get(key string) (*found, string) {
	item, err := x.t.Store.Get(x.req.Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, "not stored"
	}
	if err != nil {
		x.note(fmt.Errorf("httpcache: read %s: %w", key, err))
		return nil, "store failed"
	}
	s, value, err := parseEnvelope(item.Value)
	if err != nil {
		x.t.note(fmt.Errorf("%w under %s", err, key))
		return nil, "damaged"
	}
	return &found{stored: s, key: key, value: value}, ""
}

// open puts the body of f at hand. It is opened before the origin is asked about it: a 304 is of
// no use without a body.
func (x *exchange) open(f *found) (*found, string) {
	switch {
	case method(x.req) == http.MethodHead:
		f.body = http.NoBody
		return f, ""
	case f.bodyID == 0:
		f.body = newMemoryBody(f.value)
		return f, ""
	}
	key := bodyKey(x.key, f.bodyID)
	_, r, err := store.Open(x.req.Context(), x.t.Store, key)
	if err != nil {
		x.note(fmt.Errorf("httpcache: open %s: %w", key, err))
		return nil, "body not stored"
	}
	if r.Size() != f.length {
		r.Close()
		return nil, "damaged"
	}
	f.body = &storedBody{Reader: r, left: f.length, damaged: func(err error) {
		if x.gaveUp() {
			return // which says nothing of the body
		}
		x.note(fmt.Errorf("httpcache: read %s: %w", key, err))
		x.forget(f)
	}}
	return f, ""
}

// memoryBody is a body that came with its envelope.
type memoryBody struct{ bytes.Reader }

func newMemoryBody(value []byte) *memoryBody {
	b := &memoryBody{}
	b.Reset(value)
	return b
}

func (*memoryBody) Close() error { return nil }

// storedBody is a body read from the store piece by piece. One that ends early fails: the caller
// must not take a part for the whole.
type storedBody struct {
	store.Reader
	left    int64
	damaged func(error)
}

func (b *storedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.left -= int64(n)
	if err == io.EOF && b.left != 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		b.damaged(err)
	}
	return n, err
}

// serve answers from f, with a 304 where the caller's own condition is met.
func (x *exchange) serve(f *found, o Outcome, reason string) *http.Response {
	age := currentAge(f.stored, time.Now()) / time.Second
	f.header["Age"] = []string{strconv.FormatInt(int64(age), 10)}
	if conditions(x.req.Header) && notModified(x.req.Header, f.stored) {
		f.close()
		return x.give(newResponse(http.StatusNotModified, notModifiedHeader(f.header)),
			Result{Outcome: o, Reason: reason})
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
	return x.give(resp, Result{Outcome: o, Reason: reason})
}

// notModifiedHeader leaves out what describes a body that is not sent (RFC 9110, section 15.4.5).
func notModifiedHeader(h http.Header) http.Header {
	for name := range h {
		if strings.HasPrefix(name, "Content-") && name != "Content-Location" {
			delete(h, name)
		}
	}
	return h
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
