// writes_test.go lists writes, with the tables that they change, also behind what they name.

package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
)

const writeSchema = schema + `
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE watched (id int);
CREATE TRIGGER t BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION vouched_touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE stamped (id int);
CREATE TRIGGER t BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION vouched_touch();
CREATE TABLE ruled (id int);
CREATE RULE r AS ON DELETE TO ruled DO ALSO DELETE FROM teams;
CREATE TABLE called (id int DEFAULT hides(1));
CREATE TABLE numbered (id serial, at timestamptz DEFAULT now());
CREATE VIEW plain AS SELECT id, name FROM users WHERE id > 0;
CREATE VIEW onto AS SELECT * FROM plain;
CREATE VIEW instead AS SELECT u.id FROM users u, teams t;
CREATE TRIGGER t INSTEAD OF INSERT ON instead FOR EACH ROW EXECUTE FUNCTION touch();
`

const family = "public.days public.days1 public.days2 public.days3"

// written are writes with the tables that they may change.
var written = []struct{ statement, writes string }{
	{"INSERT INTO users VALUES (1)", "public.users"},
	{"INSERT INTO users (id, seen) VALUES ($1, now()) RETURNING id", "public.users"},
	{"INSERT INTO users SELECT * FROM users ON CONFLICT (id) DO UPDATE SET name = 'x'",
		"public.users"},
	{"UPDATE users SET name = $1 WHERE id = $2", "public.users"},
	{"DELETE FROM users", "public.users shop.lines shop.orders"},
	{"DELETE FROM users u USING teams t WHERE t.id = u.team", "public.users shop.lines shop.orders"},
	{"DELETE FROM shop.orders", "shop.lines shop.orders"},
	{"UPDATE keys SET code = 'x'", "public.keys public.uses"},
	{"DELETE FROM keys", "public.keys"},
	{"TRUNCATE keys", "public.keys"},
	{"TRUNCATE keys, users CASCADE",
		"public.keys public.users public.uses shop.lines shop.orders"},
	{"MERGE INTO users u USING teams t ON t.id = u.team WHEN MATCHED THEN DELETE",
		"public.users shop.lines shop.orders"},
	{"COPY users FROM STDIN", "public.users"},
	{"INSERT INTO days VALUES (1, '2020-02-02')", family},
	{"INSERT INTO days3 VALUES (1, '2021-02-02')", "public.days public.days2 public.days3"},
	{"DELETE FROM days1", "public.days public.days1"},
	{"UPDATE animals SET name = 'x'", "public.animals public.cats"},
	{"UPDATE cats SET name = 'x'", "public.animals public.cats"},
	{"WITH x AS (DELETE FROM keys RETURNING *) SELECT * FROM x", "public.keys"},
	{"SELECT * FROM (WITH x AS (UPDATE teams SET id = 1 RETURNING *) SELECT * FROM x) y",
		"public.teams"},
	{"WITH x AS (INSERT INTO keys VALUES ('a') RETURNING *) INSERT INTO uses SELECT * FROM x",
		"public.keys public.uses"},
	{"WITH a AS (WITH b AS (DELETE FROM uses) SELECT 1) SELECT 1", "public.uses"},
	{"UPDATE plain SET name = 'x'", "public.plain public.users"},
	{"UPDATE onto SET name = 'x'", "public.onto public.plain public.users"},
	{"REFRESH MATERIALIZED VIEW totals", "public.totals"},
	{"EXPLAIN ANALYZE DELETE FROM keys", "public.keys"},
	{"INSERT INTO watched VALUES (1)", "public.watched"},
	{"UPDATE stamped SET id = 1", "public.stamped"},
	{"INSERT INTO numbered DEFAULT VALUES", "public.numbered"},
	{"INSERT INTO keys VALUES ('a'); DELETE FROM uses", "public.keys public.uses"},
	{"INSERT INTO tickets DEFAULT VALUES", "public.tickets"},
	{"INSERT INTO quick VALUES (1)", "public.quick"},
	{"INSERT INTO users VALUES (1); -- DELETE FROM teams", "public.users"},
	{"UPDATE users SET (id, name) = (SELECT 1, 'x')", "public.users"},
}

// everywhere are writes that may change anything.
var everywhere = []string{
	"UPDATE watched SET id = 1", "DELETE FROM ruled", "INSERT INTO called DEFAULT VALUES",
	"INSERT INTO instead VALUES (1)", "INSERT INTO users VALUES (hides(1))",
	"CREATE TABLE x (id int)", "DROP TABLE users", "ALTER TABLE users ADD x int",
	"CREATE TABLE x AS SELECT 1", "CREATE INDEX ON users (id)", "VACUUM users", "GRANT ALL ON users TO app",
	"REINDEX TABLE users", "CLUSTER", "COMMENT ON TABLE users IS 'x'", "FETCH 1 FROM c",
	"UPDATE pg_settings SET setting = 'x'", "INSERT INTO nowhere VALUES (1)",
	"COPY users FROM PROGRAM 'x'", "SELECT hides(1) FROM users",
	"INSERT INTO users VALUES (1); BEGIN",
}

func TestEffectOfWrites(t *testing.T) {
	_, s := withServer(t, writeSchema)
	d := postgres.New(postgres.Options{Pure: []string{"public.vouched_touch"}})
	for _, test := range written {
		e := s.effect(d, test.statement)
		want := strings.Fields(test.writes)
		if e.Cacheable || e.WritesAll || e.Session != 0 || !slices.Equal(e.Writes, want) {
			t.Errorf("%s: %+v, want writes %v", test.statement, e, want)
		}
	}
	for _, statement := range everywhere {
		if e := s.effect(d, statement); e.Cacheable || !e.WritesAll || e.Reason == "" {
			t.Errorf("%s: %+v, want writes to all, and why", statement, e)
		}
	}
}

// TestEffectOfSessions lists what changes connections and transactions.
func TestEffectOfSessions(t *testing.T) {
	_, s := withServer(t, "CREATE TABLE users (id int)")
	d := postgres.New(postgres.Options{})
	for _, test := range []struct {
		statement string
		session   sqlcache.Session
		tx        sqlcache.Transaction
	}{
		{"BEGIN", sqlcache.SessionSame, sqlcache.Begin},
		{"START TRANSACTION READ ONLY", sqlcache.SessionSame, sqlcache.Begin},
		{"COMMIT", sqlcache.SessionChanged, sqlcache.Commit},
		{"END", sqlcache.SessionChanged, sqlcache.Commit},
		{"ROLLBACK", sqlcache.SessionChanged, sqlcache.Rollback},
		{"ABORT", sqlcache.SessionChanged, sqlcache.Rollback},
		{"SAVEPOINT a", sqlcache.SessionSame, sqlcache.NoTransaction},
		{"RELEASE a", sqlcache.SessionSame, sqlcache.NoTransaction},
		{"ROLLBACK TO a", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"SET TRANSACTION READ ONLY", sqlcache.SessionSame, sqlcache.NoTransaction},
		{"SET timezone = 'UTC'", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"SET LOCAL timezone = 'UTC'", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"RESET ALL", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"SET ROLE x", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"SET SESSION AUTHORIZATION x", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"SET app.tenant = '1'", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"DISCARD ALL", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"CREATE TEMP TABLE x (id int)", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"CREATE TEMP TABLE x AS SELECT * FROM users", sqlcache.SessionChanged, sqlcache.NoTransaction},
		{"LISTEN x", sqlcache.SessionSame, sqlcache.NoTransaction},
		{"LOCK users", sqlcache.SessionSame, sqlcache.NoTransaction},
	} {
		e := s.effect(d, test.statement)
		if e.Cacheable || e.WritesAll || len(e.Writes) > 0 ||
			e.Session != test.session || e.Transaction != test.tx {
			t.Errorf("%s: %+v, want session %d, transaction %d", test.statement, e, test.session, test.tx)
		}
	}
}

// TestIdentity tells apart what gives different results, and nothing else.
func TestIdentity(t *testing.T) {
	db, s := withServer(t, "CREATE ROLE app")
	s.run("CREATE DATABASE other")
	d := postgres.New(postgres.Options{})
	plain := s.identity(d)
	if again := connect(t, "pgx", db.DSN).identity(d); again != plain || plain == "" {
		t.Errorf("the same twice: %q, %q", plain, again)
	}
	seen := map[string]string{plain: "plain"}
	other := connect(t, "pgx", strings.Replace(db.DSN, "/postgres?", "/other?", 1))
	seen[other.identity(d)] = "other"
	changes := []string{"SET ROLE app", "SET search_path = pg_catalog", "SET TimeZone = 'Asia/Tokyo'",
		"SET extra_float_digits = 0", "SET SESSION AUTHORIZATION app", "SET bytea_output = escape"}
	for i, change := range changes {
		s.run("BEGIN", change)
		name := s.identity(d)
		if before, ok := seen[name]; ok || name == "" {
			t.Errorf("after %s it is %q, as after %s", change, name, before)
		}
		seen[name] = change
		s.run("ROLLBACK")
		if got := s.identity(d); got != plain {
			t.Errorf("after rolling back %s (%d) it is another", change, i)
		}
	}
	for _, same := range []string{"SET application_name = 'x'", "SET idle_session_timeout = 1000000"} {
		s.run(same)
		if got := s.identity(d); got != plain {
			t.Errorf("%s makes it another", same)
		}
	}
	for _, none := range []string{"SET client_encoding = latin1", "SET standard_conforming_strings = off",
		"CREATE TEMP TABLE x (id int)"} {
		c := connect(t, "pgx", db.DSN)
		c.run(none)
		if got := c.identity(d); got != "" {
			t.Errorf("after %s it is %q, want none", none, got)
		}
	}
}
