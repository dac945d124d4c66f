// harness_test.go opens databases and asks them as the cache does.

package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/sqlite"
)

// querier asks over a connection of a driver.
type querier struct{ conn driver.QueryerContext }

func (q querier) Inside() bool { return false }

func (q querier) Query(
	ctx context.Context, statement string, args ...driver.NamedValue,
) (all [][]driver.Value, err error) {
	rows, err := q.conn.QueryContext(ctx, statement, args)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		all = append(all, row)
	}
}

// bench is a connection, with a dialect to ask about it.
type bench struct {
	*sql.Conn
	t testing.TB
	q sqlcache.Querier
	d *sqlite.Dialect
}

// open opens a database file, which is made if it is not there.
func open(t testing.TB, file string, setup ...string) *bench {
	t.Helper()
	return openWith(t, "sqlite", file, setup...)
}

func openWith(t testing.TB, driverName, source string, setup ...string) *bench {
	t.Helper()
	db, err := sql.Open(driverName, source)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); db.Close() })
	b := &bench{Conn: conn, t: t, d: sqlite.New(sqlite.Options{})}
	err = conn.Raw(func(c any) error {
		b.q = querier{c.(driver.QueryerContext)}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.exec(setup...)
	return b
}

// fresh opens a new database.
func fresh(t testing.TB, setup ...string) *bench {
	t.Helper()
	b := open(t, filepath.Join(t.TempDir(), "test.db"), "PRAGMA synchronous = OFF")
	b.exec(setup...)
	return b
}

func (b *bench) exec(statements ...string) {
	b.t.Helper()
	for _, s := range statements {
		if _, err := b.ExecContext(context.Background(), s); err != nil {
			b.t.Fatalf("%s: %v", s, err)
		}
	}
}

func (b *bench) effect(statement string) sqlcache.Effect {
	b.t.Helper()
	e, err := b.d.Effect(context.Background(), b.q, statement, nil)
	if err != nil {
		b.t.Fatalf("%s: %v", statement, err)
	}
	return e
}

func (b *bench) identity() string {
	b.t.Helper()
	id, err := b.d.Identity(context.Background(), b.q)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bench) version() int64 {
	b.t.Helper()
	v, err := b.d.Version(context.Background(), b.q)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// rows returns the result of a query.
func (b *bench) rows(statement string, args ...driver.NamedValue) ([][]driver.Value, error) {
	return b.q.Query(context.Background(), statement, args...)
}

// write runs a statement over a connection of its own.
func write(file, statement string) (err error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Exec(statement)
	return err
}
