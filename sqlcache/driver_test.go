// driver_test.go has a driver that does what a real one rarely does.

package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/sqlcache"
)

// plainDialect believes what a statement begins with: SELECT reads the table t, WRITE writes it.
type plainDialect struct{}

func (plainDialect) Effect(
	_ context.Context, _ sqlcache.Querier, text string, _ []driver.NamedValue,
) (sqlcache.Effect, error) {
	switch {
	case strings.HasPrefix(text, "WRITE"):
		return sqlcache.Effect{Writes: []string{"t"}}, nil
	case strings.Contains(text, "SELECT"):
		return sqlcache.Effect{Cacheable: true, Reads: []string{"t"}}, nil
	}
	return sqlcache.Effect{}, nil
}

func (plainDialect) Identity(context.Context, sqlcache.Querier) (string, error) { return "x", nil }
func (plainDialect) KeepsStatements(driver.Conn) bool                           { return false }

// scripted is a driver and its connector. It answers each statement by one function.
type scripted struct {
	answer func(text string, args []driver.NamedValue) (driver.Rows, error)
	asked  atomic.Int64
	preps  atomic.Int64
	open   atomic.Int64 // prepared statements
}

func (s *scripted) Connect(context.Context) (driver.Conn, error) { return &scriptedConn{s}, nil }
func (s *scripted) Driver() driver.Driver                        { return nil }

// scriptedConn knows nothing but prepared statements, as the oldest drivers do.
type scriptedConn struct{ *scripted }

func (c *scriptedConn) Prepare(text string) (driver.Stmt, error) {
	c.preps.Add(1)
	c.open.Add(1)
	return &scriptedStmt{c.scripted, text}, nil
}

func (c *scriptedConn) Close() error              { return nil }
func (c *scriptedConn) Begin() (driver.Tx, error) { return scriptedTx{}, nil }

type scriptedTx struct{}

func (scriptedTx) Commit() error   { return nil }
func (scriptedTx) Rollback() error { return nil }

type scriptedStmt struct {
	*scripted
	text string
}

func (s *scriptedStmt) Close() error  { s.open.Add(-1); return nil }
func (s *scriptedStmt) NumInput() int { return strings.Count(s.text, "?") }

func (s *scriptedStmt) Exec([]driver.Value) (driver.Result, error) {
	s.asked.Add(1)
	return driver.RowsAffected(1), nil
}

func (s *scriptedStmt) Query(args []driver.Value) (driver.Rows, error) {
	s.asked.Add(1)
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return s.answer(s.text, named)
}

// sets are sets of rows, of which the last may end in an error.
type sets struct {
	rows [][][]driver.Value
	err  error
	at   int
}

func (s *sets) Columns() []string { return []string{"a", "b"} }
func (s *sets) Close() error      { return nil }

func (s *sets) Next(dest []driver.Value) error {
	if s.at == len(s.rows[0]) {
		if s.err != nil && len(s.rows) == 1 {
			return s.err
		}
		return io.EOF
	}
	copy(dest, s.rows[0][s.at])
	s.at++
	return nil
}

func (s *sets) HasNextResultSet() bool { return len(s.rows) > 1 }

func (s *sets) NextResultSet() error {
	if !s.HasNextResultSet() {
		return io.EOF
	}
	s.rows, s.at = s.rows[1:], 0
	return nil
}

// row is a row of two columns.
func row(a, b driver.Value) []driver.Value { return []driver.Value{a, b} }

func openScripted(t *testing.T, s *scripted, o sqlcache.Options) (*sqlcache.Cache, *sql.DB) {
	o.Dialect, o.All = plainDialect{}, true
	cache := sqlcache.New(o)
	t.Cleanup(func() { cache.Close() })
	db := sql.OpenDB(cache.Connector(s))
	t.Cleanup(func() { db.Close() })
	return cache, db
}

// all reads all sets of a query, and its error last.
func all(rows *sql.Rows, err error) (lines []string) {
	if err != nil {
		return []string{err.Error()}
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		for rows.Next() {
			var a, b any
			if err := rows.Scan(&a, &b); err != nil {
				return append(lines, err.Error())
			}
			lines = append(lines, fmt.Sprintf("%#v %#v", a, b))
		}
		lines = append(lines, "end")
	}
	if rows.Err() != nil {
		lines = append(lines, rows.Err().Error())
	}
	return lines
}

func TestResultsComeBackAsTheDriverGaveThem(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 10, time.FixedZone("there", 7200))
	broken := errors.New("broken on the way")
	many := make([][]driver.Value, 20)
	for i := range many {
		many[i] = row(int64(i), strings.Repeat("x", i))
	}
	tests := []struct {
		what  string
		rows  [][][]driver.Value
		err   error
		asked int64 // by two queries
	}{
		{"values of all types", [][][]driver.Value{{row(int64(1), 1.5), row(nil, true), row([]byte{0, 1}, "text"),
			row([]byte{}, []byte(nil)), row(at, "")}}, nil, 1},
		{"no rows", [][][]driver.Value{{}}, nil, 1},
		{"an error on the way", [][][]driver.Value{{row(int64(1), nil)}}, broken, 2},
		{"several sets", [][][]driver.Value{{row(int64(1), nil)}, {row(int64(2), nil), row(int64(3), nil)}}, nil, 2},
		{"as many rows as may be", [][][]driver.Value{many[:10]}, nil, 1},
		{"more rows than are kept", [][][]driver.Value{many}, nil, 2},
		{"more bytes than are kept", [][][]driver.Value{{row("a", strings.Repeat("x", 5000))}}, nil, 2},
	}
	for _, test := range tests {
		s := &scripted{answer: func(string, []driver.NamedValue) (driver.Rows, error) {
			return &sets{rows: test.rows, err: test.err}, nil
		}}
		_, db := openScripted(t, s, sqlcache.Options{MaxRows: 10, MaxResult: 4000})
		bare := sql.OpenDB(s)
		t.Cleanup(func() { bare.Close() })
		want := all(bare.Query("SELECT"))
		before := s.asked.Load()
		for i := range 2 {
			if got := all(db.Query("SELECT")); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, query %d: got %v, want %v", test.what, i, got, want)
			}
		}
		if n := s.asked.Load() - before; n != test.asked {
			t.Errorf("%s: the database was asked %d times, want %d", test.what, n, test.asked)
		}
	}
}

func TestBytesThatAreChangedByTheirReaderStayAsTheyWere(t *testing.T) {
	s := &scripted{answer: func(string, []driver.NamedValue) (driver.Rows, error) {
		return &sets{rows: [][][]driver.Value{{row([]byte("abc"), nil)}}}, nil
	}}
	_, db := openScripted(t, s, sqlcache.Options{})
	for range 3 {
		rows, err := db.Query("SELECT")
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		var a, b sql.RawBytes
		if err := rows.Scan(&a, &b); err != nil || string(a) != "abc" {
			t.Fatalf("got %q (%v), want abc", a, err)
		}
		a[0] = 'X'
		rows.Close()
	}
}

func TestArgumentsThatDifferAreDifferentQueries(t *testing.T) {
	s := &scripted{answer: func(_ string, args []driver.NamedValue) (driver.Rows, error) {
		return &sets{rows: [][][]driver.Value{{row(fmt.Sprintf("%T %#v", args[0].Value, args[0].Value), nil)}}}, nil
	}}
	_, db := openScripted(t, s, sqlcache.Options{})
	utc := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	args := []any{nil, 1, 1.0, "1", []byte("1"), true, false, "", []byte{}, []byte(nil), 0.0, -1.0, "a\x00", "a",
		utc, utc.In(time.FixedZone("there", 3600)), utc.In(time.FixedZone("here", 3600)), "true", "NULL"}
	for round := range 2 {
		for i, a := range args {
			got := all(db.Query("SELECT ?", a))
			if want := fmt.Sprintf("%#v", fmt.Sprintf("%T %#v", plainValue(a), plainValue(a))); !strings.HasPrefix(got[0], want) {
				t.Errorf("round %d, argument %d %#v: got %v, want %s", round, i, a, got, want)
			}
		}
	}
	if n := s.asked.Load(); n != int64(len(args)) {
		t.Errorf("the database was asked %d times for %d arguments", n, len(args))
	}
}

// plainValue is what database/sql makes of an argument.
func plainValue(a any) any {
	if n, ok := a.(int); ok {
		return int64(n)
	}
	return a
}

func TestManyWhoAskAtOnceAreOneQuery(t *testing.T) {
	hold := make(chan struct{})
	s := &scripted{answer: func(string, []driver.NamedValue) (driver.Rows, error) {
		<-hold
		return &sets{rows: [][][]driver.Value{{row(int64(7), nil)}}}, nil
	}}
	cache, db := openScripted(t, s, sqlcache.Options{})
	var wait sync.WaitGroup
	const n = 50
	for range n {
		wait.Go(func() {
			if got := all(db.Query("SELECT")); got[0] != "7 <nil>" {
				t.Error(got)
			}
		})
	}
	await(t, "all queries", func() bool { return db.Stats().InUse == n })
	close(hold)
	wait.Wait()
	if s := cache.Stats(); s.Misses != 1 || s.Hits+s.Coalesced != n-1 {
		t.Errorf("got %+v, want one miss", s)
	}
	if got := s.asked.Load(); got != 1 {
		t.Errorf("the database was asked %d times", got)
	}
}

func TestWhoComesAfterAWriteDoesNotJoinAnEarlierQuery(t *testing.T) {
	hold, value := make(chan struct{}), atomic.Int64{}
	s := &scripted{}
	s.answer = func(string, []driver.NamedValue) (driver.Rows, error) {
		n := value.Load()
		if n == 0 {
			<-hold
		}
		return &sets{rows: [][][]driver.Value{{row(n, nil)}}}, nil
	}
	_, db := openScripted(t, s, sqlcache.Options{})
	first := make(chan []string, 1)
	go func() { first <- all(db.Query("SELECT")) }()
	await(t, "the first query", func() bool { return s.asked.Load() == 1 })
	value.Store(1)
	if _, err := db.Exec("WRITE"); err != nil {
		t.Fatal(err)
	}
	if got := all(db.Query("SELECT")); got[0] != "1 <nil>" {
		t.Errorf("after the write: %v", got)
	}
	close(hold)
	if got := <-first; got[0] != "0 <nil>" {
		t.Errorf("before the write: %v", got)
	}
	if got := all(db.Query("SELECT")); got[0] != "1 <nil>" {
		t.Errorf("what was read before the write was kept: %v", got)
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	always, never := sqlcache.Cached(t.Context(), 0), sqlcache.Uncached(t.Context())
	tests := []struct {
		ctx  context.Context
		text string
		all  bool
		want bool // kept
	}{
		{t.Context(), "SELECT 1", false, false},
		{t.Context(), "SELECT 1", true, true},
		{always, "SELECT 1", false, true},
		{never, "SELECT 1", true, false},
		{t.Context(), "/* larder: cached */ SELECT 1", false, true},
		{t.Context(), "\n\t/* larder: ttl=30s */ SELECT 1", false, true},
		{t.Context(), "/* larder: ttl=forever */ SELECT 1", false, true},
		{t.Context(), "/* larder: off */ SELECT 1", true, false},
		{always, "/* larder: off */ SELECT 1", false, true},
		{never, "/* larder: cached */ SELECT 1", true, false},
		{t.Context(), "SELECT '/* larder: cached */'", false, false},
		{t.Context(), "SELECT 1 /* larder: cached */", false, false},
		{t.Context(), "/* other */ /* larder: cached */ SELECT 1", false, false},
		{t.Context(), "-- x\n/* larder: cached */ SELECT 1", false, false},
		{t.Context(), "/* larder: ttl=0 */ SELECT 1", true, false},
		{t.Context(), "/* larder: ttl=-1s */ SELECT 1", true, false},
		{t.Context(), "/* larder: tll=1s */ SELECT 1", true, false},
		{t.Context(), "/* larder: cached SELECT 1", true, false},
		{sqlcache.Cached(t.Context(), -1), "SELECT 1", true, false},
	}
	for _, test := range tests {
		s := &scripted{answer: func(string, []driver.NamedValue) (driver.Rows, error) {
			return &sets{rows: [][][]driver.Value{{}}}, nil
		}}
		cache := sqlcache.New(sqlcache.Options{Dialect: plainDialect{}, All: test.all})
		db := sql.OpenDB(cache.Connector(s))
		for range 2 {
			if got := all(db.QueryContext(test.ctx, test.text)); len(got) != 1 {
				t.Errorf("%s: %v", test.text, got)
			}
		}
		if kept := s.asked.Load() == 1; kept != test.want {
			t.Errorf("%q (all %v): kept %v, want %v", test.text, test.all, kept, test.want)
		}
		db.Close()
		cache.Close()
	}
}

func TestTextsThatComeAgainArePreparedOnce(t *testing.T) {
	s := &queryingDriver{scripted: scripted{answer: func(string, []driver.NamedValue) (driver.Rows, error) {
		return &sets{rows: [][][]driver.Value{{row(int64(1), nil)}}}, nil
	}}}
	cache := sqlcache.New(sqlcache.Options{Dialect: plainDialect{}, MaxStatements: 3})
	t.Cleanup(func() { cache.Close() })
	db := sql.OpenDB(cache.Connector(s))
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	for i := range 40 {
		text := fmt.Sprintf("SELECT %d, ?", i%2)
		if got := all(db.Query(text, i)); len(got) != 2 {
			t.Fatal(got)
		}
	}
	if n := s.preps.Load(); n != 2 {
		t.Errorf("%d statements were prepared for 2 texts", n)
	}
	for i := range 40 {
		for range 2 {
			all(db.Query(fmt.Sprintf("SELECT %d, ?", i), i))
		}
	}
	if n := s.open.Load(); n > 3 {
		t.Errorf("%d statements are kept, at most 3 may be", n)
	}
	if _, err := db.Query("SELECT 39, ?", 1, 2); err == nil {
		t.Error("two arguments for one")
	}
}

// queryingDriver has connections that also run a text as it is.
type queryingDriver struct{ scripted }

func (d *queryingDriver) Connect(context.Context) (driver.Conn, error) {
	return &queryingConn{scriptedConn{&d.scripted}}, nil
}

type queryingConn struct{ scriptedConn }

func (c *queryingConn) QueryContext(
	_ context.Context, text string, args []driver.NamedValue,
) (driver.Rows, error) {
	if len(args) != strings.Count(text, "?") {
		return nil, errors.New("the wrong number of arguments")
	}
	c.asked.Add(1)
	return c.answer(text, args)
}

func TestResultsThatExpireAreLoadedAgain(t *testing.T) {
	s := &scripted{answer: func(string, []driver.NamedValue) (driver.Rows, error) {
		return &sets{rows: [][][]driver.Value{{}}}, nil
	}}
	_, db := openScripted(t, s, sqlcache.Options{TTL: larder.Forever})
	short := sqlcache.Cached(t.Context(), time.Nanosecond)
	all(db.QueryContext(short, "SELECT"))
	all(db.QueryContext(short, "SELECT"))
	if n := s.asked.Load(); n != 2 {
		t.Errorf("the database was asked %d times, want twice", n)
	}
}

func TestOptionsThatMakeNoSensePanic(t *testing.T) {
	for _, o := range []sqlcache.Options{{}, {Dialect: plainDialect{}, TTL: -1},
		{Dialect: plainDialect{}, MaxBytes: -1}, {Dialect: plainDialect{}, MaxRows: -1},
		{Dialect: plainDialect{}, MaxResult: -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is taken", o)
				}
			}()
			sqlcache.New(o)
		}()
	}
}
