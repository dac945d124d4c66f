// random_test.go runs random statements over random schemas, and compares what they did with what
// was said of them.

package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// world is a random schema, of which the generator knows what it needs.
type world struct {
	*bench
	r      *rand.Rand
	tables []string // each with the columns a, b, c, of which a is its key
	views  []string // with a, b, c too
}

const (
	worlds     = 12
	statements = 40
)

func TestEffectHoldsForRandomStatements(t *testing.T) {
	kept, wrote, all, failed := 0, 0, 0, 0
	for seed := range uint64(worlds) {
		w := newWorld(t, rand.New(rand.NewPCG(seed, 11)))
		for range statements {
			s := w.write()
			if w.r.IntN(2) == 0 {
				s = w.read()
			}
			e := w.effect(s)
			switch {
			case e.Cacheable:
				kept++
				w.checkReads(s, e.Reads)
			case e.Reason == "does not compile":
				failed++
			case len(e.Writes) > 0:
				wrote++
				w.checkWrites(s, e.Writes)
			case e.WritesAll:
				all++
			default:
				w.checkReason(s, e.Reason)
			}
		}
		w.Close()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	counts := fmt.Sprintf("%d kept, %d wrote, %d wrote anything, %d did not compile",
		kept, wrote, all, failed)
	if t.Log(counts); kept < worlds*5 || wrote < worlds*8 || all > worlds || failed > worlds*8 {
		t.Errorf("too little was tried: %s", counts)
	}
}

// checkReason wants every refusal to be for a word that was put in for it.
func (w *world) checkReason(statement, reason string) {
	w.t.Helper()
	for _, word := range []string{"random", "date", "changes", "json_each"} {
		if strings.Contains(statement, word) {
			return
		}
	}
	w.t.Errorf("%s\nis not kept: %q", statement, reason)
}

// checkReads changes all that a statement does not read, and wants its result to stay.
func (w *world) checkReads(statement string, reads []string) {
	w.t.Helper()
	want, err := w.rows(statement)
	if err != nil {
		return
	}
	for _, table := range w.tables {
		if slices.Contains(reads, "main."+table) {
			continue
		}
		w.exec("SAVEPOINT test")
		before := w.dump()
		w.disturb(table)
		if !slices.ContainsFunc(changed(before, w.dump()), func(name string) bool {
			return slices.Contains(reads, name)
		}) {
			if got, err := w.rows(statement); err != nil || !reflect.DeepEqual(got, want) {
				w.t.Errorf("%s\nreads %v, but %s matters:\n got %v, %v\nwant %v",
					statement, reads, table, got, err, want)
			}
		}
		w.exec("ROLLBACK TO test", "RELEASE test")
	}
}

// disturb changes rows of a table, as far as its constraints allow.
func (w *world) disturb(table string) {
	for _, s := range []string{
		"INSERT OR IGNORE INTO %s (a, b, c) VALUES (77, 78, 'x'), (78, 1, 'y')",
		"UPDATE OR IGNORE %s SET b = coalesce(b, 0) + 3, c = c || 'z'",
		"DELETE FROM %s WHERE a %% 2 = 0",
	} {
		// What a constraint or a trigger refuses changes nothing, which is fine.
		_, _ = w.ExecContext(w.t.Context(), fmt.Sprintf(s, table))
	}
}

// checkWrites runs a statement, and wants all tables that it changed to be among those.
func (w *world) checkWrites(statement string, writes []string) {
	w.t.Helper()
	before := w.dump()
	if _, err := w.rows(statement); err != nil {
		return
	}
	for _, name := range changed(before, w.dump()) {
		if !slices.Contains(writes, name) {
			w.t.Errorf("%s\nwrites %v, but changed %s", statement, writes, name)
		}
	}
}

// dump returns the rows of all tables.
func (w *world) dump() map[string]string {
	all := map[string]string{}
	for _, table := range append([]string{"sqlite_sequence"}, w.tables...) {
		rows, err := w.rows("SELECT * FROM " + table)
		if err != nil {
			w.t.Fatal(err)
		}
		all["main."+table] = fmt.Sprint(rows)
	}
	return all
}

// changed returns the tables whose rows are not the same.
func changed(before, after map[string]string) (names []string) {
	for name, rows := range before {
		if after[name] != rows {
			names = append(names, name)
		}
	}
	return names
}

// one returns any of its arguments.
func (w *world) one(of ...string) string { return of[w.r.IntN(len(of))] }

// newWorld makes a schema.
func newWorld(t *testing.T, r *rand.Rand) *world {
	w := &world{bench: fresh(t, "PRAGMA journal_mode = MEMORY",
		"CREATE TABLE base (a INTEGER PRIMARY KEY AUTOINCREMENT, b, c)"), r: r}
	w.tables = []string{"base"}
	w.exec("PRAGMA foreign_keys = "+w.one("ON", "OFF"),
		"PRAGMA recursive_triggers = "+w.one("ON", "OFF"))
	for i := range 4 {
		w.addTable(fmt.Sprintf("t%d", i))
	}
	for i := range 3 {
		name := fmt.Sprintf("v%d", i)
		w.exec("CREATE VIEW " + name + " (a, b, c) AS " + w.selection())
		w.views = append(w.views, name)
	}
	for i := range 5 {
		w.addTrigger(fmt.Sprintf("r%d", i))
	}
	return w
}

func (w *world) addTable(name string) {
	other := w.one(w.tables...)
	key := w.one("a INTEGER PRIMARY KEY", "a INTEGER PRIMARY KEY AUTOINCREMENT", "a INT UNIQUE")
	tail := ""
	if w.r.IntN(3) == 0 {
		key, tail = "a INT PRIMARY KEY", " WITHOUT ROWID"
	}
	reference := ""
	if w.r.IntN(2) == 0 {
		reference = " REFERENCES " + other + " (a) ON DELETE " +
			w.one("CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT") + " ON UPDATE " +
			w.one("CASCADE", "SET NULL", "NO ACTION")
	}
	computed := w.one("", ", d AS (upper(c))", ", d AS (b + 1) STORED")
	w.exec("CREATE TABLE " + name + " (" + key + ", b INT" + reference + ", c TEXT" +
		w.one("", " COLLATE NOCASE") + computed + ")" + tail)
	w.exec("CREATE INDEX " + name + "_i ON " + name +
		w.one(" (b)", " (b, c)", " (c) WHERE b > 3", " (upper(c), a)", " (b, a, c)"))
	w.exec("INSERT OR IGNORE INTO " + name + " (a, b, c) " +
		"WITH n (i) AS (VALUES (1), (2), (3), (4), (5), (6)) " +
		"SELECT i, NULL, 'c' || (i % 3) FROM n")
	w.tables = append(w.tables, name)
}

func (w *world) addTrigger(name string) {
	event := w.one("INSERT", "DELETE", "UPDATE", "UPDATE OF b")
	place := w.one("AFTER ", "BEFORE ") + event + " ON " + w.one(w.tables...)
	if w.r.IntN(3) == 0 {
		place = "INSTEAD OF " + event + " ON " + w.one(w.views...)
	}
	w.exec("CREATE TRIGGER " + name + " " + place + " BEGIN " + w.change() + "; " +
		w.change() + "; END")
}

// change is a write that is short enough for triggers that set off each other.
func (w *world) change() string {
	table := w.one(w.tables...)
	switch w.r.IntN(4) {
	case 0:
		return "INSERT OR IGNORE INTO " + table + " (a, b, c) SELECT max(a) + 1, NULL, 'n' FROM " +
			w.one(w.tables...) + " WHERE (SELECT count(*) FROM " + table + ") < 12"
	case 1:
		return "UPDATE OR IGNORE " + table + " SET c = 'u" + w.number() +
			"' WHERE " + w.test("a")
	case 2:
		return "DELETE FROM " + table + " WHERE " + w.test("a")
	}
	return "INSERT OR REPLACE INTO " + table + " (a, b, c) VALUES (" + w.number() + ", NULL, 'r')"
}

// write is any write.
func (w *world) write() string {
	target := w.one(append(w.views, w.tables...)...)
	returning := w.one("", "", " RETURNING a, b")
	switch w.r.IntN(9) {
	case 0:
		return "INSERT INTO " + target + " (a, b, c) " + w.selection()
	case 1:
		return "INSERT OR REPLACE INTO " + w.one(w.tables...) + " (a, c) VALUES (" + w.number() +
			", 'w')" + returning
	case 2:
		return "UPDATE " + target + " SET " +
			w.one("b = NULL", "c = 'q'", "b = b + 1", "a = a + 20") +
			" WHERE " + w.condition("") + returning
	case 3:
		return "DELETE FROM " + target + " WHERE " + w.condition("") + returning
	case 4:
		return "INSERT INTO " + w.one(w.tables...) + " (a, c) VALUES (" + w.number() +
			", 'x') ON CONFLICT DO UPDATE SET c = c || 'y', b = NULL" + returning
	case 5:
		return "UPDATE " + w.one(w.tables...) + " SET c = v.c FROM " + w.one(w.views...) +
			" v WHERE " + w.condition("v.")
	case 6:
		return "WITH x AS (" + w.selection() + ") DELETE FROM " + w.one(w.tables...) +
			" WHERE a IN (SELECT 1 FROM x)"
	case 7:
		return "DELETE FROM " + w.one(w.tables...)
	}
	return w.change()
}

// read is any read.
func (w *world) read() string {
	from := w.source()
	switch w.r.IntN(8) {
	case 0:
		return w.selection()
	case 1:
		return "SELECT count(*), min(b), max(c), group_concat(c) FROM " + from +
			" WHERE " + w.condition("")
	case 2:
		return "SELECT x.*, y.b FROM " + from + " x " + w.one("", "LEFT ", "FULL ") + "JOIN " +
			w.source() + " y ON x.b = y.a OR " + w.condition("y.") + " ORDER BY x.a, y.b LIMIT 20"
	case 3:
		return "SELECT a, row_number() OVER (PARTITION BY b ORDER BY c, a), " +
			"sum(a) OVER (ORDER BY a) FROM " + from
	case 4:
		return "WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n, " + from +
			" WHERE i < 4) SELECT i FROM n WHERE " +
			strings.ReplaceAll(w.condition("i + "), "i + a", "i")
	case 5:
		return w.selection() + w.one(" UNION ", " EXCEPT ", " INTERSECT ", " UNION ALL ") +
			w.selection()
	case 6:
		return "SELECT c, (SELECT sum(b) FROM " + w.source() + ") FROM " + from +
			" GROUP BY c, b HAVING " + w.condition("")
	}
	return "SELECT a, " + w.one("random()", "date('now')", "changes()", "upper(c)", "abs(b)",
		"(SELECT value FROM json_each('[1]'))") + " FROM " + from + " WHERE " + w.condition("")
}

// selection is a query of three columns.
func (w *world) selection() string {
	return "SELECT " +
		w.one("a, b, c", "b, a, lower(c)", "a, count(*), max(c)", "DISTINCT b, a, c") + " FROM " +
		w.source() + " WHERE " + w.condition("") + w.one("", " GROUP BY a")
}

func (w *world) source() string { return w.one(append(w.views, w.tables...)...) }

// condition is what a WHERE says.
func (w *world) condition(of string) string {
	switch w.r.IntN(5) {
	case 0:
		return of + "a IN (SELECT " + w.one("a", "b") + " FROM " + w.source() + ")"
	case 1:
		return "EXISTS (SELECT 1 FROM " + w.source() + " e WHERE e.a = " + of + "a)"
	case 2:
		return w.test(of+"a") + " OR " + w.test(of+"a")
	case 3:
		return w.test(of+"a") + " AND (SELECT max(b) FROM " + w.source() + ") IS NULL"
	}
	return w.test(of + "a")
}

func (w *world) test(column string) string {
	return column + w.one(" = ", " < ", " > ", " <> ") + w.number()
}

func (w *world) number() string { return fmt.Sprint(w.r.IntN(12)) }
