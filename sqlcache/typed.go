// typed.go keeps what Query has made of rows, so that a hit needs no connection and scans nothing.

package sqlcache

import (
	"context"
	"database/sql"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/larder-go/larder"
)

// catcher learns from which result the rows of a query came; nil: from none that is kept.
type catcher struct{ result *result }

type catcherKey struct{}

// catch tells who asked by Query of the result that answers.
func (c *Conn) catch(ctx context.Context, r *result) {
	if at, ok := ctx.Value(catcherKey{}).(*catcher); ok {
		at.result = r
	}
}

// recall returns what was kept of the rows of an earlier Query.
func recall[T any](ctx context.Context, n *connector, key larder.Key) ([]T, bool) {
	c := n.cache
	if c.deaf.Load() || ctx.Err() != nil {
		return nil, false
	}
	r, ok := c.results.Lookup(key)
	if !ok || n.sentinel != nil && !n.sentinel.look(ctx, math.MaxUint64) {
		return nil, false
	}
	if !hold(r.marks, time.Now()) {
		return nil, false
	}
	rows, ok := r.typed.([]T)
	if !ok {
		return nil, false
	}
	c.counters.hits.Add(1)
	return slices.Clone(rows), true
}

// remember keeps what was made of a result, as long as that is valid.
func remember[T any](c *Cache, key larder.Key, from *result, rows []T) {
	t := reflect.TypeFor[T]()
	ttl := time.Until(from.until)
	if ttl <= 0 || !isPlain(t) {
		return
	}
	kept := &result{marks: from.marks, until: from.until, typed: slices.Clone(rows), text: from.text}
	kept.weight = from.weight + int64(len(rows))*int64(t.Size()) // strings are held twice at worst
	c.results.SetFor(noContext, key, kept, ttl)
}

// isPlain reports whether values of a type share nothing that one may change.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return true
		}
		for f := range t.Fields() {
			if !isPlain(f.Type) {
				return false
			}
		}
		return true
	case reflect.String:
		return true
	}
	return reflect.Bool <= t.Kind() && t.Kind() <= reflect.Complex128
}

// connectorOf returns the connector of a database that was opened through a cache, nil for others.
func connectorOf(q Queryer) *connector {
	db, ok := q.(*sql.DB)
	if !ok || db == nil {
		return nil
	}
	d, ok := db.Driver().(*cachedDriver)
	if !ok {
		return nil
	}
	return d.connector
}

// typedKey names what Query makes of a statement. ok is false if there is no such name, or if the
// answer depends on which connection is asked.
func typedKey[T any](n *connector, statement string, args []any) (key larder.Key, ok bool) {
	plain := n.likeness.plain.Load()
	if plain == nil {
		return key, false
	}
	t := reflect.TypeFor[T]().String()
	a := argumentsOf(append(make([]any, 0, 14), n.name, *plain, t, statement))
	for _, arg := range args {
		a.add(arg)
	}
	return a.key()
}
