// bench_test.go measures what it costs to ask, and whether prepared statements help.

package sqlite_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
)

func BenchmarkEffect(b *testing.B) {
	for name, statement := range map[string]string{
		"read":      "SELECT name, age FROM users WHERE id = ?",
		"functions": "SELECT upper(name) FROM users WHERE id = ?",
		"write":     "UPDATE calm SET b = ? WHERE a = ?",
		"cascade":   "DELETE FROM users WHERE id = ?",
		"pragma":    "PRAGMA foreign_keys",
	} {
		b.Run(name, func(b *testing.B) {
			c := fresh(b, shop...)
			for b.Loop() {
				c.effect(statement)
			}
		})
	}
}

// BenchmarkStatement compares a query by its text with one of a statement that was prepared once.
func BenchmarkStatement(b *testing.B) {
	c := fresh(b, shop...)
	for name, statement := range map[string]string{
		"short": "SELECT name, age FROM users WHERE id = ?",
		"view":  "SELECT s.s FROM spenders s JOIN users u USING (name) WHERE u.id = ? ORDER BY 1",
	} {
		b.Run(name+"/text", func(b *testing.B) {
			for b.Loop() {
				if _, err := c.rows(statement, first...); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/prepared", func(b *testing.B) { queryPrepared(b, c, statement, first) })
	}
}

var first = []driver.NamedValue{{Ordinal: 1, Value: int64(1)}}

func queryPrepared(b *testing.B, c *bench, statement string, args []driver.NamedValue) {
	err := c.Raw(func(conn any) error {
		s, err := conn.(driver.Conn).Prepare(statement)
		if err != nil {
			return err
		}
		for b.Loop() {
			if err := drain(s.(driver.StmtQueryContext), args); err != nil {
				return err
			}
		}
		return s.Close()
	})
	if err != nil {
		b.Fatal(err)
	}
}

// drain reads all rows of a statement.
func drain(s driver.StmtQueryContext, args []driver.NamedValue) error {
	rows, err := s.QueryContext(context.Background(), args)
	if err != nil {
		return err
	}
	row := make([]driver.Value, len(rows.Columns()))
	for err == nil {
		err = rows.Next(row)
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	return rows.Close()
}
