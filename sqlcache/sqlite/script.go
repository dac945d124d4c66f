// script.go divides a text into statements.

package sqlite

import "strings"

// headTokens is how many tokens of a statement are looked at to tell what it is:
// EXPLAIN QUERY PLAN PRAGMA main.name = -value.
const headTokens = 12

// statement is one statement of a text.
type statement struct {
	text string  // without its semicolon
	head []token // its first tokens
}

// begins reports whether the statement begins with those keywords.
func (s statement) begins(keywords ...string) bool {
	for i, k := range keywords {
		if i >= len(s.head) || !s.head[i].is(k) {
			return false
		}
	}
	return true
}

// isTrigger reports whether the statement makes a trigger, which has semicolons within.
func (s statement) isTrigger() bool {
	return s.begins("CREATE", "TRIGGER") || s.begins("CREATE", "TEMP", "TRIGGER") ||
		s.begins("CREATE", "TEMPORARY", "TRIGGER")
}

// script is a text of any number of statements, of which the first alone is kept.
type script struct {
	first    statement
	count    int
	verbs    map[verb]bool // of all of them
	open     bool          // it has a quote without its end
	doubtful bool          // it may have more statements than one can tell
}

// parse divides a text. What has no token is no statement.
func parse(text string) script {
	sc := script{verbs: map[verb]bool{}}
	sc.doubtful = strings.IndexByte(text, 0) >= 0 // where some drivers end the text
	l := lexer{text: text}
	for last := semicolon; last != end; {
		var s statement
		s, last = sc.statement(&l)
		sc.add(s)
	}
	return sc
}

// add notes a statement.
func (sc *script) add(s statement) {
	if len(s.head) == 0 {
		return
	}
	if sc.count == 0 {
		sc.first = s
	}
	sc.count++
	sc.verbs[s.verb()] = true
}

// statement passes one statement and returns it with the kind of what ended it.
func (sc *script) statement(l *lexer) (statement, kind) {
	from := l.at
	var s statement
	var b body
	for {
		t := l.next()
		sc.open = sc.open || t.kind == open
		sc.doubtful = sc.doubtful || t.kind == doubtful
		if t.kind == end || t.kind == semicolon && b.ends(s) {
			s.text = l.text[from:t.begin]
			return s, t.kind
		}
		b.pass(t)
		if len(s.head) < headTokens {
			s.head = append(s.head, t)
		}
	}
}

// body follows the end of a trigger: END after a semicolon, with a semicolon behind it. The END of
// a CASE never follows a semicolon.
type body struct{ semicolon, end bool }

func (b *body) pass(t token) {
	b.end = b.semicolon && t.is("END")
	b.semicolon = t.kind == semicolon
}

// ends reports whether a semicolon at this place ends the statement.
func (b *body) ends(s statement) bool { return b.end || !s.isTrigger() }
