// stmt.go is a prepared statement of a program.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// stmt is a prepared statement that uses the cache.
type stmt struct {
	conn  *Conn
	inner driver.Stmt
	text  string
	seen  *statement // what it was seen to do when it was prepared
	label string     // and what the connection was then
}

var (
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

// Prepare implements driver.Conn.
func (c *Conn) Prepare(text string) (driver.Stmt, error) {
	return c.PrepareContext(noContext, text)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *Conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	seen, err := c.statement(ctx, text, nil) // later the driver may be at it, as in a COPY
	if err != nil {
		return nil, err
	}
	label := c.session.label
	inner, err := prepare(ctx, c.inner, text)
	if err != nil {
		return nil, err
	}
	return &stmt{c, inner, text, seen, label}, nil
}

// prepare prepares a statement of the driver, as database/sql does.
func prepare(ctx context.Context, conn driver.Conn, text string) (driver.Stmt, error) {
	if conn, ok := conn.(driver.ConnPrepareContext); ok {
		return conn.PrepareContext(ctx, text)
	}
	s, err := conn.Prepare(text)
	if err == nil && ctx.Err() != nil {
		s.Close()
		return nil, ctx.Err()
	}
	return s, err
}

// Close implements driver.Stmt.
func (s *stmt) Close() error { return s.inner.Close() }

// NumInput implements driver.Stmt.
func (s *stmt) NumInput() int { return s.inner.NumInput() }

// QueryContext implements driver.StmtQueryContext.
func (s *stmt) QueryContext(
	ctx context.Context, args []driver.NamedValue,
) (driver.Rows, error) {
	return s.conn.query(ctx, s.call(args), func() (driver.Rows, error) {
		return queryStmt(ctx, s.inner, args)
	})
}

// ExecContext implements driver.StmtExecContext.
func (s *stmt) ExecContext(
	ctx context.Context, args []driver.NamedValue,
) (driver.Result, error) {
	return s.conn.exec(ctx, s.call(args), func() (driver.Result, error) {
		return execStmt(ctx, s.inner, args)
	})
}

// call returns how it is called.
func (s *stmt) call(args []driver.NamedValue) call {
	c := call{text: s.text, args: args}
	if s.label == s.conn.session.label && len(s.seen.marks) > 0 && hold(s.seen.marks, time.Now()) {
		c.seen = s.seen
	}
	return c
}

// queryStmt runs a statement of the driver.
func queryStmt(
	ctx context.Context, s driver.Stmt, args []driver.NamedValue,
) (driver.Rows, error) {
	if s, ok := s.(driver.StmtQueryContext); ok {
		return s.QueryContext(ctx, args)
	}
	plain, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.Query(plain) //lint:ignore SA1019 all that such a driver has
}

// execStmt runs a statement of the driver.
func execStmt(
	ctx context.Context, s driver.Stmt, args []driver.NamedValue,
) (driver.Result, error) {
	if s, ok := s.(driver.StmtExecContext); ok {
		return s.ExecContext(ctx, args)
	}
	plain, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.Exec(plain) //lint:ignore SA1019 all that such a driver has
}

// unnamed returns the arguments for a driver that knows neither names nor contexts.
func unnamed(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	plain := make([]driver.Value, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, errors.New("sql: driver does not support the use of Named Parameters")
		}
		plain[i] = a.Value
	}
	return plain, ctx.Err()
}

// Query implements driver.Stmt.
func (s *stmt) Query([]driver.Value) (driver.Rows, error) { return nil, driver.ErrSkip }

// Exec implements driver.Stmt.
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }

// CheckNamedValue implements driver.NamedValueChecker.
func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if inner, ok := s.inner.(driver.NamedValueChecker); ok {
		return inner.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

// ColumnConverter implements driver.ColumnConverter.
func (s *stmt) ColumnConverter(i int) driver.ValueConverter {
	//lint:ignore SA1019 older drivers have it
	if inner, ok := s.inner.(driver.ColumnConverter); ok {
		return inner.ColumnConverter(i)
	}
	return driver.DefaultParameterConverter
}
