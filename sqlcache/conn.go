// conn.go is a connection: what database/sql asks of one, handed on to the driver's.

package sqlcache

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// Conn is a connection that uses the cache. Whoever needs that of the driver, in sql.Conn.Raw, gets
// it by Unwrap.
type Conn struct {
	cache     *Cache
	connector *connector
	inner     driver.Conn
	number    uint64
	session   session
	plans     *plans
}

func (n *connector) conn(inner driver.Conn) *Conn {
	c := &Conn{cache: n.cache, connector: n, inner: inner, number: n.cache.conns.Add(1)}
	c.session.conn = c
	c.plans = newPlans(inner, n.cache.o)
	return c
}

var (
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
)

// Unwrap returns the connection of the driver. What is done with it the cache does not see: so it
// forgets everything, now and when the connection is used next, and keeps nothing of this connection
// any more.
func (c *Conn) Unwrap() driver.Conn {
	c.session.outside = true
	c.cache.tables.all.bump()
	return c.inner
}

// past returns a way to the database past the cache.
func (c *Conn) past() Querier { return querier{c.inner} }

// call is a statement that is to be run, and how.
type call struct {
	text string
	args []driver.NamedValue
}

// QueryContext implements driver.QueryerContext.
func (c *Conn) QueryContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Rows, error) {
	inner, ok := c.inner.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip // database/sql prepares it
	}
	return c.query(ctx, call{text, args}, func() (driver.Rows, error) {
		if rows, ok, err := c.plans.query(ctx, &c.session, text, args); ok {
			return rows, err
		}
		return inner.QueryContext(ctx, text, args)
	})
}

// query answers a statement from the cache, or runs it.
func (c *Conn) query(
	ctx context.Context, s call, run func() (driver.Rows, error),
) (driver.Rows, error) {
	st, err := c.statement(ctx, s.text, s.args)
	switch {
	case err != nil:
		return nil, err
	case st.Cacheable:
		return c.read(ctx, st, s, run)
	case st.Reason != "" && c.cache.wishOf(ctx, s.text).keep:
		c.cache.counters.count(st.Reason)
	}
	return change(ctx, c, st, run, func(rows driver.Rows, done func(error)) driver.Rows {
		return &writingRows{Rows: rows, done: done}
	})
}

// ExecContext implements driver.ExecerContext.
func (c *Conn) ExecContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Result, error) {
	inner, ok := c.inner.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return c.exec(ctx, call{text, args}, func() (driver.Result, error) {
		if result, ok, err := c.plans.exec(ctx, &c.session, text, args); ok {
			return result, err
		}
		return inner.ExecContext(ctx, text, args)
	})
}

// exec runs a statement that returns no rows.
func (c *Conn) exec(
	ctx context.Context, s call, run func() (driver.Result, error),
) (driver.Result, error) {
	st, err := c.statement(ctx, s.text, s.args)
	if err != nil {
		return nil, err
	}
	return change(ctx, c, st, run, func(r driver.Result, done func(error)) driver.Result {
		done(nil)
		return r
	})
}

// change runs a statement that may change something, and sees to it that what was read before is
// forgotten. The change has happened when done is called, which last sees to.
func change[R any](
	ctx context.Context, c *Conn, st *statement, run func() (R, error),
	last func(r R, done func(error)) R,
) (R, error) {
	switch {
	case st.Transaction == Commit:
		co := c.beginCommit(ctx, c.session.end())
		r, err := run()
		co.end(ctx, err)
		return r, err
	case c.session.inside && len(st.writes) > 0:
		c.session.write(st.writes, st.WritesAll)
	case len(st.writes) > 0:
		co := c.beginCommit(ctx, st.writes)
		r, err := run()
		c.lookAgain(st)
		if err != nil {
			co.end(ctx, err)
			return r, err
		}
		c.session.apply(st.Session)
		return last(r, func(err error) { co.end(ctx, err) }), nil
	}
	r, err := run()
	c.lookAgain(st)
	if err == nil {
		c.afterwards(st)
	}
	return r, err
}

// lookAgain expects the worst of a statement that has run after the schema may have changed: it may
// have written other tables than those it was seen to write.
func (c *Conn) lookAgain(st *statement) {
	all := &c.cache.tables.all
	switch {
	case len(st.marks) == 0 || len(st.writes) == 0 || st.marks[0].changes == all.changes.Load():
	case c.session.inside:
		c.session.write(window{all}, true)
	default:
		all.bump()
	}
}

// afterwards notes what a statement has done to the connection and its transaction.
func (c *Conn) afterwards(st *statement) {
	switch st.Transaction {
	case Begin:
		c.session.begin()
	case Rollback:
		c.session.end()
	default:
		c.session.apply(st.Session)
	}
}

// BeginTx implements driver.ConnBeginTx.
func (c *Conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.session.returned()
	c.session.identity(ctx) // within the transaction it cannot be asked for
	tx, err := c.beginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	c.session.begin()
	return &cachedTx{tx, c}, nil
}

// beginTx begins a transaction of the driver, as database/sql does.
func (c *Conn) beginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if inner, ok := c.inner.(driver.ConnBeginTx); ok {
		return inner.BeginTx(ctx, o)
	}
	switch {
	case o.Isolation != driver.IsolationLevel(sql.LevelDefault):
		return nil, errors.New("sql: driver does not support non-default isolation level")
	case o.ReadOnly:
		return nil, errors.New("sql: driver does not support read-only transactions")
	}
	tx, err := c.inner.Begin() //lint:ignore SA1019 all that such a driver has
	if err == nil && ctx.Err() != nil {
		tx.Rollback()
		return nil, ctx.Err()
	}
	return tx, err
}

// Begin implements driver.Conn.
func (c *Conn) Begin() (driver.Tx, error) { return c.BeginTx(noContext, driver.TxOptions{}) }

// cachedTx is a transaction. When it is committed the cache forgets what it has written.
type cachedTx struct {
	inner driver.Tx
	conn  *Conn
}

// Commit implements driver.Tx.
func (t *cachedTx) Commit() error {
	t.conn.session.returned()
	co := t.conn.beginCommit(noContext, t.conn.session.end())
	err := t.inner.Commit()
	co.end(noContext, err)
	return err
}

// Rollback implements driver.Tx.
func (t *cachedTx) Rollback() error {
	t.conn.session.returned()
	t.conn.session.end()
	return t.inner.Rollback()
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *Conn) CheckNamedValue(v *driver.NamedValue) error {
	if inner, ok := c.inner.(driver.NamedValueChecker); ok {
		return inner.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Ping implements driver.Pinger.
func (c *Conn) Ping(ctx context.Context) error {
	if inner, ok := c.inner.(driver.Pinger); ok {
		return inner.Ping(ctx)
	}
	return nil
}

// ResetSession implements driver.SessionResetter.
func (c *Conn) ResetSession(ctx context.Context) error {
	c.session.returned()
	if inner, ok := c.inner.(driver.SessionResetter); ok {
		return inner.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *Conn) IsValid() bool {
	if inner, ok := c.inner.(driver.Validator); ok {
		return inner.IsValid()
	}
	return true
}

// Close implements driver.Conn.
func (c *Conn) Close() error {
	c.session.returned()
	c.plans.close()
	return c.inner.Close()
}
