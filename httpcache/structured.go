// structured.go reads Structured Fields, the common syntax of newer header fields.

package httpcache

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds on what is read, so that a hostile field costs little. They are those that RFC 9651,
// sections 3.1 and 3.2, asks every recipient to support, or above.
const (
	maxStructured   = 64 << 10 // bytes of a field
	maxMembers      = 1024     // of a list or a dictionary
	maxInnerMembers = 256      // of a list within a list
	maxParameters   = 256      // of one item
)

// sfKind is the type of a bare item (RFC 9651, section 3.3), or that of an inner list.
type sfKind uint8

const (
	sfInteger sfKind = iota + 1
	sfDecimal
	sfString
	sfToken
	sfBytes
	sfBoolean
	sfDate
	sfDisplay
	sfInner // the member is an inner list
)

// sfValue is a bare item.
type sfValue struct {
	kind sfKind
	// number is an integer; a decimal in thousandths; 0 or 1 for a boolean; the seconds of a date.
	number int64
	// text is a string, token or display string without its quotes, or the bytes of a sequence. It
	// may share memory with the field.
	text string
}

// isTrue reports whether v is the boolean ?1, which stands for a key without a value.
func (v sfValue) isTrue() bool { return v.kind == sfBoolean && v.number == 1 }

// sfParameter is what stands behind the semicolon of an item.
type sfParameter struct {
	key   string
	value sfValue
}

// sfItem is a value with its parameters, each key once.
type sfItem struct {
	sfValue
	params []sfParameter
}

// sfMember is an item or an inner list in a list, or in a dictionary, where it has a key.
type sfMember struct {
	key string
	sfItem
	inner []sfItem // if kind is sfInner
}

// structuredList reads the lines of a field that is a List (RFC 9651, section 4.2.1). An empty one
// is a list without members. If there is any error in it, ok is false and all of it is lost.
func structuredList(lines []string) (list []sfMember, ok bool) {
	p, ok := newSFParser(lines)
	if !ok {
		return nil, false
	}
	return p.members((*sfParser).member)
}

// structuredDictionary reads the lines of a field that is a Dictionary (RFC 9651, section 4.2.2).
// Of a key that comes twice the last value counts. Errors are as those of structuredList.
func structuredDictionary(lines []string) (members []sfMember, ok bool) {
	p, ok := newSFParser(lines)
	if !ok {
		return nil, false
	}
	return p.members((*sfParser).entry)
}

// sfParser cuts what it reads off rest. Its methods return false on an error, after which rest is
// of no use.
type sfParser struct{ rest string }

func newSFParser(lines []string) (p sfParser, ok bool) {
	n := 0
	for _, line := range lines {
		if n += len(line) + 2; n > maxStructured {
			return p, false
		}
	}
	return sfParser{strings.Trim(strings.Join(lines, ", "), " ")}, true
}

// members reads what is separated by commas.
func (p *sfParser) members(read func(*sfParser) (sfMember, bool)) ([]sfMember, bool) {
	var all []sfMember
	for p.rest != "" {
		m, ok := read(p)
		if !ok {
			return nil, false
		}
		if all = putMember(all, m); len(all) > maxMembers {
			return nil, false
		}
		p.skip(" \t")
		if p.rest == "" {
			break
		}
		if !p.take(',') {
			return nil, false
		}
		if p.skip(" \t"); p.rest == "" {
			return nil, false // a comma must not be the last
		}
	}
	return all, true
}

// putMember appends m, or puts it into the place of the member with the same key.
func putMember(all []sfMember, m sfMember) []sfMember {
	if m.key != "" {
		same := func(old sfMember) bool { return old.key == m.key }
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i] = m
			return all
		}
	}
	return append(all, m)
}

// entry reads a member of a dictionary.
func (p *sfParser) entry() (m sfMember, ok bool) {
	key, ok := p.key()
	if !ok {
		return m, false
	}
	if p.take('=') {
		m, ok = p.member()
	} else {
		m.sfValue = sfValue{kind: sfBoolean, number: 1}
		m.params, ok = p.parameters()
	}
	m.key = key
	return m, ok
}

// member reads an item or an inner list.
func (p *sfParser) member() (m sfMember, ok bool) {
	if p.take('(') {
		return p.innerList()
	}
	m.sfItem, ok = p.item()
	return m, ok
}

// innerList reads what follows an opening parenthesis (RFC 9651, section 4.2.1.2).
func (p *sfParser) innerList() (m sfMember, ok bool) {
	m.kind = sfInner
	for p.skip(" "); !p.take(')'); p.skip(" ") {
		item, ok := p.item()
		if !ok || len(m.inner) == maxInnerMembers {
			return m, false
		}
		m.inner = append(m.inner, item)
		if c := p.peek(); c != ' ' && c != ')' {
			return m, false
		}
	}
	m.params, ok = p.parameters()
	return m, ok
}

func (p *sfParser) item() (item sfItem, ok bool) {
	if item.sfValue, ok = p.value(); !ok {
		return item, false
	}
	item.params, ok = p.parameters()
	return item, ok
}

// parameters reads those that follow an item. Of a key that comes twice the last value counts.
func (p *sfParser) parameters() (all []sfParameter, ok bool) {
	for p.take(';') {
		p.skip(" ")
		key, ok := p.key()
		if !ok {
			return nil, false
		}
		value := sfValue{kind: sfBoolean, number: 1}
		if p.take('=') {
			if value, ok = p.value(); !ok {
				return nil, false
			}
		}
		if all = putParameter(all, sfParameter{key, value}); len(all) > maxParameters {
			return nil, false
		}
	}
	return all, true
}

func putParameter(all []sfParameter, x sfParameter) []sfParameter {
	for i := range all {
		if all[i].key == x.key {
			all[i] = x
			return all
		}
	}
	return append(all, x)
}

// value reads a bare item (RFC 9651, section 4.2.3.1).
func (p *sfParser) value() (sfValue, bool) {
	switch c := p.peek(); {
	case c == '-' || isDigit(c):
		return p.number()
	case c == '"':
		return p.quoted()
	case c == '*' || isAlpha(c):
		return sfValue{kind: sfToken, text: p.while(isTokenChar)}, true
	case c == ':':
		return p.byteSequence()
	case c == '?':
		return p.boolean()
	case c == '@':
		return p.date()
	case c == '%':
		return p.display()
	}
	return sfValue{}, false
}

// number reads an integer of at most 15 digits, or a decimal of at most 12 and 3 behind the point
// (RFC 9651, section 4.2.4).
func (p *sfParser) number() (sfValue, bool) {
	v := sfValue{kind: sfInteger}
	minus := p.take('-')
	digits := p.while(isDigit)
	if len(digits) == 0 || len(digits) > 15 {
		return v, false
	}
	if p.take('.') {
		fraction := p.while(isDigit)
		if len(digits) > 12 || len(fraction) == 0 || len(fraction) > 3 {
			return v, false
		}
		v.kind = sfDecimal
		digits += (fraction + "00")[:3]
	}
	v.number, _ = strconv.ParseInt(digits, 10, 64) // 15 digits fit
	if minus {
		v.number = -v.number
	}
	return v, true
}

// quoted reads a string (RFC 9651, section 4.2.5).
func (p *sfParser) quoted() (sfValue, bool) {
	s := p.rest[1:]
	var text []byte // of a string with an escape
	from := 0       // where what is not in text yet begins
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			p.rest = s[i+1:]
			if from == 0 { // no escape
				return sfValue{kind: sfString, text: s[:i]}, true
			}
			return sfValue{kind: sfString, text: string(append(text, s[from:i]...))}, true
		case c == '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return sfValue{}, false
			}
			text = append(text, s[from:i-1]...)
			from = i
		case !isPrintable(c):
			return sfValue{}, false
		}
	}
	return sfValue{}, false
}

// byteSequence reads base64 between colons, with or without padding (RFC 9651, section 4.2.7).
func (p *sfParser) byteSequence() (sfValue, bool) {
	text, rest, ok := strings.Cut(p.rest[1:], ":")
	if !ok || strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return sfValue{}, false
	}
	encoding := base64.StdEncoding
	if !strings.HasSuffix(text, "=") {
		encoding = base64.RawStdEncoding
	}
	b, err := encoding.DecodeString(text)
	p.rest = rest
	return sfValue{kind: sfBytes, text: string(b)}, err == nil
}

func (p *sfParser) boolean() (sfValue, bool) {
	v := sfValue{kind: sfBoolean}
	p.rest = p.rest[1:]
	switch {
	case p.take('1'):
		v.number = 1
		return v, true
	case p.take('0'):
		return v, true
	}
	return v, false
}

// date reads seconds since 1970 (RFC 9651, section 4.2.9).
func (p *sfParser) date() (sfValue, bool) {
	p.rest = p.rest[1:]
	v, ok := p.number()
	ok = ok && v.kind == sfInteger
	v.kind = sfDate
	return v, ok
}

// display reads a string of any characters (RFC 9651, section 4.2.10).
func (p *sfParser) display() (sfValue, bool) {
	s, ok := strings.CutPrefix(p.rest, `%"`)
	if !ok {
		return sfValue{}, false
	}
	var text []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			p.rest = s[i+1:]
			return sfValue{kind: sfDisplay, text: string(text)}, utf8.Valid(text)
		case c == '%':
			if c, ok = lowerHex(s[i+1:]); !ok {
				return sfValue{}, false
			}
			i += 2
		case !isPrintable(c):
			return sfValue{}, false
		}
		text = append(text, c)
	}
	return sfValue{}, false
}

// lowerHex returns the byte that the first two characters of s say in hexadecimal, lower case.
func lowerHex(s string) (byte, bool) {
	const digits = "0123456789abcdef"
	if len(s) < 2 {
		return 0, false
	}
	high, low := strings.IndexByte(digits, s[0]), strings.IndexByte(digits, s[1])
	return byte(high<<4 | low), high >= 0 && low >= 0
}

// key reads a key of a dictionary or a parameter (RFC 9651, section 4.2.3.3).
func (p *sfParser) key() (string, bool) {
	if c := p.peek(); c != '*' && !isLower(c) {
		return "", false
	}
	return p.while(func(c byte) bool {
		return isLower(c) || isDigit(c) || c == '_' || c == '-' || c == '.' || c == '*'
	}), true
}

// peek returns the next byte, or 0 at the end; no part of the syntax begins with that.
func (p *sfParser) peek() byte {
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// take cuts c off if it is next.
func (p *sfParser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *sfParser) skip(cutset string) { p.rest = strings.TrimLeft(p.rest, cutset) }

// while cuts off all bytes up to one that is not accepted.
func (p *sfParser) while(accepted func(byte) bool) string {
	i := 0
	for i < len(p.rest) && accepted(p.rest[i]) {
		i++
	}
	s := p.rest[:i]
	p.rest = p.rest[i:]
	return s
}

// appendSFString appends s as a String. What that cannot hold, controls and bytes beyond ASCII, is
// percent-encoded: nothing in s can end the field.
func appendSFString(buf []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	buf = append(buf, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			buf = append(buf, '\\', c)
		case isPrintable(c):
			buf = append(buf, c)
		default:
			buf = append(buf, '%', hex[c>>4], hex[c&15])
		}
	}
	return append(buf, '"')
}

// appendSFWord appends s as a Token if it can be one, and else as a String.
func appendSFWord(buf []byte, s string) []byte {
	if isSFToken(s) {
		return append(buf, s...)
	}
	return appendSFString(buf, s)
}

// appendSFInteger appends n, or the nearest number that an Integer can be.
func appendSFInteger(buf []byte, n int64) []byte {
	const most = 999_999_999_999_999
	return strconv.AppendInt(buf, min(max(n, -most), most), 10)
}

// isSFToken reports whether s can be written as a Token (RFC 9651, section 3.3.4).
func isSFToken(s string) bool {
	if s == "" || s[0] != '*' && !isAlpha(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isTokenChar(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isLower(c byte) bool     { return 'a' <= c && c <= 'z' }
func isAlpha(c byte) bool     { return isLower(c | 0x20) }
func isPrintable(c byte) bool { return ' ' <= c && c <= '~' }

// isTokenChar reports whether c may stand in a Token, but for its beginning.
func isTokenChar(c byte) bool {
	return isAlpha(c) || isDigit(c) || c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
}
