// main.go answers: how do many processes keep values in memory, and never an old one?

// Command two-levels has a price in the memory of each process, and in Redis behind it. Run "show"
// in two terminals and "set" in a third one: both print the new price as soon as it is set, and the
// origin was asked by the first of them alone.
//
//	go run ./examples/two-levels show
//	go run ./examples/two-levels set 12
//	go run ./examples/two-levels set gone   # both end
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

type prices = larder.Cache[string, string]

func main() {
	addr := flag.String("redis", "localhost:6379", "address of a Redis")
	flag.Parse()
	log.SetFlags(0)
	var do func(context.Context, *prices) error
	switch {
	case flag.Arg(0) == "show":
		do = show
	case flag.Arg(0) == "set" && flag.NArg() == 2:
		do = func(ctx context.Context, p *prices) error { return p.Set(ctx, "tea", flag.Arg(1)) }
	default:
		log.Fatal("usage: two-levels [-redis HOST:PORT] show | set PRICE")
	}
	if err := run(context.Background(), *addr, do); errors.Is(err, store.ErrUnavailable) {
		log.Fatalf("nobody answers at %s: start redis-server (%v)", *addr, err)
	} else if err != nil {
		log.Fatal(err)
	}
}

// run does something with a cache of two levels.
func run(ctx context.Context, addr string, do func(context.Context, *prices) error) error {
	shared, err := redis.Open(redis.Options{Addrs: []string{addr}, Prefix: "larder-example:"})
	if err != nil {
		return err
	}
	defer shared.Close()
	// A cache does without a Redis that is down. This program is of no use then.
	if _, err := shared.Get(ctx, "any"); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	p := larder.New(larder.Options[string, string]{
		Name: "two-levels", // the same in all processes
		Load: fromOrigin,
		TTL:  10 * time.Minute,
		// By itself it would skip a Redis that takes more than 250 ms. Here nothing is skipped, so
		// that the origin is asked once however slow the machine is.
		Store: store.NewGuard(shared, store.GuardOptions{Timeout: 5 * time.Second}),
	})
	defer p.Close()
	return do(ctx, p)
}

func fromOrigin(ctx context.Context, item string) (string, error) {
	fmt.Println("the origin is asked")
	return "10", nil
}

// show prints the price, and again when it has changed, until it is "gone". Nearly every Get finds
// it in memory: asking a thousand times a second is nothing.
func show(ctx context.Context, p *prices) error {
	for last := ""; last != "gone"; time.Sleep(time.Millisecond) {
		price, err := p.Get(ctx, "tea")
		if err != nil {
			return err
		}
		if price != last {
			fmt.Println("tea:", price)
			last = price
		}
	}
	return nil
}
