// robotsrule.go matches one pattern of a robots.txt with a path, in linear time.

package scrape

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Rule is one Allow or Disallow line of a robots.txt.
type Rule struct {
	Allow   bool
	Pattern string // as written: a path in which * stands for anything and a last $ for the end
	Line    int    // counted from 1

	pieces []string // what stands between the stars, normalised
	ends   bool     // the pattern ends in $
	length int      // octets of the normalised pattern, by which rules are ranked
}

// maxShown is how many bytes of a pattern String shows.
const maxShown = 100

// String returns the rule as "Disallow: /private/ (line 2)". A long pattern is cut; one that a
// terminal should not see is quoted.
func (r Rule) String() string {
	name := "Disallow"
	if r.Allow {
		name = "Allow"
	}
	pattern := r.Pattern
	if len(pattern) > maxShown {
		pattern = pattern[:maxShown] + "..."
	}
	if strings.ContainsFunc(pattern, func(c rune) bool { return !unicode.IsPrint(c) }) {
		pattern = strconv.Quote(pattern)
	}
	return fmt.Sprintf("%s: %s (line %d)", name, pattern, r.Line)
}

// compile fills in what match needs.
func (r Rule) compile() Rule {
	pattern, ends := strings.CutSuffix(r.Pattern, "$")
	r.pieces, r.ends = strings.Split(pattern, "*"), ends
	r.length = len(r.pieces) - 1
	if ends {
		r.length++
	}
	for i, piece := range r.pieces {
		r.pieces[i] = normalise(piece)
		r.length += len(r.pieces[i])
	}
	return r
}

// beats reports whether r would decide rather than best if both match. The zero Rule loses.
func (r Rule) beats(best Rule) bool {
	if r.length == best.length {
		return best.Line == 0 || r.Allow && !best.Allow
	}
	return r.length > best.length
}

// match reports whether the pattern matches the start of a normalised path, or all of it if the
// pattern ends in $. Taking the leftmost place for each piece is enough, so nothing is tried twice.
func (r Rule) match(path string) bool {
	rest, ok := strings.CutPrefix(path, r.pieces[0])
	if !ok {
		return false
	}
	if len(r.pieces) == 1 {
		return !r.ends || rest == ""
	}
	last := len(r.pieces) - 1
	for _, piece := range r.pieces[1:last] {
		if _, rest, ok = strings.Cut(rest, piece); !ok {
			return false
		}
	}
	if r.ends {
		return strings.HasSuffix(rest, r.pieces[last])
	}
	return strings.Contains(rest, r.pieces[last])
}

// normalPath returns the form of a path and query in which it is matched.
func normalPath(path string) string {
	path, _, _ = strings.Cut(path, "#")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return normalise(path)
}

// normalise writes s with one spelling for each octet (RFC 9309 section 2.2.2): unreserved ones
// plain, reserved ones as they are, all others percent-encoded with upper-case digits. A star and a
// dollar sign are plain too: those with a meaning have been taken out of a pattern before.
func normalise(s string) string {
	if isNormal(s) {
		return s
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c, encoded := s[i], false
		if v, ok := unhex(s[i:]); ok {
			c, encoded = v, !isPlain(v)
			i += 2
		}
		if encoded || mustEncode(c) {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// isNormal reports whether normalise would return s.
func isNormal(s string) bool {
	for i := range len(s) {
		if mustEncode(s[i]) {
			return false
		}
	}
	return true
}

func mustEncode(c byte) bool {
	return c <= ' ' || c >= 0x7f || c == '%'
}

// isPlain reports whether an octet has the plain spelling, also where it is written encoded.
func isPlain(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' ||
		strings.IndexByte("-._~*$", c) >= 0
}

// unhex returns the octet that s starts with, if it starts with a percent-encoded one.
func unhex(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	hi, lo := hexDigit(s[1]), hexDigit(s[2])
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}

// hexDigit returns the value of a hexadecimal digit, -1 if c is none.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
