// main.go answers: who reads the origin, who writes it, and when?

// Command cache-aside-or-through shows four ways to have a cache beside a table. Cache-aside: you
// look into the cache, read the table, and set. Read-through: the cache reads it (Load), once for
// all who ask. Write-through: Set writes the table first, and keeps nothing if that fails (Write).
// Write-behind: Set returns at once, and the table gets many values in one call (WriteBehind).
//
//	go run ./examples/cache-aside-or-through
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"sync"
	"time"

	"github.com/larder-go/larder"
)

// table is the origin. It counts its calls.
type table struct {
	mu            sync.Mutex // guards the fields below
	rows          map[int]string
	reads, writes int
}

func (t *table) read(ctx context.Context, id int) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads++
	row, ok := t.rows[id]
	if !ok {
		return "", larder.ErrNotFound
	}
	return row, nil
}

var errEmpty = errors.New("an empty name")

func (t *table) write(ctx context.Context, id int, row string) error {
	if row == "" {
		return errEmpty
	}
	return t.writeMany(ctx, map[int]string{id: row})
}

func (t *table) writeMany(ctx context.Context, rows map[int]string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes++
	maps.Copy(t.rows, rows)
	return nil
}

type options = larder.Options[int, string]

func main() {
	ctx := context.Background()
	for _, show := range []func(context.Context, *table) error{
		aside, readThrough, writeThrough, writeBehind,
	} {
		if err := show(ctx, &table{rows: map[int]string{1: "Ann", 2: "Bob"}}); err != nil {
			log.Fatal(err)
		}
	}
}

func aside(ctx context.Context, t *table) error {
	users := larder.New(options{TTL: time.Minute})
	defer users.Close()
	for range 2 {
		user, ok := users.Lookup(1)
		if !ok {
			var err error
			if user, err = t.read(ctx, 1); err != nil {
				return err
			}
			if err := users.Set(ctx, 1, user); err != nil {
				return err
			}
		}
		fmt.Println("cache-aside:", user, "- reads:", t.reads)
	}
	return nil
}

func readThrough(ctx context.Context, t *table) error {
	users := larder.New(options{TTL: time.Minute, Load: t.read})
	defer users.Close()
	for range 2 {
		user, err := users.Get(ctx, 1)
		if err != nil {
			return err
		}
		fmt.Println("read-through:", user, "- reads:", t.reads)
	}
	_, err := users.Get(ctx, 99)
	fmt.Println("read-through, no such row:", errors.Is(err, larder.ErrNotFound))
	return nil
}

func writeThrough(ctx context.Context, t *table) error {
	users := larder.New(options{TTL: time.Minute, Load: t.read, Write: t.write})
	defer users.Close()
	if err := users.Set(ctx, 1, "Anna"); err != nil {
		return err
	}
	err := users.Set(ctx, 1, "")
	user, _ := users.Lookup(1)
	fmt.Printf("write-through: table %s, cache %s, refused: %v\n", t.rows[1], user, err)
	return nil
}

func writeBehind(ctx context.Context, t *table) error {
	users := larder.New(options{TTL: time.Minute, Load: t.read,
		WriteBehind: larder.WriteBehind[int, string]{Write: t.writeMany, Delay: time.Minute}})
	for i := range 50 { // the last value of each key is written
		if err := users.Set(ctx, i%5, fmt.Sprint("user ", i)); err != nil {
			return err
		}
	}
	user, err := users.Get(ctx, 3)
	fmt.Println("write-behind:", user, "in the cache - writes:", t.writes)
	// Close writes what waits, or says what was lost.
	if err := errors.Join(err, users.Close()); err != nil {
		return err
	}
	fmt.Printf("write-behind, closed: %s in the table - writes: %d\n", t.rows[3], t.writes)
	return nil
}
