// main.go answers: how do I let a function remember what it returned, and look into that?

// Command memoize-a-function does what functools.lru_cache does in Python: a recursive function
// gets quick, what it remembers is bounded, and one can look at the counts (cache_info), forget an
// argument or all of them (cache_clear). Besides, many who ask at once are one call, and an error
// is not remembered.
//
//	go run ./examples/memoize-a-function
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

func main() {
	ctx := context.Background()
	for _, show := range []func(context.Context) error{recursion, forgetting, crowd, failure} {
		if err := show(ctx); err != nil {
			log.Fatal(err)
		}
	}
}

// info tells of a cache what cache_info tells.
func info(s larder.Stats) string {
	return fmt.Sprintf("hits=%d misses=%d maxsize=%d currsize=%d",
		s.Hits, s.Misses, s.Max, s.Entries)
}

// recursion has a function that calls itself through its memory: 91 calls in place of 10^19. The
// context is handed on, so that a function which waits for itself is noticed.
func recursion(ctx context.Context) error {
	var fib *larder.Cache[int, int]
	fib = larder.Memoize(func(ctx context.Context, n int) (int, error) {
		if n < 2 {
			return n, nil
		}
		a, err := fib.Get(ctx, n-1)
		if err != nil {
			return 0, err
		}
		b, err := fib.Get(ctx, n-2)
		return a + b, err
	}, larder.Options[int, int]{MaxEntries: 128, Policy: policy.LRU})
	defer fib.Close()

	n, err := fib.Get(ctx, 90)
	fmt.Println("fib(90) is", n)
	fmt.Println("cache_info:", info(fib.Stats()))
	return err
}

// forgetting asks for more squares than are remembered, and then forgets one, and all.
func forgetting(ctx context.Context) error {
	square := larder.Memoize(func(_ context.Context, n int) (int, error) { return n * n, nil },
		larder.Options[int, int]{MaxEntries: 128, Policy: policy.LRU})
	defer square.Close()
	for n := range 1000 {
		if _, err := square.Get(ctx, n); err != nil {
			return err
		}
	}
	fmt.Println("1000 squares:", info(square.Stats()))
	if err := square.Delete(ctx, 999); err != nil {
		return err
	}
	fmt.Println("one forgotten:", info(square.Stats()))
	err := square.Clear(ctx) // the counts go on: they are of the cache, not of what is in it
	fmt.Println("cache_clear:", info(square.Stats()))
	return err
}

// crowd has a hundred goroutines wait for one argument: the function takes until all of them do.
func crowd(ctx context.Context) error {
	var calls atomic.Int64
	allWait := make(chan struct{})
	slow := larder.Memoize(func(context.Context, string) (string, error) {
		<-allWait
		return fmt.Sprint("call ", calls.Add(1)), nil
	}, larder.Options[string, string]{})
	defer slow.Close()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { slow.Get(ctx, "key") })
	}
	for slow.Stats().Misses < 100 {
		time.Sleep(time.Millisecond)
	}
	close(allWait)
	wg.Wait()
	answer, err := slow.Get(ctx, "key")
	fmt.Printf("100 at once, and one later: %s of %d\n", answer, calls.Load())
	return err
}

// failure has a function that fails at first.
func failure(ctx context.Context) error {
	broken := errors.New("not yet")
	sometimes := larder.Memoize(func(context.Context, string) (string, error) {
		if broken != nil {
			return "", broken
		}
		return "done", nil
	}, larder.Options[string, string]{Name: "sometimes"})
	defer sometimes.Close()
	_, err := sometimes.Get(ctx, "key")
	fmt.Println("at first:", err)
	broken = nil
	answer, err := sometimes.Get(ctx, "key")
	fmt.Println("then:", answer)
	return err
}
