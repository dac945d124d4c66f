// explain_directives.go finds what is wrong with the directives of Cache-Control: names that
// nobody knows, numbers that are none, and promises that contradict each other.

package httpcache

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/spelling"
)

// argument is what stands behind the "=" of a directive.
type argument uint8

const (
	noArgument    argument = iota
	someSeconds            // must be there
	someFields             // may be there
	ofRequests             // the directive has no meaning in a response
	ofOtherCaches          // it is known, and not read here
)

// responseDirectives are those a response may have, and some that are often put there.
var responseDirectives = []struct {
	name string
	arg  argument
}{
	{"max-age", someSeconds}, {"s-maxage", someSeconds}, {"stale-while-revalidate", someSeconds},
	{"stale-if-error", someSeconds}, {"no-cache", someFields}, {"private", someFields},
	{"no-store", noArgument}, {"public", noArgument}, {"must-revalidate", noArgument},
	{"proxy-revalidate", noArgument}, {"must-understand", noArgument}, {"immutable", noArgument},
	{"no-transform", noArgument}, {"max-stale", ofRequests}, {"min-fresh", ofRequests},
	{"only-if-cached", ofRequests}, {"pre-check", ofOtherCaches}, {"post-check", ofOtherCaches},
}

// maxInspected bounds how many directives of a field are looked at.
const maxInspected = 64

// lint looks at the directives of one field.
type lint struct {
	*inquiry
	field string   // for people
	seen  []string // "name=argument"
}

// inspectCacheControl looks at each directive of Cache-Control.
func (q *inquiry) inspectCacheControl() {
	q.inspectDirectives("Cache-Control", q.header["Cache-Control"])
}

// inspectTargets looks at the fields that stand in for it in the shared cache (RFC 9213).
func (q *inquiry) inspectTargets() {
	if q.e.Shared == nil {
		return
	}
	for _, name := range q.shared.targets {
		lines := q.header[http.CanonicalHeaderKey(name)]
		if lines == nil {
			continue
		}
		if members, ok := structuredDictionary(lines); !ok || len(members) == 0 {
			q.find(foundBadTarget, fieldName(name), excerpt(strings.Join(lines, ", ")))
			continue
		}
		q.inspectDirectives(fieldName(name), lines)
	}
}

func (q *inquiry) inspectDirectives(field string, lines []string) {
	l := &lint{inquiry: q, field: field}
	for _, rest := range lines {
		for rest != "" && len(l.seen) < maxInspected {
			member, tail, ok := cutMember(rest)
			if !ok {
				q.find(foundOpenQuote, field)
				break
			}
			if rest = tail; member != "" {
				l.inspect(member)
			}
		}
	}
}

// inspect looks at one directive.
func (l *lint) inspect(member string) {
	if before, after, ok := cutSemicolon(member); ok {
		l.find(foundSemicolon.instead(trim(before)+", "+trim(after)), l.field, excerpt(member))
		return
	}
	name, arg, given := strings.Cut(member, "=")
	if trim(name) != name || trim(arg) != arg {
		l.find(foundSpace.instead(trim(name)+"="+trim(arg)), l.field, excerpt(member))
		return
	}
	name = strings.ToLower(name)
	l.repeated(name, arg)
	want, known := argumentFor(name)
	switch {
	case !known:
		l.unknown(name, member)
	case want == someSeconds:
		l.inspectSeconds(name, arg)
	default:
		l.inspectArgument(name, member, given, want)
	}
}

// argumentFor returns what stands behind a directive; ok is false if nobody knows it.
func argumentFor(name string) (want argument, ok bool) {
	for _, d := range responseDirectives {
		if d.name == name {
			return d.arg, true
		}
	}
	return 0, false
}

// cutSemicolon cuts s at a semicolon that is not within quotes.
func cutSemicolon(s string) (before, after string, ok bool) {
	if i, quote := strings.IndexByte(s, ';'), strings.IndexByte(s, '"'); i >= 0 &&
		(quote < 0 || i < quote) {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// repeated notes a directive, and looks whether it was there with another argument.
func (l *lint) repeated(name, arg string) {
	whole := name + "=" + arg
	same := func(old string) bool { return strings.HasPrefix(old, name+"=") && old != whole }
	if i := slices.IndexFunc(l.seen, same); i >= 0 {
		f := foundTwice
		f.ID = "directive" + f.ID
		if _, known := argumentFor(name); known {
			f.ID = name + foundTwice.ID
		}
		l.find(f, l.field, excerpt(strings.TrimSuffix(l.seen[i], "=")),
			excerpt(strings.TrimSuffix(whole, "=")))
	}
	l.seen = append(l.seen, whole)
}

// inspectArgument looks at a directive that counts no seconds.
func (l *lint) inspectArgument(name, member string, given bool, want argument) {
	switch {
	case want == ofRequests:
		l.find(foundOfRequests, l.field, name)
	case want == ofOtherCaches:
		l.find(foundObsolete, l.field, excerpt(member))
	case given && want == noArgument:
		l.find(foundNeedless.instead(name), l.field, excerpt(member))
	case given && want == someFields:
		l.find(foundFields, l.field, excerpt(member))
	}
}

// inspectSeconds looks at the argument of a directive that counts seconds.
func (l *lint) inspectSeconds(name, arg string) {
	if _, ok := deltaSeconds(arg); ok {
		return
	}
	whole, bare := excerpt(name+"="+arg), strings.Trim(arg, `"`)
	if _, ok := deltaSeconds(bare); ok && arg == `"`+bare+`"` {
		l.find(foundQuoted.instead(name+"="+bare), l.field, whole)
		return
	}
	digits := bare[:len(bare)-len(strings.TrimLeft(bare, "0123456789"))]
	l.find(foundBadSeconds.instead(name+"="+cmp.Or(digits, "0")), l.field, whole)
}

// unknown looks for the name that was meant.
func (l *lint) unknown(name, member string) {
	if near := nearest(name); near != "" {
		l.find(foundMisspelt.instead(near), l.field, excerpt(member))
		return
	}
	l.find(foundUnknown, l.field, excerpt(member))
}

// maxName is the length of the longest name that is compared with others, in bytes.
const maxName = 40

// nearest returns the known directive that name is a slip of, or "".
func nearest(name string) string {
	name, _, _ = strings.Cut(name, ":")
	name, _, _ = strings.Cut(name, " ")
	name = strings.ReplaceAll(name, "_", "-")
	if len(name) > maxName {
		return ""
	}
	best, least := "", 3
	for _, d := range responseDirectives {
		if n := spelling.Distance(name, d.name); n < least && n <= len(d.name)/3 {
			best, least = d.name, n
		}
	}
	return best
}

// lasting reports whether d gives a lifetime over 0.
func (d directives) lasting() bool { return d.maxAge > 0 || d.sMaxAge > 0 }

// windowed reports whether d permits to serve stale.
func (d directives) windowed() bool { return d.staleWhileRevalidate > 0 || d.staleIfError > 0 }

// keeps reports whether d says something that has no meaning for what is not kept.
func (d directives) keeps() bool { return d.lasting() || d.windowed() || d.has(public|immutable) }

// inspectContradictions looks for directives that take each other's effect.
func (q *inquiry) inspectContradictions() {
	for _, c := range contradictions {
		if c.is(q.cc) {
			q.find(c.Finding)
		}
	}
}
