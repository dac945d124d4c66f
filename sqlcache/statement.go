// statement.go remembers what statements do.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/larder-go/larder"
)

// statementKey names a statement over connections that are alike.
type statementKey struct{ identity, text string }

// statement is what is known of one.
type statement struct {
	Effect
	identity string
	marks    []mark   // of the schema, when the dialect looked at it
	reads    []*table // with that of all
	writes   window   // with that of all, if any table may be written
	unseen   bool     // the database could not be asked, perhaps since it takes nothing at the moment
}

// statementBytes bounds the memory of what is known of statements.
const statementBytes = 16 << 20

func weighStatement(k statementKey, s *statement) int {
	return 512 + 2*len(k.text) + 64*(len(s.reads)+len(s.writes))
}

// statement returns what a statement does. If the database cannot be asked it expects the worst. An
// error says that the statement cannot be run over this connection, or not any more.
func (c *Conn) statement(
	ctx context.Context, text string, args []driver.NamedValue,
) (*statement, error) {
	if c.cache.closed.Load() {
		return &statement{}, nil
	}
	c.session.returned()
	c.session.find(ctx)
	if isRewritten(args) {
		return c.cache.newStatement(Unknown("is rewritten by one of its arguments")), nil
	}
	key := statementKey{c.session.identity(ctx), text}
	if s, ok := c.cache.statements.Lookup(key); ok && hold(s.marks, time.Now()) {
		return c.orUnknown(s), nil
	}
	if d, ok := c.cache.o.Dialect.(Shaper); ok {
		key.text = d.Shape(text)
	}
	if s, ok := c.cache.statements.Lookup(key); ok && hold(s.marks, time.Now()) {
		return c.orUnknown(s), nil
	}
	s, err := c.look(ctx, key, text, args)
	if err != nil {
		return nil, err
	}
	return c.orUnknown(s), nil
}

// look has a statement looked at, and remembers what was seen.
func (c *Conn) look(
	ctx context.Context, key statementKey, text string, args []driver.NamedValue,
) (*statement, error) {
	marks, quiet := markAll([]*table{&c.cache.tables.all}, time.Now())
	effect, err := c.examine(ctx, text, args)
	if err != nil {
		return c.unseen(ctx, effect, err)
	}
	s := c.cache.newStatement(effect)
	s.identity = key.identity
	if s.marks = marks; quiet && !c.session.hasOwnSchema() {
		c.cache.statements.Set(noContext, key, s)
	}
	return s, nil
}

// unseen returns what is to be expected of a statement that could not be looked at, or the error with
// which it ends.
func (c *Conn) unseen(ctx context.Context, e Effect, err error) (*statement, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case c.session.phase == within && c.lost(ctx, err):
		return nil, err // the last word of the server
	case errors.Is(err, driver.ErrBadConn) || !c.IsValid():
		return nil, driver.ErrBadConn
	case !e.WritesAll:
		e = Unknown("")
	}
	e.Cacheable, e.Reason = false, "could not be looked at: "+err.Error()
	s := c.cache.newStatement(e)
	s.unseen = true
	return s, nil
}

// examine asks the dialect. A transaction of SQLite begins with its first look at the file, and that
// may not be ours: there another connection is asked, which knows the same, as long as the
// transaction has not changed the schema. If it has, all tables count as written anyway.
func (c *Conn) examine(
	ctx context.Context, text string, args []driver.NamedValue,
) (e Effect, err error) {
	dialect := c.cache.o.Dialect
	if s := c.sentinel(); s != nil && c.session.phase != outside {
		ok, err := s.ask(func(q Querier) (err error) {
			e, err = dialect.Effect(context.WithoutCancel(ctx), q, text, args)
			return err
		})
		if ok {
			return e, err
		}
	}
	return dialect.Effect(ctx, c.past(), text, args)
}

// orUnknown returns a statement, or what is to be expected of it where nobody can say that.
func (c *Conn) orUnknown(st *statement) *statement {
	if st.Transaction == Savepoint && c.session.phase != within {
		return c.cache.newStatement(Unknown("is a savepoint outside of a transaction"))
	}
	return st
}

// isRewritten reports whether an argument makes another statement of the text, as pgx lets one do. That
// names are replaced by numbers changes nothing.
func isRewritten(args []driver.NamedValue) bool {
	for _, a := range args {
		switch a.Value.(type) {
		case nil, string, int, int64, float64, bool, []byte, time.Time:
			continue
		}
		t := reflect.TypeOf(a.Value)
		_, rewrites := t.MethodByName("RewriteQuery")
		if rewrites && !strings.HasSuffix(t.String(), "NamedArgs") {
			return true
		}
	}
	return false
}

// statementOf returns what a call does.
func (c *Conn) statementOf(ctx context.Context, s call) (*statement, error) {
	known := !c.session.outside && c.session.phase != unclear && !c.cache.closed.Load()
	if s.seen != nil && known && !isRewritten(s.args) {
		return c.orUnknown(s.seen), nil
	}
	return c.statement(ctx, s.text, s.args)
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

// keyOf names the result of a statement with those arguments, or says why it has no name.
func (s *statement) keyOf(
	text string, args []driver.NamedValue,
) (key larder.Key, dynamic bool, why string) {
	a := argumentsOf(append(make([]any, 0, 12), s.identity, text))
	for _, arg := range args {
		if arg.Name != "" {
			a.parts = append(a.parts, "name", arg.Name)
		}
		a.add(arg.Value)
	}
	key, ok := a.key()
	switch {
	case !ok:
		return key, false, "an argument cannot be told from others"
	case a.clock:
		return key, false, "an argument may mean the time of now"
	}
	return key, a.dynamic, ""
}
