// find.go looks for a stored response.

package httpcache

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/larder-go/larder/store"
)

// found is a stored response and its body, which must be closed.
type found struct {
	*object
	body io.ReadCloser
}

// close closes the body of f; a nil f is fine.
func (f *found) close() {
	if f != nil && f.body != nil {
		f.body.Close()
	}
}

// find returns the stored response that the request selects, or nil and the reason. What memory
// has and may not serve at once is looked for in the store: another process may have refreshed it.
func (x *exchange) find(now time.Time) (*found, reason) {
	f, why := x.look()
	if f == nil || x.store == nil || x.memory == nil {
		return f, why
	}
	if v, _ := x.rules.judge(x.cc, f.stored, now); v == serveFresh {
		return f, why
	}
	asked := time.Now()
	o, _ := x.readFor(f.key)
	if o == nil || !o.received.After(f.received) || !x.rememberRead(o, asked) {
		return f, why
	}
	if again, why := x.look(); again != nil {
		return again, why
	}
	return f, why
}

// look returns the stored response that the request selects, or nil and the reason.
func (x *exchange) look() (*found, reason) {
	p, why := x.get(x.key)
	if p == nil {
		return nil, why
	}
	x.primary = p
	if x.rules.selects(x.req.Header, p.stored) {
		return p, ""
	}
	x.variant, _ = x.get(x.variantKey())
	if x.variant == nil || !x.rules.selects(x.req.Header, x.variant.stored) {
		return nil, becauseVariant
	}
	return x.variant, ""
}

// variantKey is where the variant that the request selects lies, behind the primary response.
func (x *exchange) variantKey() string {
	p := x.primary
	return variantKey(x.key, p.generation, x.rules.selectorOf(p.vary, x.req.Header))
}

// get returns the response under key.
func (x *exchange) get(key string) (*found, reason) {
	if o := x.recall(key); o != nil {
		return x.found(o), ""
	}
	asked := time.Now()
	o, why := x.readFor(key)
	if o == nil {
		return nil, why
	}
	if !x.rememberRead(o, asked) {
		return nil, becausePurged
	}
	return x.found(o), ""
}

// readFor reads what the store has under key, and counts that.
func (x *exchange) readFor(key string) (*object, reason) {
	o, why := x.read(x.context(), key)
	if x.store != nil && x.context().Err() == nil {
		x.tally.read(why)
	}
	return o, why
}

// found returns o as it is found by this request.
func (x *exchange) found(o *object) *found {
	for i := range x.room {
		if f := &x.room[i]; f.object == nil {
			f.object = o
			return f
		}
	}
	return &found{object: o}
}

// rememberRead keeps in memory what the store was asked for at a time, and reports whether it may
// be used: not if it was purged meanwhile. What others changed meanwhile is not kept.
func (x *exchange) rememberRead(o *object, asked time.Time) bool {
	x.remember(o, time.Now())
	purged := x.purges.hit(o, asked) || x.purges.voids(o)
	if purged || x.heard.hit(o, asked) {
		x.forgetMemory(o.key)
	}
	return !purged
}

// open puts the body of f at hand, and reports why that cannot be. It is opened before the origin
// is asked about it: a 304 is of no use without a body.
func (x *exchange) open(f *found) reason {
	switch {
	case f.body != nil:
		return ""
	case method(x.req) == http.MethodHead:
		f.body = http.NoBody
		return ""
	case f.whole():
		f.body = newMemoryBody(f.value)
		return ""
	}
	if f.bodyID == 0 {
		return becauseBodyGone
	}
	key := bodyKey(x.key, f.bodyID)
	_, r, err := store.Open(x.context(), x.store, key)
	if err != nil {
		x.noteUnless(x.context(), fmt.Errorf("httpcache: open %q: %w", key, err))
		return becauseBodyGone
	}
	if r.Size() != f.length {
		r.Close()
		return becauseDamaged
	}
	f.body = &storedBody{Reader: r, left: f.length, damaged: func(err error) {
		if x.context().Err() != nil {
			return // which says nothing of the body
		}
		x.note(fmt.Errorf("httpcache: read %q: %w", key, err))
		x.drop(f)
	}}
	return ""
}

// memoryBody is a body that lies in memory.
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
