// condition.go judges what a request demands of the version that it gets (RFC 9110, section 13).

package browsercache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"
)

// Version says which version of something a response is. Either field may be zero.
type Version struct {
	// ETag is as it is sent, in quotes, with W/ before it if it is weak. [Tag] makes one.
	ETag string
	// Modified is when it changed last. It is sent in whole seconds.
	Modified time.Time
}

// Tag returns a strong ETag of parts that say together which version it is: an id, the number of a
// revision. Other parts make another one: ("a", "bc") is not ("ab", "c").
func Tag(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(binary.AppendUvarint(nil, uint64(len(part))))
		hash.Write([]byte(part))
	}
	return quoted(hash.Sum(nil))
}

// quoted makes an ETag of a hash.
func quoted(sum []byte) string { return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"` }

// Answered sets ETag and Last-Modified as v says, and answers the request if it asked for another
// version: with 304 if that is what the browser has, with 412 if the client insists on one that is
// not there any more. Then it returns true and there is nothing left to do:
//
//	if browsercache.Answered(w, r, browsercache.Version{Modified: post.Changed}) {
//		return
//	}
//
// It is for what would be answered with 200, or for a method that changes what v speaks of. Set
// Cache-Control and Vary before: a 304 carries them too.
func Answered(w http.ResponseWriter, r *http.Request, v Version) bool {
	h := w.Header()
	if v.ETag != "" {
		h.Set("ETag", v.ETag)
	}
	if !v.Modified.IsZero() {
		h.Set("Last-Modified", v.Modified.UTC().Format(http.TimeFormat))
	}
	verdict := judge(r, v)
	if verdict == proceed {
		return false
	}
	strip(h, verdict)
	w.WriteHeader(int(verdict))
	return true
}

// verdict is what to do with a request: go on, or answer with this status.
type verdict int

const (
	proceed     verdict = 0
	notModified verdict = http.StatusNotModified
	failed      verdict = http.StatusPreconditionFailed
)

// judge takes the conditions of a request in the order of RFC 9110, section 13.2.2. There is a
// current version, v.
func judge(r *http.Request, v Version) verdict {
	h := r.Header
	switch {
	case len(h["If-Match"]) > 0:
		if !names(h["If-Match"], v.ETag, sameStrongly) {
			return failed
		}
	case changedSince(h["If-Unmodified-Since"], v.Modified) == yes:
		return failed
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case len(h["If-None-Match"]) > 0:
		if !names(h["If-None-Match"], v.ETag, sameWeakly) {
			return proceed
		} else if !reads {
			return failed
		}
		return notModified
	case reads && changedSince(h["If-Modified-Since"], v.Modified) == no:
		return notModified
	}
	return proceed
}

// answer is yes, no, or that nobody knows.
type answer uint8

const (
	unknown answer = iota
	yes
	no
)

// changedSince tells whether what changed last at modified has changed since the date of a field.
// A field that is no date, or several, counts as absent (RFC 9110, section 13.1.3).
func changedSince(field []string, modified time.Time) answer {
	if len(field) != 1 || modified.IsZero() {
		return unknown
	}
	since, err := http.ParseTime(field[0])
	switch {
	case err != nil:
		return unknown
	case modified.Truncate(time.Second).After(since):
		return yes
	}
	return no
}

// names tells whether the lists of a field name tag, or everything.
func names(lists []string, tag string, same func(a, b string) bool) bool {
	if len(lists) == 1 && strings.TrimSpace(lists[0]) == "*" {
		return true
	}
	for _, list := range lists {
		for one, rest := nextTag(list); one != ""; one, rest = nextTag(rest) {
			if same(one, tag) {
				return true
			}
		}
	}
	return false
}

// nextTag returns the first ETag of a list, and what follows it. It returns "" at the end and at
// what is none: nothing behind that can be trusted. There may be commas in a tag.
func nextTag(list string) (tag, rest string) {
	list = strings.TrimLeft(list, " \t,")
	start := len(list) - len(strings.TrimPrefix(list, "W/"))
	if start == len(list) || list[start] != '"' {
		return "", ""
	}
	for i := start + 1; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			return endOfTag(list[:i+1], list[i+1:])
		case c < 0x21, c == 0x7f:
			return "", ""
		}
	}
	return "", ""
}

// endOfTag returns a tag if a comma or nothing follows it.
func endOfTag(tag, rest string) (string, string) {
	rest = strings.TrimLeft(rest, " \t")
	if rest != "" && rest[0] != ',' {
		return "", ""
	}
	return tag, rest
}

// sameStrongly tells whether two tags name the same bytes.
func sameStrongly(a, b string) bool { return a == b && strings.HasPrefix(a, `"`) }

// sameWeakly tells whether two tags name what is as good as the same.
func sameWeakly(a, b string) bool {
	return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

// strip takes out of a header what speaks of a body that is not sent. What a 200 would say to
// caches stays, as RFC 9110, section 15.4.5 demands: Cache-Control, Content-Location, Date, ETag,
// Expires and Vary; and so does what is no word about the body, such as Set-Cookie.
func strip(h http.Header, v verdict) {
	for _, name := range [...]string{"Content-Type", "Content-Length", "Content-Encoding",
		"Content-Language", "Content-Range", "Accept-Ranges", "Transfer-Encoding", "Trailer"} {
		delete(h, name)
	}
	if v == notModified && h.Get("ETag") != "" {
		delete(h, "Last-Modified") // the ETag says more, and says it alone
	}
	if v == failed {
		h.Set("Cache-Control", NoStore().String())
	}
}
