// querier.go asks the database past the cache.

package sqlcache

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// querier asks over a connection of the driver.
type querier struct {
	conn   driver.Conn
	inside bool
}

// Inside implements Querier.
func (q querier) Inside() bool { return q.inside }

// Query implements Querier.
func (q querier) Query(
	ctx context.Context, text string, args ...driver.NamedValue,
) (all [][]driver.Value, err error) {
	rows, release, err := q.rows(ctx, text, args)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close(), release()) }()
	for {
		row := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		for i, v := range row {
			row[i] = own(v)
		}
		all = append(all, row)
	}
}

// rows runs a statement, prepared if the driver knows no other way. release ends that.
func (q querier) rows(
	ctx context.Context, text string, args []driver.NamedValue,
) (rows driver.Rows, release func() error, err error) {
	if conn, ok := q.conn.(driver.QueryerContext); ok {
		rows, err = conn.QueryContext(ctx, text, args)
		if !errors.Is(err, driver.ErrSkip) {
			return rows, func() error { return nil }, err
		}
	}
	s, err := prepare(ctx, q.conn, text)
	if err != nil {
		return nil, nil, err
	}
	if rows, err = queryStmt(ctx, s, args); err != nil {
		s.Close()
		return nil, nil, err
	}
	return rows, s.Close, nil
}

// own returns a value that does not change: bytes belong to the driver until the next row.
func own(v driver.Value) driver.Value {
	if b, ok := v.([]byte); ok && b != nil {
		return bytes.Clone(b)
	}
	return v
}
