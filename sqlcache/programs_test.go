// programs_test.go runs programs as people write them, unchanged, over the cache.

package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
)

// openPostgres opens a database of a new server through a cache that keeps all it may.
func openPostgres(t testing.TB, driver string) (*sqlcache.Cache, *sql.DB, string) {
	t.Helper()
	server := servers.Postgres(t)
	cache := sqlcache.New(sqlcache.Options{
		Dialect: postgres.New(postgres.Options{}), All: true, OnError: func(err error) { t.Error(err) },
	})
	t.Cleanup(func() { cache.Close() })
	db, err := cache.Open(driver, server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return cache, db, server.DSN
}

func TestPgxLibPQAndSQLiteRunUnchanged(t *testing.T) {
	for _, name := range []string{"pgx", "postgres"} {
		cache, db, _ := openPostgres(t, name)
		bareProgram(t, cache, db)
	}
	cache, db := openSQLite(t, sqlcache.Options{}, "SELECT 1")
	bareProgram(t, cache, db)
}

// bareProgram uses database/sql alone.
func bareProgram(t *testing.T, cache *sqlcache.Cache, db *sql.DB) {
	t.Helper()
	mustExec(t, db, "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
	insert, err := db.Prepare("INSERT INTO people (id, name) VALUES ($1, $2)")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	for i, name := range []string{"Ann", "Bob", "Cy"} {
		if _, err := insert.Exec(i, name); err != nil {
			t.Fatal(err)
		}
	}
	byID, err := db.Prepare("SELECT name FROM people WHERE id = $1")
	if err != nil {
		t.Fatal(err)
	}
	defer byID.Close()
	for range 3 {
		var name string
		if err := byID.QueryRow(1).Scan(&name); err != nil || name != "Bob" {
			t.Errorf("got %q (%v), want Bob", name, err)
		}
		if err := db.QueryRow("SELECT name FROM people WHERE id = $1", 7).Scan(&name); err != sql.ErrNoRows {
			t.Errorf("got %q (%v), want no rows", name, err)
		}
	}
	if s := cache.Stats(); s.Hits < 4 {
		t.Errorf("got %+v, want at least 4 hits", s)
	}
}

// person is a row for sqlx and gorm.
type person struct {
	ID      int64  `db:"id" gorm:"primaryKey"`
	Name    string `db:"name"`
	Born    *int   `db:"born"`
	Friends []pet  `db:"-" gorm:"foreignKey:Owner"`
}

type pet struct {
	ID    int64 `gorm:"primaryKey"`
	Owner int64
	Name  string
}

func TestSqlxRunsUnchanged(t *testing.T) {
	pgCache, pg, _ := openPostgres(t, "pgx")
	sqxProgram(t, pgCache, sqlx.NewDb(pg, "pgx"))
	cache, db := openSQLite(t, sqlcache.Options{}, "SELECT 1")
	sqxProgram(t, cache, sqlx.NewDb(db, "sqlite"))
}

func sqxProgram(t *testing.T, cache *sqlcache.Cache, db *sqlx.DB) {
	t.Helper()
	db.MustExec("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, born INT)")
	if _, err := db.NamedExec("INSERT INTO person (id, name, born) VALUES (:id, :name, :born)",
		[]person{{ID: 1, Name: "Ann"}, {ID: 2, Name: "Bob"}}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		var all []person
		if err := db.Select(&all, db.Rebind("SELECT id, name, born FROM person WHERE id < ? ORDER BY id"), 9); err != nil || len(all) != 2+min(i, 1) {
			t.Fatalf("round %d: %+v (%v)", i, all, err)
		}
		var one person
		if err := db.Get(&one, db.Rebind("SELECT id, name, born FROM person WHERE id = ?"), 2); err != nil || one.Name != "Bob" {
			t.Fatalf("round %d: %+v (%v)", i, one, err)
		}
		if i == 0 {
			tx := db.MustBegin()
			tx.MustExec(db.Rebind("INSERT INTO person (id, name) VALUES (?, ?)"), 3, "Cy")
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := cache.Stats(); s.Hits < 2 {
		t.Errorf("got %+v, want at least 2 hits", s)
	}
}

func TestGormRunsUnchanged(t *testing.T) {
	cache, over, _ := openPostgres(t, "pgx")
	db, err := gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: over}), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.AutoMigrate(&person{}, &pet{}); err != nil {
		t.Fatal(err)
	}
	ann := person{Name: "Ann", Friends: []pet{{Name: "Rex"}, {Name: "Tom"}}}
	if err := db.Create(&ann).Error; err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		var got person
		if err := db.Preload("Friends").First(&got, ann.ID).Error; err != nil || len(got.Friends) != 2 || got.Name != ann.Name {
			t.Fatalf("round %d: %+v (%v)", i, got, err)
		}
		ann.Name = fmt.Sprint("Ann", i)
		if err := db.Model(&person{}).Where("id = ?", ann.ID).Update("name", ann.Name).Error; err != nil {
			t.Fatal(err)
		}
	}
	if s := cache.Stats(); s.Hits < 2 { // the pets did not change
		t.Errorf("got %+v, want at least 2 hits", s)
	}
	if err := db.Delete(&ann.Friends[0]).Error; err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := db.Model(&pet{}).Count(&n).Error; err != nil || n != 1 {
		t.Errorf("%d pets (%v), want 1", n, err)
	}
}

// counting counts the looks at statements.
type counting struct {
	*postgres.Dialect
	looks atomic.Int64
}

func (d *counting) Effect(
	ctx context.Context, q sqlcache.Querier, text string, args []driver.NamedValue,
) (sqlcache.Effect, error) {
	d.looks.Add(1)
	return d.Dialect.Effect(ctx, q, text, args)
}

func TestTextsThatDifferInConstantsAreLookedAtOnce(t *testing.T) {
	server := servers.Postgres(t)
	d := &counting{Dialect: postgres.New(postgres.Options{})}
	cache := sqlcache.New(sqlcache.Options{Dialect: d, All: true})
	t.Cleanup(func() { cache.Close() })
	db, err := cache.Open("pgx", server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	mustExec(t, db, "CREATE TABLE c (id int, s text)")
	before := d.looks.Load()
	for i := range 20 {
		mustExec(t, db, fmt.Sprintf("INSERT INTO c VALUES (%d, 'text %d')", i, i))
	}
	for range 2 {
		for i := range 20 {
			s, err := sqlcache.Query[string](t.Context(), db, fmt.Sprintf("SELECT s FROM c WHERE id = %d", i))
			if want := fmt.Sprint("text ", i); err != nil || len(s) != 1 || s[0] != want {
				t.Errorf("got %q (%v), want %q", s, err, want)
			}
		}
	}
	if n := d.looks.Load() - before; n != 2 {
		t.Errorf("%d looks at two kinds of statements", n)
	}
	if s := cache.Stats(); s.Hits != 20 {
		t.Errorf("got %+v, want 20 hits", s)
	}
}

// wide is a struct for Query.
type wide struct {
	base
	CreatedAt time.Time
	Label     sql.NullString `db:"s"`
	Ignored   func()         `db:"-"`
}

type base struct{ ID int64 }

func TestQueryReadsRowsIntoValues(t *testing.T) {
	_, db := openSQLite(t, sqlcache.Options{}, `
		CREATE TABLE w (id INTEGER PRIMARY KEY, created_at DATETIME, s TEXT);
		INSERT INTO w VALUES (1, '2024-05-06 07:08:09Z', 'one'), (2, '2024-05-06 07:08:09Z', NULL)`)
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for range 2 {
		got, err := sqlcache.Query[wide](t.Context(), db, "SELECT * FROM w ORDER BY id")
		for i := range got {
			got[i].CreatedAt = got[i].CreatedAt.UTC()
		}
		want := []wide{{base: base{1}, CreatedAt: at, Label: sql.NullString{String: "one", Valid: true}},
			{base: base{2}, CreatedAt: at}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
		ids, err := sqlcache.Query[int](t.Context(), db, "SELECT id FROM w WHERE id > $1", 1)
		if err != nil || !reflect.DeepEqual(ids, []int{2}) {
			t.Errorf("got %v (%v), want 2", ids, err)
		}
		none, err := sqlcache.Query[wide](t.Context(), db, "SELECT * FROM w WHERE id > $1", 100)
		if err != nil || len(none) != 0 {
			t.Errorf("got %v (%v), want none", none, err)
		}
	}
	for text, want := range map[string]string{
		"SELECT id, 1 AS other FROM w": `sqlcache: sqlcache_test.wide has no field for column "other"`,
		"SELEC":                        "SQL logic error: near \"SELEC\": syntax error (1)",
	} {
		if _, err := sqlcache.Query[wide](t.Context(), db, text); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	if _, err := sqlcache.Query[int](t.Context(), db, "SELECT id, s FROM w"); err == nil {
		t.Error("two columns for one int")
	}
}

func TestWhatQueryReturnsBelongsToTheCaller(t *testing.T) {
	cache, db := openSQLite(t, sqlcache.Options{}, "CREATE TABLE w (id INT, b BLOB); INSERT INTO w VALUES (1, x'01')")
	type plain struct{ ID int }
	type bytes struct{ B []byte }
	for range 3 {
		rows, err := sqlcache.Query[plain](t.Context(), db, "SELECT id FROM w")
		if err != nil || rows[0].ID != 1 {
			t.Fatalf("got %v (%v)", rows, err)
		}
		rows[0].ID = 99
		blobs, err := sqlcache.Query[bytes](t.Context(), db, "SELECT b FROM w")
		if err != nil || blobs[0].B[0] != 1 {
			t.Fatalf("got %v (%v)", blobs, err)
		}
		blobs[0].B[0] = 99
	}
	if s := cache.Stats(); s.Hits != 4 {
		t.Errorf("got %+v, want 4 hits", s)
	}
}

func TestQueryWithinATransactionSeesItsWrites(t *testing.T) {
	_, db := openSQLite(t, sqlcache.Options{}, "CREATE TABLE w (id INT); INSERT INTO w VALUES (1)")
	count := func(q sqlcache.Queryer) int {
		n, err := sqlcache.Query[int](t.Context(), q, "SELECT count(*) FROM w")
		if err != nil {
			t.Fatal(err)
		}
		return n[0]
	}
	if n := count(db) + count(db); n != 2 {
		t.Fatalf("%d rows in two counts", n)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("INSERT INTO w VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	if inside, outside := count(tx), count(db); inside != 2 || outside != 1 {
		t.Errorf("inside %d, outside %d", inside, outside)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := count(db); n != 2 {
		t.Errorf("after the commit %d rows", n)
	}
}

func TestSavepointsWithinATransactionAreNothingSpecial(t *testing.T) {
	cache, db := openSQLite(t, sqlcache.Options{}, "CREATE TABLE w (id INT)")
	db.SetMaxOpenConns(1)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"INSERT INTO w VALUES (1)", "SAVEPOINT s", "INSERT INTO w VALUES (2)", "ROLLBACK TO s", "RELEASE s"} {
		if _, err := tx.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n, err := sqlcache.Query[int](t.Context(), db, "SELECT count(*) FROM w"); err != nil || n[0] != 1 {
			t.Errorf("got %v (%v), want 1", n, err)
		}
	}
	if s := cache.Stats(); s.Hits != 2 {
		t.Errorf("got %+v, want 2 hits", s)
	}
	mustExec(t, db, "SAVEPOINT s") // a transaction by itself
	mustExec(t, db, "INSERT INTO w VALUES (3)")
	for _, end := range []string{"ROLLBACK TO s", "RELEASE s"} {
		mustExec(t, db, end)
		if n, err := sqlcache.Query[int](t.Context(), db, "SELECT count(*) FROM w"); err != nil || n[0] != 1 {
			t.Errorf("got %v (%v), want 1", n, err)
		}
	}
}

func TestAnErrorThatEndsATransactionIsNoticed(t *testing.T) {
	_, db := openSQLite(t, sqlcache.Options{}, "CREATE TABLE w (id INT UNIQUE); INSERT INTO w VALUES (1)")
	count := func() int {
		n, err := sqlcache.Query[int](t.Context(), db, "SELECT count(*) FROM w")
		if err != nil {
			t.Fatal(err)
		}
		return n[0]
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT OR ROLLBACK INTO w VALUES (1)"); err == nil {
		t.Fatal("a second 1 was taken")
	}
	before := count()
	if _, err := tx.Exec("INSERT INTO w VALUES (2)"); err != nil { // for good, though nobody expects that
		t.Fatal(err)
	}
	if n := count(); before != 1 || n != 2 {
		t.Errorf("%d rows and then %d, want 1 and 2", before, n)
	}
	tx.Rollback() // there is nothing to be rolled back
	if n := count() + count(); n != 4 {
		t.Errorf("%d rows in two counts, want 4", n)
	}
}

func TestAConnectionUsedPastTheCacheIsNotTrusted(t *testing.T) {
	cache, db := openSQLite(t, sqlcache.Options{}, "CREATE TABLE w (id INT)")
	conn := connTo(t, db)
	count := func() (n int) {
		if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM w").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	count()
	err := conn.Raw(func(c any) error {
		q := c.(*sqlcache.Conn).Unwrap().(driver.ExecerContext)
		_, err := q.ExecContext(context.Background(), "INSERT INTO w VALUES (1)", nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count() + count(); n != 2 {
		t.Errorf("%d rows in two counts, want 2", n)
	}
	if s := cache.Stats(); s.Hits != 0 {
		t.Errorf("got %+v, want no hits", s)
	}
}
