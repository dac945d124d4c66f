// constant.go leaves the constants out of a statement: what it does does not depend on them.

package postgres

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// longestShape is how long a statement may be whose constants are left out, in bytes.
const longestShape = 64 << 10

// Shape returns the text of a statement with other numbers and strings in the place of its own, so that
// statements which differ in them alone are looked at once. The effect of both is the same. A text in
// which it is not certain where a constant begins or ends, or that has one of the words that mean the
// time of now, is returned as it is.
func (d *Dialect) Shape(statement string) string {
	if len(statement) > longestShape || isOpaque(statement) {
		return statement
	}
	var b strings.Builder
	b.Grow(len(statement))
	for rest := statement; rest != ""; {
		n, ok := constant(&b, rest)
		if !ok {
			return statement
		}
		rest = rest[n:]
	}
	return b.String()
}

// ofClock finds the words that mean the time of now.
var ofClock = regexp.MustCompile(`(?i)\b(now|today|tomorrow|yesterday)\b`)

// isOpaque reports whether a text has what makes it hard to tell constants, or a word of the clock.
func isOpaque(text string) bool {
	if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
		return true
	}
	for _, part := range []string{`\`, "--", "/*"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	lower := strings.ToLower(text)
	for _, part := range []string{"now", "day", "tomorrow"} { // quicker than the expression
		if strings.Contains(lower, part) {
			return ofClock.MatchString(lower)
		}
	}
	return false
}

// constant writes the beginning of a text, up to and with its first constant or name, and returns how
// long that was. ok is false if a quote does not end, or is of another kind.
func constant(b *strings.Builder, text string) (n int, ok bool) {
	switch c := text[0]; {
	case c == '\'':
		b.WriteString("''")
		return quoted(text)
	case c == '"':
		n, ok = quoted(text)
		b.WriteString(text[:n])
		return n, ok
	case '0' <= c && c <= '9':
		b.WriteByte('0')
		n = span(text)
	case c == '$' && (len(text) == 1 || text[1] < '0' || text[1] > '9'):
		return 0, false
	case isOfName(c):
		n = span(text)
		b.WriteString(text[:n])
	default:
		n = 1
		b.WriteByte(c)
	}
	return n, n == len(text) || !isPrefix(text[n-1]) || text[n] != '\'' && text[n] != '"'
}

// isPrefix reports whether a quote after that byte is of another kind: E”, U&"".
func isPrefix(c byte) bool { return c == '&' || isOfName(c) || '0' <= c && c <= '9' }

// quoted returns the length of what is quoted at the beginning of a text, with both quotes. Two quotes
// stand for one.
func quoted(text string) (n int, ok bool) {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		if text[i] != quote {
			continue
		}
		if i+1 == len(text) || text[i+1] != quote {
			return i + 1, true
		}
		i++
	}
	return len(text), false
}

// span returns the length of the name or number at the beginning of a text; both go on alike: 1.5e3,
// 1_000, t1, $1.
func span(text string) int {
	n := 1
	for n < len(text) && (isOfName(text[n]) || '0' <= text[n] && text[n] <= '9' ||
		text[n] == '.' && '0' <= text[0] && text[0] <= '9') {
		n++
	}
	return n
}

// isOfName reports whether a byte may begin a name, or a parameter.
func isOfName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}
