// main.go answers: how large should my cache be?

// Command which-size answers it twice. From a log: the hit ratio of every size comes out of one
// pass over it, and so does the smallest size for the hits that one wants. And live, without a log:
// a program notes the keys that it asks its cache for, one in ten of them, which is enough, and
// gives the cache the size that this says.
//
//	go run ./examples/which-size
//	go run ./examples/which-size access.log
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	t, err := open()
	if err == nil {
		err = fromLog(ctx, t)
	}
	if err == nil {
		err = live(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// open reads the log that is given, or makes one up.
func open() (*trace.Trace, error) {
	if len(os.Args) > 1 {
		return trace.Open(os.Args[1], trace.Options{})
	}
	var b bytes.Buffer
	for next, n := visitors(1), 0; n < 100_000; n++ {
		fmt.Fprintf(&b, logLine, next())
	}
	return trace.Read(&b, trace.Options{Key: "{path}"})
}

// logLine is what a server writes for each visit.
const logLine = `10.0.0.1 - - [21/Nov/2026:10:00:00 +0000] "GET /page/%d HTTP/1.1" 200 9` + "\n"

// visitors returns who asks for which page next.
func visitors(seed uint64) (next func() uint64) {
	popular := rand.NewZipf(rand.New(rand.NewPCG(seed, 0)), 1.05, 20, 50_000)
	return popular.Uint64
}

// fromLog prints the curve, and the size for nine tenths of the hits that are possible at all.
func fromLog(ctx context.Context, t *trace.Trace) error {
	curve, err := sim.LRUCurve(ctx, t)
	if err != nil {
		return err
	}
	fmt.Printf("the log: %d accesses of %d keys\n", len(t.Keys), t.Distinct)
	for size := uint64(125); size <= curve.Largest(); size *= 4 {
		fmt.Printf("%7d entries: %4.1f %% hits\n", size, 100*curve.At(size))
	}
	fmt.Printf("without bound: %4.1f %% hits, more is impossible\n", 100*curve.Ceiling())
	size, _ := curve.SizeFor(0.9 * curve.Ceiling())
	fmt.Printf("nine tenths of that: %d entries\n", size)
	return nil
}

func load(_ context.Context, id uint64) (string, error) { return fmt.Sprint("page ", id), nil }

// live serves with a cache that is far too small, sees that, and makes it as large as it should
// be.
func live(ctx context.Context) error {
	pages := larder.Memoize(load, larder.Options[uint64, string]{
		MaxEntries: 200, Policy: policy.LRU,
	})
	defer pages.Close()
	var seen sample
	next := visitors(2)
	day := func() (hits float64, err error) {
		before := pages.Stats()
		for range 100_000 {
			id := next()
			seen.note(id)
			if _, err := pages.Get(ctx, id); err != nil {
				return 0, err
			}
		}
		after := pages.Stats()
		return float64(after.Hits-before.Hits) / 100_000, nil
	}
	hits, err := day()
	if err != nil {
		return err
	}
	fmt.Printf("live, with %d entries: %.0f %% hits\n", pages.Stats().Max, 100*hits)
	size, ratio, err := seen.advise(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("noted %d of 100000 keys, advice: %d entries for %.0f %%\n",
		seen.noted, size, 100*ratio)
	pages.Resize(int64(size))
	hits, err = day()
	fmt.Printf("live, with %d entries: %.0f %% hits\n", pages.Stats().Max, 100*hits)
	return err
}
