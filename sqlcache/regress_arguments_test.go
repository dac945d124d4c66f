// regress_arguments_test.go asks with arguments that were once taken for others.

package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/sqlcache"
)

// same fails if a program could tell the cache from the database.
func (p *pair) same(t *testing.T, text string, args ...any) {
	t.Helper()
	want := outcomeOfQuery(p.bare.QueryContext(t.Context(), text, args...))
	got := outcomeOfQuery(p.db.QueryContext(t.Context(), text, args...))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s %v: got %+v, want %+v", text, args, got, want)
	}
}

// sameTyped does it with Query.
func (p *pair) sameTyped(t *testing.T, text string, args ...any) {
	t.Helper()
	want, _ := sqlcache.Query[string](t.Context(), p.bare, text, args...)
	got, err := sqlcache.Query[string](t.Context(), p.db, text, args...)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s %v: got %v (%v), want %v", text, args, got, err, want)
	}
}

// moves fails if a query that tells the time returns the same twice.
func (p *pair) moves(t *testing.T, text string, args ...any) {
	t.Helper()
	var first, second string
	for _, s := range []*string{&first, &second} {
		if err := p.db.QueryRow(text, args...).Scan(s); err != nil {
			t.Fatalf("%s %v: %v", text, args, err)
		}
	}
	if first == second {
		t.Errorf("%s %v: got %s twice", text, args, first)
	}
}

func TestArgumentsOverPostgresAreNotMixedUp(t *testing.T) {
	server := servers.Postgres(t)
	for _, r := range []regression{
		{"times differ by their zone", timesByZone},
		{"floats differ by their sign", floatsBySign},
		{"a Valuer is what it returns", valuersByValue},
		{"the time of now is not kept", wordsOfTheClock},
		{"odd ones do as they would", oddArguments},
		{"pgx takes its own", argumentsOfPgx},
		{"a rewriter changes the statement", rewriters},
	} {
		t.Run(r.holds, func(t *testing.T) { r.check(t, server) })
	}
}

// overBoth does a check over both drivers.
func overBoth(t *testing.T, server *servers.Database, check func(p *pair, driver string)) {
	t.Helper()
	for _, driver := range []string{"pgx", "postgres"} {
		check(pairOn(t, server, driver), driver)
	}
}

// timesByZone compares with a column that has no zone, where the same instant is another time.
func timesByZone(t *testing.T, server *servers.Database) {
	utc := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	there := utc.In(time.FixedZone("there", 7200))
	const text = "SELECT id FROM e WHERE ts = $1"
	overBoth(t, server, func(p *pair, driver string) {
		mustExec(t, p.bare, `CREATE TABLE e (id int, ts timestamp);
			INSERT INTO e VALUES (1, '2024-01-01 12:00'), (2, '2024-01-01 14:00')`)
		for _, at := range []time.Time{utc, there} {
			p.same(t, text, at)
			p.same(t, text, sql.NullTime{Time: at, Valid: true})
			p.same(t, text, &at)
			p.sameTyped(t, text, at)
			p.sameTyped(t, text, &at)
			if driver == "pgx" {
				p.same(t, "SELECT id FROM e WHERE ts = ANY($1::timestamp[])", []time.Time{at})
			}
		}
	})
}

func floatsBySign(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "pgx")
	for _, f := range []float64{0, math.Copysign(0, -1)} {
		p.same(t, "SELECT ($1::float8)::text FROM c", f)
		p.same(t, "SELECT ($1::float4)::text FROM c", float32(f))
		p.same(t, "SELECT ($1::float8[])::text FROM c", []float64{f})
	}
}

// spoken is a Valuer that looks into a file: its fields do not tell what it returns.
type spoken struct{ file string }

func (s spoken) Value() (driver.Value, error) {
	b, err := os.ReadFile(s.file)
	return string(b), err
}

func valuersByValue(t *testing.T, server *servers.Database) {
	overBoth(t, server, func(p *pair, _ string) {
		s := spoken{filepath.Join(t.TempDir(), "word")}
		for _, word := range []string{"one", "two", "three"} {
			if err := os.WriteFile(s.file, []byte(word), 0o600); err != nil {
				t.Fatal(err)
			}
			p.same(t, "SELECT $1::text FROM c", s)
			p.sameTyped(t, "SELECT $1::text FROM c", s)
		}
	})
}

func wordsOfTheClock(t *testing.T, server *servers.Database) {
	const day, text = "2020-01-01 00:00:00+00", "SELECT count(*) FROM e WHERE at > $1::timestamptz"
	const many = "SELECT count(*) FROM e WHERE at > ALL($1::timestamptz[])"
	now := "now"
	tests := []struct {
		text string
		arg  any
		want uint64 // hits of three queries
	}{
		{text, day, 2},
		{text, now, 0},
		{text, &now, 0},
		{text, strings.Repeat(" ", 70) + now, 0},
		{many, pq.Array([]string{day, day, day, now}), 0},
	}
	overBoth(t, server, func(p *pair, driver string) {
		mustExec(t, p.bare, "CREATE TABLE e (at timestamptz)")
		for _, test := range tests {
			before := p.cache.Stats().Hits
			for range 3 {
				number(t, p.db, test.text, test.arg)
			}
			if n := p.cache.Stats().Hits - before; n != test.want {
				t.Errorf("%s, %q: got %d hits, want %d", driver, test.arg, n, test.want)
			}
		}
	})
}

func oddArguments(t *testing.T, server *servers.Database) {
	tests := []struct {
		text string
		args []any
	}{
		{"SELECT $1::text FROM c", []any{"a\xff"}},
		{"SELECT $1::text FROM c", []any{"a\x00b"}},
		{"SELECT $1::text FROM c", []any{nil}},
		{"SELECT $1::text FROM c", []any{sql.Named("x", "y")}},
		{"SELECT $1::text FROM c", []any{map[string]int{"a": 1}}},
		{"SELECT $1::text FROM c", []any{1, 2}},
		{"SELECT $1::text FROM c", nil},
		{"SELECT coalesce($1::text, 'null') FROM c", []any{(*string)(nil)}},
		{"SELECT n FROM c; SELECT 2", nil},
		{"SELECT 'x\x00y' FROM c", nil},
		{"", nil},
		{"-- only", nil},
	}
	overBoth(t, server, func(p *pair, _ string) {
		for _, test := range tests {
			p.same(t, test.text, test.args...)
			p.same(t, test.text, test.args...)
		}
	})
}

func argumentsOfPgx(t *testing.T, server *servers.Database) {
	p, today := pairOn(t, server, "pgx"), "today"
	const byID = "SELECT n FROM c WHERE id = $1"
	for range 2 {
		p.same(t, "SELECT n FROM c WHERE id = @id", pgx.NamedArgs{"id": 1})
		p.same(t, byID, pgx.QueryExecModeSimpleProtocol, 1)
		p.same(t, byID, pgx.QueryExecModeExec, 1)
		p.same(t, "SELECT 'x' FROM c WHERE id = $1", pgx.QueryResultFormats{1}, 1)
		p.same(t, "SELECT (@d::date)::text FROM c", pgx.NamedArgs{"d": today})
		p.same(t, "SELECT (@d::date)::text FROM c", pgx.NamedArgs{"d": &today})
	}
	p.moves(t, "SELECT (@d::timestamptz)::text FROM c", pgx.NamedArgs{"d": "now"})
}

// rewritten is an argument that puts another statement in the place of the one it is given to.
type rewritten string

func (r rewritten) RewriteQuery(
	context.Context, *pgx.Conn, string, []any,
) (text string, args []any, err error) {
	return string(r), nil, nil
}

func rewriters(t *testing.T, server *servers.Database) {
	p := pairOn(t, server, "pgx")
	number(t, p.db, "SELECT n FROM c")
	for n := 1; n <= 2; n++ {
		number(t, p.db, "SELECT 1 FROM c", rewritten("UPDATE c SET n = n + 1 RETURNING n"))
		if got := number(t, p.db, "SELECT n FROM c"); got != n {
			t.Errorf("after a rewriter that writes got %d, want %d", got, n)
		}
	}
	p.moves(t, "SELECT 'x' FROM c", rewritten("SELECT clock_timestamp()::text"))
}

// turning is a Valuer that never returns the same.
type turning struct{ n *atomic.Int64 }

func (v turning) Value() (driver.Value, error) { return v.n.Add(1), nil }

func TestRowsOfAValuerThatTurnsAreNotKeptForAnotherValue(t *testing.T) {
	p, _ := pairIn(t, "")
	v := turning{new(atomic.Int64)}
	const text = "SELECT CAST(? AS INT) FROM c"
	for range 5 {
		readOnce(t, p.db, text, v)
	}
	for i := range v.n.Load() + 1 {
		if got := readOnce(t, p.db, text, i); got != fmt.Sprintf("[%d]", i) {
			t.Errorf("got %s for %d", got, i)
		}
	}
}
