// explain_text.go puts an explanation into a line, and spans of time into words.

package httpcache

import (
	"strconv"
	"strings"
	"unicode"
)

// String returns s in words, with its two largest units: "1 hour 30 minutes".
func (s Seconds) String() string {
	if s <= 0 {
		return "0 seconds"
	}
	var words []string
	for _, u := range spanUnits {
		n := s / u.length
		if s %= u.length; n > 0 {
			words = append(words, countOf(int64(n), u.name))
		}
		if n == 0 && len(words) > 0 || len(words) == 2 {
			break
		}
	}
	return strings.Join(words, " ")
}

var spanUnits = []struct {
	length Seconds
	name   string
}{{24 * 60 * 60, "day"}, {60 * 60, "hour"}, {60, "minute"}, {1, "second"}}

// countOf writes n things: "1 day", "2 days".
func countOf(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.FormatInt(n, 10) + " " + thing
}

// fate is what becomes of a response in one kind of cache: "kept" or "not kept", and for how long
// or why.
type fate struct{ verb, rest string }

func (t *Treatment) fate() fate {
	switch {
	case !t.Stored:
		return fate{"not kept", " (" + excerpt(t.Reason) + ")"}
	case t.AlwaysAsks, t.Freshness.Lifetime == 0:
		return fate{"kept", " but asked about each time"}
	case t.FreshFor == 0:
		return fate{"kept", " but stale on arrival"}
	case t.Freshness.Source == FromHeuristic:
		return fate{"kept", " for about " + t.Freshness.Lifetime.String() + " (a guess)"}
	}
	return fate{"kept", " for " + t.Freshness.Lifetime.String()}
}

// verdict is what becomes of the response, in a line.
func (e *Explanation) verdict() string {
	shared, private := e.Shared, e.Private
	switch {
	case shared == nil:
		return private.fate().alone("browsers") + e.tail(private)
	case private == nil:
		return shared.fate().alone("shared caches") + e.tail(shared)
	}
	s, p := shared.fate(), private.fate()
	text := s.alone("shared caches") + ", " + p.alone("browsers")
	switch {
	case s == p && !shared.Stored:
		text = s.alone("any cache")
	case s == p:
		text = s.alone("shared caches and browsers")
	case s.verb == p.verb:
		text = s.alone("shared caches") + ", by browsers" + p.rest
	}
	return text + e.tail(shared, private)
}

// alone is the fate in caches called so.
func (f fate) alone(caches string) string { return f.verb + " by " + caches + f.rest }

// tail says what happens to what is kept after its freshness.
func (e *Explanation) tail(all ...*Treatment) string {
	for _, t := range all {
		if !t.Stored {
			continue
		}
		switch {
		case t.Then == NextLoad:
			return "; then loaded anew"
		case e.Second != nil && !e.Second.Confirmed && e.Second.SameBody:
			return "; then loaded anew, as its " + e.validator() + " is of no use"
		}
		return "; then validated by " + e.validator()
	}
	return ""
}

// validator names what the question whether the response is still current rests on.
func (e *Explanation) validator() string {
	if e.Condition.Get("If-None-Match") != "" {
		return "ETag"
	}
	return "Last-Modified"
}

// maxExcerpt is how many characters of a header are quoted.
const maxExcerpt = 80

// excerpt returns the beginning of what somebody sent, on one line.
func excerpt(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxExcerpt {
			b.WriteString("…")
			break
		}
		if !unicode.IsGraphic(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
