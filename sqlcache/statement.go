// statement.go remembers what statements do.

package sqlcache

import (
	"context"
	"database/sql/driver"
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

// statement returns what a statement does. The error is not that of the statement: the database
// could not be asked, and what is returned expects the worst.
func (c *Conn) statement(ctx context.Context, text string, args []driver.NamedValue) *statement {
	if len(text) > longestStatement {
		return c.cache.newStatement(Unknown("is too long to be looked at"))
	}
	key := statementKey{c.session.identity(ctx), text}
	if s, ok := c.cache.statements.Lookup(key); ok && hold(s.marks, time.Now()) {
		return s
	}
	marks, quiet := markAll([]*table{&c.cache.tables.all}, time.Now())
	effect, err := c.cache.o.Dialect.Effect(ctx, c.past(), text, args)
	if err != nil {
		return c.cache.newStatement(Unknown("could not be looked at: " + err.Error()))
	}
	s := c.cache.newStatement(effect)
	if s.name, err = larder.KeyOf(key.identity, text); err != nil {
		return c.cache.newStatement(Unknown(err.Error()))
	}
	if s.marks = marks; quiet && !c.session.hasChangedSchema() {
		c.cache.statements.Set(noContext, key, s)
	}
	return s
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

// longestSpecial is how long a text may be that is read as a time, in bytes.
const longestSpecial = 64

// dependsOnClock reports whether a database may read one of the arguments as a time of now.
func dependsOnClock(args []driver.NamedValue) bool {
	for _, a := range args {
		switch v := a.Value.(type) {
		case nil, bool, int64, int, float64, time.Time:
		case string:
			if len(v) <= longestSpecial && special.MatchString(v) {
				return true
			}
		case []byte:
			if len(v) <= longestSpecial && special.Match(v) {
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
