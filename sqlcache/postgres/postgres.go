// postgres.go is the dialect: it puts together what the text of a statement says and what the
// catalog of the database says of the names in it.

// Package postgres tells sqlcache what statements of PostgreSQL do.
//
// A statement is read by PostgreSQL's own parser. What may be kept is on lists: of kinds of
// expressions, of functions, of types. What is on no list is not kept, and [sqlcache.Effect] says
// why.
//
// It believes functions that are declared IMMUTABLE, and those in [Options]. Changes by others are
// heard of where [Install] was called; without a superuser nobody hears of their schema changes.
package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/sqlcache"
)

// Options of [New]; the zero value vouches for nothing.
type Options struct {
	// Pure are functions, "distance" in whichever schema or "geo.distance", whose results depend
	// on their arguments alone, as if they were declared IMMUTABLE: they read no table, clock or
	// setting and change nothing. Of a trigger's function it says that it changes nothing but the
	// row that it was called for.
	Pure []string
}

// Dialect is a [sqlcache.Dialect] of PostgreSQL 12 and newer. It is safe for concurrent use. The
// first statement costs it about a second, in which the parser is compiled.
type Dialect struct {
	pure []string
	mu   sync.Mutex // guards the parser: a second one at a time would cost a second
}

var _ sqlcache.TransactionTeller = (*Dialect)(nil)

// New returns a dialect.
func New(o Options) *Dialect { return &Dialect{pure: slices.Clone(o.Pure)} }

// Effect says what a statement does. It asks the catalog once, and once more for each level of
// views in it.
func (d *Dialect) Effect(
	ctx context.Context, q sqlcache.Querier, statement string, _ []driver.NamedValue,
) (sqlcache.Effect, error) {
	f, err := d.read(statement)
	if err != nil {
		f = newFacts()
		f.unknown("cannot be parsed: %v", err)
		return f.effect(), nil
	}
	if f.needsCatalog() || strings.Contains(statement, `\`) { // which may not be what it seems
		if err := safely(ctx, q, func() error { return d.resolve(ctx, q, f) }); err != nil {
			f.unknown("the catalog could not be asked")
			return f.effect(), err
		}
	}
	return f.effect(), nil
}

// safely asks so that a question that fails, for example since it takes longer than the program
// allows its statements, does not break off a transaction.
func safely(ctx context.Context, q sqlcache.Querier, question func() error) error {
	if !q.Inside() {
		return question()
	}
	if _, err := q.Query(ctx, "SAVEPOINT larder_look"); err != nil {
		return err
	}
	err := question()
	if err != nil {
		if _, back := q.Query(ctx, "ROLLBACK TO larder_look"); back != nil {
			return errors.Join(err, back)
		}
	}
	_, released := q.Query(ctx, "RELEASE larder_look")
	return errors.Join(err, released)
}

// read returns what the text of a statement says. It asks nobody.
func (d *Dialect) read(statement string) (*facts, error) {
	statements, err := d.parse(statement)
	if err != nil {
		return nil, err
	}
	f := newFacts()
	f.statements(statements)
	return f, nil
}

// States of SQL that tell whether there is a transaction.
const (
	stateNoTransaction     = "25P01"
	stateFailedTransaction = "25P02"
)

// InTransaction reports whether a transaction is open over q, be it one that has failed: a savepoint is
// refused outside of one.
func (d *Dialect) InTransaction(ctx context.Context, q sqlcache.Querier) (bool, error) {
	_, err := q.Query(ctx, "SAVEPOINT larder_probe")
	if err == nil {
		_, err = q.Query(ctx, "RELEASE larder_probe")
		return true, err
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		switch state.SQLState() {
		case stateNoTransaction:
			return false, nil
		case stateFailedTransaction:
			return true, nil
		}
	}
	return false, fmt.Errorf("postgres: ask for a transaction: %w", err)
}

// KeepsStatements reports whether conn is one of pgx, which keeps prepared statements by itself.
func (d *Dialect) KeepsStatements(conn driver.Conn) bool {
	_, ok := conn.(interface{ Conn() *pgx.Conn })
	return ok
}
