// validate.go makes conditional requests, reads their 304, and answers the conditions of callers.

package httpcache

import (
	"maps"
	"net/http"
	"strings"
	"time"
)

// conditional returns a copy of req that asks whether s is still current (RFC 9111, section
// 4.3.1). Conditions of the caller's own give way: they are answered from what comes back.
func conditional(req *http.Request, s *stored) *http.Request {
	out := req.WithContext(req.Context())
	out.Header = req.Header.Clone()
	if out.Header == nil {
		out.Header = http.Header{}
	}
	setOrDelete(out.Header, "If-None-Match", s.etag())
	setOrDelete(out.Header, "If-Modified-Since", s.lastModified())
	return out
}

// setOrDelete leaves value alone under name, however that was spelled before.
func setOrDelete(h http.Header, name, value string) {
	maps.DeleteFunc(h, func(key string, _ []string) bool { return strings.EqualFold(key, name) })
	if value != "" {
		h[name] = []string{value}
	}
}

// confirms reports whether a 304 with the header h speaks of s (RFC 9111, section 4.3.4). One
// without a validator does, since it answers a request for this one alone.
func confirms(h http.Header, s *stored) bool {
	etag := h.Get("Etag")
	switch {
	case etag != "" && strings.HasPrefix(etag, "W/"):
		return weakEqual(etag, s.etag())
	case etag != "":
		return etag == s.etag()
	case s.etag() == "" && h.Get("Last-Modified") != "":
		return h.Get("Last-Modified") == s.lastModified()
	}
	return true
}

// matchesHead reports whether the header h of a response to HEAD still describes s (RFC 9111,
// section 4.3.5).
func matchesHead(h http.Header, length int64, s *stored) bool {
	if length >= 0 && !s.uncompressed && length != s.length {
		return false
	}
	return h.Get("Etag") == s.etag() && h.Get("Last-Modified") == s.lastModified() &&
		h.Get("Content-Encoding") == s.header.Get("Content-Encoding")
}

// bodyFields describe the bytes that are stored and not those a 304 or HEAD would have sent (RFC
// 9111, section 3.2).
var bodyFields = []string{"Content-Length", "Content-Encoding", "Content-Range"}

// freshened returns s with the header fields of a 304, or of a response to HEAD, in place of its
// own (RFC 9111, section 3.2).
func (r rules) freshened(s *stored, req *http.Request, h http.Header, at span) *stored {
	update := storableHeader(h)
	for _, name := range bodyFields {
		delete(update, name)
	}
	f := *s
	f.span = at
	f.header = maps.Clone(s.header)
	delete(f.header, "Age") // the old one counted from the old response
	delete(f.header, "Date")
	maps.Copy(f.header, update)
	addDate(f.header, at.received)
	f.outdated = time.Time{}
	r.selectFor(&f, req)
	r.readHeader(&f)
	return &f
}

// addDate adds the Date that a recipient with a clock notes (RFC 9110, section 6.6.1).
func addDate(h http.Header, received time.Time) {
	if h.Get("Date") == "" {
		h["Date"] = []string{received.UTC().Format(http.TimeFormat)}
	}
}

// notModified reports whether the conditions of a caller make the answer from s a 304 (RFC 9111,
// section 4.3.2). If-None-Match goes before If-Modified-Since.
func notModified(h http.Header, s *stored) bool {
	if s.status != http.StatusOK {
		return false
	}
	if lines := h["If-None-Match"]; lines != nil {
		return matchesETag(lines, s.etag())
	}
	lines := h["If-Modified-Since"]
	if len(lines) != 1 {
		return false
	}
	since, ok := parseDate(lines[0])
	if !ok {
		return false
	}
	modified, ok := parseDate(s.lastModified())
	if !ok {
		modified = s.date
	}
	return !modified.After(since)
}

// matchesETag reports whether one of the entity tags in If-None-Match equals etag (RFC 9110,
// section 13.1.2).
func matchesETag(lines []string, etag string) bool {
	for _, rest := range lines {
		for rest != "" {
			var member string
			member, rest, _ = cutMember(rest)
			if member == "*" || weakEqual(member, etag) {
				return true
			}
		}
	}
	return false
}

// weakEqual is the weak comparison of entity tags (RFC 9110, section 8.8.3.2).
func weakEqual(a, b string) bool {
	return a != "" && strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

// conditions reports whether a request has conditions of its own that a cache can answer.
func conditions(h http.Header) bool {
	return h["If-None-Match"] != nil || h["If-Modified-Since"] != nil
}
