// sqlcache.go is the face of the package: a cache in front of a database.

// Package sqlcache keeps the results of database queries.
//
// It stands between database/sql and a driver, so programs, sqlx and gorm use it unchanged:
//
//	cache := sqlcache.New(sqlcache.Options{Dialect: postgres.New(postgres.Options{})})
//	defer cache.Close()
//	db, err := cache.Open("pgx", dsn)
//	rows, err := db.QueryContext(sqlcache.Cached(ctx, time.Minute), "SELECT ... WHERE team = $1", 7)
//
// A result is kept if somebody asked for that (by context, by a comment in the statement, or for all
// by Options.All), if the statement only reads, and if its result depends on nothing but its text,
// its arguments, its tables, the database, the role and the settings of the session: a [Dialect]
// knows. In doubt nothing is kept. A write over the same cache makes it forget what was read from
// the tables it touches, at the moment of the commit: nobody who asks afterwards gets an older
// result. Within a transaction reads go to the database.
//
// What other programs write is heard where the database tells it: by Options.Watch for PostgreSQL,
// before every hit by a [Versioner], such as SQLite. Elsewhere a result is at most Options.TTL old.
package sqlcache

import (
	"cmp"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/store"
)

// What a cache does that is not told otherwise.
const (
	DefaultTTL           = time.Minute
	DefaultMaxBytes      = 64 << 20
	DefaultMaxRows       = 10_000
	DefaultMaxResult     = 1 << 20
	DefaultMaxStatements = 64
)

// Options says what a cache keeps. Dialect must be set; the rest may be zero.
type Options struct {
	// Name says in a Snapshot which cache it is; "" means "sql".
	Name string
	// Dialect knows the database.
	Dialect Dialect
	// All keeps every result that may be kept. Otherwise only those are kept that are asked for, by
	// Cached or by a comment.
	All bool
	// TTL is how long a result is kept that names no time of its own. 0 means DefaultTTL,
	// larder.Forever is as long as nobody writes to its tables.
	TTL time.Duration
	// MaxBytes bounds the memory of all results, at every moment. 0 means DefaultMaxBytes.
	MaxBytes int64
	// MaxRows and MaxResult bound the rows and the bytes of one result that is kept. One that is
	// larger is handed on as it comes and not kept. 0 means DefaultMaxRows and DefaultMaxResult.
	MaxRows   int
	MaxResult int64
	// MaxStatements is how many prepared statements each connection keeps for texts that come
	// again, so that the database need not plan them anew. It has no meaning for a driver that does
	// so by itself. 0 means DefaultMaxStatements, less than 0 none.
	MaxStatements int
	// Policy chooses which result leaves when there is no room. nil means policy.Adaptive.
	Policy policy.New
	// Watch tells which tables others have changed: the event TagDeleted names one as the dialect
	// does, any other says that all may have. While its link is lost nothing is kept and nothing
	// kept is served. nil means that nobody tells. It is not closed.
	Watch store.Watcher
	// Observe lets the cache look at some of its own queries, so that Curve and Inspector have
	// answers; see larder.Options. It remembers the beginnings of statements, and what is in them.
	Observe bool
	// OnError hears of errors that no caller gets. Several goroutines may call it. nil ignores them.
	OnError func(error)
}

// complete returns o with its defaults; it panics on what makes no sense.
func (o Options) complete() Options {
	if o.Dialect == nil {
		panic("sqlcache: Options need a Dialect")
	}
	if o.TTL < 0 || o.MaxBytes < 0 || o.MaxRows < 0 || o.MaxResult < 0 {
		panic(fmt.Sprintf("sqlcache: a bound is negative: TTL %v, MaxBytes %d, MaxRows %d, "+
			"MaxResult %d", o.TTL, o.MaxBytes, o.MaxRows, o.MaxResult))
	}
	o.Name = cmp.Or(o.Name, "sql")
	o.TTL = orDefault(o.TTL, DefaultTTL)
	o.MaxBytes = orDefault(o.MaxBytes, DefaultMaxBytes)
	o.MaxRows = orDefault(o.MaxRows, DefaultMaxRows)
	o.MaxResult = min(orDefault(o.MaxResult, DefaultMaxResult), o.MaxBytes)
	o.MaxStatements = orDefault(o.MaxStatements, DefaultMaxStatements)
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return o
}

// orDefault returns n, or other if n is zero.
func orDefault[T ~int | ~int64](n, other T) T {
	if n == 0 {
		return other
	}
	return n
}

// Cache keeps results of one database, however many connectors and roles lead there. Its methods may
// be called by many goroutines at once.
type Cache struct {
	o          Options
	tables     *tables
	statements *larder.Cache[statementKey, *statement]
	results    *larder.Cache[larder.Key, *result]
	flights    flights
	counters   counters
	deaf       atomic.Bool // what others change is not heard at the moment
	closed     atomic.Bool
	stopWatch  func()
	connectors atomic.Uint64
	conns      atomic.Uint64

	mu        sync.Mutex // guards the field below
	sentinels []*sentinel
}

// New makes a cache. It panics on options that make no sense.
func New(o Options) *Cache {
	o = o.complete()
	c := &Cache{o: o, tables: newTables(), stopWatch: func() {}}
	c.statements = larder.New(larder.Options[statementKey, *statement]{
		Name: "statements", MaxWeight: statementBytes, Weigh: weighStatement, TTL: o.TTL,
	})
	c.results = larder.New(larder.Options[larder.Key, *result]{
		Name: "results", MaxWeight: o.MaxBytes, Weigh: weighResult, TTL: o.TTL, Policy: o.Policy,
		Observe: o.Observe,
	})
	if o.Observe {
		c.counters.ledger = &shadow.Ledger{}
	}
	if o.Watch != nil {
		c.deaf.Store(true)
		c.stopWatch = o.Watch.Watch(c.hear)
	}
	return c
}

// Close stops listening and forgets all. Databases that were opened through the cache go on without
// it, and may be closed before or afterwards. It may be called twice.
func (c *Cache) Close() error {
	c.closed.Store(true)
	c.deaf.Store(true)
	c.stopWatch()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sentinels {
		s.close()
	}
	c.results.Close()
	c.statements.Close()
	return nil
}

// Open opens a database through the cache: it is sql.Open.
func (c *Cache) Open(driverName, dsn string) (*sql.DB, error) {
	bare, err := sql.Open(driverName, dsn)
	if err != nil {
		return nil, err
	}
	defer bare.Close() // it has not connected
	connector, err := openConnector(bare.Driver(), dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c.Connector(connector)), nil
}

// Connector returns a connector of which the connections use the cache, for sql.OpenDB.
func (c *Cache) Connector(inner driver.Connector) driver.Connector {
	return c.connector(inner)
}

// Driver returns a driver of which the connections use the cache, for sql.Register: a program that
// opens its database by the name of a driver then needs another name alone.
func (c *Cache) Driver(inner driver.Driver) driver.Driver {
	return &cachedDriver{cache: c, inner: inner}
}

// Forget forgets the results that were read from tables, by the names that the dialect gives them:
// for changes that nobody hears. Loads that are under way are not kept either.
func (c *Cache) Forget(tables ...string) {
	for _, name := range tables {
		c.tables.get(name).bump()
	}
	c.counters.forgotten.Add(1)
}

// Clear forgets all results.
func (c *Cache) Clear() {
	c.tables.all.bump()
	c.counters.forgotten.Add(1)
	c.results.Clear(noContext) // memory alone: it cannot fail
	c.statements.Clear(noContext)
}

// hear takes an event of Options.Watch.
func (c *Cache) hear(e store.Event) {
	switch e.Kind {
	case store.Lost:
		c.deaf.Store(true)
		return
	case store.TagDeleted:
		c.tables.get(e.Tag).bump()
	default:
		c.tables.all.bump()
	}
	c.counters.heard.Add(1)
	if e.Kind == store.Linked {
		c.deaf.Store(false)
	}
}
