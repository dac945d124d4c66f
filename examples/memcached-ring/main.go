// main.go answers: how do I spread a cache over several Memcached servers, and if one dies?

// Command memcached-ring keeps 300 values on three Memcached servers. Stop one of them: its values
// are misses and come from the origin, those of the others are found as before, and nobody waits.
// Start it again, and it serves again.
//
//	memcached -p 11211 & memcached -p 11212 & memcached -p 11213 &
//	go run ./examples/memcached-ring
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/memcached"
)

func load(ctx context.Context, n int) (string, error) { return fmt.Sprint("value ", n), nil }

func main() {
	addrs := flag.String("memcached", "localhost:11211,localhost:11212,localhost:11213",
		"addresses of Memcached servers, with commas between")
	flag.Parse()
	log.SetFlags(0)
	if err := run(context.Background(), strings.Split(*addrs, ",")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addrs []string) error {
	ring, err := openRing(ctx, addrs)
	if err != nil {
		return err
	}
	defer ring.Close()
	values := larder.New(larder.Options[int, string]{
		Name: "ring", Load: load, TTL: 10 * time.Minute, Store: ring,
		MaxEntries: 1, // so that this program has to ask the ring; leave it out in yours
	})
	defer values.Close()
	for n := range 300 {
		if err := values.Set(ctx, n, fmt.Sprint("value ", n)); err != nil {
			return err
		}
	}
	last := ""
	for changes := 0; changes < 3; time.Sleep(10 * time.Millisecond) {
		line, err := round(ctx, ring, values)
		if err != nil {
			return err
		}
		if line != "" && line != last {
			fmt.Println(line)
			last = line
			changes++
		}
	}
	return nil
}

// openRing names the servers a, b, c ...: the name decides which keys a server has, and it may move
// to another address with it. memcached.OpenRing is shorter, and names them by their addresses.
func openRing(ctx context.Context, addrs []string) (*store.Ring, error) {
	var nodes []store.Node
	for i, addr := range addrs {
		s, err := memcached.Open(memcached.Options{Addr: addr, Prefix: "larder-example:"})
		if err != nil {
			return nil, err
		}
		if err := s.Ping(ctx); errors.Is(err, store.ErrUnavailable) {
			return nil, fmt.Errorf("nobody answers at %s: start memcached (%w)", addr, err)
		} else if err != nil {
			return nil, err
		}
		nodes = append(nodes, store.Node{Name: string(rune('a' + i)), Store: s})
	}
	return store.NewRing(nodes, store.RingOptions{Cooldown: 100 * time.Millisecond}), nil
}

// round gets all values and says where they came from, or "" if something changed meanwhile.
func round(
	ctx context.Context, ring *store.Ring, values *larder.Cache[int, string],
) (string, error) {
	before, down := values.Stats(), downOf(ring)
	for n := range 300 {
		if _, err := values.Get(ctx, n); err != nil {
			return "", err // never: the origin has them
		}
	}
	after := values.Stats()
	loads, found := after.Loads-before.Loads, after.StoreHits-before.StoreHits
	if downOf(ring) != down || down == "" && loads > 0 {
		return "", nil
	}
	return fmt.Sprintf("down: %q, from the ring: %d, from the origin: %d", down, found, loads), nil
}

// downOf returns the names of the nodes that are left alone because they failed.
func downOf(ring *store.Ring) (names string) {
	for _, n := range ring.Stats() {
		if n.Guard.State != store.GuardClosed {
			names += n.Name
		}
	}
	return names
}
