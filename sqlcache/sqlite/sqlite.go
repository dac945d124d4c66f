// Package sqlite tells sqlcache what statements of SQLite do.
//
// It asks SQLite itself: EXPLAIN shows the program of a statement without running it, with all
// tables and functions that views, triggers and foreign keys bring in. Whatever that program has
// that is not known here, a newer instruction for example, makes a statement one that is not kept,
// or that writes everything.
//
// What SQL does not show is not seen: connections of one cache should have the same settings of
// the driver, the same authorizer, and functions and collations that do the same under one name.
package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/larder-go/larder/sqlcache"
)

// Options says what SQLite does not tell.
type Options struct {
	// Pure names functions whose result depends on their arguments alone, besides those of which
	// SQLite says so. Who names date, time, datetime, julianday, unixepoch, strftime or timediff
	// says that no value it is given is 'now'; a statement or view that says so itself, or gives
	// too few arguments to name a time, is found out and not kept. nil means none.
	Pure []string
}

// Dialect is that of SQLite 3.30 or later. It is safe for concurrent use.
type Dialect struct {
	pure map[string]bool
}

var (
	_ sqlcache.Versioner         = (*Dialect)(nil)
	_ sqlcache.TransactionTeller = (*Dialect)(nil)
)

// New returns a dialect.
func New(o Options) *Dialect {
	d := &Dialect{pure: make(map[string]bool, len(o.Pure))}
	for _, name := range o.Pure {
		d.pure[lower(name)] = true
	}
	return d
}

// longest is how long a statement may be that SQLite is asked about, in bytes: the program of an
// INSERT of many rows is many times as long.
const longest = 128 << 10

// Effect implements sqlcache.Dialect. It does not look at arguments.
func (d *Dialect) Effect(
	ctx context.Context, q sqlcache.Querier, text string, _ []driver.NamedValue,
) (sqlcache.Effect, error) {
	sc := parse(text)
	switch {
	case sc.doubtful:
		return sqlcache.Unknown("cannot be told from several statements"), nil
	case sc.count == 0:
		return sqlcache.Effect{Reason: "is empty"}, nil
	case sc.count > 1:
		return several(text, sc), nil
	case sc.open:
		return refused(), nil
	}
	return d.effect(ctx, q, sc.first)
}

// refused is the effect of a statement that SQLite does not take.
func refused() sqlcache.Effect { return sqlcache.Effect{Reason: "does not compile"} }

// effect returns that of a single statement.
func (d *Dialect) effect(
	ctx context.Context, q sqlcache.Querier, s statement,
) (sqlcache.Effect, error) {
	switch v := s.verb(); {
	case v == control || v == transacts:
		return controlled(s), nil
	case v == schema:
		return ofSchema(s), nil
	case v == explains:
		return explained(s), nil
	case len(s.text) > longest:
		return unseen(s, "is too long to be looked at"), nil
	case v == strange:
		return unheardOf(ctx, q, s)
	}
	return d.effectOfRows(ctx, q, s)
}

// unseen returns the effect of a statement that SQLite is not asked about.
func unseen(s statement, reason string) sqlcache.Effect {
	if s.verb() != ofRows || extends(s.text) {
		return sqlcache.Unknown(reason)
	}
	return sqlcache.Effect{Reason: reason, WritesAll: true}
}

// effectOfRows returns the effect of a statement that reads or writes rows.
func (d *Dialect) effectOfRows(
	ctx context.Context, q sqlcache.Querier, s statement,
) (sqlcache.Effect, error) {
	p, c, err := compile(ctx, q, s.text)
	if isRefusal(err) {
		return refused(), nil
	}
	if err == nil {
		var e sqlcache.Effect
		if e, err = d.effectOf(ctx, q, s, p, c); err == nil {
			return e, nil
		}
	}
	return unseen(s, ""), err
}

// explained returns the effect of an EXPLAIN, which has none unless it is that of a pragma: some
// of those are carried out all the same.
func explained(s statement) sqlcache.Effect {
	inner := s.head[1:]
	if s.begins("EXPLAIN", "QUERY", "PLAN") {
		inner = s.head[3:]
	}
	if len(inner) > 0 && inner[0].is("PRAGMA") {
		return pragma(inner[1:])
	}
	return sqlcache.Effect{Reason: "explains a statement"}
}

// unheardOf returns the effect of a statement whose first word is not known.
func unheardOf(ctx context.Context, q sqlcache.Querier, s statement) (sqlcache.Effect, error) {
	_, err := explain(ctx, q, s.text)
	switch {
	case isRefusal(err):
		return refused(), nil
	case err != nil:
		return sqlcache.Effect{}, err
	}
	return sqlcache.Unknown("is of a kind that is not known"), nil
}

// attempts is how often a statement is compiled until the schema holds still.
const attempts = 5

var errRestless = errors.New("sqlcache/sqlite: the schema changes all the time")

// compile returns the program of a statement and the catalog it was made for. SQLite may take an
// old schema until it runs a program; reading the catalog is one that makes it look.
func compile(ctx context.Context, q sqlcache.Querier, text string) (*program, catalog, error) {
	for range attempts {
		p, err := explain(ctx, q, text)
		if err != nil {
			return nil, catalog{}, err
		}
		c, err := readCatalog(ctx, q)
		if err != nil {
			return nil, catalog{}, err
		}
		if cookie, ok := p.cookies[mainDatabase]; !ok || cookie == c.cookie {
			return p, c, nil
		}
	}
	return nil, catalog{}, errRestless
}

// effectOf returns the effect of a program.
func (d *Dialect) effectOf(
	ctx context.Context, q sqlcache.Querier, s statement, p *program, c catalog,
) (sqlcache.Effect, error) {
	v, err := d.judge(ctx, q, p)
	if err != nil {
		return sqlcache.Effect{}, err
	}
	switch {
	case v.extends:
		return sqlcache.Unknown("loads an extension"), nil
	case v.effects:
		return sqlcache.Effect{Reason: v.reason, WritesAll: true}, nil
	case p.beyond != "":
		return sqlcache.Effect{Reason: "does " + p.beyond, WritesAll: true}, nil
	case p.isWriting():
		return written(p, c), nil
	}
	e := read(p, c, v)
	if e.Cacheable && v.timely {
		return untimely(ctx, q, s, e)
	}
	return e, nil
}

// written returns the effect of a program that writes.
func written(p *program, c catalog) sqlcache.Effect {
	names, known := c.names(p.writes)
	if !known || len(p.writes) == 0 {
		return sqlcache.Effect{WritesAll: true}
	}
	return sqlcache.Effect{Writes: names}
}

// read returns the effect of a program that writes nothing.
func read(p *program, c catalog, v verdict) sqlcache.Effect {
	switch {
	case v.reason != "":
		return sqlcache.Effect{Reason: v.reason}
	case p.foreign == "Offset":
		return sqlcache.Effect{Reason: "calls sqlite_offset()"}
	case p.foreign != "":
		return sqlcache.Effect{Reason: "reads a virtual table"}
	}
	for _, r := range p.reads {
		if r.database != mainDatabase {
			return sqlcache.Effect{Reason: "reads a table that is temporary or attached"}
		}
	}
	names, known := c.names(p.reads)
	if !known {
		return sqlcache.Effect{Reason: "reads the schema"}
	}
	return sqlcache.Effect{Cacheable: true, Reads: names}
}

// untimely returns the effect of a program with functions of dates that are vouched for.
func untimely(
	ctx context.Context, q sqlcache.Querier, s statement, e sqlcache.Effect,
) (sqlcache.Effect, error) {
	asks, err := asksClock(ctx, q, s.text)
	if err != nil {
		return sqlcache.Effect{}, err
	}
	if asks {
		return sqlcache.Effect{Reason: "asks for the time of now"}, nil
	}
	return e, nil
}

// InTransaction implements sqlcache.TransactionTeller: a BEGIN fails within a transaction, and does
// nothing yet otherwise.
func (d *Dialect) InTransaction(ctx context.Context, q sqlcache.Querier) (bool, error) {
	if _, err := q.Query(ctx, "BEGIN DEFERRED"); isRefusal(err) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("sqlcache/sqlite: ask for a transaction: %w", err)
	}
	if _, err := q.Query(ctx, "COMMIT"); err != nil {
		return false, fmt.Errorf("sqlcache/sqlite: end a transaction: %w", err)
	}
	return false, nil
}

// Observe implements sqlcache.Versioner. Only the write-ahead log lets readers and a writer alone.
func (d *Dialect) Observe(ctx context.Context, q sqlcache.Querier) (v sqlcache.View, err error) {
	if _, err := q.Query(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return v, fmt.Errorf("sqlcache/sqlite: observe: %w", err)
	}
	if v.Place, err = databaseFile(ctx, q); err != nil {
		return v, err
	}
	modes := ""
	for _, pragma := range []string{"PRAGMA main.journal_mode", "PRAGMA main.locking_mode"} {
		rows, err := q.Query(ctx, pragma)
		if err != nil || len(rows) != 1 {
			return v, fmt.Errorf("sqlcache/sqlite: %s: %d rows: %w", pragma, len(rows), err)
		}
		modes += text(rows[0][0]) + " "
	}
	v.Apart = modes == "wal normal "
	return v, nil
}

// InPlace implements sqlcache.Versioner.
func (d *Dialect) InPlace(v sqlcache.View) bool { return isPlace(v.Place) }

// Version implements sqlcache.Versioner.
func (d *Dialect) Version(ctx context.Context, q sqlcache.Querier) (int64, error) {
	v, err := number(ctx, q, "PRAGMA main.data_version")
	if err != nil {
		return 0, fmt.Errorf("sqlcache/sqlite: ask for data_version: %w", err)
	}
	return v, nil
}

// KeepsStatements implements sqlcache.Dialect. No driver keeps statements by itself; that of
// glebarez compiles even a prepared one at each use, so that there is nothing to be kept.
func (d *Dialect) KeepsStatements(conn driver.Conn) bool {
	t := reflect.TypeOf(conn)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t != nil && t.PkgPath() == "github.com/glebarez/go-sqlite"
}
