// bench_test.go measures what a hit and a miss cost beside the bare driver:
//
//	go test -run xxx -bench . ./sqlcache

package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/sqlcache"
)

// line is a row of the benchmarks.
type line struct {
	ID    int64
	Name  string
	Score float64
}

// questions of 100 rows: a plain one, and one as pages have them.
var questions = []struct{ name, text string }{
	{"Plain", "SELECT id, name, score FROM lines WHERE part = $1 ORDER BY id LIMIT 100"},
	{"Joined", "SELECT l.id, l.name, sum(s.points) AS score FROM lines l JOIN scores s ON s.line = l.id " +
		"WHERE l.part = $1 GROUP BY l.id, l.name ORDER BY score DESC, l.id LIMIT 100"},
}

const benchSchema = `
CREATE TABLE lines AS SELECT i AS id, 'line number '||i AS name, i * 1.5::float8 AS score, i % 100 AS part
	FROM generate_series(1, 10000) i;
CREATE INDEX ON lines (part, id);
CREATE TABLE scores AS SELECT i % 10000 + 1 AS line, i::float8 / 7 AS points FROM generate_series(1, 100000) i;
CREATE INDEX ON scores (line);
ANALYZE`

func BenchmarkPostgres(b *testing.B) {
	cache, db, dsn := openPostgres(b, "pgx")
	mustExec(b, db, benchSchema)
	bare := openDB(b, "pgx", dsn)
	off, on := sqlcache.Uncached(b.Context()), sqlcache.Cached(b.Context(), 0)
	for _, q := range questions {
		b.Run(q.name+"/Bare", func(b *testing.B) { benchScan(b, b.Context(), bare, q.text) })
		b.Run(q.name+"/Uncached", func(b *testing.B) { benchScan(b, off, db, q.text) })
		b.Run(q.name+"/Hit", func(b *testing.B) { benchScan(b, on, db, q.text) })
		b.Run(q.name+"/HitByQuery", func(b *testing.B) { benchQuery(b, on, db, q.text) })
	}
	b.Logf("%+v", cache.Stats())
}

// BenchmarkUncached asks the bare driver and the cache in turns, and tells the medians and what one of
// a query costs more that is not kept.
func BenchmarkUncached(b *testing.B) {
	_, db, dsn := openPostgres(b, "pgx")
	mustExec(b, db, benchSchema)
	bare := openDB(b, "pgx", dsn)
	off := sqlcache.Uncached(b.Context())
	dbs := []*sql.DB{bare, db}
	var took [2][]time.Duration
	for n := 0; b.Loop(); n++ {
		for _, i := range []int{n % 2, 1 - n%2} { // each comes first as often
			began := time.Now()
			scanLines(b, off, dbs[i], questions[0].text)
			took[i] = append(took[i], time.Since(began))
		}
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	median := [2]time.Duration{took[0][len(took[0])/2], took[1][len(took[1])/2]}
	b.ReportMetric(float64(median[0]), "ns/bare")
	b.ReportMetric(float64(median[1]), "ns/uncached")
	b.ReportMetric(float64(median[1])/float64(median[0]), "uncached/bare")
}

// BenchmarkDatabaseSQL is what database/sql takes of a hit: a driver that has all rows in memory.
func BenchmarkDatabaseSQL(b *testing.B) {
	var rows [][]driver.Value
	for i := range 100 {
		rows = append(rows, []driver.Value{int64(i), "line number", 1.5})
	}
	s := &queryingDriver{scripted: scripted{answer: func(string, []driver.NamedValue) (driver.Rows, error) {
		return &threeColumns{sets{rows: [][][]driver.Value{rows}}}, nil
	}}}
	db := sql.OpenDB(s)
	b.Cleanup(func() { db.Close() })
	benchScan(b, b.Context(), db, "SELECT ?")
}

type threeColumns struct{ sets }

func (*threeColumns) Columns() []string { return []string{"id", "name", "score"} }

func BenchmarkSQLite(b *testing.B) {
	cache, db := openSQLite(b, sqlcache.Options{}, `
		CREATE TABLE lines (id INTEGER PRIMARY KEY, name TEXT, score REAL, part INT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
			INSERT INTO lines SELECT i, 'line number ' || i, i * 1.5, i % 100 FROM n;
		CREATE INDEX parts ON lines (part, id)`)
	off, on := sqlcache.Uncached(b.Context()), sqlcache.Cached(b.Context(), 0)
	text := questions[0].text
	b.Run("Uncached", func(b *testing.B) { benchScan(b, off, db, text) })
	b.Run("Hit", func(b *testing.B) { benchScan(b, on, db, text) })
	b.Run("HitByQuery", func(b *testing.B) { benchQuery(b, on, db, text) })
	b.Logf("%+v", cache.Stats())
}

func benchScan(b *testing.B, ctx context.Context, db *sql.DB, text string) {
	b.ReportAllocs()
	for b.Loop() {
		scanLines(b, ctx, db, text)
	}
}

// scanLines reads 100 rows.
func scanLines(b *testing.B, ctx context.Context, db *sql.DB, text string) {
	rows, err := db.QueryContext(ctx, text, 3)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for rows.Next() {
		var l line
		if err := rows.Scan(&l.ID, &l.Name, &l.Score); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Close(); err != nil || n != 100 {
		b.Fatal(n, err)
	}
}

func benchQuery(b *testing.B, ctx context.Context, db *sql.DB, text string) {
	b.ReportAllocs()
	for b.Loop() {
		rows, err := sqlcache.Query[line](ctx, db, text, 3)
		if err != nil || len(rows) != 100 {
			b.Fatal(len(rows), err)
		}
	}
}
