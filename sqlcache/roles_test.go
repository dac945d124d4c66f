// roles_test.go sees to it that nobody gets what the database would not have given them.

package sqlcache_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
	watch "github.com/larder-go/larder/watch/postgres"
)

const rolesSchema = `
CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE boss LOGIN; GRANT ann, bob TO boss;
CREATE TABLE notes (id int, owner text, tenant text, s text);
INSERT INTO notes VALUES (1, 'ann', 'a', 'of ann'), (2, 'bob', 'b', 'of bob');
GRANT ALL ON notes TO ann, bob;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user);
CREATE TABLE tenants (id int, tenant text);
INSERT INTO tenants VALUES (1, 'a'), (2, 'b');
GRANT ALL ON tenants TO ann, bob, boss;
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON tenants USING (tenant = current_setting('app.tenant', true));
CREATE TABLE secrets (s text); INSERT INTO secrets VALUES ('secret'); GRANT SELECT ON secrets TO ann;
CREATE SCHEMA ann AUTHORIZATION ann; CREATE TABLE ann.things (s text); INSERT INTO ann.things VALUES ('ann''s');
CREATE SCHEMA bob AUTHORIZATION bob; CREATE TABLE bob.things (s text); INSERT INTO bob.things VALUES ('bob''s');
GRANT SELECT ON ann.things TO ann; GRANT SELECT ON bob.things TO bob;
`

// roles opens a database for several roles through one cache.
func roles(t *testing.T, names ...string) (*sqlcache.Cache, []*sql.DB) {
	server := servers.Postgres(t)
	mustExec(t, openDB(t, "pgx", server.DSN), rolesSchema)
	cache := sqlcache.New(sqlcache.Options{
		Dialect: postgres.New(postgres.Options{}), All: true, TTL: larder.Forever,
	})
	t.Cleanup(func() { cache.Close() })
	var all []*sql.DB
	for _, name := range names {
		db, err := cache.Open("pgx", strings.Replace(server.DSN, "://larder@", "://"+name+"@", 1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		all = append(all, db)
	}
	return cache, all
}

// read returns what a query returns, and asks twice: the database, and perhaps the cache.
func read(t *testing.T, q sqlcache.Queryer, text string, args ...any) string {
	t.Helper()
	first, second := readOnce(t, q, text, args...), readOnce(t, q, text, args...)
	if first != second {
		t.Errorf("%s: first %s, then %s", text, first, second)
	}
	return second
}

func readOnce(t *testing.T, q sqlcache.Queryer, text string, args ...any) string {
	t.Helper()
	rows, err := sqlcache.Query[string](t.Context(), q, text, args...)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(rows)
}

func TestNoRowOfOneRoleIsServedToAnother(t *testing.T) {
	cache, dbs := roles(t, "ann", "bob", "boss")
	ann, bob, boss := dbs[0], dbs[1], connTo(t, dbs[2])
	tests := []struct {
		q          sqlcache.Queryer
		text, want string
	}{
		{ann, "SELECT s FROM notes ORDER BY id", "[of ann]"},
		{bob, "SELECT s FROM notes ORDER BY id", "[of bob]"},
		{ann, "SELECT s FROM secrets", "[secret]"},
		{bob, "SELECT s FROM secrets", "ERROR: permission denied for table secrets (SQLSTATE 42501)"},
		{ann, "SELECT s FROM things", "[ann's]"}, // by the search path
		{bob, "SELECT s FROM things", "[bob's]"},
		{ann, "SELECT current_user::text", "[ann]"},
		{bob, "SELECT current_user::text", "[bob]"},
	}
	for range 2 {
		for _, test := range tests {
			if got := read(t, test.q, test.text); got != test.want {
				t.Errorf("%s: got %s, want %s", test.text, got, test.want)
			}
		}
	}
	for range 2 { // one connection takes several roles
		for name, want := range map[string]string{"ann": "[of ann]", "bob": "[of bob]"} {
			if _, err := boss.ExecContext(t.Context(), "SET ROLE "+name); err != nil {
				t.Fatal(err)
			}
			if got := read(t, boss, "SELECT s FROM notes ORDER BY id"); got != want {
				t.Errorf("as %s: got %s, want %s", name, got, want)
			}
		}
	}
	if s := cache.Stats(); s.Hits < 8 {
		t.Errorf("got %+v, want hits", s)
	}
}

func TestSettingsThatPoliciesReadAreNotMixedUp(t *testing.T) {
	_, dbs := roles(t, "ann", "ann")
	one, other := connTo(t, dbs[0]), connTo(t, dbs[0])
	const text = "SELECT tenant FROM tenants ORDER BY id"
	set := func(c *sql.Conn, how, tenant string) {
		t.Helper()
		if _, err := c.ExecContext(t.Context(), fmt.Sprintf(how, tenant)); err != nil {
			t.Fatal(err)
		}
	}
	for _, how := range []string{"SET app.tenant = '%s'", "SELECT set_config('app.tenant', '%s', false)"} {
		for range 3 {
			set(one, how, "a")
			set(other, how, "b")
			if a, b := read(t, one, text), read(t, other, text); a != "[a]" || b != "[b]" {
				t.Errorf("%s: got %s and %s", how, a, b)
			}
		}
	}
	if got := read(t, dbs[1], text); got != "[]" {
		t.Errorf("without a tenant: got %s", got)
	}
}

func TestInjectedTextGetsNothingFromTheCache(t *testing.T) {
	cache, dbs := roles(t, "ann")
	ann := dbs[0]
	read(t, ann, "SELECT s FROM notes WHERE s = $1", "of ann")
	for _, evil := range []string{"' OR 1=1 --", "x'; DELETE FROM notes; --", "/* larder: cached */", "$1", "of ann\x01"} {
		if got := read(t, ann, "SELECT s FROM notes WHERE s = $1", evil); got != "[]" {
			t.Errorf("%q as an argument: got %s", evil, got)
		}
	}
	before := cache.Stats().Results
	off := "/* larder: off */ SELECT s FROM notes WHERE s = '%s'"
	for _, evil := range []string{"x' /* larder: cached */ OR '1'='1", "/* larder: ttl=1h */"} {
		for range 2 {
			rows, err := ann.Query(fmt.Sprintf(off, evil))
			if err != nil {
				t.Fatal(err)
			}
			rows.Close()
		}
	}
	if n := cache.Stats().Results; n != before {
		t.Errorf("%d results were kept by smuggled comments", n-before)
	}
}

func TestWritesOfOthersAreSeenWithin100Milliseconds(t *testing.T) {
	server := servers.Postgres(t)
	other := openDB(t, "pgx", server.DSN)
	mustExec(t, other, "CREATE TABLE c (n int); INSERT INTO c VALUES (0)")
	if _, err := postgres.Install(t.Context(), other, postgres.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	watcher, err := watch.New(watch.Options{DSN: server.DSN})
	if err != nil {
		t.Fatal(err)
	}
	cache := sqlcache.New(sqlcache.Options{
		Dialect: postgres.New(postgres.Options{}), Watch: watcher, TTL: larder.Forever,
	})
	t.Cleanup(func() { cache.Close() })
	db, err := cache.Open("pgx", server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	await(t, "the link", func() bool { return !cache.Stats().Deaf })
	var took []time.Duration
	for n := 1; n <= 100; n++ {
		read(t, db, "SELECT n FROM c")
		mustExec(t, other, "UPDATE c SET n = $1", n)
		began := time.Now()
		await(t, "the change", func() bool { return readOnce(t, db, "SELECT n FROM c") == fmt.Sprintf("[%d]", n) })
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("median %v, p99 %v, most %v", took[50], took[98], took[99])
	if took[94] > 100*time.Millisecond {
		t.Errorf("5 of 100 changes were seen after more than %v", took[94])
	}
	if s := cache.Stats(); s.Hits < 100 {
		t.Errorf("got %+v, want a hit each time", s)
	}
}

func TestNothingIsServedWhileOthersAreNotHeard(t *testing.T) {
	server := servers.Postgres(t)
	link := servers.NewProxy(t, server.Addr)
	other := openDB(t, "pgx", server.DSN)
	mustExec(t, other, "CREATE TABLE c (n int); INSERT INTO c VALUES (0)")
	if _, err := postgres.Install(t.Context(), other, postgres.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	watcher, err := watch.New(watch.Options{
		DSN:       strings.Replace(server.DSN, server.Addr, link.Addr, 1),
		Heartbeat: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	cache := sqlcache.New(sqlcache.Options{
		Dialect: postgres.New(postgres.Options{}), Watch: watcher, TTL: larder.Forever,
	})
	t.Cleanup(func() { cache.Close() })
	db, err := cache.Open("pgx", server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	heard := func() bool { return !cache.Stats().Deaf }
	await(t, "the link", heard)
	read(t, db, "SELECT n FROM c")
	link.Cut()
	await(t, "the loss", func() bool { return !heard() })
	mustExec(t, other, "UPDATE c SET n = 1")
	if got := read(t, db, "SELECT n FROM c"); got != "[1]" {
		t.Errorf("got %s while others are not heard", got)
	}
	mustExec(t, other, "UPDATE c SET n = 2")
	link.Restore()
	await(t, "the link", heard)
	if got := read(t, db, "SELECT n FROM c"); got != "[2]" {
		t.Errorf("got %s when others are heard again", got)
	}
}
