// main.go answers: can callers go on while an origin is slow, or down?

// Command stale-while-refreshing asks an origin that gets slow, and then fails. An old value is
// served at once while a new one is fetched behind (Stale), also while the origin is down
// (StaleOnError), and instead of a load that takes too long (SoftTimeout): no caller waits for what
// he can do without, nor gets an error.
//
//	go run ./examples/stale-while-refreshing
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
)

const (
	ttl   = 50 * time.Millisecond // short, so that the program is
	stale = time.Minute
	slow  = time.Second
)

// origin counts what it hands out, and has bad days.
type origin struct {
	version atomic.Int64
	delay   atomic.Int64 // nanoseconds
	down    atomic.Bool
}

func (o *origin) price(ctx context.Context, item string) (string, error) {
	time.Sleep(time.Duration(o.delay.Load()))
	if o.down.Load() {
		return "", errors.New("the origin is down")
	}
	return fmt.Sprintf("price %d of %s", o.version.Add(1), item), nil
}

func main() {
	var shop origin
	failures := make(chan error, 10_000)
	prices := larder.New(larder.Options[string, string]{
		Name: "prices", Load: shop.price, TTL: ttl, Stale: stale, RetryAfter: ttl,
		OnError: func(err error) { failures <- err },
	})
	defer prices.Close()

	show("first", prices)
	time.Sleep(ttl)
	shop.delay.Store(int64(slow))
	show("stale, while the origin is slow", prices) // and begins a refresh
	await(func() bool {
		v, _ := prices.Get(context.Background(), "tea")
		return v == "price 2 of tea"
	})
	show("when the refresh has ended", prices)

	time.Sleep(ttl)
	shop.delay.Store(0)
	shop.down.Store(true)
	show("stale, while the origin is down", prices)
	await(func() bool {
		prices.Get(context.Background(), "tea") // served at once, as before
		return len(failures) > 0
	})
	fmt.Println("OnError heard:", <-failures)

	shop.down.Store(false)
	orOld(&shop)
}

// orOld has values that are served only if the origin fails, or is slow: callers prefer a new one.
func orOld(shop *origin) {
	prices := larder.New(larder.Options[string, string]{
		Name: "careful", Load: shop.price, TTL: ttl, RetryAfter: ttl,
		StaleOnError: time.Hour, SoftTimeout: slow / 2,
	})
	defer prices.Close()
	show("careful, first", prices)
	grownOld(prices)
	show("careful, after its TTL", prices)
	grownOld(prices)
	shop.down.Store(true)
	show("careful, while the origin is down", prices)
	time.Sleep(ttl) // for RetryAfter
	shop.down.Store(false)
	shop.delay.Store(int64(slow))
	show("careful, while the origin is slow", prices)
	fmt.Println("served stale:", prices.Stats().Stale)
}

// grownOld waits until a value is not fresh any more: then Lookup does not find it.
func grownOld(prices *larder.Cache[string, string]) {
	await(func() bool { _, fresh := prices.Lookup("tea"); return !fresh })
}

// show prints what a Get returns, and whether it had to wait for the slow origin.
func show(when string, prices *larder.Cache[string, string]) {
	begun := time.Now()
	price, err := prices.Get(context.Background(), "tea")
	if err != nil {
		log.Fatal(err)
	}
	waited := ""
	if time.Since(begun) >= slow {
		waited = " (waited)"
	}
	fmt.Printf("%s: %s%s\n", when, price, waited)
}

func await(done func() bool) {
	for !done() {
		time.Sleep(time.Millisecond)
	}
}
