// script_internal_test.go compares where statements end here and in SQLite.

package sqlite

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// parser is SQLite's own, with a database in memory that has a table t.
type parser struct {
	tls *libc.TLS
	db  uintptr
}

func newParser(t testing.TB) *parser {
	p := &parser{tls: libc.NewTLS()}
	handle := p.tls.Alloc(8)
	defer p.tls.Free(8)
	name := p.text(t, ":memory:")
	defer libc.Xfree(p.tls, name)
	if rc := sqlite3.Xsqlite3_open(p.tls, name, handle); rc != sqlite3.SQLITE_OK {
		t.Fatalf("open: %d", rc)
	}
	p.db = pointer(handle)
	create := p.text(t, "CREATE TABLE t (a, b)")
	defer libc.Xfree(p.tls, create)
	if rc := sqlite3.Xsqlite3_exec(p.tls, p.db, create, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		t.Fatalf("create: %d", rc)
	}
	t.Cleanup(func() {
		sqlite3.Xsqlite3_close(p.tls, p.db)
		p.tls.Close()
	})
	return p
}

// pointer reads one in the memory of SQLite.
func pointer(at uintptr) uintptr {
	return uintptr(binary.NativeEndian.Uint64(libc.GoBytes(at, 8)))
}

// text returns a text in the memory of SQLite.
func (p *parser) text(t testing.TB, s string) uintptr {
	c, err := libc.CString(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// count returns how many statements SQLite finds in a text, without running any. ok says that it
// took all of it.
func (p *parser) count(t testing.TB, s string) (count int, ok bool) {
	z := p.text(t, s)
	defer libc.Xfree(p.tls, z)
	out := p.tls.Alloc(16)
	defer p.tls.Free(16)
	for libc.GoBytes(z, 1)[0] != 0 {
		rc := sqlite3.Xsqlite3_prepare_v2(p.tls, p.db, z, -1, out, out+8)
		if rc != sqlite3.SQLITE_OK {
			return count, false
		}
		if s := pointer(out); s != 0 {
			sqlite3.Xsqlite3_finalize(p.tls, s)
			count++
		}
		z = pointer(out + 8)
	}
	return count, true
}

// check compares one text. The first half is what keeps EXPLAIN from running anything; the second
// keeps it from being asked too seldom.
func check(t testing.TB, p *parser, text string) (compared bool) {
	if strings.Contains(lower(text), "pragma") { // which prepare carries out
		return false
	}
	sc := parse(text)
	if sc.doubtful || sc.open {
		return false
	}
	if n, _ := p.count(t, "EXPLAIN "+sc.first.text); n > 1 {
		t.Errorf("%q: EXPLAIN would run something", sc.first.text)
	}
	n, ok := p.count(t, text)
	if ok && n != sc.count {
		t.Errorf("%q: %d statements, SQLite finds %d", text, sc.count, n)
	}
	return ok
}

func FuzzParseEndsStatementsWhereSQLiteDoes(f *testing.F) {
	for _, text := range append(fragments, joined(rand.New(rand.NewPCG(1, 2)))) {
		f.Add(text)
	}
	p := newParser(f)
	f.Fuzz(func(t *testing.T, text string) { check(t, p, text) })
}

// fragments are pieces of statements in which quotes, comments and semicolons hide each other.
var fragments = []string{
	"SELECT 1", "SELECT a FROM t", ";", ";;", " ", "\n", "\t\f", "-- ;\n", "--", "--'\n",
	"/* ; */",
	"/*;", "/**/", "/*/", "*/", "';'", "'it''s;'", "''", "\";\"", "\"\"\"a;\"", "`;`", "`a```",
	"[;]", "[a", "]", "'", "\"", "`", ",", "(", ")", "+", "-", "->", "->>", "||", "AS", "x'00'",
	"X''", "x'0;'", "?", "?1", ":a", "@a;", "$a", "$a::b", "$a(x)", "#a",
	":", "::", "1e3", "1.5", "0x1F",
	"1a", "CREATE TRIGGER r AFTER INSERT ON t BEGIN", "CREATE TEMP TRIGGER r DELETE ON t BEGIN",
	"CREATE TABLE u (a)", "SELECT CASE a WHEN 1 THEN 2 END", "CASE", "END", "; END", "END;",
	"BEGIN", "COMMIT", "DELETE FROM t", "DELETE FROM t;", "UPDATE t SET a = ';'", "EXPLAIN",
	"QUERY PLAN", "INSERT INTO t VALUES (1, ';')", "\xEF\xBB\xBF",
	"é", "\xff", "$", "\\", "^", "{",
	"1;2", "NULL", "CREATE", "TRIGGER", "x", "'\x00'", "SELECT [a]]", "/", "*",
}

// joined returns some fragments.
func joined(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(7) {
		b.WriteString(fragments[r.IntN(len(fragments))])
		b.WriteString([]string{"", " ", " ", "\n"}[r.IntN(4)])
	}
	return b.String()
}

// literals are what may stand between SELECT and a comma.
var literals = []string{
	"1", "';'", "'it''s;'", "1 AS \"a;\"", "1 AS `;`", "1 [;'\"]", "/* ' ; */ 1",
	"-- ; '\n 2", "?", ":a", "$b::c",
	"x'00'", "CASE 1 WHEN ';' THEN 2 END", "1 AS [;]", "(1) -- end", "2/1", "'--'", "'/*'", "3 -1",
}

// valid returns a text of valid statements, and how many they are.
func valid(r *rand.Rand) (text string, count int) {
	for range r.IntN(4) {
		list := literals[r.IntN(len(literals))]
		for range r.IntN(3) {
			list += "\n," + literals[r.IntN(len(literals))]
		}
		switch r.IntN(4) {
		case 0:
			text += "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 'END;'; SELECT 1 /*;*/; END"
		case 1:
			text += "INSERT INTO t(a) SELECT ';' /* ; */"
		default:
			text += "SELECT " + list
		}
		text += "\n" + strings.Repeat("; ", 1+r.IntN(2))
		count++
	}
	return text, count
}

func TestParseEndsStatementsWhereSQLiteDoes(t *testing.T) {
	p := newParser(t)
	r := rand.New(rand.NewPCG(7, 7))
	compared := 0
	for range 10_000 {
		if check(t, p, joined(r)) {
			compared++
		}
	}
	if compared < 400 {
		t.Errorf("SQLite took only %d texts", compared)
	}
	for range 1000 {
		text, count := valid(r)
		if got, want := parse(text).count, count; got != want {
			t.Errorf("%q: %d statements, not %d", text, got, want)
		}
		if !check(t, p, text) {
			t.Errorf("%q: SQLite does not take it", text)
		}
	}
}

func TestVariablesAreNumberedAsBySQLite(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT ?, ?": ",", "SELECT ?3, ?": ",,,", "SELECT :a, @a, :a, $b::c, ?": "a,a,b::c,",
		"SELECT '?', \"?\", /* ? */ ?": "", "SELECT ?0, ?99999999999, ?-1": "",
	} {
		if got := strings.Join(variables(text), ","); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
