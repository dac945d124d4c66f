// targeted.go reads the targeted forms of Cache-Control, such as CDN-Cache-Control.

package httpcache

import (
	"net/http"
	"strconv"
)

// targetedDirectives reads the first of the fields named targets that is there, is a Dictionary
// and is not empty (RFC 9213, section 2.2). It stands in for Cache-Control and Expires, even if
// none of its directives is known here; ok is false if there is none. The name is as in targets.
func targetedDirectives(h http.Header, targets []string) (d directives, name string, ok bool) {
	for _, name := range targets {
		lines := h[http.CanonicalHeaderKey(name)]
		if lines == nil {
			continue
		}
		if members, ok := structuredDictionary(lines); ok && len(members) > 0 {
			return directivesOf(members), name, true
		}
	}
	return noDirectives(), "", false
}

// directivesOf reads the directives in members, whose names are in lower case by their syntax.
func directivesOf(members []sfMember) directives {
	d := noDirectives()
	for _, m := range members {
		if arg, ok := argumentOf(m); ok {
			d.add(m.key, arg)
		}
	}
	return d
}

// argumentOf returns what a directive would have behind its "=" in Cache-Control; ok is false if
// it is to be ignored since its value has not the type that RFC 9213, section 2.1, infers, or
// since it is unknown. A wrong type is never used, but it does not make a response more reusable
// either: what restricts holds whatever its value (but ?0), and a freshness that cannot be read is
// none (RFC 9111, section 4.2.1).
func argumentOf(m sfMember) (arg string, ok bool) {
	switch m.key {
	case "max-age", "s-maxage":
		arg, _ = secondsOf(m)
		return arg, true
	case "stale-while-revalidate", "stale-if-error":
		return secondsOf(m)
	case "no-store", "no-cache", "private":
		return "", m.kind != sfBoolean || m.isTrue()
	case "public", "immutable", "must-understand", "must-revalidate", "proxy-revalidate":
		return "", m.isTrue()
	}
	return "", false
}

// secondsOf returns the digits of an Integer that is not negative.
func secondsOf(m sfMember) (string, bool) {
	if m.kind != sfInteger || m.number < 0 {
		return "", false
	}
	return strconv.FormatInt(m.number, 10), true
}
