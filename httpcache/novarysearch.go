// novarysearch.go says which queries mean the same to an origin, as it declares in No-Vary-Search.

package httpcache

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// noVarySearch is what a response says about the queries it answers too
// (draft-ietf-httpbis-no-vary-search). The zero value says nothing: only the query asked for.
type noVarySearch struct {
	anyOrder bool     // the order of different parameters does not count
	except   bool     // only the parameters in names count, rather than all but those
	names    []string // decoded and sorted
}

// parseNoVarySearch reads the lines of the field. An invalid one says nothing.
//
// Drafts up to 04 say with "params, except=(...)" what later ones say with "except=(...)" alone.
// Both are read, since neither can be mistaken for anything else.
func parseNoVarySearch(lines []string) noVarySearch {
	var n noVarySearch
	if len(lines) == 0 {
		return n
	}
	members, ok := structuredDictionary(lines)
	if !ok {
		return n
	}
	var params, except *sfMember
	for i, m := range members {
		switch m.key {
		case "key-order":
			if m.kind != sfBoolean {
				return noVarySearch{}
			}
			n.anyOrder = m.isTrue()
		case "params":
			params = &members[i]
		case "except":
			except = &members[i]
		}
	}
	if !n.setNames(params, except) {
		return noVarySearch{}
	}
	return n
}

// setNames notes which parameters count, and reports whether that is valid.
func (n *noVarySearch) setNames(params, except *sfMember) (ok bool) {
	switch {
	case except != nil && (params == nil || params.isTrue()):
		n.except = true
		n.names, ok = parameterNames(except)
		return ok
	case except != nil:
		return false
	case params == nil:
		return true
	case params.kind == sfBoolean:
		n.except = params.isTrue()
		return true
	}
	n.names, ok = parameterNames(params)
	return ok
}

// parameterNames returns the decoded strings of an inner list, sorted.
func parameterNames(m *sfMember) (names []string, ok bool) {
	if m.kind != sfInner {
		return nil, false
	}
	for _, item := range m.inner {
		if item.kind != sfString {
			return nil, false
		}
		names = append(names, formDecode(item.text))
	}
	slices.Sort(names)
	return names, true
}

// isDefault reports whether n says nothing.
func (n noVarySearch) isDefault() bool { return !n.anyOrder && !n.except && len(n.names) == 0 }

// counts reports whether the parameter called name makes a difference.
func (n noVarySearch) counts(name string) bool {
	_, listed := slices.BinarySearch(n.names, name)
	return listed == n.except
}

// searchKey returns a canonical form of a query, without its "?": two queries mean the same under
// n exactly if their keys are equal. If n is the default that is the query itself, and then a
// caller who wants to tell "/a?" from "/a" must do so. Keys under different n are not to be
// compared. The key has only characters that may stand in a query.
func searchKey(rawQuery string, n noVarySearch) string {
	if n.isDefault() {
		return rawQuery
	}
	var pairs [][2]string
	for part := range strings.SplitSeq(rawQuery, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if name = formDecode(name); n.counts(name) {
			pairs = append(pairs, [2]string{name, formDecode(value)})
		}
	}
	if n.anyOrder { // of different names; that of equal ones counts
		slices.SortStableFunc(pairs, func(a, b [2]string) int {
			return strings.Compare(a[0], b[0])
		})
	}
	return joinPairs(pairs)
}

func joinPairs(pairs [][2]string) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p[0]))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p[1]))
	}
	return b.String()
}

// formDecode decodes a name or a value as the application/x-www-form-urlencoded parser of the URL
// Standard does: "+" is a space, a "%" without two digits stays, what is not UTF-8 becomes U+FFFD.
func formDecode(s string) string {
	if strings.IndexByte(s, '+') < 0 && strings.IndexByte(s, '%') < 0 && utf8.ValidString(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if high, low := hexValue(s, i+1), hexValue(s, i+2); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		b = append(b, c)
	}
	return replaceInvalid(b)
}

// hexValue returns the value of the hexadecimal digit at i, or -1 if there is none.
func hexValue(s string, i int) int {
	if i >= len(s) {
		return -1
	}
	switch c := s[i]; {
	case isDigit(c):
		return int(c - '0')
	case isAlpha(c) && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// replaceInvalid puts U+FFFD in the place of each sequence of bytes that is not UTF-8, as the
// Encoding Standard cuts them: the beginning of a character that breaks off is one.
func replaceInvalid(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			size = brokenSize(b)
		}
		out.WriteRune(r)
		b = b[size:]
	}
	return out.String()
}

// brokenSize returns how many bytes at the start of b, which do not begin with a whole character,
// could begin one: at least 1.
func brokenSize(b []byte) int {
	for n := min(len(b), utf8.UTFMax-1); n > 1; n-- {
		if !utf8.FullRune(b[:n]) { // it is the start of a character and no error yet
			return n
		}
	}
	return 1
}
