// main.go answers: how much memory does a cache take, and can it ever take more?

// Command bounded-memory puts as many pages into a map and into two caches as would fill 200 MiB,
// from eight goroutines at once, and measures the heap. The map grows for as long as one puts
// something in. The caches stop at their bound, one of entries, one of bytes, and a goroutine that
// does nothing but look never sees them past it.
//
//	go run ./examples/bounded-memory
package main

import (
	"context"
	"fmt"
	"log"
	"runtime"
	"sync"

	"github.com/larder-go/larder"
)

const (
	pages    = 100_000
	pageSize = 2 << 10
	bound    = 32 << 20 // bytes
)

type cache = larder.Cache[int, []byte]

func main() {
	ctx := context.Background()
	fmt.Printf("%d pages of %d bytes\n", pages, pageSize)
	inAMap()
	for _, c := range []struct {
		name string
		o    larder.Options[int, []byte]
	}{
		{"a cache of 10000 entries", larder.Options[int, []byte]{MaxEntries: 10_000}},
		{"a cache of 32 MiB", larder.Options[int, []byte]{MaxWeight: bound, Weigh: weigh}},
	} {
		if err := inACache(ctx, c.name, c.o); err != nil {
			log.Fatal(err)
		}
	}
}

// weigh counts what an entry holds in bytes; around it the cache itself takes some 100 more.
func weigh(_ int, page []byte) int { return len(page) + 100 }

// heap returns the MiB that are in use, rounded to tens: some belong to the program.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc+5<<20) / (10 << 20) * 10
}

func inAMap() {
	m := map[int][]byte{}
	for i := range pages {
		m[i] = make([]byte, pageSize)
	}
	fmt.Printf("a map: %d pages, a heap of some %d MiB\n", len(m), heap())
	runtime.KeepAlive(m)
}

func inACache(ctx context.Context, name string, o larder.Options[int, []byte]) error {
	c := larder.New(o)
	defer c.Close()
	past := watch(c)
	err := fill(ctx, c)
	fmt.Printf("%s: seen past its bound %d times, a heap of some %d MiB\n", name, past(), heap())
	s := c.Stats()
	fmt.Printf("    %d entries, weight %d of %d, %d evicted\n",
		s.Entries, s.Weight, s.Max, s.Evicted)
	if o.MaxWeight > 0 {
		fmt.Println("    one of 64 MiB:", c.Set(ctx, -1, make([]byte, 2*bound)))
	}
	return err
}

// fill sets all pages from eight goroutines.
func fill(ctx context.Context, c *cache) error {
	var wg sync.WaitGroup
	failed := make(chan error, 8)
	for first := range 8 {
		wg.Go(func() {
			for i := first; i < pages; i += 8 {
				if err := c.Set(ctx, i, make([]byte, pageSize)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// watch looks at a cache all the time, until past is called, which returns how often the cache was
// past its bound.
func watch(c *cache) (past func() int) {
	end, seen := make(chan struct{}), make(chan int)
	most := c.Stats().Max
	go func() {
		n := 0
		for {
			select {
			case <-end:
				seen <- n
				return
			default:
			}
			if c.Weight() > most {
				n++
			}
		}
	}()
	return func() int { close(end); return <-seen }
}
