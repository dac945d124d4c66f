// main.go answers: how do I get many keys without one round trip after the other?

// Command get-many gets keys of which some are in memory. What is missing comes from the origin by
// one call for all of them (LoadMany), or, if the origin takes one key at a time (Load), by several
// calls at once. A key that the origin does not have is not in the map, and no error.
//
//	go run ./examples/get-many
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder"
)

// origin has the squares of the numbers up to 50. Each call takes a while.
type origin struct {
	mu    sync.Mutex // guards the fields below
	calls int
	now   int // calls under way
	most  int // the most of those there were
}

// enter notes a call; what it returns notes its end.
func (o *origin) enter() (end func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	o.now++
	o.most = max(o.most, o.now)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.now--
	}
}

const roundTrip = 100 * time.Millisecond

func (o *origin) one(ctx context.Context, n int) (int, error) {
	defer o.enter()()
	time.Sleep(roundTrip)
	if n > 50 {
		return 0, larder.ErrNotFound
	}
	return n * n, nil
}

func (o *origin) many(ctx context.Context, numbers []int) (map[int]int, error) {
	defer o.enter()()
	time.Sleep(roundTrip)
	found := map[int]int{}
	for _, n := range numbers {
		if n <= 50 {
			found[n] = n * n
		}
	}
	return found, nil
}

type options = larder.Options[int, int]

func main() {
	var a, b origin
	if err := show("in one batch", &a, options{LoadMany: a.many}); err != nil {
		log.Fatal(err)
	}
	if err := show("in parallel", &b, options{Load: b.one}); err != nil {
		log.Fatal(err)
	}
}

func show(name string, o *origin, opt options) error {
	ctx := context.Background()
	squares := larder.New(opt)
	defer squares.Close()
	if err := squares.Set(ctx, 7, 49); err != nil { // this one is there
		return err
	}
	keys := []int{7, 12, 30, 44, 50, 51}
	got, err := squares.GetMany(ctx, keys)
	if err != nil {
		return err
	}
	fmt.Printf("%s: got %v\n", name, slices.Sorted(maps.Keys(got)))
	fmt.Printf("%s: %d calls, %d at once\n", name, o.calls, o.most)
	if _, err := squares.GetMany(ctx, keys[:5]); err != nil {
		return err
	}
	fmt.Printf("%s, again: %d calls\n", name, o.calls)
	return nil
}
