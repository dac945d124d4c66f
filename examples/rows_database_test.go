// rows_database_test.go runs the programs of README.md that are about databases.

package examples_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/servers"
)

func TestDatabaseResultsSQLite(t *testing.T) {
	wantFile(t, run(t, "database-results-sqlite"), "database-results-sqlite.txt")
}

func TestDatabaseResultsPostgres(t *testing.T) {
	dsn := servers.Postgres(t).DSN
	for range 2 { // the second finds what the first has left: nothing
		wantFile(t, run(t, "database-results-postgres", "-dsn", dsn), "database-results-postgres.txt")
	}
	p := start(t, "database-results-postgres", "-dsn", "postgres://127.0.0.1:1/none?connect_timeout=2")
	if err := p.cmd.Wait(); err == nil || strings.Contains(p.printed(), "panic") {
		t.Errorf("without a server: %v, %s", err, p.printed())
	}
}
