// main.go answers: how do entries expire by time, each at its own, unused, or not all at once?

// Command expiry shows four ways to expire: Options.TTL for all entries, SetFor for one of them,
// Options.Idle for what nobody uses, and Options.Jitter so that what came together does not leave
// together. What has expired is not found, whether or not its room was given back already.
//
//	go run ./examples/expiry
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder"
)

// ttl is short so that the program is; times are minutes more often.
const ttl = 500 * time.Millisecond

func main() {
	for _, show := range []func(context.Context) error{byTime, unused, scattered} {
		if err := show(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
}

// byTime sets three entries, two of which have a time of their own.
func byTime(ctx context.Context) error {
	c := larder.New(larder.Options[string, int]{TTL: ttl})
	defer c.Close()
	if err := c.Set(ctx, "usual", 1); err != nil {
		return err
	}
	if err := c.SetFor(ctx, "longer", 2, time.Hour); err != nil {
		return err
	}
	if err := c.SetFor(ctx, "forever", 3, larder.Forever); err != nil {
		return err
	}
	fmt.Println("at first:", found(c, "usual", "longer", "forever"))
	time.Sleep(ttl)
	awaitLen(c, 2)
	fmt.Println("after its TTL:", found(c, "usual", "longer", "forever"))
	return nil
}

// unused lets one entry be used again and again, and another one not.
func unused(ctx context.Context) error {
	c := larder.New(larder.Options[string, int]{TTL: time.Hour, Idle: ttl})
	defer c.Close()
	for _, key := range []string{"used", "unused"} {
		if err := c.Set(ctx, key, 1); err != nil {
			return err
		}
	}
	for c.Len() > 1 {
		c.Lookup("used")
		time.Sleep(ttl / 50)
	}
	fmt.Println("after Idle:", found(c, "used", "unused"))
	return nil
}

// scattered sets a thousand entries at once, whose times are drawn from 0.5 to 1.5 times TTL.
func scattered(ctx context.Context) error {
	const n = 1000
	var ended []time.Duration // OnEvict is called by several goroutines: they hand it on
	times := make(chan time.Time, n)
	c := larder.New(larder.Options[int, int]{TTL: ttl, Jitter: 0.5,
		OnEvict: func(int, int, larder.Cause) { times <- time.Now() }})
	defer c.Close()
	begun := time.Now()
	for i := range n {
		if err := c.Set(ctx, i, i); err != nil {
			return err
		}
	}
	for range n {
		ended = append(ended, (<-times).Sub(begun))
	}
	fmt.Println("with Jitter, the first left before its TTL:", ended[0] < ttl,
		"- the last after it:", ended[n-1] > ttl)
	return nil
}

// awaitLen waits until no more than n entries are there. A timer takes out what has expired, and on
// a busy machine it may be a moment late.
func awaitLen(c *larder.Cache[string, int], n int) {
	for c.Len() > n {
		time.Sleep(time.Millisecond)
	}
}

// found returns those of keys that are there.
func found(c *larder.Cache[string, int], keys ...string) (there []string) {
	for _, key := range keys {
		if _, ok := c.Lookup(key); ok {
			there = append(there, key)
		}
	}
	return there
}
