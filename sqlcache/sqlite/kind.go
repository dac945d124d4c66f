// kind.go tells by its first word what a statement is, and what follows from that alone.

package sqlite

import "github.com/larder-go/larder/sqlcache"

// verb says how the effect of a statement is found.
type verb uint8

const (
	strange   verb = iota // SQLite is asked whether it is a statement at all
	ofRows                // SQLite is asked what it does
	schema                // it changes the schema, or anything
	control               // its words say all: pragmas, attached databases
	transacts             // they say that it begins or ends a transaction
	explains              // it says what another would do
)

// verbs are the first words of statements.
var verbs = map[string]verb{
	"SELECT": ofRows, "VALUES": ofRows, "WITH": ofRows,
	"INSERT": ofRows, "REPLACE": ofRows, "UPDATE": ofRows, "DELETE": ofRows,
	"CREATE": schema, "DROP": schema, "ALTER": schema, "REINDEX": schema, "ANALYZE": schema,
	"VACUUM": schema,
	"BEGIN":  transacts, "COMMIT": transacts, "END": transacts, "ROLLBACK": transacts,
	"SAVEPOINT": transacts, "RELEASE": transacts, "ATTACH": control, "DETACH": control,
	"PRAGMA": control, "EXPLAIN": explains,
}

// verb returns what the first word says.
func (s statement) verb() verb {
	if s.head[0].kind != word {
		return strange
	}
	return verbs[upper(s.head[0].text)]
}

// controlled returns the effect of a statement whose words say all.
func controlled(s statement) sqlcache.Effect {
	switch upper(s.head[0].text) {
	case "BEGIN":
		return sqlcache.Effect{Transaction: sqlcache.Begin}
	case "COMMIT", "END":
		return sqlcache.Effect{Transaction: sqlcache.Commit}
	case "ROLLBACK":
		return rolledBack(s)
	case "ATTACH", "DETACH": // while there are others, the identity is ""
		return sqlcache.Effect{Session: sqlcache.SessionChanged}
	case "PRAGMA":
		return pragma(s.head[1:])
	}
	return sqlcache.Effect{Transaction: sqlcache.Savepoint}
}

// rolledBack tells apart a ROLLBACK and one that goes back to a savepoint, which ends nothing.
func rolledBack(s statement) sqlcache.Effect {
	for _, t := range s.head[1:] {
		if t.is("TO") {
			return sqlcache.Effect{}
		}
	}
	return sqlcache.Effect{Transaction: sqlcache.Rollback}
}

// ofSchema returns the effect of a statement that changes the schema. What it makes may be
// temporary, which the identity tells.
func ofSchema(s statement) sqlcache.Effect {
	if extends(s.text) {
		return sqlcache.Unknown("may load an extension")
	}
	return sqlcache.Effect{WritesAll: true, Session: sqlcache.SessionChanged}
}

// several returns the effect of a text of several statements: no more of it is known than that
// they are harmless to the connection, or not even that.
func several(text string, sc script) sqlcache.Effect {
	e := sqlcache.Effect{
		Reason: "has several statements", WritesAll: true, Session: sqlcache.SessionChanged,
	}
	for v := range sc.verbs {
		switch v {
		case ofRows, schema:
		case transacts:
			e.Transaction = sqlcache.Unclear
		default:
			return sqlcache.Unknown(e.Reason)
		}
	}
	if extends(text) {
		return sqlcache.Unknown("may load an extension")
	}
	return e
}

// extends reports whether a text has the name of a function that changes the connection.
func extends(text string) bool {
	l := lexer{text: text}
	for t := l.next(); t.kind != end; t = l.next() {
		if (t.kind == word || t.kind == quoted) && isExtending(lower(unquote(t))) {
			return true
		}
	}
	return false
}

// isExtending reports whether a function changes what the connection can do.
func isExtending(function string) bool {
	return function == "load_extension" || function == "fts3_tokenizer"
}

// upper and lower change the letters of ASCII alone, as SQLite does when it compares names.
func upper(s string) string { return mapASCII(s, 'a', 'A') }
func lower(s string) string { return mapASCII(s, 'A', 'a') }

// mapASCII moves the 26 letters from one letter on to those from another on.
func mapASCII(s string, from, to byte) string {
	b := []byte(s)
	for i, c := range b {
		if from <= c && c < from+26 {
			b[i] = c - from + to
		}
	}
	return string(b)
}
