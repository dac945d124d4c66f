// result.go is the result of a query: what is kept, and how it is handed out.

package sqlcache

import (
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"time"

	"github.com/larder-go/larder"
)

// result holds the rows of a query. It does not change.
type result struct {
	names   []string
	columns []column
	values  []driver.Value // row after row
	count   int            // of rows
	weight  int64
	marks   []mark // of its tables, before they were read
	until   time.Time
	typed   any    // what Query has made of the rows, in place of them: a slice
	text    string // the beginning of the statement, if the cache observes itself
}

// column is what a driver says of a column besides its name.
type column struct {
	databaseType string
	scanType     reflect.Type
	length       int64
	hasLength    bool
	nullable     bool
	hasNullable  bool
	precision    int64
	scale        int64
	hasDecimal   bool
}

// Sizes of what a result holds, in bytes.
const (
	resultBytes = 256
	columnBytes = 96
	valueBytes  = 24 // an interface and, mostly, what it points to
)

func weighResult(_ larder.Key, r *result) int { return int(r.weight) }

// describe returns what rows are made of.
func describe(rows driver.Rows) *result {
	r := &result{names: rows.Columns(), weight: resultBytes}
	r.columns = make([]column, len(r.names))
	for i, name := range r.names {
		r.columns[i] = columnOf(rows, i)
		r.weight += columnBytes + int64(len(name))
	}
	return r
}

// columnOf asks the driver for what it knows of a column. What it does not tell, database/sql gets
// in the same words as from a driver that cannot be asked.
func columnOf(rows driver.Rows, i int) column {
	c := column{scanType: reflect.TypeFor[any]()}
	if rows, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		c.databaseType = rows.ColumnTypeDatabaseTypeName(i)
	}
	if rows, ok := rows.(driver.RowsColumnTypeScanType); ok {
		c.scanType = rows.ColumnTypeScanType(i)
	}
	if rows, ok := rows.(driver.RowsColumnTypeLength); ok {
		c.length, c.hasLength = rows.ColumnTypeLength(i)
	}
	if rows, ok := rows.(driver.RowsColumnTypeNullable); ok {
		c.nullable, c.hasNullable = rows.ColumnTypeNullable(i)
	}
	if rows, ok := rows.(driver.RowsColumnTypePrecisionScale); ok {
		c.precision, c.scale, c.hasDecimal = rows.ColumnTypePrecisionScale(i)
	}
	return c
}

// collect reads rows as long as they stay within the bounds. What it returns hands out all of them:
// those that were read, and then the others. whole is nil if there are others, or an error.
func (c *Cache) collect(rows driver.Rows) (whole *result, out *keptRows) {
	r := describe(rows)
	row := make([]driver.Value, len(r.names))
	for r.count <= c.o.MaxRows && r.weight <= c.o.MaxResult {
		err := rows.Next(row)
		switch {
		case err != nil && !errors.Is(err, io.EOF), err != nil && hasMore(rows):
			return nil, &keptRows{result: r, rest: rows, err: err}
		case err != nil:
			return r, &keptRows{result: r, rest: rows, err: err}
		}
		r.add(row)
	}
	c.counters.tooLarge.Add(1)
	return nil, &keptRows{result: r, rest: rows}
}

// hasMore reports whether another set of rows follows.
func hasMore(rows driver.Rows) bool {
	sets, ok := rows.(driver.RowsNextResultSet)
	return ok && sets.HasNextResultSet()
}

// add appends a row.
func (r *result) add(row []driver.Value) {
	for _, v := range row {
		v = own(v)
		r.values = append(r.values, v)
		r.weight += valueBytes + int64(reachable(v))
	}
	r.count++
}

// reachable returns how many bytes a value holds behind its interface, beyond a word.
func reachable(v driver.Value) int {
	switch v := v.(type) {
	case string:
		return 16 + len(v)
	case []byte:
		return 24 + len(v)
	case nil, bool:
		return 0
	}
	return 24
}

// rows hands the result out.
func (r *result) rows() driver.Rows { return &keptRows{result: r, err: io.EOF} }

// keptRows hands out the rows of a result, and then those that are still to come.
type keptRows struct {
	result *result
	given  int         // how many rows were handed out
	rest   driver.Rows // nil: there is no more, and nothing to close
	err    error       // what follows the kept rows; nil: rows of rest
}

// failure returns the error that ends the rows, if it is known by now.
func (r *keptRows) failure() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.err
}

var (
	_ driver.RowsNextResultSet              = (*keptRows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*keptRows)(nil)
	_ driver.RowsColumnTypeLength           = (*keptRows)(nil)
	_ driver.RowsColumnTypeNullable         = (*keptRows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*keptRows)(nil)
	_ driver.RowsColumnTypeScanType         = (*keptRows)(nil)
)

// Columns implements driver.Rows.
func (r *keptRows) Columns() []string { return r.result.names }

// Next implements driver.Rows.
func (r *keptRows) Next(dest []driver.Value) error {
	if r.given == r.result.count {
		if r.err != nil {
			return r.err
		}
		return r.rest.Next(dest)
	}
	width := len(r.result.names)
	for i, v := range r.result.values[r.given*width:][:width] {
		dest[i] = own(v)
	}
	r.given++
	return nil
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	if r.rest == nil {
		return nil
	}
	return r.rest.Close()
}

// HasNextResultSet implements driver.RowsNextResultSet.
func (r *keptRows) HasNextResultSet() bool { return r.rest != nil && hasMore(r.rest) }

// NextResultSet implements driver.RowsNextResultSet.
func (r *keptRows) NextResultSet() error {
	sets, ok := r.rest.(driver.RowsNextResultSet)
	if !ok {
		return io.EOF
	}
	err := sets.NextResultSet()
	if err == nil {
		r.result, r.given, r.err = describe(r.rest), 0, nil
	}
	return err
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *keptRows) ColumnTypeDatabaseTypeName(i int) string { return r.result.columns[i].databaseType }

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *keptRows) ColumnTypeScanType(i int) reflect.Type { return r.result.columns[i].scanType }

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *keptRows) ColumnTypeLength(i int) (int64, bool) {
	c := &r.result.columns[i]
	return c.length, c.hasLength
}

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (r *keptRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	c := &r.result.columns[i]
	return c.nullable, c.hasNullable
}

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *keptRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := &r.result.columns[i]
	return c.precision, c.scale, c.hasDecimal
}
