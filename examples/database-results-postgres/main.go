// main.go answers: how do I keep results of PostgreSQL while other programs write?

// Command database-results-postgres keeps the result of a query until one of its tables changes.
// Triggers tell it what other programs write; it makes a schema of its own and removes it.
//
//	go run ./examples/database-results-postgres -dsn postgres://user@localhost/database
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/postgres"
	watch "github.com/larder-go/larder/watch/postgres"
)

const (
	schema = `
		DROP SCHEMA IF EXISTS larder_example CASCADE;
		CREATE SCHEMA larder_example;
		CREATE TABLE larder_example.stock (item text PRIMARY KEY, pieces int NOT NULL);
		INSERT INTO larder_example.stock VALUES ('pear', 3), ('plum', 40)`
	question = "SELECT item, pieces FROM larder_example.stock WHERE pieces < $1 ORDER BY item"
)

// row is a row of the question.
type row struct {
	Item   string
	Pieces int
}

func main() {
	dsn := flag.String("dsn", "postgres://localhost/postgres", "a database in which to make a schema")
	flag.Parse()
	log.SetFlags(0)
	if err := run(context.Background(), *dsn); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dsn string) error {
	other, err := sql.Open("pgx", dsn) // stands for another program
	if err != nil {
		return err
	}
	defer other.Close()
	if _, err := other.ExecContext(ctx, schema); err != nil {
		return err
	}
	defer other.ExecContext(ctx, "DROP SCHEMA larder_example CASCADE")
	_, err = postgres.Install(ctx, other, postgres.InstallOptions{
		Tables: []string{"larder_example.stock"}, // in your program: by a migration, once
	})
	if err != nil {
		return err
	}
	defer postgres.Uninstall(ctx, other, postgres.InstallOptions{})

	watcher, err := watch.New(watch.Options{DSN: dsn})
	if err != nil {
		return err
	}
	cache := sqlcache.New(sqlcache.Options{
		Dialect: postgres.New(postgres.Options{}), Watch: watcher, TTL: time.Hour,
	})
	defer cache.Close()
	db, err := cache.Open("pgx", dsn) // in place of sql.Open
	if err != nil {
		return err
	}
	defer db.Close()
	for cache.Stats().Deaf { // nothing is kept before others are heard
		time.Sleep(time.Millisecond)
	}
	return play(ctx, cache, db, other)
}

func play(ctx context.Context, cache *sqlcache.Cache, db, other *sql.DB) error {
	for _, what := range []string{"at first", "again", "again"} {
		if err := ask(ctx, cache, db, what); err != nil {
			return err
		}
	}
	if _, err := db.ExecContext(ctx, "UPDATE larder_example.stock SET pieces = 2 WHERE item = 'plum'"); err != nil {
		return err
	}
	if err := ask(ctx, cache, db, "after a write of our own"); err != nil {
		return err
	}
	if _, err := other.ExecContext(ctx, "INSERT INTO larder_example.stock VALUES ('fig', 1)"); err != nil {
		return err
	}
	return await(ctx, cache, db, "after a write of another program")
}

// await asks until the other program was heard, which takes some milliseconds.
func await(ctx context.Context, cache *sqlcache.Cache, db *sql.DB, what string) error {
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(time.Millisecond) {
		rows, err := sqlcache.Query[row](ctx, db, question, 10)
		if err != nil {
			return err
		}
		if rows[0].Item == "fig" {
			fmt.Printf("%-33s %v, within a second: %v\n", what, rows, time.Since(began) < time.Second)
			return nil
		}
	}
	return errors.New("the other program was not heard")
}

// ask asks the question and says where the answer came from.
func ask(ctx context.Context, cache *sqlcache.Cache, db *sql.DB, what string) error {
	before := cache.Stats().Hits
	rows, err := sqlcache.Query[row](ctx, db, question, 10)
	if err != nil {
		return err
	}
	from := "the database"
	if cache.Stats().Hits > before {
		from = "memory"
	}
	fmt.Printf("%-33s %v from %s\n", what, rows, from)
	return nil
}
