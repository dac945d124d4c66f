// sqlite_test.go looks for a difference that the cache makes to SQLite.

package sqlcache_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/sqlite"
)

const sqliteSchema = `
CREATE TABLE t0 (id INTEGER PRIMARY KEY, n INT, f REAL, s TEXT);
CREATE TABLE t1 (id INTEGER PRIMARY KEY, b BLOB, any, at DATETIME, d DATE, ok BOOLEAN, num NUMERIC);
CREATE TABLE t2 (id INTEGER PRIMARY KEY, t0 INT REFERENCES t0 ON DELETE CASCADE, s TEXT);
CREATE TABLE t3 (k TEXT PRIMARY KEY, s TEXT) WITHOUT ROWID;
CREATE VIEW v0 AS SELECT t0.id, t0.s, count(t2.id) AS n FROM t0 LEFT JOIN t2 ON t2.t0 = t0.id GROUP BY 1, 2;
CREATE TABLE l0 (id INTEGER PRIMARY KEY, s TEXT);
CREATE TABLE logged (id INT, what TEXT);
CREATE TRIGGER note AFTER UPDATE ON l0 BEGIN INSERT INTO logged VALUES (NEW.id, 'update'); END;
CREATE INDEX i0 ON t0 (n);
`

// sqliteWorld is two files, and somebody who writes into both past the cache.
type sqliteWorld struct {
	*twins
	cache   *sqlcache.Cache
	foreign [2]*sql.DB
}

func newSQLiteWorld(t *testing.T, mode string) *sqliteWorld {
	w := &sqliteWorld{}
	dsns := [2]string{}
	for i, name := range []string{"bare.db", "cached.db"} {
		dsns[i] = "file:" + filepath.Join(t.TempDir(), name) +
			"?_pragma=foreign_keys(1)&_pragma=journal_mode(" + mode + ")"
		w.foreign[i] = openDB(t, "sqlite", dsns[i])
		mustExec(t, w.foreign[i], sqliteSchema)
	}
	w.cache = sqlcache.New(sqlcache.Options{
		Dialect: sqlite.New(sqlite.Options{}), All: true, MaxStatements: 8,
		OnError: func(err error) { t.Error(err) },
	})
	t.Cleanup(func() { w.cache.Close() })
	cached, err := w.cache.Open("sqlite", dsns[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cached.Close() })
	w.twins = newTwins(t, openDB(t, "sqlite", dsns[0]), cached)
	return w
}

func TestSQLiteAnswersAsWithoutTheCache(t *testing.T) {
	w := newSQLiteWorld(t, "wal")
	w.play(seed(t), deeds)
	t.Logf("%+v", w.cache.Stats())
	if s := w.cache.Stats(); s.Hits < deeds/20 {
		t.Errorf("only %d hits: the test says little", s.Hits)
	}
}

// play does random deeds, one after the other.
func (w *sqliteWorld) play(r *rand.Rand, n int) {
	for n := range n {
		if n%1000 == 999 {
			w.reconnect()
		}
		i := r.IntN(2)
		d := w.again(r, sqliteDeed)
		inside := w.bare[i].tx != nil
		switch {
		case inside && (d.kind == "begin" || d.kind == "prepare"),
			!inside && (d.kind == "commit" || d.kind == "rollback"):
			continue
		case d.kind == "foreign":
			w.foreignDeed(d)
			continue
		}
		if slices.Contains(sqliteSchemaChanges, d.text) {
			w.do(i, refresh)
		}
		w.do(i, d)
	}
}

// foreignDeed writes past the cache. If the file is locked, it is so for both.
func (w *sqliteWorld) foreignDeed(d deed) {
	w.t.Helper()
	w.done = append(w.done, d.String())
	_, err := w.foreign[0].Exec(d.text, d.args...)
	_, other := w.foreign[1].Exec(d.text, d.args...)
	if (err == nil) != (other == nil) {
		w.t.Fatalf("%s\n%v, with the cache %v", strings.Join(w.done, "\n"), err, other)
	}
}

func sqliteDeed(r *rand.Rand) deed {
	switch n := r.IntN(100); {
	case n < 58:
		return sqliteRead(r)
	case n < 78:
		return sqliteWrite(r)
	case n < 81:
		return deed{kind: "begin"}
	case n < 88:
		return deed{kind: "commit"}
	case n < 90:
		return deed{kind: "rollback"}
	case n < 91:
		return sqliteSchemaChange(r)
	case n < 93:
		return deed{kind: "prepare", text: "SELECT * FROM t0 WHERE id < $1 ORDER BY id"}
	case n < 97:
		return deed{kind: "prepared", args: []any{int64(r.IntN(20))}}
	case n < 98:
		return deed{kind: "foreign", text: "DELETE FROM t3 WHERE k = $1", args: []any{fmt.Sprint(small(r))}}
	default:
		return deed{kind: "foreign", text: "INSERT OR REPLACE INTO t0 (id, n, s) VALUES ($1, $2, 'foreign')",
			args: []any{small(r), small(r)}}
	}
}

var sqliteReads = []string{
	"SELECT * FROM t0 WHERE id < $1 ORDER BY id",
	"SELECT * FROM t0 WHERE id < $1 ORDER BY id",
	"SELECT id, s FROM t0 WHERE id = $1",
	"SELECT * FROM t1 WHERE id < $1 ORDER BY id",
	"SELECT t0.id, t2.s, f FROM t0 JOIN t2 ON t2.t0 = t0.id WHERE t0.id < $1 ORDER BY 1, 2",
	"SELECT * FROM t3 WHERE k < $1 ORDER BY k",
	"SELECT * FROM v0 WHERE id < $1 ORDER BY id",
	"SELECT count(*), max(n), sum(f), group_concat(s) FROM t0 WHERE n <= $1",
	"SELECT n FROM t0 WHERE n < $1 ORDER BY n", // the index alone
	"WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < $1) SELECT i, s FROM x LEFT JOIN t0 ON id = i ORDER BY i",
	"SELECT id, rank() OVER (ORDER BY n, id) FROM t0 WHERE id < $1 ORDER BY id",
	"SELECT id FROM t0 WHERE id < $1 UNION ALL SELECT id FROM t2 ORDER BY id",
	"SELECT id, what FROM logged WHERE id < $1 ORDER BY id, what",
	"SELECT upper(s), typeof(n), length(s) FROM t0 WHERE id < $1 ORDER BY id",
	"SELECT last_insert_rowid(), $1",
	"SELECT changes(), $1",
	"SELECT nothing FROM t0 WHERE id = $1",
	"SELECT * FROM extra WHERE id < $1 ORDER BY id",
	"SELECT value FROM json_each('[1,2]') WHERE value < $1",
	"SELECT name FROM sqlite_master WHERE length(name) > $1 ORDER BY name",
	"SELEC $1",
}

func sqliteRead(r *rand.Rand) deed {
	text := sqliteReads[r.IntN(len(sqliteReads))]
	if r.IntN(5) == 0 {
		return deed{kind: "query", text: strings.ReplaceAll(text, "$1", fmt.Sprint(small(r)))}
	}
	return deed{kind: "query", text: text, args: []any{small(r)}}
}

func sqliteWrite(r *rand.Rand) deed {
	switch r.IntN(12) {
	case 0, 1:
		return deed{"exec", "INSERT OR REPLACE INTO t0 (id, n, f, s) VALUES ($1, $2, $3, $4)",
			[]any{small(r), small(r), r.Float64(), nullable(r, fmt.Sprint("s", small(r)))}}
	case 2:
		return deed{"exec", "UPDATE t0 SET n = n + 1 WHERE id = $1", []any{small(r)}}
	case 3:
		return deed{"exec", "DELETE FROM t0 WHERE id = $1", []any{small(r)}}
	case 4:
		return deed{"exec", "INSERT OR REPLACE INTO t1 VALUES ($1, x'00ff', $2, '2024-05-06 07:08:09+02:00', '2024-05-06', 1, '1.50')",
			[]any{small(r), []any{nil, int64(7), 1.5, "text", []byte{1, 0}}[r.IntN(5)]}}
	case 5:
		return deed{"exec", "INSERT OR IGNORE INTO t2 VALUES ($1, $2, 'two')", []any{small(r), small(r)}}
	case 6:
		return deed{"exec", "INSERT OR REPLACE INTO t3 VALUES ($1, 'three')", []any{fmt.Sprint(small(r))}}
	case 7:
		return deed{"query", "INSERT INTO t0 (id, n) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET n = t0.n + 1 RETURNING *", []any{small(r)}}
	case 8:
		return deed{"exec", "INSERT OR IGNORE INTO l0 VALUES ($1, 'x')", []any{small(r)}}
	case 9:
		return deed{"exec", "UPDATE l0 SET s = s || 'y' WHERE id < $1", []any{small(r)}}
	case 10:
		return deed{kind: "exec", text: "DELETE FROM " + []string{"t1", "t2", "logged"}[r.IntN(3)]}
	default:
		return deed{"exec", "INSERT INTO t2 (t0, s) SELECT id, s FROM t0 WHERE id = $1", []any{small(r)}}
	}
}

// refresh has a connection of SQLite see how the schema is: what does not compile by an older one is an
// error, even if it would compile now, and the cache has looked.
var refresh = deed{kind: "query", text: "SELECT count(*) FROM sqlite_master"}

var sqliteSchemaChanges = []string{
	"ALTER TABLE t0 ADD COLUMN more TEXT DEFAULT 'more'",
	"ALTER TABLE t0 DROP COLUMN more",
	"CREATE TABLE IF NOT EXISTS extra AS SELECT id, s FROM t0",
	"DROP TABLE IF EXISTS extra",
	"DROP VIEW IF EXISTS v0; CREATE VIEW v0 AS SELECT id, s, n FROM t0",
	"CREATE INDEX IF NOT EXISTS i1 ON t0 (s)",
	"DROP INDEX IF EXISTS i1",
	"VACUUM",
}

func sqliteSchemaChange(r *rand.Rand) deed {
	return deed{kind: "exec", text: sqliteSchemaChanges[r.IntN(len(sqliteSchemaChanges))]}
}
