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
	open      int // rows that are being read, if they may be of an older state of the database
	session   session
	plans     *plans
}

func (n *connector) conn(inner driver.Conn) *Conn {
	c := &Conn{cache: n.cache, connector: n, inner: inner, number: n.cache.conns.Add(1)}
	c.session.conn = c
	c.plans = newPlans(inner, n.cache.o, &n.cache.tables.all)
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
// forgets everything, keeps nothing until this connection is used again in the usual way or closed, for
// 30 seconds at most, and nothing of this connection any more. After what takes longer call Clear.
func (c *Conn) Unwrap() driver.Conn {
	c.session.leave()
	return c.inner
}

// past returns a way to the database past the cache.
func (c *Conn) past() Querier { return querier{c.inner, c.session.phase != outside} }

// call is a statement that is to be run, and how.
type call struct {
	text string
	args []driver.NamedValue
	seen *statement // what it does; nil: that has to be found out
}

// QueryContext implements driver.QueryerContext.
func (c *Conn) QueryContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Rows, error) {
	inner, ok := c.inner.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip // database/sql prepares it
	}
	return c.query(ctx, call{text: text, args: args}, func() (driver.Rows, error) {
		if rows, ok, err := c.plans.query(ctx, &c.session, text, args); ok {
			return rows, err
		}
		return inner.QueryContext(ctx, text, args)
	})
}

// query answers a statement, and counts the rows that are open.
func (c *Conn) query(
	ctx context.Context, s call, run func() (driver.Rows, error),
) (driver.Rows, error) {
	rows, err := c.answer(ctx, s, run)
	if err != nil || c.connector.sentinel == nil {
		return rows, err
	}
	if kept, ok := rows.(*keptRows); ok && kept.rest == nil {
		return rows, nil
	}
	c.open++ // SQLite: as long as they are open the connection sees what it saw when they began
	return &writingRows{Rows: rows, done: func(error) { c.open-- }}, nil
}

// answer answers a statement from the cache, or runs it.
func (c *Conn) answer(
	ctx context.Context, s call, run func() (driver.Rows, error),
) (driver.Rows, error) {
	st, err := c.statementOf(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case st.Cacheable:
		return c.read(ctx, st, s, run)
	}
	rows, err := change(ctx, c, st, run, func(rows driver.Rows, done func(error)) driver.Rows {
		return &writingRows{Rows: rows, done: done}
	})
	if st.Reason != "" && !asksAgain(err) && c.cache.wishOf(ctx, s.text).keep {
		c.cache.counters.count(st.Reason)
	}
	return rows, err
}

// ExecContext implements driver.ExecerContext.
func (c *Conn) ExecContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Result, error) {
	inner, ok := c.inner.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return c.exec(ctx, call{text: text, args: args}, func() (driver.Result, error) {
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
	st, err := c.statementOf(ctx, s)
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
		return commitByText(ctx, c, run)
	case st.Transaction == Begin && c.session.phase == outside:
		return beginByText(ctx, c, run)
	case c.commits(st):
		return commitAtOnce(ctx, c, st, run, last)
	case len(st.writes) > 0:
		c.session.write(st.writes, st.WritesAll)
	}
	r, err := run()
	c.lookAgain(st)
	c.afterwards(st, err)
	return r, err
}

// commits reports whether a statement may publish what it writes, or may need to be alone.
func (c *Conn) commits(st *statement) bool {
	if c.session.phase == within && st.Transaction != Unclear {
		return false
	}
	return len(st.writes) > 0 || st.Session != SessionSame && c.sentinel() != nil
}

// commitAtOnce runs a statement that is a transaction by itself, or ends one.
func commitAtOnce[R any](
	ctx context.Context, c *Conn, st *statement, run func() (R, error),
	last func(r R, done func(error)) R,
) (R, error) {
	watched := c.session.watched
	if watched == nil {
		watched = c.watch(ctx)
	}
	c.session.watched = nil
	co := c.beginCommit(st.writes, watched, st.WritesAll || st.Session != SessionSame)
	r, err := run()
	c.lookAgain(st)
	c.afterwards(st, err)
	if err != nil {
		co.end(ctx, err)
		return r, err
	}
	return last(r, func(err error) { co.end(ctx, err) }), nil
}

// beginByText runs a BEGIN.
func beginByText[R any](ctx context.Context, c *Conn, run func() (R, error)) (R, error) {
	watched := c.watch(ctx)
	r, err := run()
	if err != nil {
		watched.abandon()
		return r, err
	}
	c.session.watched = watched
	c.session.begin(byText)
	return r, err
}

// Who begins a transaction.
const (
	byText   = true
	byDriver = false
)

// commitByText runs a COMMIT.
func commitByText[R any](ctx context.Context, c *Conn, run func() (R, error)) (r R, err error) {
	c.commit(ctx, func() error {
		r, err = run()
		return err
	})
	return r, err
}

// commit commits. If that fails there may still be a transaction, or not.
func (c *Conn) commit(ctx context.Context, run func() error) {
	s := &c.session
	w, watched := s.writes(), s.watched
	s.watched = nil
	var err error
	if len(w) == 0 {
		err = run()
		watched.abandon()
	} else {
		co := c.beginCommit(w, watched, s.wroteAll || s.phase == unclear)
		err = run()
		co.end(ctx, err)
	}
	was := s.phase
	if s.end(); err != nil && was != outside {
		s.lose()
	}
}

// lookAgain expects the worst of a statement that has run after the schema may have changed: it may
// have written other tables than those it was seen to write.
func (c *Conn) lookAgain(st *statement) {
	all := &c.cache.tables.all
	switch {
	case len(st.marks) == 0 || len(st.writes) == 0 || st.marks[0].changes == all.changes.Load():
	case c.session.phase == within:
		c.session.write(window{all}, true)
	default:
		all.bump()
	}
}

// afterwards notes what a statement has done to the connection and its transaction. One that failed
// may have done some of it, unless it was not even understood what: then it is one that the database
// does not take in its state, as PostgreSQL does after an error.
func (c *Conn) afterwards(st *statement, err error) {
	switch {
	case st.unseen && err != nil:
	case st.Transaction == Unclear:
		c.session.apply(st.Session)
		c.session.lose()
	case st.Transaction == Rollback && err == nil:
		c.session.end()
	case err != nil && c.session.phase == within && c.connector.sentinel != nil:
		c.session.apply(st.Session) // SQLite: an error may have ended the transaction
		c.session.lose()
	default:
		c.session.apply(st.Session)
	}
}

// BeginTx implements driver.ConnBeginTx.
func (c *Conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.session.returned()
	c.session.identity(ctx) // within the transaction it cannot be asked for
	var watched *watched
	if c.session.phase == outside {
		watched = c.watch(ctx)
	}
	tx, err := c.beginTx(ctx, o)
	if err != nil {
		watched.abandon()
		return nil, err
	}
	if watched != nil {
		c.session.watched = watched
	}
	c.session.begin(byDriver)
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
	var err error
	t.conn.commit(noContext, func() error {
		err = t.inner.Commit()
		return err
	})
	return err
}

// Rollback implements driver.Tx.
func (t *cachedTx) Rollback() error {
	t.conn.session.returned()
	err := t.inner.Rollback()
	if t.conn.session.end(); err != nil {
		t.conn.session.lose()
	}
	return err
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
	c.session.end()
	c.session.count("")
	c.plans.close(c.connector.sentinel != nil)
	return c.inner.Close()
}
