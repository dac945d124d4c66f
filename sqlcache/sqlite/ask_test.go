// ask_test.go checks how the database is asked: while others change it, within transactions, and
// when it does not answer.

package sqlite_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/sqlite"
)

func TestEffectSeesTheSchemaOfOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	b := open(t, file,
		"CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE VIEW v AS SELECT * FROM a")
	if got := b.effect("SELECT * FROM v").Reads; !reflect.DeepEqual(got, tables("a")) {
		t.Fatalf("reads %v", got)
	}
	elsewhere(t, file, "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1); END")
	if got := b.effect("INSERT INTO a VALUES (1)").Writes; !reflect.DeepEqual(got, tables("a b")) {
		t.Errorf("with a new trigger it writes %v", got)
	}
	elsewhere(t, file, "DROP VIEW v; CREATE VIEW v AS SELECT * FROM b")
	if got := b.effect("SELECT * FROM v").Reads; !reflect.DeepEqual(got, tables("b")) {
		t.Errorf("with a new view it reads %v", got)
	}
	elsewhere(t, file, "DROP TABLE a; DROP TABLE b; CREATE TABLE b (x); CREATE TABLE a (x)")
	if got := b.effect("SELECT * FROM a").Reads; !reflect.DeepEqual(got, tables("a")) {
		t.Errorf("with tables that changed places it reads %v", got)
	}
}

func TestEffectDoesNotDisturbATransaction(t *testing.T) {
	b := fresh(t, shop...)
	b.exec("BEGIN", "CREATE TABLE young (a)", "INSERT INTO young VALUES (1)")
	for _, s := range []string{
		"DELETE FROM users", "SELECT nosuch", "SELECT 'a", "COMMIT", "ROLLBACK",
		"DROP TABLE users", "PRAGMA foreign_keys = OFF", "SELECT 1; COMMIT", "EXPLAIN ROLLBACK",
		"VACUUM",
	} {
		b.effect(s)
	}
	if got := b.effect("SELECT * FROM young").Reads; !reflect.DeepEqual(got, tables("young")) {
		t.Errorf("reads %v", got)
	}
	b.exec("COMMIT")
	for statement, want := range map[string]int64{
		"SELECT count(*) FROM young": 1, "SELECT count(*) FROM users": 2, "PRAGMA foreign_keys": 1,
	} {
		if rows, err := b.rows(statement); err != nil || rows[0][0] != want {
			t.Errorf("%s: %v, %v", statement, rows, err)
		}
	}
}

func TestEffectReturnsErrorsThatAreNotTheStatements(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	o := open(t, file, "CREATE TABLE t (a)")
	b := open(t, file)
	o.exec("BEGIN EXCLUSIVE")
	if e, err := b.d.Effect(t.Context(), b.q, "SELECT * FROM t", nil); err == nil {
		t.Errorf("a locked database has effect %+v", e)
	}
	o.exec("ROLLBACK")
	if got := b.effect("SELECT * FROM t"); !got.Cacheable {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.d.Effect(ctx, b.q, "SELECT * FROM t", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
	b.Close()
	o.Close()
}

func TestKeepsStatementsOfNoDriverThatCompilesThemOnce(t *testing.T) {
	b := fresh(t)
	err := b.Raw(func(conn any) error {
		if b.d.KeepsStatements(conn.(driver.Conn)) {
			t.Error("that of modernc keeps statements")
		}
		return nil
	})
	if err != nil || b.d.KeepsStatements(nil) {
		t.Errorf("no connection keeps statements, or %v", err)
	}
}

func TestEffectOfWhatIsLongIsNotAsked(t *testing.T) {
	b := &bench{t: t, d: sqlite.New(sqlite.Options{}), q: silent{}}
	values := strings.Repeat("(1),", 100_000) + "(1)"
	if got := b.effect("INSERT INTO t VALUES " + values); !got.WritesAll || got.Session != 0 {
		t.Errorf("%+v", got)
	}
	got := b.effect("SELECT load_extension('x') UNION VALUES " + values)
	if got.Session != sqlcache.SessionUnknown {
		t.Errorf("%+v", got)
	}
}

// silent answers nothing.
type silent struct{}

func (silent) Inside() bool { return false }

func (silent) Query(context.Context, string, ...driver.NamedValue) ([][]driver.Value, error) {
	return nil, errors.New("asked")
}

// scripted answers EXPLAIN with a program and all else with a number.
type scripted struct {
	program [][]driver.Value
	err     error
	number  any
}

func (s scripted) Inside() bool { return false }

func (s scripted) Query(
	_ context.Context, statement string, _ ...driver.NamedValue,
) ([][]driver.Value, error) {
	switch {
	case strings.HasPrefix(statement, "EXPLAIN "):
		return s.program, s.err
	case strings.HasPrefix(statement, "PRAGMA"):
		return [][]driver.Value{{s.number}}, nil
	}
	return [][]driver.Value{{int64(2), []byte("T")}}, nil
}

// op is a row of EXPLAIN.
func op(opcode string, p1, p2, p3, p5 any) []driver.Value {
	return []driver.Value{int64(0), []byte(opcode), p1, p2, p3, nil, p5, nil}
}

var readsT = [][]driver.Value{
	op("Transaction", int64(0), int64(0), int64(9), int64(1)),
	op("OpenRead", int64(0), int64(2), int64(0), int64(0)),
}

// coded is an error as a driver might have it.
type coded struct{ Code int32 }

func (coded) Error() string { return "coded" }

func TestEffectOfProgramsThatNoSQLiteHasYet(t *testing.T) {
	d := sqlite.New(sqlite.Options{})
	zero := int64(0)
	for name, test := range map[string]struct {
		q    scripted
		want sqlcache.Effect
	}{
		"a known one": {scripted{program: readsT, number: int64(9)},
			sqlcache.Effect{Cacheable: true, Reads: tables("t")}},
		"an unknown instruction": {
			scripted{program: append(readsT[:2:2], op("Teleport", zero, zero, zero, zero)),
				number: int64(9)},
			sqlcache.Effect{Reason: "does Teleport", WritesAll: true}},
		"a page in a register": {
			scripted{program: append(readsT[:1:1],
				op("OpenRead", zero, int64(2), zero, int64(16))),
				number: int64(9)},
			sqlcache.Effect{Reason: "does OpenRead", WritesAll: true}},
		"an unknown page": {
			scripted{program: append(readsT[:1:1], op("OpenRead", zero, int64(7), zero, zero)),
				number: int64(9)},
			sqlcache.Effect{Reason: "reads the schema"}},
		"a write without a table": {
			scripted{program: [][]driver.Value{op("Transaction", zero, int64(1), int64(9), zero)},
				number: int64(9)},
			sqlcache.Effect{WritesAll: true}},
		"a refusal of another driver": {scripted{err: coded{1}},
			sqlcache.Effect{Reason: "does not compile"}},
	} {
		got, err := d.Effect(t.Context(), test.q, "SELECT * FROM t", nil)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", name, got, err, test.want)
		}
	}
}

func TestEffectFailsWhereAnswersMakeNoSense(t *testing.T) {
	d := sqlite.New(sqlite.Options{})
	for name, q := range map[string]scripted{
		"a schema that never holds still": {program: readsT, number: int64(8)},
		"no number":                       {program: readsT, number: "nine"},
		"too few columns":                 {program: [][]driver.Value{{int64(1), "Init"}}},
		"a text as p1":                    {program: [][]driver.Value{op("Init", "a", 0, 0, 0)}},
		"no code":                         {err: errors.New("gone")},
		"a code that is not its fault":    {err: coded{5}},
	} {
		if e, err := d.Effect(t.Context(), q, "SELECT * FROM t", nil); err == nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
