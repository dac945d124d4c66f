// helpers_test.go asks a real server over database/sql, by two drivers.

package postgres_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/lib/pq"              // the driver "postgres"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
)

// session is one connection of a driver. It is a sqlcache.Querier.
type session struct {
	t    testing.TB
	conn *sql.Conn
}

// connect returns a connection that ends with the test.
func connect(t testing.TB, driverName, dsn string) session {
	t.Helper()
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); db.Close() })
	return session{t, conn}
}

// Query asks the driver, past database/sql.
func (s session) Inside() bool { return false }

func (s session) Query(
	ctx context.Context, statement string, args ...driver.NamedValue,
) (all [][]driver.Value, err error) {
	err = s.conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, statement, args)
		if err != nil {
			return err
		}
		defer rows.Close()
		for {
			row := make([]driver.Value, len(rows.Columns()))
			if err := rows.Next(row); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			all = append(all, row)
		}
	})
	return all, err
}

// run executes statements.
func (s session) run(statements ...string) {
	s.t.Helper()
	for _, text := range statements {
		if _, err := s.conn.ExecContext(context.Background(), text); err != nil {
			s.t.Fatalf("%.200s: %v", text, err)
		}
	}
}

// effect asks d what a statement does.
func (s session) effect(d *postgres.Dialect, statement string) sqlcache.Effect {
	s.t.Helper()
	e, err := d.Effect(context.Background(), s, statement, nil)
	if err != nil {
		s.t.Fatalf("%.200s: %v", statement, err)
	}
	if e.Cacheable && (e.WritesAll || len(e.Writes) > 0 || e.Session != 0 || e.Transaction != 0) {
		s.t.Errorf("%.200s: cacheable, and yet %+v", statement, e)
	}
	if shape := d.Shape(statement); shape != statement {
		other, err := d.Effect(context.Background(), s, shape, nil)
		if other.Reason = e.Reason; err != nil || !reflect.DeepEqual(other, e) {
			s.t.Errorf("%.200s: %+v, but %.200s: %+v (%v)", statement, e, shape, other, err)
		}
	}
	return e
}

// identity asks d who s is.
func (s session) identity(d *postgres.Dialect) string {
	s.t.Helper()
	name, err := d.Identity(context.Background(), s)
	if err != nil {
		s.t.Fatal(err)
	}
	return name
}

// withServer runs a test on a server with the tables of schema.
func withServer(t *testing.T, schema string) (*servers.Database, session) {
	t.Helper()
	db := servers.Postgres(t)
	s := connect(t, "pgx", db.DSN)
	s.run(schema)
	return db, s
}
