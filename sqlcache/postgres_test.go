// postgres_test.go looks for a difference that the cache makes to PostgreSQL.

package sqlcache_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
	"github.com/larder-go/larder/store"
	watch "github.com/larder-go/larder/watch/postgres"
)

// pgWorld is two databases of one server, and somebody who writes into both past the cache.
type pgWorld struct {
	*twins
	cache   *sqlcache.Cache
	foreign [2]*sql.DB
	ear     *ear
	told    int
}

// ear is a watcher that remembers which tables it was told of.
type ear struct {
	store.Watcher
	mu   sync.Mutex // guards the field below
	last string
}

// Watch implements store.Watcher.
func (e *ear) Watch(hear func(store.Event)) (stop func()) {
	return e.Watcher.Watch(func(event store.Event) {
		hear(event)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.last = event.Tag
	})
}

// heard reports whether the last it was told of is tag.
func (e *ear) heard(tag string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last == tag
}

func newPgWorld(t *testing.T, driver string) *pgWorld {
	server := servers.Postgres(t, "-c", "autovacuum=off")
	admin := openDB(t, "pgx", server.DSN)
	w := &pgWorld{}
	dsns := [2]string{}
	for i, name := range []string{"bare", "cached"} {
		mustExec(t, admin, "CREATE DATABASE "+name)
		mustExec(t, admin, "ALTER DATABASE "+name+" SET lock_timeout = '30ms'") // a lock is no end
		dsns[i] = strings.Replace(server.DSN, "/postgres?", "/"+name+"?", 1)
		w.foreign[i] = openDB(t, "pgx", dsns[i])
		mustExec(t, w.foreign[i], pgSchema)
		if _, err := postgres.Install(t.Context(), w.foreign[i], postgres.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	watcher, err := watch.New(watch.Options{DSN: dsns[1]})
	if err != nil {
		t.Fatal(err)
	}
	w.ear = &ear{Watcher: watcher}
	w.cache = sqlcache.New(sqlcache.Options{
		Dialect: postgres.New(postgres.Options{}), All: true, Watch: w.ear, MaxStatements: 8,
		OnError: func(err error) { t.Error(err) },
	})
	t.Cleanup(func() { w.cache.Close() })
	if driver == "pgx" {
		for i := range dsns { // its own kept statements fail once after a change of the schema; a hit does not
			dsns[i] += "&default_query_exec_mode=describe_exec"
		}
	}
	cached, err := w.cache.Open(driver, dsns[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cached.Close() })
	w.twins = newTwins(t, openDB(t, driver, dsns[0]), cached)
	await(t, "the link", func() bool { return !w.cache.Stats().Deaf })
	return w
}

const pgSchema = `
CREATE TABLE t0 (id int8 PRIMARY KEY, n int4, f float8, s text);
CREATE TABLE t1 (id int8 PRIMARY KEY, r float4, num numeric(20,5), b bytea, ok bool, at timestamptz,
	ts timestamp, d date, tm time, iv interval, u uuid, j jsonb, arr int4[], tarr text[], c char(5));
CREATE TABLE t2 (id int8 PRIMARY KEY, t0 int8 REFERENCES t0 ON DELETE CASCADE ON UPDATE CASCADE, s text);
CREATE TABLE t3 (id int8, at date, s text) PARTITION BY RANGE (id);
CREATE TABLE t3_low PARTITION OF t3 FOR VALUES FROM (0) TO (50);
CREATE TABLE t3_high PARTITION OF t3 DEFAULT;
CREATE VIEW v0 AS SELECT t0.id, t0.s, count(t2.id) AS n FROM t0 LEFT JOIN t2 ON t2.t0 = t0.id GROUP BY 1, 2;
CREATE VIEW v1 AS SELECT id, n FROM t0 WHERE n > 3;
CREATE SEQUENCE q;
CREATE SCHEMA other;
CREATE TABLE other.t0 (id int8 PRIMARY KEY, n int4, f float8, s text);
CREATE FUNCTION hidden(bigint) RETURNS bigint LANGUAGE sql VOLATILE AS
	'UPDATE t0 SET n = n + 1 WHERE id = $1; SELECT $1';
CREATE FUNCTION twice(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE logged (id int8, what text);
CREATE TABLE l0 (id int8 PRIMARY KEY, s text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO logged VALUES (coalesce(NEW.id, OLD.id), TG_OP); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON l0 FOR EACH ROW EXECUTE FUNCTION note();
`

func TestPostgresAnswersAsWithoutTheCache(t *testing.T) {
	w := newPgWorld(t, "pgx")
	w.play(seed(t), deeds)
	t.Logf("%+v", w.cache.Stats())
	if s := w.cache.Stats(); s.Hits < deeds/20 {
		t.Errorf("only %d hits: the test says little", s.Hits)
	}
}

func TestPostgresByLibPQAnswersAsWithoutTheCache(t *testing.T) {
	w := newPgWorld(t, "postgres")
	w.play(seed(t), deeds/4)
	t.Logf("%+v", w.cache.Stats())
}

// play does random deeds, one after the other. A connection leaves alone what the transaction of
// the other has locked.
func (w *pgWorld) play(r *rand.Rand, n int) {
	locked := [2]bool{}    // by a transaction that wrote
	exclusive := [2]bool{} // by one that lets nobody read either, for which a hit would not wait
	textual := [2]bool{}   // the transaction was begun by its text
	for n := range n {
		if n%400 == 399 {
			w.reconnect()
			locked, exclusive, textual = [2]bool{}, [2]bool{}, [2]bool{}
		}
		i := r.IntN(2)
		d := w.again(r, pgDeed)
		inside := w.bare[i].tx != nil || textual[i]
		switch {
		case exclusive[1-i]:
			continue
		case d.kind == "query" || d.kind == "prepared":
		case locked[1-i]:
			continue
		case d.kind == "begin" && inside, d.kind == "prepare" && inside:
			continue
		case (d.kind == "commit" || d.kind == "rollback") && w.bare[i].tx == nil:
			continue
		case d.kind == "begin" && r.IntN(2) == 0:
			d, textual[i] = deed{kind: "exec", text: "BEGIN"}, true
		case d.kind == "foreign":
			if !locked[i] {
				w.foreignDeed(d)
			}
			continue
		}
		if textual[i] && r.IntN(6) == 0 {
			d = deed{kind: "exec", text: []string{"COMMIT", "ROLLBACK", "END"}[r.IntN(3)]}
			textual[i], inside = false, false
		}
		w.do(i, d)
		switch d.kind {
		case "commit", "rollback":
			locked[i] = false
		default:
			locked[i] = inside && (locked[i] || d.kind == "exec" || locks(d))
		}
		if locked[i] && d.kind == "exec" && !strings.Contains("INSERT UPDATE DELETE", d.text[:6]) {
			exclusive[i] = true
		}
		if !textual[i] && w.bare[i].tx == nil {
			locked[i], exclusive[i] = false, false
		}
	}
}

// locks reports whether a query locks rows.
func locks(d deed) bool {
	return d.kind == "query" && (strings.HasPrefix(d.text, "INSERT") || strings.HasPrefix(d.text, "WITH gone") ||
		strings.Contains(d.text, "hidden") || strings.Contains(d.text, "FOR UPDATE"))
}

// foreignDeed writes past the cache, and waits until that has been heard.
func (w *pgWorld) foreignDeed(d deed) {
	w.t.Helper()
	w.done = append(w.done, d.String())
	for _, db := range w.foreign {
		mustExec(w.t, db, d.text, d.args...)
	}
	w.told++
	last := fmt.Sprint("the deed ", w.told)
	mustExec(w.t, w.foreign[1], "SELECT pg_notify($1, $2)", watch.DefaultChannel, "tag:"+last)
	await(w.t, "what others wrote", func() bool { return w.ear.heard(last) })
}

// pgDeed makes up something to do.
func pgDeed(r *rand.Rand) deed {
	switch n := r.IntN(100); {
	case n < 55:
		return pgRead(r)
	case n < 78:
		return pgWrite(r)
	case n < 82:
		return deed{kind: "begin"}
	case n < 87:
		return deed{kind: "commit"}
	case n < 89:
		return deed{kind: "rollback"}
	case n < 90:
		return pgSchemaChange(r)
	case n < 91:
		return pgSession(r)
	case n < 93:
		return deed{kind: "prepare", text: "/* prepared */ SELECT * FROM t0 WHERE id < $1 ORDER BY id"}
	case n < 98:
		return deed{kind: "prepared", args: []any{int64(r.IntN(20))}}
	default:
		return deed{kind: "foreign", text: "INSERT INTO t0 (id, n, s) VALUES ($1, $2, 'foreign') " +
			"ON CONFLICT (id) DO UPDATE SET n = excluded.n", args: []any{small(r), small(r)}}
	}
}

// pgReads are reads with one argument of a number, of which some may not be kept.
var pgReads = []string{
	"SELECT * FROM t0 WHERE id < $1 ORDER BY id",
	"SELECT * FROM t0 WHERE id < $1 ORDER BY id",
	"SELECT id, s FROM t0 WHERE id = $1::bigint",
	"SELECT * FROM t1 WHERE id < $1 ORDER BY id",
	"SELECT * FROM t1 WHERE id < $1 ORDER BY id",
	"SELECT * FROM t1 WHERE id = $1 AND d < '2024-05-06'::date",
	"SELECT t0.id, t2.s, f FROM t0 JOIN t2 ON t2.t0 = t0.id WHERE t0.id < $1 ORDER BY 1, 2",
	"SELECT * FROM t3 WHERE id < $1 * 10 ORDER BY id, s",
	"SELECT * FROM t3_low WHERE id < $1 ORDER BY id, s",
	"SELECT * FROM t3_high WHERE id < $1 * 20 ORDER BY id, s",
	"SELECT * FROM v0 WHERE id < $1 ORDER BY id",
	"SELECT * FROM v1 WHERE id < $1 ORDER BY id",
	"SELECT count(*), max(n), sum(f), string_agg(s, ',' ORDER BY id) FROM t0 WHERE n <= $1",
	"WITH x AS (SELECT id, n FROM t0 WHERE id < $1) SELECT twice(id), n FROM x ORDER BY id",
	"SELECT id, rank() OVER (ORDER BY n, id) FROM t0 WHERE id < $1 ORDER BY id",
	"SELECT 10 / (id - 3) FROM t0 WHERE id < $1 ORDER BY id", // fails on the way
	"SELECT id FROM t0 WHERE id < $1 UNION ALL SELECT id FROM t2 ORDER BY id",
	"SELECT id, what FROM logged WHERE id < $1 ORDER BY id, what",
	"SELECT hidden($1)",
	"SELECT nextval('q'), $1::int",
	"SELECT current_setting('TimeZone'), $1::int",
	"SELECT current_user, $1::int",
	"SELECT * FROM t0 WHERE id = $1 FOR UPDATE SKIP LOCKED",
	"SELECT at::text, $1::int FROM t1 ORDER BY id",
	"SELECT id, s FROM other.t0 WHERE id < $1 ORDER BY id",
	"SELECT nothing FROM t0 WHERE id = $1",
	"SELECT * FROM extra WHERE id < $1 ORDER BY id", // may be there or not
	"SELEC $1::int",
}

func pgRead(r *rand.Rand) deed {
	text := pgReads[r.IntN(len(pgReads))]
	if r.IntN(5) == 0 { // without arguments
		return deed{kind: "query", text: strings.ReplaceAll(text, "$1", fmt.Sprint(small(r)))}
	}
	return deed{kind: "query", text: text, args: []any{small(r)}}
}

func pgWrite(r *rand.Rand) deed {
	switch r.IntN(16) {
	case 0, 1:
		return deed{"exec", "INSERT INTO t0 VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET n = excluded.n, s = excluded.s",
			[]any{small(r), small(r), r.Float64(), nullable(r, fmt.Sprint("s", small(r)))}}
	case 2:
		return deed{"exec", "UPDATE t0 SET n = n + 1 WHERE id = $1", []any{small(r)}}
	case 3:
		return deed{"exec", "DELETE FROM t0 WHERE id = $1", []any{small(r)}}
	case 4:
		return deed{"exec", `INSERT INTO t1 VALUES ($1, 1.5, 12345.678, '\x00ff10', true,
			'2024-05-06 07:08:09.123456+02', '2024-05-06 07:08:09.5', '2024-05-06', '23:59:58.001', '1 mon 2 days 03:04:05.6',
			'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1, null]}', '{1,NULL,3}', '{a,"b c"}', 'ab')
			ON CONFLICT (id) DO NOTHING`, []any{small(r)}}
	case 5:
		return deed{"exec", "UPDATE t1 SET b = $2, num = NULL, at = at + interval '1 hour' WHERE id = $1",
			[]any{small(r), []byte{byte(small(r)), 0}}}
	case 6:
		return deed{"exec", "INSERT INTO t2 VALUES ($1, $2, 'two') ON CONFLICT (id) DO NOTHING", []any{small(r), small(r)}}
	case 7:
		return deed{"exec", "INSERT INTO t3 VALUES ($1, '2024-01-02', 'three')", []any{small(r) * 10}}
	case 8:
		return deed{"exec", "DELETE FROM " + []string{"t3", "t3_low", "t3_high"}[r.IntN(3)] + " WHERE id = $1", []any{small(r) * 10}}
	case 9:
		return deed{"query", "INSERT INTO t0 (id, n) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET n = t0.n + 1 RETURNING *", []any{small(r)}}
	case 10:
		return deed{"query", "WITH gone AS (DELETE FROM t2 WHERE id = $1 RETURNING t0) UPDATE t0 SET s = 'lost' FROM gone WHERE t0.id = gone.t0 RETURNING t0.id", []any{small(r)}}
	case 11:
		return deed{"exec", "UPDATE v1 SET n = n + 2 WHERE id = $1", []any{small(r)}}
	case 12:
		return deed{"exec", "INSERT INTO l0 VALUES ($1, 'x') ON CONFLICT (id) DO UPDATE SET s = l0.s || 'y'", []any{small(r)}}
	case 13:
		return deed{"exec", "UPDATE t0 SET id = id + 100 WHERE id = $1", []any{small(r)}}
	case 14:
		return deed{kind: "exec", text: "TRUNCATE " + []string{"t1", "t0 CASCADE", "t3_low", "t3"}[r.IntN(4)]}
	default:
		return deed{"exec", "INSERT INTO other.t0 (id, s) VALUES ($1, 'other') ON CONFLICT DO NOTHING", []any{small(r)}}
	}
}

func pgSchemaChange(r *rand.Rand) deed {
	texts := []string{
		"ALTER TABLE t0 ADD COLUMN IF NOT EXISTS more text DEFAULT 'more'",
		"ALTER TABLE t0 DROP COLUMN IF EXISTS more",
		"CREATE TABLE IF NOT EXISTS extra AS SELECT id, s FROM t0",
		"DROP TABLE IF EXISTS extra",
		"CREATE OR REPLACE VIEW v1 AS SELECT id, n FROM t0 WHERE n > 1",
		"CREATE OR REPLACE VIEW v1 AS SELECT id, n FROM t0 WHERE n < 7",
		"ALTER TABLE t0 RENAME TO tx; ALTER TABLE other.t0 RENAME TO ty; ALTER TABLE tx RENAME TO t0; ALTER TABLE other.ty RENAME TO t0",
		"CREATE OR REPLACE FUNCTION twice(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3'",
		"CREATE INDEX IF NOT EXISTS i0 ON t0 (n)",
	}
	return deed{kind: "exec", text: texts[r.IntN(len(texts))]}
}

func pgSession(r *rand.Rand) deed {
	texts := []string{
		"SET TimeZone = 'Europe/Berlin'", "SET TimeZone = 'America/New_York'", "RESET TimeZone",
		"SET search_path = other, public", "SET search_path = public", "RESET search_path",
		"SET extra_float_digits = 0", "RESET ALL",
		"SET bytea_output = 'escape'",
	}
	return deed{kind: "exec", text: texts[r.IntN(len(texts))]}
}
