// example_test.go shows how changes are told and heard.

package postgres_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/watch/postgres"
)

func ExampleNotify() {
	rename := func(ctx context.Context, conn *pgx.Conn, id int, name string) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE users SET name = $2 WHERE id = $1", id, name)
			if err != nil {
				return err
			}
			changed := store.Event{Kind: store.Changed, Key: fmt.Sprint("user:", id)}
			return postgres.Notify(ctx, tx, "", changed) // told when the transaction commits
		})
	}
	_ = rename
}

func ExampleTrigger() {
	trigger := postgres.Trigger{
		Table: pgx.Identifier{"public", "users"}, KeyColumn: "id", Prefix: "user:",
	}
	fmt.Fprint(os.Stderr, trigger.SQL()) // for a migration
}

func ExampleWatcher_Watch() {
	w, err := postgres.New(postgres.Options{DSN: "postgres://app@db.example.org/app"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	stop := w.Watch(func(e store.Event) { fmt.Println(e.Kind, e.Key) })
	defer stop()
}
