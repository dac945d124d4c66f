// plans.go keeps prepared statements, so that the database need not plan what comes again.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

// plans are the prepared statements of a connection, the ones used last. One goroutine at a time
// uses them, as it does the connection.
type plans struct {
	conn driver.Conn
	kept *larder.Cache[string, *plan] // nil: the driver keeps its own, or none are to be
	old  bool                         // what they were made for may have changed
}

// plan is a prepared statement, or the memory that its text came once.
type plan struct {
	stmt    driver.Stmt // nil: it came once
	useless bool        // it cannot be prepared, or not be used as database/sql would
	open    int         // rows that are being read from it
	gone    bool        // it is closed when the last of them is
}

func newPlans(conn driver.Conn, o Options) *plans {
	p := &plans{conn: conn}
	if o.MaxStatements > 0 && !o.Dialect.KeepsStatements(conn) {
		p.kept = larder.New(larder.Options[string, *plan]{
			MaxEntries: o.MaxStatements, Policy: policy.LRU,
			OnEvict: func(_ string, gone *plan, _ larder.Cause) { gone.leave() },
		})
	}
	return p
}

// leave closes the statement as soon as nobody reads from it.
func (p *plan) leave() {
	if p.gone = true; p.open == 0 && p.stmt != nil {
		p.stmt.Close() // an error would be that of the connection, which the next one tells
		p.stmt = nil
	}
}

// forget has all closed before the next is used: what they were made for may have changed. Now the
// connection may still be busy with the rows of what has changed it.
func (p *plans) forget() { p.old = true }

// close closes all.
func (p *plans) close() {
	if p.old = false; p.kept != nil {
		p.kept.Clear(noContext)
	}
}

// find returns the prepared statement of a text; nil if it is to be run as it is: since it came for
// the first time, has no arguments or others than it needs, or is in use. Within a transaction a
// statement that has become invalid would break that off, so none is used.
func (p *plans) find(
	ctx context.Context, s *session, text string, args []driver.NamedValue,
) *plan {
	if p.kept == nil || s.inside || len(args) == 0 {
		return nil
	}
	if p.old {
		p.close()
	}
	found, ok := p.kept.Lookup(text)
	if !ok {
		p.kept.Set(noContext, text, &plan{})
		return nil
	}
	if found.stmt == nil && !found.useless {
		p.prepare(ctx, text, found)
	}
	if found.stmt == nil {
		return nil
	}
	if n := found.stmt.NumInput(); found.open > 0 || n >= 0 && n != len(args) {
		return nil
	}
	return found
}

// prepare prepares a statement, unless its arguments would have to be converted for it.
func (p *plans) prepare(ctx context.Context, text string, found *plan) {
	stmt, err := prepare(ctx, p.conn, text)
	if err != nil {
		found.useless = true // to run it will tell why
		return
	}
	_, checks := stmt.(driver.NamedValueChecker)
	_, converts := stmt.(driver.ColumnConverter) //lint:ignore SA1019 older drivers have it
	if checks || converts {
		stmt.Close()
		found.useless = true
		return
	}
	found.stmt = stmt
}

// query runs a text by its prepared statement. ok is false if there is none that can be used.
func (p *plans) query(
	ctx context.Context, s *session, text string, args []driver.NamedValue,
) (rows driver.Rows, ok bool, err error) {
	found := p.find(ctx, s, text, args)
	if found == nil {
		return nil, false, nil
	}
	rows, err = queryStmt(ctx, found.stmt, args)
	if err != nil {
		return nil, !p.outdated(text, err), err
	}
	found.open++
	done := func(error) {
		if found.open--; found.gone {
			found.leave()
		}
	}
	return &writingRows{Rows: rows, done: done}, true, nil
}

// exec runs a text by its prepared statement. ok is false if there is none that can be used.
func (p *plans) exec(
	ctx context.Context, s *session, text string, args []driver.NamedValue,
) (r driver.Result, ok bool, err error) {
	found := p.find(ctx, s, text, args)
	if found == nil {
		return nil, false, nil
	}
	if r, err = execStmt(ctx, found.stmt, args); err != nil {
		return nil, !p.outdated(text, err), err
	}
	return r, true, nil
}

// States of SQL that say that a prepared statement, and not what it was to do, is at fault.
const (
	stateOtherResult = "0A000" // cached plan must not change result type
	stateNoStatement = "26000" // prepared statement does not exist
)

// outdated reports whether a statement has failed, and done nothing, since it was prepared too long
// ago. It is forgotten then.
func (p *plans) outdated(text string, err error) bool {
	var state interface{ SQLState() string }
	if !errors.As(err, &state) {
		return false
	}
	if s := state.SQLState(); s != stateOtherResult && s != stateNoStatement {
		return false
	}
	p.kept.Delete(noContext, text)
	return true
}
