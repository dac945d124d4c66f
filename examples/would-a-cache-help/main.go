// main.go answers: what costs most in my program, and would a cache help?

// Command would-a-cache-help has three functions, and nobody knows yet which one deserves a cache.
// So it measures first: how often each is called, with which arguments, and how long that takes.
// From that follows what a cache would hit and save, before there is one. Then it gives a cache to
// the one for which the answer is yes, and prints what Stats has counted.
//
// What you should do with a whole program is the same: a profile (go tool pprof) says what costs
// most, and measure.go says of that whether a cache would help.
//
//	go run ./examples/would-a-cache-help
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

const (
	calls   = 2000
	entries = 100 // that there would be room for
)

// price asks somebody far away, and everybody wants the price of the same few teas.
func price(_ context.Context, tea int) (string, error) {
	time.Sleep(time.Millisecond)
	return fmt.Sprintf("%d.90", tea%10), nil
}

// receipt takes as long, but no two callers want the same one.
func receipt(_ context.Context, order int) (string, error) {
	time.Sleep(time.Millisecond)
	return fmt.Sprint("receipt of order ", order), nil
}

// name is asked for the same few things, but it is quick: it looks into an array.
func name(_ context.Context, tea int) (string, error) {
	return [...]string{"Assam", "Darjeeling", "Sencha", "Pu-erh"}[tea%4], nil
}

func main() {
	ctx := context.Background()
	prices, receipts := measure("price", price), measure("receipt", receipt)
	names := measure("name", name)
	wanted := popular()
	for order := range calls {
		for _, call := range []func() (string, error){
			func() (string, error) { return prices.call(ctx, wanted[order]) },
			func() (string, error) { return receipts.call(ctx, order) },
			func() (string, error) { return names.call(ctx, wanted[order]) },
		} {
			if _, err := call(); err != nil {
				log.Fatal(err)
			}
		}
	}
	for _, m := range []*measured{prices, receipts, names} {
		v, err := m.judge(ctx, entries)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-9s%d calls, %3d would be hits: %v\n", m.name+":", calls, v.hits, v)
	}
	if err := cached(ctx, wanted); err != nil {
		log.Fatal(err)
	}
}

// popular returns which teas are asked for, in order.
func popular() []int {
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.3, 3, 500)
	teas := make([]int, calls)
	for i := range teas {
		teas[i] = int(zipf.Uint64())
	}
	return teas
}

// cached does the work once more, through a cache. What a hit has saved is what a load takes.
func cached(ctx context.Context, wanted []int) error {
	prices := larder.Memoize(price, larder.Options[int, string]{
		Name: "price", MaxEntries: entries, Policy: policy.LRU,
	})
	defer prices.Close()
	for _, tea := range wanted {
		if _, err := prices.Get(ctx, tea); err != nil {
			return err
		}
	}
	s := prices.Stats()
	saved := time.Duration(s.Hits) * s.LoadTime / time.Duration(s.Loads)
	fmt.Println("with a cache,", s)
	fmt.Printf("time saved: %.0f %%\n", 100*saved.Seconds()/(saved+s.LoadTime).Seconds())
	return nil
}
