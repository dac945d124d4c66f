package larder_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

// A function that takes long is called once for an argument.
func ExampleMemoize() {
	slow := func(_ context.Context, n int) (int, error) {
		fmt.Println("squaring", n)
		return n * n, nil
	}
	square := larder.Memoize(slow, larder.Options[int, int]{Name: "squares", MaxEntries: 100})
	defer square.Close()

	ctx := context.Background()
	for range 3 {
		v, err := square.Get(ctx, 12)
		fmt.Println(v, err)
	}
	fmt.Println(square.Stats())
	// Output:
	// squaring 12
	// 144 <nil>
	// 144 <nil>
	// 144 <nil>
	// squares: 2 hits, 1 misses (66.7 %), 1 of 100 kept, 0 evicted
}

// What the origin does not have is ErrNotFound, which is not kept.
func ExampleCache_Get() {
	names := map[int]string{1: "Ada", 2: "Grace"}
	users := larder.New(larder.Options[int, string]{
		MaxEntries: 1000,
		TTL:        time.Minute,
		Load: func(_ context.Context, id int) (string, error) {
			name, ok := names[id]
			if !ok {
				return "", larder.ErrNotFound
			}
			return name, nil
		},
	})
	defer users.Close()

	ctx := context.Background()
	name, err := users.Get(ctx, 2)
	fmt.Println(name, err)
	_, err = users.Get(ctx, 3)
	fmt.Println(errors.Is(err, larder.ErrNotFound))
	// Output:
	// Grace <nil>
	// true
}

// What is missing is asked for at once.
func ExampleCache_GetMany() {
	users := larder.New(larder.Options[int, string]{
		LoadMany: func(_ context.Context, ids []int) (map[int]string, error) {
			fmt.Println("one query for", ids)
			got := map[int]string{}
			for _, id := range ids {
				got[id] = fmt.Sprint("user ", id)
			}
			return got, nil
		},
	})
	defer users.Close()

	ctx := context.Background()
	users.Set(ctx, 2, "Grace")
	got, err := users.GetMany(ctx, []int{1, 2, 3})
	fmt.Println(got, err)
	// Output:
	// one query for [1 3]
	// map[1:user 1 2:Grace 3:user 3] <nil>
}

// A counter that many goroutines may raise.
func ExampleCache_Compute() {
	visits := larder.New(larder.Options[string, int]{MaxEntries: 1000})
	defer visits.Close()
	for range 3 {
		visits.Compute(ctx, "/index.html", func(n int, _ bool) (int, larder.Op) { return n + 1, larder.Put })
	}
	n, ok := visits.Lookup("/index.html")
	fmt.Println(n, ok)
	// Output: 3 true
}

// Bounded by bytes, with a policy that is chosen by name, and an ear for who leaves.
func ExampleNew_weight() {
	pages := larder.New(larder.Options[string, []byte]{
		MaxWeight: 1 << 10,
		Weigh:     func(path string, page []byte) int { return len(path) + len(page) },
		Policy:    policy.LRU,
		OnEvict: func(path string, _ []byte, cause larder.Cause) {
			fmt.Println(path, cause)
		},
	})
	ctx := context.Background()
	pages.Set(ctx, "/a", make([]byte, 500))
	pages.Set(ctx, "/b", make([]byte, 500))
	pages.Set(ctx, "/c", make([]byte, 500))
	fmt.Println(pages.Weight())
	err := pages.Set(ctx, "/d", make([]byte, 2000))
	fmt.Println(err)
	// Output:
	// /a evicted
	// 1004
	// larder: entry refused: it weighs 2002, the most is 1024
}
