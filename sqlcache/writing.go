// writing.go hands out rows of a statement that writes.

package sqlcache

import (
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

// writingRows are the rows of a statement that writes: the change is over when they are closed.
type writingRows struct {
	driver.Rows
	done func(error)
	err  error
	over bool
}

// Next implements driver.Rows.
func (r *writingRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return err
}

// Close implements driver.Rows.
func (r *writingRows) Close() error {
	err := r.Rows.Close()
	if !r.over {
		r.over = true
		r.done(errors.Join(r.err, err))
	}
	return err
}

// HasNextResultSet implements driver.RowsNextResultSet.
func (r *writingRows) HasNextResultSet() bool { return hasMore(r.Rows) }

// NextResultSet implements driver.RowsNextResultSet.
func (r *writingRows) NextResultSet() error {
	if sets, ok := r.Rows.(driver.RowsNextResultSet); ok {
		return sets.NextResultSet()
	}
	return io.EOF
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *writingRows) ColumnTypeDatabaseTypeName(i int) string {
	return columnOf(r.Rows, i).databaseType
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *writingRows) ColumnTypeScanType(i int) reflect.Type { return columnOf(r.Rows, i).scanType }

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *writingRows) ColumnTypeLength(i int) (int64, bool) {
	c := columnOf(r.Rows, i)
	return c.length, c.hasLength
}

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (r *writingRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	c := columnOf(r.Rows, i)
	return c.nullable, c.hasNullable
}

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *writingRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := columnOf(r.Rows, i)
	return c.precision, c.scale, c.hasDecimal
}
