// vary.go tells the variants of one URL apart.

package httpcache

import (
	"crypto/sha256"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/contentcoding"
)

// selector identifies what a request said in the fields that select a variant. It is a digest, so
// that no cookie or credential of a request lies in the store.
type selector [16]byte

// mostNames is how many fields may select a response. Who names more is served by nobody but the
// origin: to compare them would take as long.
const mostNames = 100

// varyNames returns the names in a Vary field, lower case, sorted, each once. If one of them is
// "*" it stands alone.
func varyNames(lines []string) []string {
	var names []string
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(trim(name)); name != "" {
				names = append(names, name)
			}
		}
	}
	if len(names) > mostNames || slices.Contains(names, "*") {
		return []string{"*"}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// selectorOf digests the fields called names of a request header. Lines are joined and white space
// around commas removed before (RFC 9111, section 4.1). In a private cache Authorization selects,
// though it need not: a program with the credentials of several users must not mix them up. A
// shared one keeps only what may answer everybody.
func (r rules) selectorOf(names []string, h http.Header) selector {
	credentials := h["Authorization"]
	if r.shared {
		credentials = nil
	}
	if len(names) == 0 && credentials == nil {
		return selector{}
	}
	buf := make([]byte, 0, 512)
	for _, name := range names {
		buf = r.appendSelecting(buf, name, h[textproto.CanonicalMIMEHeaderKey(name)])
	}
	buf = appendField(buf, "authorization", credentials)
	sum := sha256.Sum256(buf)
	return selector(sum[:16])
}

// appendSelecting appends a field in the form in which it selects.
func (r rules) appendSelecting(buf []byte, name string, lines []string) []byte {
	switch {
	case lines == nil:
	case name == acceptLanguage:
		lines = []string{normalLanguages(lines)}
	case name == "accept-encoding" && contentcoding.Known(lines):
		lines = []string{contentcoding.Normal(lines, contentcoding.Usual)}
	}
	return appendField(buf, name, lines)
}

// appendField appends a field so that no two different ones, nor an absent and an empty one, look
// the same. A value cannot contain a line feed or NUL (RFC 9110, section 5.5).
func appendField(buf []byte, name string, lines []string) []byte {
	buf = append(buf, name...)
	if lines == nil {
		return append(buf, 0)
	}
	buf = append(buf, ':')
	for _, rest := range lines {
		for rest != "" {
			var member string
			if member, rest, _ = cutMember(rest); member != "" {
				buf = append(append(buf, member...), ',')
			}
		}
	}
	return append(buf, '\n')
}

// selecting returns the names of the request fields that select a response with the header h. If
// its body is encoded, Accept-Encoding is one even if Vary forgets it: a caller without it counts
// on net/http to decode what that asked for by itself.
func selecting(h http.Header) []string {
	lines := h["Vary"]
	if h["Content-Encoding"] != nil {
		lines = append([]string{"Accept-Encoding"}, lines...)
	}
	return varyNames(lines)
}

// selects reports whether s may answer a request with the header h (RFC 9111, section 4.1).
func (r rules) selects(h http.Header, s *stored) bool {
	if len(s.vary) == 1 && s.vary[0] == "*" {
		return false
	}
	return r.selectorOf(s.vary, h) == s.selector || s.speaks() && r.selectsLanguage(h, s)
}

// selectsLanguage reports whether s is in the very language that a request with the header h wants
// most, and matches it otherwise: then the origin would hardly answer anything else.
func (r rules) selectsLanguage(h http.Header, s *stored) bool {
	return languageServes(h["Accept-Language"], s.header["Content-Language"][0]) &&
		r.selectorOf(s.otherNames(), h) == s.loose
}
