// consistency_test.go writes and reads at the same time.

package sqlcache_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/sqlite"
)

// openSQLite opens a file through a cache that keeps all it may.
func openSQLite(t testing.TB, o sqlcache.Options, schema string) (*sqlcache.Cache, *sql.DB) {
	t.Helper()
	o.Dialect, o.All = sqlite.New(sqlite.Options{}), true
	o.OnError = func(err error) { t.Error(err) }
	cache := sqlcache.New(o)
	t.Cleanup(func() { cache.Close() })
	dsn := "file:" + filepath.Join(t.TempDir(), "file.db") +
		"?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)&_txlock=immediate"
	db, err := cache.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	mustExec(t, db, schema)
	return cache, db
}

func TestNobodyReadsAnOlderRowAfterACommitOnSQLite(t *testing.T) {
	_, db := openSQLite(t, sqlcache.Options{}, "CREATE TABLE c (id INTEGER PRIMARY KEY, n INT)")
	readAndWrite(t, db)
}

// readAndWrite counts rows up and reads them meanwhile: what was committed before a read begins the
// read sees, and nobody sees time go back.
func readAndWrite(t *testing.T, db *sql.DB) {
	const rows, readers = 3, 4
	for id := range rows {
		mustExec(t, db, fmt.Sprintf("INSERT INTO c VALUES (%d, 0)", id))
	}
	var committed [rows]atomic.Int64
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	var wait sync.WaitGroup
	for id := range rows {
		wait.Go(func() {
			for n := int64(1); ctx.Err() == nil; n++ {
				if err := countUp(db, id, n); err != nil {
					t.Error(err)
					return
				}
				committed[id].Store(n)
			}
		})
	}
	var reads atomic.Int64
	for range readers {
		wait.Go(func() {
			var seen [rows]int64
			for i := 0; ctx.Err() == nil; i++ {
				id := i % rows
				before := committed[id].Load()
				n, err := sqlcache.Query[int64](t.Context(), db, fmt.Sprintf("SELECT n FROM c WHERE id = %d", id))
				if err != nil || len(n) != 1 || n[0] < max(before, seen[id]) {
					t.Errorf("row %d is %v (%v), and was %d before, %d seen", id, n, err, before, seen[id])
					return
				}
				seen[id] = n[0]
				reads.Add(1)
			}
		})
	}
	wait.Wait()
	t.Logf("%d reads, %d commits", reads.Load(), committed[0].Load()+committed[1].Load()+committed[2].Load())
}

// countUp writes n: by itself, in a transaction, or in the second one, after the first was rolled
// back.
func countUp(db *sql.DB, id int, n int64) error {
	text := fmt.Sprintf("UPDATE c SET n = %d WHERE id = %d", n, id)
	switch n % 3 {
	case 0:
		_, err := db.Exec(text)
		return err
	case 1:
		wrong := fmt.Sprintf("UPDATE c SET n = %d WHERE id = %d", n+1_000_000, id)
		if err := within(db, wrong, (*sql.Tx).Rollback); err != nil {
			return err
		}
	}
	return within(db, text, (*sql.Tx).Commit)
}

// within writes in a transaction.
func within(db *sql.DB, text string, end func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(text); err != nil {
		tx.Rollback()
		return err
	}
	return end(tx)
}
