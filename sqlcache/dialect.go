// dialect.go is what the cache has to know of a kind of database.

package sqlcache

import (
	"context"
	"database/sql/driver"
)

// Dialect knows a kind of database: what a statement does, and what its result depends on. The
// packages sqlcache/postgres and sqlcache/sqlite have one each. Its methods may be called by many
// goroutines at once.
//
// In doubt a dialect says that a statement writes everything and reads what cannot be kept: that
// costs a load, while an outdated or foreign row is wrong.
type Dialect interface {
	// Effect says what a statement does. It may ask the database over q, which is the connection
	// that the statement will run on, possibly within a transaction: it must change nothing there
	// and must not make that transaction fail. It may look at the arguments, though only at what
	// they are and not at their values: the answer is kept for the text of the statement and the
	// identity of the connection. An error means that the database could not be asked; the effect
	// then is what is to be expected of the statement, at worst Unknown.
	Effect(
		ctx context.Context, q Querier, statement string, args []driver.NamedValue,
	) (Effect, error)

	// Identity names all that results depend on besides statement, arguments and tables: the
	// database, the role, the settings of the session. Connections with the same identity get the
	// same results. "" means that results over this connection must not be kept, for example since
	// it has temporary tables or is a database in memory of its own. It is asked once for a
	// connection, and again after a statement with Session set.
	Identity(ctx context.Context, q Querier) (string, error)

	// KeepsStatements reports whether a driver keeps prepared statements by itself, so that the
	// cache need not. The connection is that of the driver.
	KeepsStatements(conn driver.Conn) bool
}

// Shaper is a Dialect that knows statements which do the same.
type Shaper interface {
	Dialect
	// Shape returns one text for all statements that have the same effect since they differ in their
	// constants alone, or the statement itself.
	Shape(statement string) string
}

// TransactionTeller is a Dialect of a database that can be asked whether a transaction is open, which
// the cache does when it has lost sight of that.
type TransactionTeller interface {
	Dialect
	// InTransaction reports whether a transaction is open over q.
	InTransaction(ctx context.Context, q Querier) (bool, error)
}

// Versioner is a Dialect of a database that tells whether somebody else has written to it. The cache
// asks over a connection of its own.
type Versioner interface {
	Dialect
	// Observe readies that connection, so that a question over it waits for nobody, and says what it
	// sees. It is called once, before Version.
	Observe(ctx context.Context, q Querier) (View, error)
	// Version returns a number that has changed if another connection than q, of whichever process,
	// has committed a change since it was asked before over q. Writes over q itself do not change it.
	Version(ctx context.Context, q Querier) (int64, error)
	// InPlace reports whether who connects now gets to the database that is seen.
	InPlace(v View) bool
}

// View is what a connection of a Versioner sees.
type View struct {
	// Place names the database, as InPlace needs it.
	Place string
	// Apart is set if a question over another connection neither disturbs a transaction nor waits for
	// one. Otherwise none is asked while one of the cache's own is open.
	Apart bool
}

// Querier asks the database over one connection, past the cache. It is not safe for concurrent use.
type Querier interface {
	// Query returns all rows of a statement.
	Query(
		ctx context.Context, statement string, args ...driver.NamedValue,
	) ([][]driver.Value, error)
	// Inside reports whether a transaction may be open, which no question may harm.
	Inside() bool
}

// Effect is what a statement does.
type Effect struct {
	// Cacheable is set if running the statement changes nothing, and its result depends on nothing
	// but the tables in Reads, its arguments and the identity of the connection. Then Writes,
	// WritesAll, Session and Transaction must not be set.
	Cacheable bool
	// Reason says why it is not Cacheable, in a few words: "calls now()". "" means that nobody would
	// ask, as for an INSERT.
	Reason string
	// Reads are the tables that the result depends on, views resolved, by names that are the same
	// for the same table however it is called: "public.users".
	Reads []string
	// Writes are the tables that it may change, by the same names, with those that triggers and
	// foreign keys change behind it.
	Writes []string
	// WritesAll is set if it may change any table, or the schema.
	WritesAll bool
	// Session says whether later statements of the connection may behave differently after it. The end
	// of a transaction takes back what was changed in it: that the cache knows by itself.
	Session Session
	// Transaction says whether it begins or ends a transaction by its text.
	Transaction Transaction
}

// Session says what a statement does to its connection.
type Session uint8

const (
	// SessionSame leaves the connection as it is.
	SessionSame Session = iota
	// SessionChanged may change the identity of the connection, which is then asked for again.
	SessionChanged
	// SessionUnknown may change what no identity tells: nothing more of the connection is kept.
	SessionUnknown
)

// Transaction says what the text of a statement does to the transaction of its connection.
type Transaction uint8

const (
	NoTransaction Transaction = iota // nothing
	Begin
	Commit
	Rollback
	Savepoint // nothing within a transaction; outside of one it is Unclear
	Unclear   // it may begin or end one
)

// Unknown is the effect of a statement of which nothing is known: it may change everything.
func Unknown(reason string) Effect {
	return Effect{Reason: reason, WritesAll: true, Session: SessionUnknown, Transaction: Unclear}
}
