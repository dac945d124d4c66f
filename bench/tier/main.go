// main.go reads and writes 1 KiB values in a Redis, by clients alone and by larder.

// Command tier times what a cache does with Redis, with go-redis, with rueidis, with store/redis over
// rueidis, and with a larder.Cache in front of that. It starts a redis-server of its own.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

var ctx = context.Background()

const (
	keyCount   = 10_000
	operations = 40_000
	rounds     = 9
)

// contestant does one operation for key number i.
type contestant struct {
	name string
	do   func(i int) error
}

// measure returns the median over rounds of operations per second, and of the 99th percentile, for
// each contestant; they take turns.
func measure(goroutines int, all []contestant) (rate []float64, p99 []time.Duration) {
	rates, lates := make([][]float64, len(all)), make([][]time.Duration, len(all))
	for range rounds {
		for c := range all {
			r, late := run(goroutines, all[c].do)
			rates[c], lates[c] = append(rates[c], r), append(lates[c], late)
		}
	}
	for c := range all {
		slices.Sort(rates[c])
		slices.Sort(lates[c])
		rate, p99 = append(rate, rates[c][rounds/2]), append(p99, lates[c][rounds/2])
	}
	return rate, p99
}

// run does all operations once.
func run(goroutines int, do func(i int) error) (perSecond float64, p99 time.Duration) {
	took := make([]time.Duration, operations)
	var wg sync.WaitGroup
	start := time.Now()
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < operations; i += goroutines {
				begin := time.Now()
				if err := do(i % keyCount); err != nil {
					log.Fatal(err)
				}
				took[i] = time.Since(begin)
			}
		})
	}
	wg.Wait()
	all := time.Since(start)
	slices.Sort(took)
	return operations / all.Seconds(), took[operations*99/100]
}

func main() {
	addr, stop := startRedis()
	defer stop()
	value := string(make([]byte, 1024))
	keys := make([]string, keyCount)
	for i := range keys {
		keys[i] = fmt.Sprintf("key:%06d", i)
	}
	g := goredis.NewClient(&goredis.Options{Addr: addr})
	r, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
	check(err)
	s, err := redis.Open(redis.Options{Addrs: []string{addr}})
	check(err)
	cache := larder.New(larder.Options[string, string]{Name: "bench", Store: s, TTL: time.Hour})
	alone := larder.New(larder.Options[string, string]{TTL: time.Hour})
	item := store.Item{Value: []byte(value), GoneAfter: time.Now().Add(time.Hour)}
	for _, k := range keys {
		check(g.Set(ctx, k, value, time.Hour).Err())
		check(s.Set(ctx, k, item))
		check(cache.Set(ctx, k, value))
		check(alone.Set(ctx, k, value))
	}
	reads := []contestant{
		{"go-redis GET", func(i int) error { return g.Get(ctx, keys[i]).Err() }},
		{"rueidis GET", func(i int) error { return r.Do(ctx, r.B().Get().Key(keys[i]).Build()).Error() }},
		{"store/redis Get", func(i int) error { _, err := s.Get(ctx, keys[i]); return err }},
	}
	writes := []contestant{
		{"go-redis SET", func(i int) error { return g.Set(ctx, keys[i], value, time.Hour).Err() }},
		{"rueidis SET", func(i int) error {
			return r.Do(ctx, r.B().Set().Key(keys[i]).Value(value).ExSeconds(3600).Build()).Error()
		}},
		{"store/redis Set", func(i int) error { return s.Set(ctx, keys[i], item) }},
	}
	hits := []contestant{
		{"Cache with a store, a hit", func(i int) error { _, err := cache.Get(ctx, keys[i]); return err }},
		{"Cache without one, a hit", func(i int) error { _, err := alone.Get(ctx, keys[i]); return err }},
	}
	for _, goroutines := range goroutineCounts() {
		fmt.Printf("%d goroutines\n", goroutines)
		for _, group := range [][]contestant{reads, writes, hits} {
			rate, p99 := measure(goroutines, group)
			for i, c := range group {
				fmt.Printf("  %-28s %10.0f op/s  %5.2fx  p99 %v\n",
					c.name, rate[i], rate[i]/rate[0], p99[i].Round(100*time.Nanosecond))
			}
		}
	}
}

// goroutineCounts are those of the command line, or the usual ones.
func goroutineCounts() (counts []int) {
	for _, arg := range os.Args[1:] {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 {
			log.Fatalf("usage: tier [GOROUTINES...]: %q is no number of goroutines", arg)
		}
		counts = append(counts, n)
	}
	if counts == nil {
		return []int{1, 64, 512}
	}
	return counts
}

// startRedis starts a redis-server that keeps nothing on disk.
func startRedis() (addr string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	check(l.Close())
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "")
	check(cmd.Start())
	for range 500 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr, func() { cmd.Process.Kill() }
		}
		time.Sleep(10 * time.Millisecond)
	}
	log.Fatal("redis-server does not start")
	return "", nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
