// main.go answers: how do I keep the results of queries, and never show an old one?

// Command database-results-sqlite asks a SQLite file the same question many times. The answer comes
// from memory until somebody writes to one of its tables: this program, or another one.
//
//	go run ./examples/database-results-sqlite
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/sqlite"
)

// best is a row of the question.
type best struct {
	Name   string
	Points int
}

const question = `
	SELECT name, sum(points) AS points FROM players JOIN games ON games.player = players.id
	WHERE points > ? GROUP BY name ORDER BY points DESC LIMIT 3`

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "larder-example-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	dsn := "file:" + filepath.Join(dir, "games.db") + "?_pragma=journal_mode(wal)"

	cache := sqlcache.New(sqlcache.Options{Dialect: sqlite.New(sqlite.Options{})})
	defer cache.Close()
	db, err := cache.Open("sqlite", dsn) // in place of sql.Open
	if err != nil {
		return err
	}
	defer db.Close()
	other, err := sql.Open("sqlite", dsn) // stands for another program
	if err != nil {
		return err
	}
	defer other.Close()

	_, err = db.ExecContext(ctx, `
		CREATE TABLE players (id INTEGER PRIMARY KEY, name TEXT);
		CREATE TABLE games (id INTEGER PRIMARY KEY, player INT, points INT);
		CREATE TABLE visits (n INT);
		INSERT INTO players VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cy');
		INSERT INTO games (player, points) VALUES (1, 10), (2, 7), (2, 5), (3, 9)`)
	if err != nil {
		return err
	}
	ask := func(what string) error {
		before := cache.Stats()
		rows, err := sqlcache.Query[best](ctx, db, question, 4)
		if err != nil {
			return err
		}
		from := "the database"
		if cache.Stats().Hits > before.Hits {
			from = "memory"
		}
		fmt.Printf("%-38s %v from %s\n", what, rows, from)
		return nil
	}
	steps := []struct {
		what string
		db   *sql.DB
		text string
	}{
		{"at first", db, ""},
		{"again", db, ""},
		{"after a write to another table", db, "INSERT INTO visits VALUES (1)"},
		{"after a game", db, "INSERT INTO games (player, points) VALUES (3, 20)"},
		{"again", db, ""},
		{"after a game of another program", other, "INSERT INTO games (player, points) VALUES (1, 30)"},
		{"again", db, ""},
	}
	for _, s := range steps {
		if s.text != "" {
			if _, err := s.db.ExecContext(ctx, s.text); err != nil {
				return err
			}
		}
		if err := ask(s.what); err != nil {
			return err
		}
	}
	return nil
}
