// directives.go reads Cache-Control, of requests and of responses.

package httpcache

import (
	"net/http"
	"strings"
	"time"
)

// maxDelta is the largest number of seconds a cache needs to know (RFC 9111, section 1.2.2).
const maxDelta = 1 << 31 * time.Second

// absent marks a directive that was not there.
const absent time.Duration = -1

// flags are the directives without an argument, or whose argument does not matter here.
type flags uint16

const (
	noStore flags = 1 << iota
	noCache
	mustRevalidate
	proxyRevalidate
	mustUnderstand
	public
	private
	onlyIfCached
	immutable
	noTransform
)

// directives are what Cache-Control says, each argument read so that an error in it leads to the
// origin rather than to a stale answer.
type directives struct {
	flags                              flags
	maxAge, sMaxAge                    time.Duration
	minFresh, maxStale                 time.Duration // of requests
	staleIfError, staleWhileRevalidate time.Duration
}

func (d directives) has(f flags) bool { return d.flags&f != 0 }

// requestDirectives reads the directives of a request. Pragma counts only where there is no
// Cache-Control (RFC 9111, section 5.4).
func requestDirectives(h http.Header) directives {
	lines := h["Cache-Control"]
	d := parseDirectives(lines)
	if len(lines) > 0 {
		return d
	}
	for _, line := range h["Pragma"] {
		d.flags |= parseDirectives([]string{line}).flags & noCache
	}
	return d
}

// noDirectives says nothing.
func noDirectives() directives {
	return directives{
		maxAge: absent, sMaxAge: absent, minFresh: absent, maxStale: absent,
		staleIfError: absent, staleWhileRevalidate: absent,
	}
}

// parseDirectives reads the lines of a Cache-Control field (RFC 9111, section 5.2). Names are
// compared without case, unknown ones are skipped. A field with an open quote could say anything:
// it counts as no-store and no-cache.
func parseDirectives(lines []string) directives {
	d := noDirectives()
	for _, rest := range lines {
		for rest != "" {
			member, tail, ok := cutMember(rest)
			if !ok {
				d.flags |= noStore | noCache
				break
			}
			name, arg, _ := strings.Cut(member, "=")
			d.add(strings.ToLower(trim(name)), arg)
			rest = tail
		}
	}
	return d
}

// add notes one directive. no-cache and private with field names count as if they had none, which
// RFC 9111, sections 5.2.2.4 and 5.2.2.7, allow.
func (d *directives) add(name, arg string) {
	switch name {
	case "max-age":
		d.maxAge = shorter(d.maxAge, deltaOr(arg, 0))
	case "s-maxage":
		d.sMaxAge = shorter(d.sMaxAge, deltaOr(arg, 0))
	case "min-fresh":
		d.minFresh = max(d.minFresh, deltaOr(arg, maxDelta))
	case "max-stale":
		d.addMaxStale(arg)
	case "stale-if-error":
		d.staleIfError = shorter(d.staleIfError, deltaOr(arg, 0))
	case "stale-while-revalidate":
		d.staleWhileRevalidate = shorter(d.staleWhileRevalidate, deltaOr(arg, 0))
	default:
		d.flags |= flagOf(name)
	}
}

// addMaxStale notes max-stale, which without an argument accepts any age (RFC 9111, section
// 5.2.1.2).
func (d *directives) addMaxStale(arg string) {
	if arg == "" {
		d.maxStale = shorter(d.maxStale, maxDelta)
		return
	}
	d.maxStale = shorter(d.maxStale, deltaOr(arg, 0))
}

func flagOf(name string) flags {
	switch name {
	case "no-store":
		return noStore
	case "no-cache":
		return noCache
	case "must-revalidate":
		return mustRevalidate
	case "proxy-revalidate":
		return proxyRevalidate
	case "must-understand":
		return mustUnderstand
	case "public":
		return public
	case "private":
		return private
	case "only-if-cached":
		return onlyIfCached
	case "immutable":
		return immutable
	case "no-transform":
		return noTransform
	}
	return 0
}

// shorter returns the smaller of two arguments of one directive: of values that contradict each
// other the more restrictive is honoured (RFC 9111, section 4.2.1).
func shorter(old, d time.Duration) time.Duration {
	if old == absent {
		return d
	}
	return min(old, d)
}

// deltaOr reads an argument of seconds, with or without quotes, or returns bad.
func deltaOr(arg string, bad time.Duration) time.Duration {
	if n := len(arg); n >= 2 && arg[0] == '"' && arg[n-1] == '"' {
		arg = arg[1 : n-1]
	}
	if d, ok := deltaSeconds(arg); ok {
		return d
	}
	return bad
}

// deltaSeconds reads a non-negative whole number of seconds. What is too large becomes 2^31
// (RFC 9111, section 1.2.2).
func deltaSeconds(s string) (time.Duration, bool) {
	var n time.Duration
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+time.Duration(c-'0'), maxDelta/time.Second)
	}
	return n * time.Second, s != ""
}

// cutMember cuts the first member off a comma-separated list. Commas within quotes do not count;
// ok is false if a quote is never closed, and then the member is all there is.
func cutMember(s string) (member, rest string, ok bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return trim(s[:i]), s[i+1:], true
		}
	}
	return trim(s), "", !quoted
}

// trim removes the white space that may stand around a member (RFC 9110, section 5.6.3).
func trim(s string) string { return strings.Trim(s, " \t") }
