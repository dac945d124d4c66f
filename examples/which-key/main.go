// main.go answers: what is the key of a call with several arguments, and what cannot be one?

// Command which-key asks a function of several arguments. Where Go can compare them all, a struct
// of them is the key: like keyword arguments, in any order. Slices and maps become a larder.Key by
// KeyOf, which writes them down canonically. What is no data, such as a function or a pointer, is
// refused by name, instead of being a key that never comes again.
//
//	go run ./examples/which-key
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"time"

	"github.com/larder-go/larder"
)

// Query is all that a search depends on. Its zero values are defaults.
type Query struct {
	Text     string
	Page     int
	Language string
}

func main() {
	ctx := context.Background()
	if err := structs(ctx); err != nil {
		log.Fatal(err)
	}
	if err := slices(ctx); err != nil {
		log.Fatal(err)
	}
	equal()
	refused(ctx)
}

// structs needs nothing but a struct as K, and Get loads.
func structs(ctx context.Context) error {
	search := larder.Memoize(func(_ context.Context, q Query) (string, error) {
		return fmt.Sprintf("page %d of %q", q.Page, q.Text), nil
	}, larder.Options[Query, string]{})
	defer search.Close()
	for _, q := range []Query{
		{Text: "tea", Page: 2},
		{Page: 2, Text: "tea"}, // the same
		{Text: "tea", Page: 2, Language: "de"},
	} {
		if _, err := search.Get(ctx, q); err != nil {
			return err
		}
	}
	fmt.Println("three calls with structs:", search.Stats().Loads, "loads")
	return nil
}

// slices has arguments that Go cannot compare. A Key does not lead back to them, so the cache
// cannot load: look up, and set what was missing.
func slices(ctx context.Context) error {
	sums := larder.New(larder.Options[larder.Key, int]{})
	defer sums.Close()
	calls := 0
	sum := func(numbers []int, weights map[string]int) (int, error) {
		key, err := larder.KeyOf("sum", numbers, weights) // the name: others may share the cache
		if err != nil {
			return 0, err
		}
		if total, ok := sums.Lookup(key); ok {
			return total, nil
		}
		calls++
		total := 0
		for _, n := range numbers {
			total += n * weights["all"]
		}
		return total, sums.Set(ctx, key, total)
	}
	for range 3 {
		total, err := sum([]int{1, 2, 3}, map[string]int{"all": 10, "some": 1})
		if err != nil {
			return err
		}
		fmt.Println("a slice and a map:", total, "- calls so far:", calls)
	}
	return nil
}

// equal shows what is the same key, and what only looks so.
func equal() {
	ab, ba := map[string]int{"a": 1, "b": 2}, map[string]int{"b": 2, "a": 1}
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what string
		a, b []any
	}{
		{"maps in any order", []any{ab}, []any{ba}},
		{"an instant in two places", []any{noon}, []any{noon.In(time.FixedZone("", 3600))}},
		{"1 and \"1\"", []any{1}, []any{"1"}},
		{"\"ab\", \"c\" and \"a\", \"bc\"", []any{"ab", "c"}, []any{"a", "bc"}},
		{"no slice and an empty one", []any{[]int(nil)}, []any{[]int{}}},
	} {
		a, errA := larder.KeyOf(c.a...)
		b, errB := larder.KeyOf(c.b...)
		fmt.Printf("one key for %s: %v\n", c.what, errA == nil && errB == nil && a == b)
	}
}

// refused tries arguments that cannot be a key.
func refused(ctx context.Context) {
	type request struct {
		User string
		Done func()
	}
	for _, args := range [][]any{
		{"tea", func() {}}, {&Query{}}, {[]request{{User: "ann"}}}, {make(chan int)},
	} {
		_, err := larder.KeyOf(args...)
		fmt.Println("refused:", err)
	}
	floats := larder.New(larder.Options[float64, int]{})
	defer floats.Close()
	fmt.Println("refused:", floats.Set(ctx, math.NaN(), 1)) // could never be found again
}
