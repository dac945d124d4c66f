// regress_postgres_test.go uses PostgreSQL in ways that once went wrong behind the cache.

package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
	watch "github.com/larder-go/larder/watch/postgres"
)

func TestPostgresGoesOnAsWithoutTheCache(t *testing.T) {
	server := servers.Postgres(t)
	for _, r := range []regression{
		{"a kept statement of lib/pq outlives a change of its types", typesChange},
		{"rows of COPY are not examined one by one", copies},
		{"Close does not wait for a network that swallows all", blackHole},
		{"who waits for another's query keeps to the own timeout", ownTimeout},
		{"an identity that was not told at first is told later", lateIdentity},
		{"a long text leaves its connection of use", longText},
		{"nothing is examined once the cache is closed", closedCache},
		{"several result sets come one after the other", resultSets},
		{"what is written past the cache is seen when Raw has returned", rawWrites},
	} {
		t.Run(r.holds, func(t *testing.T) { r.check(t, server) })
	}
}

func typesChange(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "postgres")
	keeper, changer := connTo(t, p.db), connTo(t, p.db)
	const write, get = "UPDATE c SET n = n + 1 WHERE id = $1", "SELECT n FROM c WHERE id = $1"
	for range 4 {
		run(t, keeper, write, 1)
		number(t, keeper, get, 1)
	}
	run(t, changer, "ALTER TABLE c ALTER id TYPE text")
	run(t, keeper, write, 1)
	if n := number(t, keeper, get, 1); n != 5 {
		t.Errorf("got %d, want 5", n)
	}
}

// examining counts the statements that it is asked about.
type examining struct {
	*postgres.Dialect
	n atomic.Int64
}

func (e *examining) Effect(
	ctx context.Context, q sqlcache.Querier, text string, args []driver.NamedValue,
) (sqlcache.Effect, error) {
	e.n.Add(1)
	return e.Dialect.Effect(ctx, q, text, args)
}

// examinedPair is a pair, and the count of statements that were examined.
func examinedPair(t *testing.T, server *servers.Database, driver string) (*pair, *atomic.Int64) {
	t.Helper()
	emptied(t, server)
	e := &examining{Dialect: postgres.New(postgres.Options{})}
	return newPair(t, e, driver, server.DSN), &e.n
}

func copies(t *testing.T, server *servers.Database) {
	const rows = 1000
	p, examined := examinedPair(t, server, "postgres")
	p.db.SetMaxOpenConns(1)
	tx, err := p.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	stmt, err := tx.Prepare("COPY c (id, n) FROM STDIN")
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if _, err := stmt.Exec(i+2, i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := stmt.Exec(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stmt.Close(), tx.Commit()); err != nil {
		t.Fatal(err)
	}
	if n := examined.Load(); n > 10 {
		t.Errorf("%d statements were examined for one COPY", n)
	}
	for range 3 {
		if n := number(t, p.db, "SELECT count(*) FROM c"); n != rows+1 {
			t.Errorf("got %d rows, want %d", n, rows+1)
		}
	}
	if s := p.cache.Stats(); s.Hits != 2 {
		t.Errorf("got %+v, want 2 hits", s)
	}
}

func blackHole(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "postgres")
	link := servers.NewProxy(t, server.Addr)
	db := p.open(t, "postgres", strings.Replace(p.dsn, server.Addr, link.Addr, 1))
	for range 3 {
		for i := range 5 {
			mustExec(t, db, fmt.Sprintf("UPDATE c SET n = %d WHERE id = $1", i), 1)
		}
	}
	link.BlackHole()
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Errorf("Close takes more than %v", patience)
	}
	link.Restore()
}

func ownTimeout(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "pgx")
	patient, hasty, locker := connTo(t, p.db), connTo(t, p.db), connTo(t, p.bare)
	number(t, patient, "SELECT n FROM c WHERE id = 1")
	run(t, hasty, "SET lock_timeout = '200ms'")
	number(t, hasty, "SELECT n FROM c WHERE id = 1")
	run(t, locker, "BEGIN")
	run(t, locker, "LOCK TABLE c IN ACCESS EXCLUSIVE MODE")
	ask := func(c *sql.Conn) chan string {
		got := make(chan string, 1)
		go func() { got <- readOnce(t, c, "SELECT n FROM c WHERE id IN (1, 2)") }()
		return got
	}
	first := ask(patient)
	awaitLocked(t, p.bare)
	select {
	case got := <-ask(hasty):
		if !strings.Contains(got, "55P03") {
			t.Errorf("got %s, want a timeout", got)
		}
	case <-time.After(patience):
		t.Errorf("a lock_timeout of 200 ms takes more than %v", patience)
	}
	run(t, locker, "ROLLBACK")
	if got := <-first; got != "[0]" {
		t.Errorf("got %s, want [0]", got)
	}
}

// unsure does not tell the identity of a connection at first.
type unsure struct {
	*postgres.Dialect
	asked atomic.Bool
}

func (u *unsure) Identity(ctx context.Context, q sqlcache.Querier) (string, error) {
	if u.asked.CompareAndSwap(false, true) {
		return "", errors.New("not yet")
	}
	return u.Dialect.Identity(ctx, q)
}

func lateIdentity(t *testing.T, server *servers.Database) {
	emptied(t, server)
	p := newPair(t, &unsure{Dialect: postgres.New(postgres.Options{})}, "pgx", server.DSN)
	p.db.SetMaxOpenConns(1)
	mustExec(t, p.db, "SET statement_timeout = '20s'")
	if got := read(t, p.db, "SELECT n FROM c"); got != "[0]" {
		t.Errorf("got %s, want [0]", got)
	}
}

func longText(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "pgx")
	p.db.SetMaxOpenConns(1)
	number(t, p.db, "SELECT n FROM c")
	number(t, p.db, "SELECT 1"+strings.Repeat(" + 1", 200))
	for range 3 {
		number(t, p.db, "SELECT n FROM c")
	}
	if s := p.cache.Stats(); s.Hits == 0 {
		t.Errorf("got %+v, want hits", s)
	}
}

func closedCache(t *testing.T, server *servers.Database) {
	p, examined := examinedPair(t, server, "pgx")
	number(t, p.db, "SELECT n FROM c")
	tx, err := p.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	run(t, tx, "UPDATE c SET n = 1")
	if err := errors.Join(p.cache.Close(), p.cache.Close(), tx.Commit()); err != nil {
		t.Error(err)
	}
	p.cache.Clear()
	p.cache.Forget("public.c")
	before := examined.Load()
	for range 3 {
		if got := read(t, p.db, "SELECT n FROM c"); got != "[1]" {
			t.Errorf("got %s, want [1]", got)
		}
	}
	if n := examined.Load() - before; n != 0 {
		t.Errorf("%d statements were examined", n)
	}
	p.db.Close()
	if _, err := sqlcache.Query[int](t.Context(), p.db, "SELECT n FROM c"); err == nil {
		t.Error("a database that is closed answers")
	}
}

func resultSets(t *testing.T, server *servers.Database) {
	const text = "SELECT 1, 'a'; SELECT 'x', 2; UPDATE c SET n = 1 RETURNING id, n"
	overBoth(t, server, func(p *pair, driver string) {
		want := all(p.bare.Query(text))
		mustExec(t, p.bare, "UPDATE c SET n = 0")
		number(t, p.db, "SELECT n FROM c")
		if got := all(p.db.Query(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", driver, got, want)
		}
		p.same(t, "SELECT n FROM c")
	})
}

func rawWrites(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "pgx")
	raw, other := connTo(t, p.db), connTo(t, p.db)
	number(t, other, "SELECT n FROM c")
	err := raw.Raw(func(c any) error {
		inner := c.(*sqlcache.Conn).Unwrap().(driver.ExecerContext)
		number(t, other, "SELECT n FROM c")
		_, err := inner.ExecContext(t.Context(), "UPDATE c SET n = 1", nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	raw.Close()
	if n := number(t, other, "SELECT n FROM c"); n != 1 {
		t.Errorf("got %d, want 1", n)
	}
}

func TestQueryAnswersWithoutAConnectionAgainAfterARestart(t *testing.T) {
	server := servers.Postgres(t)
	p := pairOn(t, server, "pgx")
	p.db.SetMaxOpenConns(1)
	needsNoConnection(t, p)
	number(t, p.db, "SELECT 1")
	server.Kill()
	if err := p.db.QueryRow("SELECT 1").Scan(new(int)); err == nil {
		t.Error("a server that is dead answers")
	}
	server.Start()
	await(t, "the server", func() bool {
		_, err := p.db.Exec("SELECT 1")
		return err == nil
	})
	needsNoConnection(t, p)
}

// needsNoConnection fails if Query needs the only connection for what is kept.
func needsNoConnection(t *testing.T, p *pair) {
	t.Helper()
	const text = "SELECT n FROM c"
	read(t, p.db, text)
	only := connTo(t, p.db)
	defer only.Close()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if got, err := sqlcache.Query[string](ctx, p.db, text); err != nil || got[0] != "0" {
		t.Errorf("got %v (%v), want 0", got, err)
	}
}

func TestFunctionsAndTriggersThatOthersDefineAreHeard(t *testing.T) {
	server := servers.Postgres(t)
	other := openDB(t, "pgx", server.DSN)
	mustExec(t, other, `CREATE TABLE c (n int); INSERT INTO c VALUES (0);
		CREATE TABLE log (id int);
		CREATE FUNCTION f() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'`)
	if _, err := postgres.Install(t.Context(), other, postgres.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	db, cache := watched(t, server)
	const logged, called = "SELECT count(*) FROM log", "SELECT f() FROM c"
	mustExec(t, db, "UPDATE c SET n = 1")
	await(t, "a hit", func() bool {
		number(t, db, called)
		number(t, db, logged)
		return cache.Stats().Hits > 1
	})
	mustExec(t, other, `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN INSERT INTO log VALUES (1); RETURN NEW; END $$;
		CREATE TRIGGER note BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION note()`)
	mustExec(t, other, `CREATE OR REPLACE FUNCTION f() RETURNS int IMMUTABLE
		LANGUAGE sql AS 'SELECT 2'`)
	await(t, "the function", func() bool { return number(t, db, called) == 2 })
	number(t, db, logged)
	number(t, db, logged)
	mustExec(t, db, "UPDATE c SET n = 2")
	if n := number(t, db, logged); n != 1 {
		t.Errorf("got %d lines in the log, want 1", n)
	}
}

// watched opens a database over a cache that hears what others write, and waits until it does.
func watched(t *testing.T, server *servers.Database) (*sql.DB, *sqlcache.Cache) {
	t.Helper()
	watcher, err := watch.New(watch.Options{DSN: server.DSN})
	if err != nil {
		t.Fatal(err)
	}
	cache := sqlcache.New(sqlcache.Options{
		Dialect: postgres.New(postgres.Options{}), All: true, Watch: watcher, TTL: larder.Forever,
	})
	t.Cleanup(func() { cache.Close() })
	db, err := cache.Open("pgx", server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	await(t, "the link", func() bool { return !cache.Stats().Deaf })
	return db, cache
}
