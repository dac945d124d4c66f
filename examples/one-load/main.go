// main.go answers: a thousand ask for the same missing key at once. How often is the origin asked?

// Command one-load shows that it is once: among goroutines by coalescing, among processes by a
// lease in Redis, or by Redlock over several of them; and that a value can be refreshed before it
// expires, so that nobody has to wait even once.
//
//	go run ./examples/one-load -redis localhost:6379
//	go run ./examples/one-load -redis localhost:6379,localhost:6380,localhost:6381
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

// origin is slow, and counts how often it is asked.
type origin struct{ asked atomic.Int64 }

func (o *origin) load(ctx context.Context, key string) (string, error) {
	o.asked.Add(1)
	time.Sleep(20 * time.Millisecond)
	return "the value of " + key, nil
}

type options = larder.Options[string, string]

func main() {
	list := flag.String("redis", "localhost:6379", "addresses of Redis, with commas between")
	flag.Parse()
	log.SetFlags(0)
	addrs := strings.Split(*list, ",")

	amongGoroutines()
	err := amongProcesses(addrs[:1])
	if err == nil && len(addrs) >= 3 {
		err = amongProcesses(addrs)
	}
	if errors.Is(err, store.ErrUnavailable) {
		log.Fatalf("nobody answers at %s: start redis-server (%v)", addrs[0], err)
	} else if err != nil {
		log.Fatal(err)
	}
	beforeItExpires()
}

func amongGoroutines() {
	var o origin
	c := larder.New(options{Load: o.load, TTL: time.Minute})
	defer c.Close()
	askAtOnce(1000, c)
	fmt.Println("1000 goroutines:", o.asked.Load(), "load")
}

// amongProcesses makes five caches as five processes would: each has its own connections and shares
// no memory with the others.
func amongProcesses(addrs []string) error {
	var o origin
	var caches []*larder.Cache[string, string]
	for range 5 {
		stores, err := open(addrs)
		if err != nil {
			return err
		}
		opt := options{Name: "one-load", Load: o.load, TTL: time.Minute,
			// patient, so that Redis is not skipped on a busy machine
			Store: store.NewGuard(stores[0], store.GuardOptions{Timeout: 5 * time.Second})}
		if len(stores) > 1 { // values are in the first, leases are by most of them
			opt.Leases = redis.NewRedlock(stores, redis.RedlockOptions{Patience: 2 * time.Second})
		}
		c := larder.New(opt)
		defer func() {
			c.Close()
			for _, s := range stores {
				s.Close()
			}
		}()
		caches = append(caches, c)
	}
	if err := caches[0].Clear(context.Background()); err != nil { // of an earlier run
		return err
	}
	askAtOnce(1000, caches...)
	fmt.Printf("1000 goroutines in 5 processes, leases by %d Redis: %d load\n",
		len(addrs), o.asked.Load())
	return nil
}

func open(addrs []string) (stores []*redis.Store, err error) {
	for _, addr := range addrs {
		s, err := redis.Open(redis.Options{Addrs: []string{addr}, Prefix: "larder-example:"})
		if err != nil {
			return nil, err
		}
		stores = append(stores, s)
	}
	return stores, nil
}

// beforeItExpires lets a value be refreshed early (XFetch): the nearer its end and the longer its
// load took, the likelier. In a fleet that is seldom two at a time.
func beforeItExpires() {
	var o origin
	// Early is 1 more often; 5 begins so early that even a busy machine is not late.
	c := larder.New(options{Load: o.load, TTL: 2 * time.Second, Early: 5})
	defer c.Close()
	askAtOnce(1, c)
	misses := c.Stats().Misses
	for o.asked.Load() == 1 {
		askAtOnce(1, c)
		time.Sleep(time.Millisecond)
	}
	fmt.Println("refreshed early:", c.Stats().Refreshes, "time, and",
		c.Stats().Misses-misses, "had to wait")
}

// askAtOnce has n goroutines ask for one key, spread over caches.
func askAtOnce(n int, caches ...*larder.Cache[string, string]) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := caches[i%len(caches)].Get(context.Background(), "key"); err != nil {
				log.Fatal(err)
			}
		})
	}
	wg.Wait()
}
