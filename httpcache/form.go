// form.go keeps text in content codings beside the form the origin sent.

package httpcache

import (
	"net/http"
	"runtime"
	"slices"
	"sync"

	"github.com/larder-go/larder/internal/contentcoding"
)

// leastEncoded is the smallest body worth an encoder's time: it fits into one packet anyhow.
const leastEncoded = 1 << 10

// forms are a body in content codings, each made once, behind the answers. They belong to one body:
// the objects of one that was validated share them.
type forms struct {
	mu   sync.Mutex        // guards the field below
	made map[string][]byte // nil: being made, or not worth it
}

// get returns the body in a coding if it is there, and whether the caller is to make it.
func (f *forms) get(coding string) (value []byte, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, known := f.made[coding]
	if !known {
		if f.made == nil {
			f.made = map[string][]byte{}
		}
		f.made[coding] = nil
	}
	return value, !known
}

func (f *forms) put(coding string, value []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made[coding] = value
}

// weight is how many bytes the forms take.
func (f *forms) weight() (n int) {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, value := range f.made {
		n += len(value)
	}
	return n
}

// encodes reports whether the cache may keep s in content codings (RFC 9111, section 5.2.2.6).
func (c *Cache) encodes(s *stored) bool {
	return len(c.o.Encodings) > 0 && s.status == http.StatusOK &&
		s.header["Content-Encoding"] == nil && !s.cc.has(noTransform) &&
		contentcoding.Compressible(s.header.Get("Content-Type"))
}

// formOf returns the coding in which f is served, and its body; "" for the form the origin sent,
// which serves who asks for parts, and everybody until another is made.
func (v *visit) formOf(f *found) (coding string, value []byte) {
	c := v.h.cache
	if f.forms == nil || len(f.value) < leastEncoded || v.req.Header["Range"] != nil ||
		!c.encodes(f.stored) {
		return "", nil
	}
	coding = contentcoding.Choose(v.req.Header["Accept-Encoding"], c.o.Encodings)
	if coding == "" {
		return "", nil
	}
	value, first := f.forms.get(coding)
	if first {
		c.encode(f.object, coding)
	}
	if value == nil {
		return "", nil
	}
	return coding, value
}

// encode makes the form of o in a coding, behind the answers.
func (c *Cache) encode(o *object, coding string) {
	c.start(func() {
		c.encoding <- struct{}{}
		defer func() { <-c.encoding }()
		if c.closed.Load() {
			return
		}
		value, err := contentcoding.Encode(coding, o.value)
		if err != nil {
			c.engine.note(err)
			return
		}
		if !contentcoding.Worth(len(o.value), len(value)) {
			return
		}
		o.forms.put(coding, value)
		c.engine.reweigh(o)
	})
}

// encoders is how many bodies are encoded at a time: it must leave room for who answers.
func encoders() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// dress makes h, the header of the form the origin sent, that of a coding; "" if it is that form.
// Which form it is depends on the request.
func (v *visit) dress(h http.Header, s *stored, coding string) {
	if v.h.view.Languages != nil && !slices.Contains(s.vary, acceptLanguage) {
		h["Vary"] = append(slices.Clip(h["Vary"]), "Accept-Language")
	}
	if !v.h.cache.encodes(s) {
		return
	}
	if !slices.Contains(s.vary, "accept-encoding") {
		h["Vary"] = append(slices.Clip(h["Vary"]), "Accept-Encoding")
	}
	if coding == "" {
		return
	}
	h["Content-Encoding"] = []string{coding}
	if etag := s.etag(); etag != "" {
		h["Etag"] = []string{contentcoding.VariantETag(etag, coding)}
	}
	delete(h, "Accept-Ranges")
	delete(h, "Content-Md5")
	delete(h, "Digest")
	delete(h, "Content-Digest")
}
