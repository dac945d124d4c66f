// version_test.go checks that writers elsewhere are noticed, and one's own are not.

package sqlite_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// writerEnv says to the test program that it is to write to a database: the file and a statement.
const writerEnv = "SQLITE_TEST_WRITER"

func TestMain(m *testing.M) {
	if file := os.Getenv(writerEnv); file != "" {
		if err := write(file, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// elsewhere runs a statement in another process.
func elsewhere(t testing.TB, file, statement string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, statement)
	cmd.Env = append(os.Environ(), writerEnv+"="+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", statement, err, out)
	}
}

func TestVersionChangesWithWritersElsewhereAlone(t *testing.T) {
	for _, mode := range []string{"DELETE", "TRUNCATE", "PERSIST", "WAL"} {
		t.Run(mode, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "test.db")
			b := open(t, file, "PRAGMA journal_mode = "+mode, "CREATE TABLE t (a)")
			o := open(t, file)
			v := b.version()
			same := func(what string) {
				t.Helper()
				if got := b.version(); got != v {
					t.Errorf("%s: version %d became %d", what, v, got)
					v = got
				}
			}
			other := func(what string) {
				t.Helper()
				got := b.version()
				if got == v {
					t.Errorf("%s: version is still %d", what, v)
				}
				v = got
			}
			ownWrites(b, same)
			otherConnection(b, o, same, other)
			elsewhere(t, file, "INSERT INTO t VALUES (3)")
			other("another process wrote")
			same("nobody wrote")
			elsewhere(t, file, "CREATE TABLE u (a)")
			other("another process made a table")
			elsewhere(t, file, "INSERT INTO t VALUES (4)")
			b.exec("INSERT INTO t VALUES (5)")
			other("another process wrote, then this connection")
			b.exec("PRAGMA wal_checkpoint(TRUNCATE)", "INSERT INTO t VALUES (6)", "VACUUM")
			same("checkpoint and vacuum over the connection")
		})
	}
}

func ownWrites(b *bench, same func(string)) {
	b.t.Helper()
	same("nobody wrote")
	b.exec("INSERT INTO t VALUES (1)")
	same("own write")
	b.exec("BEGIN", "UPDATE t SET a = 2", "ROLLBACK")
	same("own rollback")
	b.exec("CREATE TABLE own (a)", "BEGIN IMMEDIATE", "DROP TABLE own", "COMMIT")
	same("own change of the schema")
}

func otherConnection(b, o *bench, same, other func(string)) {
	b.t.Helper()
	o.exec("BEGIN IMMEDIATE", "INSERT INTO t VALUES (2)")
	same("another transaction goes on")
	o.exec("ROLLBACK")
	same("another transaction was rolled back")
	o.exec("INSERT INTO t VALUES (2)")
	other("another connection wrote")
	if err := pinned(b, o); err != nil {
		return // without WAL a reader keeps writers out
	}
	same("another connection wrote behind the snapshot of a transaction")
	b.exec("COMMIT")
	other("the transaction is over")
}

// pinned lets one connection write while the other is in a transaction that has read.
func pinned(b, o *bench) error {
	b.exec("BEGIN")
	if _, err := b.rows("SELECT * FROM t"); err != nil {
		return err
	}
	_, err := o.ExecContext(b.t.Context(), "INSERT INTO t VALUES (2)")
	if err != nil {
		b.exec("COMMIT")
	}
	return err
}

func BenchmarkVersion(b *testing.B) {
	for _, mode := range []string{"DELETE", "WAL"} {
		c := fresh(b, "PRAGMA journal_mode = "+mode, "CREATE TABLE t (a)")
		b.Run(mode, func(b *testing.B) {
			for b.Loop() {
				c.version()
			}
		})
		b.Run(mode+"/prepared", func(b *testing.B) { // what a cache could do at best
			queryPrepared(b, c, "PRAGMA main.data_version", nil)
		})
	}
}
