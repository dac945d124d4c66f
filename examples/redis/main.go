// main.go answers: how do I cache in Redis, and what happens when it is down?

// Command redis keeps values in Redis for ten minutes: users as JSON, which any language reads, and
// points as msgpack, which is shorter. Then stop the server: nobody gets an error, the origin is
// asked. Start it again, and it is used again; there is nothing to do for that.
//
//	go run ./examples/redis -redis localhost:6379
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/codec/msgpack"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

// User is what is kept; so is Point.
type User struct{ Name, Email string }

// Point is a place.
type Point struct{ X, Y int }

func loadUser(ctx context.Context, id int) (User, error) {
	return User{fmt.Sprint("user ", id), fmt.Sprintf("%d@example.com", id)}, nil
}

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
	shared, err := redis.Open(redis.Options{Addrs: []string{addr}, Prefix: "larder-example:"})
	if err != nil {
		return err
	}
	defer shared.Close()
	if err := shared.Clear(ctx); err != nil { // of an earlier run
		return err
	}
	users := larder.New(larder.Options[int, User]{
		Name: "users", Load: loadUser, TTL: 10 * time.Minute,
		Store: shared, Codec: codec.JSON{},
		MaxEntries: 1, // so that this program has to ask Redis; leave it out in yours
	})
	defer users.Close()
	points := larder.New(larder.Options[string, Point]{
		Name: "points", TTL: 10 * time.Minute, Store: shared, Codec: msgpack.Codec{},
	})
	defer points.Close()

	if err := points.Set(ctx, "home", Point{3, 4}); err != nil {
		return err
	}
	if err := users.Set(ctx, 1, User{"user 1", "1@example.com"}); err != nil {
		return err
	}
	if err := list(ctx, shared); err != nil {
		return err
	}
	return follow(ctx, users)
}

// list prints what is in Redis.
func list(ctx context.Context, shared *redis.Store) error {
	for _, name := range []string{"users:", "points:"} {
		for item, err := range shared.List(ctx, name) {
			if err != nil {
				return err
			}
			rest := time.Until(item.GoneAfter).Round(time.Minute)
			fmt.Printf("in Redis: one of %s %d bytes, for %v\n", name, item.Size, rest)
		}
	}
	return nil
}

// follow asks for two users again and again, and prints where they come from when that changes. It
// ends when Redis was gone and has come back.
func follow(ctx context.Context, users *larder.Cache[int, User]) error {
	const fromRedis, fromOrigin = "users come from Redis", "users come from the origin"
	for last, changes := "", 0; changes < 3; time.Sleep(10 * time.Millisecond) {
		before := users.Stats().Loads
		for _, id := range []int{1, 2} {
			if _, err := users.Get(ctx, id); err != nil {
				return err // never: the origin has them
			}
		}
		now := fromRedis
		switch users.Stats().Loads - before {
		case 1:
			continue // in between
		case 2:
			now = fromOrigin
		}
		if now != last && (last != "" || now == fromRedis) {
			fmt.Println(now)
			last = now
			changes++
		}
	}
	return nil
}
