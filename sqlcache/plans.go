// plans.go keeps prepared statements, so that the database need not plan what comes again.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

// plans are the prepared statements of a connection, the ones used last. One goroutine at a time
// uses them, as it does the connection.
type plans struct {
	conn    driver.Conn
	kept    *larder.Cache[string, *plan] // nil: the driver keeps its own, or none are to be
	all     *table                       // changes with every change of the schema
	changes uint64                       // of the connection
}

// plan is a prepared statement, or the memory that its text came once.
type plan struct {
	stmt    driver.Stmt // nil: it came once
	useless bool        // it cannot be prepared, or not be used as database/sql would
	session uint64      // plans.changes when it was made
	schema  uint64      // and how often the schema had changed
	open    int         // rows that are being read from it
	gone    bool        // it is closed when the last of them is
}

func newPlans(conn driver.Conn, o Options, all *table) *plans {
	p := &plans{conn: conn, all: all}
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

// forget has each made anew before it is used next: what it was made for may have changed.
func (p *plans) forget() { p.changes++ }

// close closes all. A server forgets them with the connection, and to tell it of each takes time.
func (p *plans) close(told bool) {
	if p.kept != nil && told {
		p.kept.Clear(noContext)
	}
}

// find returns the prepared statement of a text; nil if it is to be run as it is: since it came for
// the first time, has no arguments or others than it needs, or is in use. Within a transaction a
// statement that has become invalid would break that off, so none is used.
func (p *plans) find(
	ctx context.Context, s *session, text string, args []driver.NamedValue,
) *plan {
	if p.kept == nil || s.phase != outside || len(args) == 0 {
		return nil
	}
	found, ok := p.kept.Lookup(text)
	if !ok {
		p.kept.Set(noContext, text, &plan{})
		return nil
	}
	p.refresh(ctx, text, found)
	if found.stmt == nil {
		return nil
	}
	if n := found.stmt.NumInput(); found.open > 0 || n >= 0 && n != len(args) {
		return nil
	}
	return found
}

// refresh prepares a statement for the first time, or once more if it may be out of date.
func (p *plans) refresh(ctx context.Context, text string, found *plan) {
	schema := p.all.changes.Load()
	changed := found.session != p.changes || found.schema != schema
	if found.stmt != nil && found.open == 0 && changed {
		found.stmt.Close()
		found.stmt = nil
	}
	if found.stmt == nil && !found.useless {
		found.session, found.schema = p.changes, schema
		p.prepare(ctx, text, found)
	}
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

// States of SQL that may mean that a prepared statement, and not what it was to do, is at fault.
const (
	stateOtherResult = "0A000" // cached plan must not change result type
	stateNoStatement = "26000" // prepared statement does not exist
	stateOtherTypes  = "42"    // begins those of names and types: no such operator
)

// outdated reports whether a statement has failed, and done nothing, perhaps since it was prepared too
// long ago. It is forgotten then.
func (p *plans) outdated(text string, err error) bool {
	var state interface{ SQLState() string }
	if !errors.As(err, &state) {
		return false
	}
	switch s := state.SQLState(); {
	case s == stateOtherResult, s == stateNoStatement, strings.HasPrefix(s, stateOtherTypes):
		p.kept.Delete(noContext, text)
		return true
	}
	return false
}
