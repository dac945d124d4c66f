// regress_sqlite_test.go holds files of SQLite in ways that once hurt the cache, or the program.

package sqlcache_test

import (
	"database/sql/driver"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/sqlcache"
)

// patience is more than a program may wait for what takes microseconds without the cache, and less
// than the busy_timeout of the tests below.
const patience = 10 * time.Second

func TestAPreparedStatementOfSQLiteTakesAnyArgument(t *testing.T) {
	p, _ := pairIn(t, "")
	stmt, err := p.db.Prepare("SELECT id FROM c WHERE id = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for _, arg := range []any{1, int8(1), uint(1), one{}} {
		var id int
		if err := stmt.QueryRow(arg).Scan(&id); err != nil || id != 1 {
			t.Errorf("%T: got %d (%v), want 1", arg, id, err)
		}
	}
}

// one is a Valuer.
type one struct{}

func (one) Value() (driver.Value, error) { return int64(1), nil }

func TestSQLiteGoesOnWithoutTheCacheOnceItIsClosed(t *testing.T) {
	p, _ := pairIn(t, "")
	number(t, p.db, "SELECT n FROM c")
	p.cache.Close()
	number(t, p.db, "SELECT n FROM c")
	tx, err := p.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	run(t, tx, "UPDATE c SET n = n + 1")
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if n := number(t, p.db, "SELECT n FROM c"); n != 1 {
		t.Errorf("got %d, want 1", n)
	}
}

func TestATransactionThatHoldsTheFileDoesNotWaitForItself(t *testing.T) {
	p, _ := pairIn(t, "_txlock=exclusive&_pragma=busy_timeout(20000)")
	number(t, p.db, "SELECT n FROM c")
	began := time.Now()
	tx, err := p.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	run(t, tx, "UPDATE c SET n = n + 1 WHERE id = 1")
	if n := number(t, tx, "SELECT n FROM c WHERE id = 1"); n != 1 {
		t.Errorf("got %d, want 1", n)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("it took %v", took)
	}
}

func TestAConnectionThatLocksTheFileForGoodDoesNotWaitForItself(t *testing.T) {
	p, _ := pairIn(t, "_pragma=busy_timeout(20000)")
	p.bare.Close()
	p.db.SetMaxOpenConns(1)
	began := time.Now()
	mustExec(t, p.db, "PRAGMA locking_mode = exclusive")
	mustExec(t, p.db, "UPDATE c SET n = 1")
	if n := number(t, p.db, "SELECT n FROM c"); n != 1 {
		t.Errorf("got %d, want 1", n)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("it took %v", took)
	}
}

func TestAProgramWithOneConnectionMayLeaveTheWAL(t *testing.T) {
	p, _ := pairIn(t, "_pragma=journal_mode(wal)&_pragma=busy_timeout(500)")
	p.bare.Close()
	p.db.SetMaxOpenConns(1)
	number(t, p.db, "SELECT n FROM c")
	var mode string
	err := p.db.QueryRow("PRAGMA journal_mode = delete").Scan(&mode)
	if err != nil || mode != "delete" {
		t.Errorf("got %q (%v), want delete", mode, err)
	}
}

func TestAProgramWithOneConnectionNeverMeetsALock(t *testing.T) {
	p, _ := pairIn(t, "_pragma=synchronous(off)")
	p.bare.Close()
	p.db.SetMaxOpenConns(1)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() { readUntil(t, p, stop) })
	}
	for n := range 500 {
		if _, err := p.db.Exec("UPDATE c SET n = n + 1"); err != nil {
			t.Errorf("write %d: %v", n, err)
			break
		}
	}
	close(stop)
	wait.Wait()
}

func readUntil(t *testing.T, p *pair, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if _, err := sqlcache.Query[int](t.Context(), p.db, "SELECT n FROM c"); err != nil {
			t.Error(err)
			return
		}
	}
}

func TestQuerySeesWhatBecameOfTheOnlyConnection(t *testing.T) {
	p, _ := pairIn(t, "")
	mustExec(t, p.bare, "CREATE TABLE s (x TEXT); INSERT INTO s VALUES ('A')")
	p.bare.Close()
	p.db.SetMaxOpenConns(1)
	for _, test := range []struct{ text, want string }{
		{"SELECT 1", "[1]"},
		{"PRAGMA case_sensitive_like = 1", "[0]"},
		{"PRAGMA case_sensitive_like = 0", "[1]"},
		{"BEGIN; INSERT INTO s VALUES ('a')", "[2]"},
		{"ROLLBACK", "[1]"},
		{"BEGIN", "[1]"},
		{"INSERT INTO s VALUES ('a')", "[2]"},
		{"ROLLBACK", "[1]"},
	} {
		mustExec(t, p.db, test.text)
		if got := read(t, p.db, "SELECT count(*) FROM s WHERE x LIKE 'a'"); got != test.want {
			t.Errorf("after %s: got %s, want %s", test.text, got, test.want)
		}
	}
}

// replace puts another file, with n = 10, in the place of one.
func replace(t *testing.T, file string) {
	t.Helper()
	fresh := file + ".new"
	db := openDB(t, "sqlite", "file:"+fresh)
	mustExec(t, db, "CREATE TABLE c (id INTEGER PRIMARY KEY, n INT); INSERT INTO c VALUES (1, 10)")
	db.Close()
	if err := os.Rename(fresh, file); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatIsReplacedIsReadAnew(t *testing.T) {
	p, file := pairIn(t, "")
	p.db.SetMaxIdleConns(-1)
	if n := number(t, p.db, "SELECT n FROM c"); n != 0 {
		t.Fatalf("got %d, want 0", n)
	}
	replace(t, file)
	if n := number(t, p.db, "SELECT n FROM c"); n != 10 {
		t.Errorf("after the replacement got %d, want 10", n)
	}
	mustExec(t, openDB(t, "sqlite", "file:"+file), "UPDATE c SET n = 11")
	if n := number(t, p.db, "SELECT n FROM c"); n != 11 {
		t.Errorf("after a foreign write got %d, want 11", n)
	}
	if got := read(t, p.db, "SELECT n FROM c"); got != "[11]" {
		t.Errorf("Query got %s, want [11]", got)
	}
}

func TestRowsOfAFileThatWasReplacedAreNotServedForTheOther(t *testing.T) {
	p, file := pairIn(t, "")
	p.bare.Close()
	old := connTo(t, p.db) // is open, and was not asked anything
	replace(t, file)
	for range 3 {
		number(t, old, "SELECT n FROM c")
	}
	if n := number(t, connTo(t, p.db), "SELECT n FROM c"); n != 10 {
		t.Errorf("got %d, want 10", n)
	}
}

func TestDatabasesInMemoryAreNotMixedUp(t *testing.T) {
	p, _ := pairIn(t, "")
	for _, dsn := range []string{"", ":memory:", "file::memory:?cache=shared",
		"file:x?mode=memory&cache=shared"} {
		t.Run(dsn, func(t *testing.T) { inMemory(t, p, dsn) })
	}
}

func inMemory(t *testing.T, p *pair, dsn string) {
	db := p.open(t, "sqlite", dsn)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "CREATE TABLE c (n INT); INSERT INTO c VALUES (0)")
	for want := range 3 {
		mustExec(t, db, fmt.Sprintf("UPDATE c SET n = %d", want))
		if n := number(t, db, "SELECT n FROM c"); n != want {
			t.Errorf("got %d, want %d", n, want)
		}
		if got := read(t, db, "SELECT n FROM c"); got != fmt.Sprintf("[%d]", want) {
			t.Errorf("Query got %s, want %d", got, want)
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		run(t, tx, "UPDATE c SET n = -1")
		if n := number(t, tx, "SELECT n FROM c"); n != -1 {
			t.Errorf("within the transaction got %d, want -1", n)
		}
		tx.Rollback()
	}
}
