// regress_transactions_test.go ends transactions in ways that were once missed.

package sqlcache_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
	"github.com/larder-go/larder/sqlcache/sqlite"
)

// pair is a database with a table c, whose only row has n = 0: through a cache that keeps all it
// may, and past it.
type pair struct {
	cache    *sqlcache.Cache
	db, bare *sql.DB
	dsn      string
}

func newPair(t *testing.T, dialect sqlcache.Dialect, driver, dsn string) *pair {
	t.Helper()
	p := &pair{bare: openDB(t, driver, dsn), dsn: dsn}
	mustExec(t, p.bare, "CREATE TABLE c (id INTEGER PRIMARY KEY, n INT)")
	mustExec(t, p.bare, "INSERT INTO c VALUES (1, 0)")
	p.cache = sqlcache.New(sqlcache.Options{
		Dialect: dialect, All: true, OnError: func(err error) { t.Error(err) },
	})
	t.Cleanup(func() { p.cache.Close() })
	p.db = p.open(t, driver, dsn)
	return p
}

// open opens a database through the cache.
func (p *pair) open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := p.cache.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// pairOn empties the database of a server first.
func pairOn(t *testing.T, server *servers.Database, driver string) *pair {
	t.Helper()
	emptied(t, server)
	return newPair(t, postgres.New(postgres.Options{}), driver, server.DSN)
}

func emptied(t *testing.T, server *servers.Database) {
	t.Helper()
	db := openDB(t, "pgx", server.DSN)
	mustExec(t, db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
}

// pairIn is a new file of SQLite.
func pairIn(t *testing.T, params string) (p *pair, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file.db")
	return newPair(t, sqlite.New(sqlite.Options{}), "sqlite", "file:"+file+"?"+params), file
}

// talk is a database, a connection or a transaction.
type talk interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

func run(t *testing.T, l talk, text string, args ...any) {
	t.Helper()
	if _, err := l.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// number returns what a query returns that has one number.
func number(t *testing.T, l talk, text string, args ...any) (n int) {
	t.Helper()
	if err := l.QueryRowContext(t.Context(), text, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// awaitLocked waits until somebody waits for a lock.
func awaitLocked(t *testing.T, db *sql.DB) {
	t.Helper()
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
	await(t, "the lock", func() bool { return number(t, db, waiting) > 0 })
}

// regression is a thing that must hold, over a server that it shares with others.
type regression struct {
	holds string
	check func(*testing.T, *servers.Database)
}

func TestTransactionsOverPostgresLeaveNothingOld(t *testing.T) {
	server := servers.Postgres(t, "-c", "max_prepared_transactions=5")
	for _, r := range []regression{
		{"what is committed by text is seen by others", commitsByText},
		{"a text that fails half-way has changed the session", failuresAfterSet},
		{"results are kept again after a commit that failed", failedCommits},
		{"a write whose answer is lost is seen", lostWrites},
		{"the cache takes no snapshot for a transaction", snapshots},
	} {
		t.Run(r.holds, func(t *testing.T) { r.check(t, server) })
	}
}

// commitsByText has n = 1 committed by each of its texts.
func commitsByText(t *testing.T, server *servers.Database) {
	const read = "SELECT n FROM c" // by others
	tests := []struct {
		what  string
		texts []string
	}{
		{"a second begin", []string{"BEGIN", "UPDATE c SET n = 1", "BEGIN", "COMMIT"}},
		{"commit and chain", []string{"BEGIN", "UPDATE c SET n = 1", "COMMIT AND CHAIN"}},
		{"begin with a write", []string{"BEGIN; UPDATE c SET n = 1", read, "COMMIT"}},
		{"commit after a read", []string{"BEGIN", "UPDATE c SET n = 1", read, "SELECT 1; COMMIT"}},
		{"a hidden commit", []string{"BEGIN", "SELECT 1; COMMIT", read, "UPDATE c SET n = 1"}},
		{"a hidden rollback", []string{"BEGIN", "SELECT 1; ROLLBACK", "UPDATE c SET n = 1"}},
		{"prepare", []string{"BEGIN", "PREPARE TRANSACTION 'x'", "UPDATE c SET n = 1"}},
		{"a read after commit", []string{"BEGIN", "UPDATE c SET n = 1", "COMMIT; SELECT 1"}},
	}
	for _, test := range tests {
		p := pairOn(t, server, "pgx")
		writer := connTo(t, p.db)
		run(t, writer, "UPDATE c SET n = 0")
		number(t, p.db, read)
		for _, text := range test.texts {
			if text == read {
				number(t, p.db, read)
				number(t, p.db, read)
				continue
			}
			run(t, writer, text)
		}
		if n := number(t, p.db, read); n != 1 {
			t.Errorf("%s: after the commit others read %d, want 1", test.what, n)
		}
	}
}

func failuresAfterSet(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "pgx")
	mustExec(t, p.bare, "CREATE TABLE e (at timestamptz)")
	mustExec(t, p.bare, "INSERT INTO e VALUES ('2024-01-01 12:00+00')")
	mustExec(t, p.bare, `CREATE PROCEDURE far() LANGUAGE plpgsql AS $$ BEGIN
		PERFORM set_config('TimeZone', 'Asia/Tokyo', false); COMMIT; PERFORM 1/0; END $$`)
	for _, text := range []string{
		"BEGIN; SET TimeZone = 'Asia/Tokyo'; COMMIT; SELECT 1/0",
		"CALL far()",
	} {
		far, near := connTo(t, p.db), connTo(t, p.db)
		number(t, far, "SELECT n FROM c")
		number(t, near, "SELECT n FROM c")
		if _, err := far.ExecContext(t.Context(), text); err == nil {
			t.Errorf("%s does not fail", text)
		}
		const at = "SELECT at::text FROM e"
		if got := readOnce(t, far, at); got != "[2024-01-01 21:00:00+09]" {
			t.Errorf("%s: there it is %s", text, got)
		}
		if got, want := read(t, near, at), readOnce(t, p.bare, at); got != want {
			t.Errorf("%s: here it is %s, want %s", text, got, want)
		}
		run(t, far, "RESET ALL")
	}
}

func failedCommits(t *testing.T, server *servers.Database) {
	for _, driver := range []string{"pgx", "postgres"} {
		p := pairOn(t, server, driver)
		mustExec(t, p.bare, "CREATE TABLE late (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
		p.db.SetMaxOpenConns(1)
		for _, text := range []string{"INSERT INTO late VALUES (1), (1)", "SELECT 1/0"} {
			tx, err := p.db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			tx.Exec(text) // whose error comes now or with the commit
			if err := tx.Commit(); err == nil {
				t.Errorf("%s: %s is committed", driver, text)
			}
		}
		for range 3 {
			number(t, p.db, "SELECT n FROM c")
		}
		if s := p.cache.Stats(); s.Hits == 0 {
			t.Errorf("%s: got %+v, want hits", driver, s)
		}
	}
}

// lostWrites cuts the network while a write waits for a lock; the database does it all the same.
func lostWrites(t *testing.T, server *servers.Database) {
	for _, driver := range []string{"pgx", "postgres"} {
		p := pairOn(t, server, driver)
		link := servers.NewProxy(t, server.Addr)
		far := p.open(t, driver, strings.Replace(p.dsn, server.Addr, link.Addr, 1))
		writer := connTo(t, far)
		run(t, writer, "SELECT 1")
		number(t, p.db, "SELECT n FROM c")
		locker := connTo(t, p.bare)
		run(t, locker, "BEGIN")
		run(t, locker, "SELECT FROM c FOR UPDATE")
		written := make(chan error, 1)
		go func() {
			_, err := writer.ExecContext(context.Background(), "UPDATE c SET n = 1")
			written <- err
		}()
		awaitLocked(t, p.bare)
		link.Cut()
		if err := <-written; err == nil {
			t.Errorf("%s: a write without a network succeeds", driver)
		}
		if n := number(t, p.db, "SELECT n FROM c"); n != 0 {
			t.Errorf("%s: before the write got %d, want 0", driver, n)
		}
		run(t, locker, "ROLLBACK")
		await(t, "the write", func() bool { return number(t, p.bare, "SELECT n FROM c") == 1 })
		if n := number(t, p.db, "SELECT n FROM c"); n != 1 {
			t.Errorf("%s: after the write got %d, want 1", driver, n)
		}
	}
}

// snapshots begins transactions whose first statement decides what they see.
func snapshots(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "pgx")
	source, writer := connTo(t, p.bare), connTo(t, p.bare)
	run(t, source, "BEGIN ISOLATION LEVEL REPEATABLE READ")
	var name string
	exported := source.QueryRowContext(t.Context(), "SELECT pg_export_snapshot()")
	if err := exported.Scan(&name); err != nil {
		t.Fatal(err)
	}
	repeatable := &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	tx, err := p.db.BeginTx(t.Context(), repeatable)
	if err != nil {
		t.Fatal(err)
	}
	run(t, tx, "SET TRANSACTION SNAPSHOT '"+name+"'")
	tx.Rollback()
	if tx, err = p.db.BeginTx(t.Context(), repeatable); err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	run(t, writer, "BEGIN")
	run(t, writer, "UPDATE c SET n = 1")
	locked := make(chan error, 1)
	go func() {
		_, err := tx.Exec("LOCK TABLE c IN SHARE MODE")
		locked <- err
	}()
	awaitLocked(t, p.bare)
	run(t, writer, "COMMIT")
	if err := <-locked; err != nil {
		t.Fatal(err)
	}
	if n := number(t, tx, "SELECT n FROM c"); n != 1 {
		t.Errorf("after the lock got %d, want 1", n)
	}
}

func TestATextThatFailsAfterItsBeginIsWithinATransaction(t *testing.T) {
	p, _ := pairIn(t, "_pragma=journal_mode(wal)")
	writer := connTo(t, p.db)
	number(t, writer, "SELECT n FROM c")
	text := "BEGIN; UPDATE c SET n = 1; INSERT INTO nothing VALUES (1)"
	if _, err := writer.ExecContext(t.Context(), text); err == nil {
		t.Fatalf("%s does not fail", text)
	}
	checkDirty(t, p, writer)
}

func TestASavepointThatIsPreparedBeforeTheCommitBeginsATransaction(t *testing.T) {
	p, _ := pairIn(t, "_pragma=journal_mode(wal)")
	writer := connTo(t, p.db)
	run(t, writer, "BEGIN")
	savepoint, err := writer.PrepareContext(t.Context(), "SAVEPOINT x")
	if err != nil {
		t.Fatal(err)
	}
	defer savepoint.Close()
	run(t, writer, "COMMIT")
	if _, err := savepoint.Exec(); err != nil {
		t.Fatal(err)
	}
	run(t, writer, "UPDATE c SET n = 1")
	checkDirty(t, p, writer)
}

// checkDirty sees to it that nobody but the writer reads its n = 1, and nobody does afterwards.
func checkDirty(t *testing.T, p *pair, writer *sql.Conn) {
	t.Helper()
	if n := number(t, writer, "SELECT n FROM c"); n != 1 {
		t.Errorf("the writer reads %d, want 1", n)
	}
	if n := number(t, p.db, "SELECT n FROM c"); n != 0 {
		t.Errorf("others read %d, want 0", n)
	}
	run(t, writer, "ROLLBACK")
	if n := number(t, p.db, "SELECT n FROM c"); n != 0 {
		t.Errorf("after the rollback %d is read, want 0", n)
	}
}

func TestAPragmaOfATextThatFailsIsNotMixedUp(t *testing.T) {
	p, _ := pairIn(t, "")
	mustExec(t, p.db, "CREATE TABLE s (x TEXT); INSERT INTO s VALUES ('A')")
	one, other := connTo(t, p.db), connTo(t, p.db)
	number(t, one, "SELECT n FROM c")
	number(t, other, "SELECT n FROM c")
	text := "PRAGMA case_sensitive_like = 1; INSERT INTO nothing VALUES (1)"
	if _, err := one.ExecContext(t.Context(), text); err == nil {
		t.Fatalf("%s does not fail", text)
	}
	const like = "SELECT count(*) FROM s WHERE x LIKE 'a'"
	if a, b := number(t, one, like), number(t, other, like); a != 0 || b != 1 {
		t.Errorf("got %d with the pragma and %d without, want 0 and 1", a, b)
	}
}

func TestRowsOfAnOldSnapshotAreNotKept(t *testing.T) {
	p, _ := pairIn(t, "_pragma=journal_mode(wal)")
	mustExec(t, p.db, "INSERT INTO c VALUES (2, 0), (3, 0)")
	reader := connTo(t, p.db)
	rows, err := reader.QueryContext(t.Context(), "SELECT random() FROM c") // is not kept
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	mustExec(t, p.db, "UPDATE c SET n = 1")
	number(t, reader, "SELECT n FROM c WHERE id = 1") // as old as the open rows
	rows.Close()
	if n := number(t, p.db, "SELECT n FROM c WHERE id = 1"); n != 1 {
		t.Errorf("after the commit others read %d, want 1", n)
	}
}
