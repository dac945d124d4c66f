// lex.go reads the words of a statement as SQLite does, to find out where it ends.

package sqlite

import (
	"strconv"
	"strings"
)

// kind is what a token is to this package, which is less than what it is to SQLite.
type kind uint8

const (
	end       kind = iota // of the text
	word                  // a keyword or a name
	quoted                // '…', "…", `…` or […], with its quotes
	variable              // ?, ?1, :a, @a, $a
	semicolon             // at the end of a statement, or within a trigger
	symbol                // any other: a part of a number, an operator, what SQLite refuses
	open                  // a quote without its end, which SQLite refuses
	doubtful              // what builds of SQLite read differently
)

// token is a word of a statement with its kind. What is between words is left out.
type token struct {
	kind  kind
	text  string
	begin int // where it is, in bytes
}

// is reports whether the token is that keyword, which is written in capitals.
func (t token) is(keyword string) bool {
	return t.kind == word && strings.EqualFold(t.text, keyword)
}

// lexer walks over a text, which may be anything.
type lexer struct {
	text string
	at   int
}

// peek returns the byte that far ahead, or 0 behind the end.
func (l *lexer) peek(ahead int) byte {
	if l.at+ahead < len(l.text) {
		return l.text[l.at+ahead]
	}
	return 0
}

// next returns the next token.
func (l *lexer) next() token {
	l.skip()
	begin := l.at
	k := l.token()
	return token{k, l.text[begin:l.at], begin}
}

// skip passes spaces and comments. A comment that does not end takes all of the text, as it does
// for SQLite.
func (l *lexer) skip() {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case isSpace(rest[0]):
			l.at++
		case strings.HasPrefix(rest, "\xEF\xBB\xBF"): // the mark of UTF-8
			l.at += 3
		case strings.HasPrefix(rest, "--"):
			l.through(2, "\n")
		case strings.HasPrefix(rest, "/*") && len(rest) > 2:
			l.through(2, "*/")
		default:
			return
		}
	}
}

// through passes what begins after that many bytes and ends with a mark, or else with the text. It
// reports whether the mark was there.
func (l *lexer) through(head int, mark string) bool {
	i := strings.Index(l.text[l.at+head:], mark)
	if i < 0 {
		l.at = len(l.text)
		return false
	}
	l.at += head + i + len(mark)
	return true
}

// token passes one token, of which there is at least a byte unless the text is at its end.
func (l *lexer) token() kind {
	if l.at == len(l.text) {
		return end
	}
	switch c := l.text[l.at]; {
	case isName(c) && c != '$':
		l.name()
		return word
	case c == '\'' || c == '"' || c == '`':
		return l.quoted(c)
	case c == '[':
		return kindIf(l.through(1, "]"), quoted)
	case c == '?' || c == ':' || c == '@' || c == '#' || c == '$':
		return l.variable()
	case c == ';':
		l.at++
		return semicolon
	}
	l.at++
	return symbol
}

// kindIf returns that kind if the token has its end.
func kindIf(ended bool, k kind) kind {
	if ended {
		return k
	}
	return open
}

// name passes a keyword, a name or a number: they cannot hold what matters here.
func (l *lexer) name() {
	for l.at < len(l.text) && isName(l.text[l.at]) {
		l.at++
	}
}

// quoted passes a string or a name in quotes, in which the quote itself is written twice.
func (l *lexer) quoted(quote byte) kind {
	for l.through(1, string(quote)) {
		if l.peek(0) != quote {
			return quoted
		}
	}
	return open
}

// variable passes a variable, or a colon that begins none. In some builds of SQLite $a(…) is one
// variable, whatever the parentheses hold, and in others it is not.
func (l *lexer) variable() kind {
	l.at++
	from := l.at
	for l.name(); l.peek(0) == ':' && l.peek(1) == ':'; l.name() {
		l.at += 2
	}
	switch mark := l.text[from-1]; {
	case mark == '?':
		return variable
	case l.peek(0) == '(' && l.at > from:
		return doubtful
	case l.at > from:
		return variable
	}
	return symbol
}

// isSpace reports whether SQLite takes a byte for a space.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// isName reports whether a byte may be in a name: SQLite takes all that is not ASCII for letters.
func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == '$' || c >= 0x80
}

// unquote returns the name or the string that a token writes.
func unquote(t token) string {
	if t.kind != quoted {
		return t.text
	}
	inner := t.text[1 : len(t.text)-1]
	if quote := t.text[:1]; quote != "[" {
		inner = strings.ReplaceAll(inner, quote+quote, quote)
	}
	return inner
}

// maxVariable is the number of the last variable that SQLite has, unless it was built for more.
const maxVariable = 32766

// variables returns the names of the variables of a statement by their numbers, less one; "" where
// one has none.
func variables(text string) []string {
	var names []string
	seen := map[string]bool{}
	l := lexer{text: text}
	for t := l.next(); t.kind != end; t = l.next() {
		if t.kind != variable || len(names) == maxVariable {
			continue
		}
		number, err := strconv.Atoi(t.text[1:])
		switch {
		case t.text == "?":
			names = append(names, "")
		case t.text[0] == '?' && err == nil && 0 < number && number <= maxVariable:
			for len(names) < number {
				names = append(names, "")
			}
		case t.text[0] != '?' && !seen[t.text]:
			seen[t.text] = true
			names = append(names, t.text[1:])
		}
	}
	return names
}
