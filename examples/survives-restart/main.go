// main.go counts its own runs in a folder that outlives it.

// Command survives-restart loads a slow value once and finds it again in its next run.
//
//	go run ./examples/survives-restart /tmp/larder-example
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: survives-restart FOLDER")
	}
	s, err := disk.Open(os.Args[1], disk.Options{MaxBytes: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	answer, err := get(context.Background(), s, "answer")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
}

// get returns what is kept under key, and loads it if it is not there.
func get(ctx context.Context, s store.Store, key string) (string, error) {
	item, err := s.Get(ctx, key)
	if err == nil {
		return string(item.Value) + " (kept)", nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	value := slow()
	err = s.Set(ctx, key, store.Item{
		Value: []byte(value), GoneAfter: time.Now().Add(time.Hour), Tags: []string{"answers"},
	})
	return value + " (loaded)", err
}

func slow() string { return "42" }
