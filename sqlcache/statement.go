// statement.go remembers what statements do.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"

	"github.com/larder-go/larder"
)

// statementKey names a statement over connections that are alike.
type statementKey struct{ identity, text string }

// statement is what is known of one.
type statement struct {
	Effect
	name   larder.Key
	marks  []mark   // of the schema, when the dialect looked at it
	reads  []*table // with that of all
	writes window   // with that of all, if any table may be written
}

// statementBytes bounds the memory of what is known of statements.
const statementBytes = 16 << 20

func weighStatement(k statementKey, s *statement) int {
	return 512 + 2*len(k.text) + 64*(len(s.reads)+len(s.writes))
}

// longestStatement is how long a text may be that is looked at, in bytes. What is longer counts as
// unknown.
const longestStatement = 1 << 20

// statement returns what a statement does. If the database cannot be asked it expects the worst. An
// error says that the statement cannot be run over this connection, or not any more.
func (c *Conn) statement(
	ctx context.Context, text string, args []driver.NamedValue,
) (*statement, error) {
	c.session.returned()
	if len(text) > longestStatement {
		return c.cache.newStatement(Unknown("is too long to be looked at")), nil
	}
	key := statementKey{c.session.identity(ctx), text}
	if s, ok := c.cache.statements.Lookup(key); ok && hold(s.marks, time.Now()) {
		return c.orUnknown(s), nil
	}
	marks, quiet := markAll([]*table{&c.cache.tables.all}, time.Now())
	effect, err := c.examine(ctx, text, args)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && (errors.Is(err, driver.ErrBadConn) || !c.IsValid()):
		return nil, driver.ErrBadConn
	case err != nil:
		return c.cache.newStatement(Unknown("could not be looked at: " + err.Error())), nil
	}
	s := c.cache.newStatement(effect)
	if s.name, err = larder.KeyOf(key.identity, text); err != nil {
		return nil, err // two strings
	}
	if s.marks = marks; quiet && !c.session.hasChangedSchema() {
		c.cache.statements.Set(noContext, key, s)
	}
	return c.orUnknown(s), nil
}

// examine asks the dialect. A transaction of SQLite begins with its first look at the file, and that
// may not be ours: there another connection is asked, which knows the same, as long as the
// transaction has not changed the schema. If it has, all tables count as written anyway.
func (c *Conn) examine(
	ctx context.Context, text string, args []driver.NamedValue,
) (e Effect, err error) {
	dialect := c.cache.o.Dialect
	if s := c.sentinel(); s != nil && c.session.inside {
		err = s.ask(context.WithoutCancel(ctx), func(q Querier) (err error) {
			e, err = dialect.Effect(context.WithoutCancel(ctx), q, text, args)
			return err
		})
		return e, err
	}
	return dialect.Effect(ctx, c.past(), text, args)
}

// orUnknown returns a statement, or what is to be expected of it where nobody can say that.
func (c *Conn) orUnknown(st *statement) *statement {
	if st.Transaction == Savepoint && !c.session.inside {
		return c.cache.newStatement(Unknown("is a savepoint outside of a transaction"))
	}
	return st
}

// newStatement returns a statement of that effect.
func (c *Cache) newStatement(e Effect) *statement {
	s := &statement{Effect: e}
	if e.Cacheable {
		s.reads = append(c.tables.of(e.Reads), &c.tables.all)
	}
	if s.writes = c.tables.of(e.Writes); e.WritesAll {
		s.writes = append(s.writes, &c.tables.all)
	}
	return s
}

// special finds words that databases read as a time of now: 'today'::date.
var special = regexp.MustCompile(`(?i)\b(now|today|tomorrow|yesterday)\b`)

// longestTime is how long a text may be that is read as a time, in bytes, blanks aside: PostgreSQL
// takes 128.
const longestTime = 256

// isSpecial reports whether a database may read a text as a time of now.
func isSpecial(text string) bool {
	solid := 0
	for i := range len(text) {
		if text[i] > ' ' {
			solid++
		}
		if solid > longestTime {
			return false
		}
	}
	return special.MatchString(text)
}

// dependsOnClock reports whether a database may read one of the arguments as a time of now.
func dependsOnClock(args []driver.NamedValue) bool {
	for _, a := range args {
		switch v := a.Value.(type) {
		case nil, bool, int64, int, float64, time.Time:
		case string:
			if isSpecial(v) {
				return true
			}
		case []byte:
			if isSpecial(string(v)) {
				return true
			}
		default: // what only this driver takes: an array, a range
			if special.MatchString(fmt.Sprint(v)) {
				return true
			}
		}
	}
	return false
}

// keyOf names the result of a statement with those arguments. The error says which of them cannot be
// told from others.
func (s *statement) keyOf(args []driver.NamedValue) (larder.Key, error) {
	parts := make([]any, 0, 8)
	parts = append(parts, s.name)
	for _, a := range args {
		if a.Name != "" {
			parts = append(parts, "name", a.Name)
		}
		parts = appendArgument(parts, a.Value)
	}
	return larder.KeyOf(parts...)
}

// appendArgument appends what tells an argument from all others.
func appendArgument(parts []any, a any) []any {
	parts = append(parts, a)
	switch v := a.(type) {
	case time.Time: // of which a key knows the instant alone
		zone, offset := v.Zone()
		parts = append(parts, zone, offset)
	case float64: // of which a key does not know -0
		parts = append(parts, math.Signbit(v))
	}
	return parts
}
