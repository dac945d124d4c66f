// query.go reads rows into values of Go.

package sqlcache

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"
)

// Queryer is what Query asks: a *sql.DB, *sql.Conn or *sql.Tx.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Query returns the rows of a statement, each as a T. Over a database that was opened through a
// [Cache] it is answered from the cache if it may be; ctx and a comment may say otherwise, as for
// any other query.
//
// If T is a struct, and no sql.Scanner or time.Time, each column is read into the field that has its
// name in the tag db, or else whose own name it is, whatever the case and with or without
// underscores: created_at is read into CreatedAt. Fields of embedded structs count. A column without
// a field is an error, a field without a column stays zero. For any other T there must be one column.
// NULL needs a pointer or a type such as sql.NullString.
func Query[T any](ctx context.Context, q Queryer, statement string, args ...any) ([]T, error) {
	w, said := ctx.Value(wishKey{}).(wish)
	if !said {
		if w = parseComment(statement); !w.said {
			ctx, w.keep = Cached(ctx, 0), true
		}
	}
	n := connectorOf(q)
	if n == nil || !w.keep {
		return scan[T](ctx, q, statement, args)
	}
	key, ok := typedKey[T](n, statement, args)
	if !ok {
		return scan[T](ctx, q, statement, args)
	}
	if rows, ok := recall[T](ctx, n, key); ok {
		return rows, nil
	}
	from := &catcher{}
	rows, err := scan[T](context.WithValue(ctx, catcherKey{}, from), q, statement, args)
	again, ok := typedKey[T](n, statement, args) // an argument may say something else by now
	if ok && again == key && err == nil && from.result != nil {
		remember(n.cache, key, from.result, rows)
	}
	return rows, err
}

// scan runs a statement and reads its rows.
func scan[T any](ctx context.Context, q Queryer, statement string, args []any) ([]T, error) {
	rows, err := q.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	paths, err := pathsOf(reflect.TypeFor[T](), names)
	if err != nil {
		return nil, err
	}
	var all []T
	dest := make([]any, len(names))
	for rows.Next() {
		all = append(all, *new(T))
		aim(dest, reflect.ValueOf(&all[len(all)-1]).Elem(), paths)
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
	}
	return all, rows.Err()
}

// aim has dest point to where the columns go.
func aim(dest []any, row reflect.Value, paths [][]int) {
	for i, path := range paths {
		at := row
		if path != nil {
			at = row.FieldByIndex(path)
		}
		dest[i] = at.Addr().Interface()
	}
}

// pathsOf returns the way to the field of each column; nil is the row itself.
func pathsOf(t reflect.Type, names []string) ([][]int, error) {
	paths := make([][]int, len(names))
	if isOne(t) {
		if len(names) != 1 {
			return nil, fmt.Errorf("sqlcache: %d columns for one %v", len(names), t)
		}
		return paths, nil
	}
	fields := fieldsOf(t)
	for i, name := range names {
		path, ok := fields[plainName(name)]
		if !ok {
			return nil, fmt.Errorf("sqlcache: %v has no field for column %q", t, name)
		}
		paths[i] = path
	}
	return paths, nil
}

// isOne reports whether a type takes one column as a whole.
func isOne(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return true
	}
	return reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]())
}

// fieldsOf returns the way to each field of a struct; tags go before names, outer ones before inner.
func fieldsOf(t reflect.Type) map[string][]int {
	named, tagged := map[string][]int{}, map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		tag, hasTag := f.Tag.Lookup("db")
		inner := f.Anonymous && !hasTag && !isOne(f.Type)
		switch {
		case !f.IsExported() || tag == "-" || inner || throughPointer(t, f.Index):
		case hasTag:
			keepOuter(tagged, plainName(tag), f.Index)
		default:
			keepOuter(named, plainName(f.Name), f.Index)
		}
	}
	maps.Copy(named, tagged)
	return named
}

// keepOuter notes a way, unless there is a shorter one of that name.
func keepOuter(ways map[string][]int, name string, way []int) {
	if old, ok := ways[name]; !ok || len(way) < len(old) {
		ways[name] = way
	}
}

// throughPointer reports whether the way to a field leads through a pointer, which may be nil.
func throughPointer(t reflect.Type, path []int) bool {
	for i := 1; i < len(path); i++ {
		if t.FieldByIndex(path[:i]).Type.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

// plainName is a name without what databases and Go write differently.
func plainName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
