// languages.go reads Accept-Language, and chooses among the languages there are.

package httpcache

import (
	"cmp"
	"slices"
	"strings"
)

// maxLanguages is how many members of Accept-Language are looked at. Browsers send up to a dozen.
const maxLanguages = 64

// languageRange is a member of Accept-Language (RFC 9110, section 12.5.4).
type languageRange struct {
	tag     string // in lower case; or "*"
	quality int    // in thousandths
}

// parseLanguages reads the lines of the field in the order they are written. ok is false if a
// member is malformed, which is left out, or if there are too many, of which the first are
// returned.
func parseLanguages(lines []string) (all []languageRange, ok bool) {
	ok = true
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			if member = trim(member); member == "" {
				continue
			}
			if len(all) == maxLanguages {
				return all, false
			}
			r, valid := parseLanguage(member)
			if !valid {
				ok = false
				continue
			}
			all = append(all, r)
		}
	}
	return all, ok
}

// parseLanguage reads "de-CH" or "de-CH;q=0.5".
func parseLanguage(member string) (r languageRange, ok bool) {
	tag, weight, weighted := strings.Cut(member, ";")
	r = languageRange{strings.ToLower(trim(tag)), 1000}
	if !isLanguageRange(r.tag) {
		return r, false
	}
	if weighted {
		r.quality, ok = parseWeight(trim(weight))
		return r, ok
	}
	return r, true
}

// isLanguageRange reports whether s is a basic language range (RFC 4647, section 2.1) in lower
// case.
func isLanguageRange(s string) bool {
	if s == "*" {
		return true
	}
	accepted := isLower // in the first subtag
	for subtag := range strings.SplitSeq(s, "-") {
		if subtag == "" || len(subtag) > 8 {
			return false
		}
		for i := range len(subtag) {
			if !accepted(subtag[i]) {
				return false
			}
		}
		accepted = isLowerOrDigit
	}
	return true
}

func isLowerOrDigit(c byte) bool { return isLower(c) || isDigit(c) }

// parseWeight reads "q=0.5" and returns thousandths (RFC 9110, section 12.4.2).
func parseWeight(s string) (int, bool) {
	if len(s) < 3 || s[0]|0x20 != 'q' || s[1] != '=' {
		return 0, false
	}
	whole, fraction, _ := strings.Cut(s[2:], ".")
	if whole != "0" && whole != "1" || len(fraction) > 3 {
		return 0, false
	}
	n := decimal(whole + (fraction + "000")[:3])
	return n, 0 <= n && n <= 1000
}

// normalLanguages returns a form of the field that is equal for equal wishes, for use where a
// variant is selected: case, white space, empty and repeated members, the way a weight is written
// and the order of members do not show. Members are sorted by weight, then by name.
//
// RFC 9110, section 12.5.4, says that order means nothing between members of one weight, but also
// that some origins take it for a preference: those that do and leave the weights out get their
// answer to "de, en" served for "en, de". Clients that care write weights, as all browsers do.
//
// A field that is malformed, or gives one language two weights, could mean anything: of it only
// the white space is made equal, behind a "!".
func normalLanguages(lines []string) string {
	all, ok := parseLanguages(lines)
	if !ok {
		return rawLanguages(lines)
	}
	slices.SortFunc(all, func(a, b languageRange) int {
		return cmp.Or(cmp.Compare(b.quality, a.quality), strings.Compare(a.tag, b.tag))
	})
	all = slices.Compact(all)
	if contradictory(all) {
		return rawLanguages(lines)
	}
	buf := make([]byte, 0, 64)
	for i, r := range all {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendWeight(append(buf, r.tag...), r.quality)
	}
	return string(buf)
}

// contradictory reports whether a language comes twice.
func contradictory(all []languageRange) bool {
	tags := make([]string, len(all))
	for i, r := range all {
		tags[i] = r.tag
	}
	slices.Sort(tags)
	return len(slices.Compact(tags)) < len(all)
}

// appendWeight appends a weight in its shortest form; 1 needs none.
func appendWeight(buf []byte, quality int) []byte {
	switch quality {
	case 1000:
		return buf
	case 0:
		return append(buf, ";q=0"...)
	}
	digits := []byte{byte('0' + quality/100), byte('0' + quality/10%10), byte('0' + quality%10)}
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return append(append(buf, ";q=0."...), digits...)
}

// rawLanguages joins the members as they are written.
func rawLanguages(lines []string) string {
	buf := []byte{'!'}
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			if member = trim(member); member != "" {
				buf = append(append(buf, member...), ',')
			}
		}
	}
	return string(buf)
}

// bestLanguage returns the one of offered that suits the field best. If none does, or nobody asks,
// that is the first, or the first that is not refused: an answer in some language is better than
// none. It is "" if none is offered.
//
// The ranges are tried by weight, equal ones in the order written. A range finds the language
// itself, then the first that is more special (RFC 4647, section 3.3.1), then a more general one
// (section 3.4); "*" finds the first that no other range names. What has the weight 0 is never
// found.
func bestLanguage(lines, offered []string) string {
	if len(offered) == 0 {
		return ""
	}
	all, _ := parseLanguages(lines)
	slices.SortStableFunc(all, func(a, b languageRange) int {
		return cmp.Compare(b.quality, a.quality)
	})
	for _, r := range all {
		if tag, ok := lookUp(r, all, offered); ok {
			return tag
		}
	}
	anyTag := func(string) bool { return true }
	if tag, ok := firstOffered(offered, all, anyTag); ok {
		return tag
	}
	return offered[0]
}

// lookUp returns the one of offered that r finds, of all ranges of a request.
func lookUp(r languageRange, all []languageRange, offered []string) (tag string, ok bool) {
	if r.quality == 0 {
		return "", false
	}
	if r.tag == "*" {
		unnamed := func(tag string) bool { return longest(tag, all) == nil }
		return firstOffered(offered, all, unnamed)
	}
	if tag, ok := firstOffered(offered, all, r.is); ok {
		return tag, true
	}
	if tag, ok := firstOffered(offered, all, r.covers); ok {
		return tag, true
	}
	for general := shortened(r.tag); general != ""; general = shortened(general) {
		if tag, ok := firstOffered(offered, all, languageRange{tag: general}.is); ok {
			return tag, true
		}
	}
	return "", false
}

// firstOffered returns the first that matches, in lower case, and is not refused.
func firstOffered(
	offered []string, all []languageRange, matches func(tag string) bool,
) (string, bool) {
	for _, o := range offered {
		if tag := strings.ToLower(o); matches(tag) && !refuses(all, tag) {
			return o, true
		}
	}
	return "", false
}

// refuses reports whether all give tag the weight 0, by its name or with all that have none.
func refuses(all []languageRange, tag string) bool {
	if r := longest(tag, all); r != nil {
		return r.quality == 0
	}
	return slices.Contains(all, languageRange{"*", 0})
}

// longest returns the longest range but "*" that covers tag, or nil: its weight is that of tag.
func longest(tag string, all []languageRange) (found *languageRange) {
	for i, r := range all {
		if r.covers(tag) && (found == nil || len(r.tag) > len(found.tag)) {
			found = &all[i]
		}
	}
	return found
}

func (r languageRange) is(tag string) bool { return r.tag == tag }

// covers reports whether r is tag or a beginning of it (RFC 4647, section 3.3.1). "*" covers none.
func (r languageRange) covers(tag string) bool {
	rest, ok := strings.CutPrefix(tag, r.tag)
	return ok && (rest == "" || rest[0] == '-')
}

// shortened removes the last subtag, and one of a single letter that would then be the last; it
// returns "" if none is left (RFC 4647, section 3.4).
func shortened(tag string) string {
	tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	if n := len(tag); n >= 2 && tag[n-2] == '-' {
		tag = tag[:n-2]
	}
	return tag
}

// languageServes reports whether a stored response in contentLanguage may answer a request with
// these lines of Accept-Language, though it was selected by others: if that is the language the
// request wants most, alone and by its very name, then an origin that has it (it has, since it
// sent it) and honours the weights sends no other. Everything else that Vary names must match all
// the same.
//
// It is false for a response in several languages or none, for a field that is malformed, for one
// that wants two languages equally, and where only a part of the tags is the same: the origin
// might have something that suits better.
func languageServes(lines []string, contentLanguage string) bool {
	all, ok := parseLanguages(lines)
	wanted := strings.ToLower(trim(contentLanguage))
	if !ok || !isLanguageRange(wanted) || wanted == "*" {
		return false
	}
	quality := 0
	for _, r := range all {
		if r.tag == wanted {
			quality = max(quality, r.quality)
		}
	}
	rival := func(r languageRange) bool { return r.tag != wanted && r.quality >= quality }
	return quality > 0 && !slices.ContainsFunc(all, rival) && !contradictory(all)
}
