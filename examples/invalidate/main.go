// main.go answers: how do old values get out of every cache, on every node, at once?

// Command invalidate has two nodes, each with a memory of its own, and one Redis behind both. What
// one of them deletes, by its key, by the prefix of keys, by a tag, or all there is, the other one
// forgets as well, some milliseconds later.
//
//	go run ./examples/invalidate -redis localhost:6379
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

var keys = []string{"page/1", "page/2", "shop/tea", "shop/cup", "team/ann", "team/bob"}

func main() {
	addr := flag.String("redis", "localhost:6379", "address of a Redis")
	flag.Parse()
	log.SetFlags(0)
	if err := run(context.Background(), *addr); errors.Is(err, store.ErrUnavailable) {
		log.Fatalf("nobody answers at %s: start redis-server (%v)", *addr, err)
	} else if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	here, closeHere, err := node(addr)
	if err != nil {
		return err
	}
	defer closeHere()
	there, closeThere, err := node(addr)
	if err != nil {
		return err
	}
	defer closeThere()

	if err := fill(ctx, here); err != nil {
		return err
	}
	fmt.Println("set here, found there:", found(ctx, there))
	for _, step := range []struct {
		what string
		left int // keys that are left afterwards
		do   func() error
	}{
		{"the key page/1", 5, func() error { return here.Delete(ctx, "page/1") }},
		{"the prefix shop/", 3, func() error { return here.DeletePrefix(ctx, "shop/") }},
		{"the tag red", 2, func() error { return here.DeleteTag(ctx, "red") }},
		{"everything", 0, func() error { return here.Clear(ctx) }},
	} {
		if err := step.do(); err != nil {
			return err
		}
		for len(found(ctx, there)) > step.left { // a message is on its way
			time.Sleep(time.Millisecond)
		}
		fmt.Printf("deleted here: %s; found there: %v\n", step.what, found(ctx, there))
	}
	return nil
}

// node is what each process of a fleet has: a handle of the store, and a cache in front of it.
func node(addr string) (*larder.Cache[string, string], func(), error) {
	shared, err := redis.Open(redis.Options{Addrs: []string{addr}, Prefix: "larder-example:"})
	if err != nil {
		return nil, nil, err
	}
	c := larder.New(larder.Options[string, string]{
		Name: "invalidate", TTL: time.Hour,
		// By itself it would skip a Redis that is slow. This program is to show what is in it.
		Store: store.NewGuard(shared, store.GuardOptions{Timeout: 5 * time.Second}),
	})
	return c, func() { c.Close(); shared.Close() }, nil
}

// fill sets all keys; one of them has a tag.
func fill(ctx context.Context, c *larder.Cache[string, string]) error {
	for _, key := range keys {
		e := larder.Entry[string]{Value: "this is " + key}
		if key == "team/ann" {
			e.Tags = []string{"red"}
		}
		if err := c.SetEntry(ctx, key, e); err != nil {
			return err
		}
	}
	return nil
}

// found returns which keys a node can get, from its memory or from the store.
func found(ctx context.Context, c *larder.Cache[string, string]) (there []string) {
	for _, key := range keys {
		if _, err := c.Get(ctx, key); err == nil {
			there = append(there, key)
		}
	}
	return there
}
