// main.go answers: who should leave when the cache is full: LRU, LFU, FIFO, or a better one?

// Command which-policy replays one trace through every policy that larder has, at three sizes, and
// prints the hit ratios as a table and as a chart. The trace is one of a week: pages that are asked
// for as Zipf's law says, and every night something that reads all of them, one after the other.
// Give it the file of your own trace instead, such as the access log of your server.
//
//	go run ./examples/which-policy
//	go run ./examples/which-policy access.log
//	larder sim --svg chart.svg access.log    # the same, and a chart for a browser
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"strings"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

func main() {
	write := flag.String("write", "", "write the trace to this file, a key a line, for larder sim")
	flag.Parse()
	log.SetFlags(0)
	t, err := open(flag.Arg(0))
	if err == nil && *write != "" {
		err = trace.Create(*write, t, "text")
	}
	if err == nil {
		err = compare(context.Background(), t)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func open(path string) (*trace.Trace, error) {
	if path == "" {
		return trace.Read(week(), trace.Options{Format: "text"})
	}
	return trace.Open(path, trace.Options{})
}

// week returns the keys of seven days and nights, one a line.
func week() io.Reader {
	const pages, day = 2000, 10_000
	random := rand.New(rand.NewPCG(1, 2))
	popular := rand.NewZipf(random, 1.1, 5, pages-1)
	var b strings.Builder
	for range 7 {
		for range day {
			fmt.Fprintln(&b, "page", popular.Uint64())
		}
		for page := range pages { // the backup, or a crawler
			fmt.Fprintln(&b, "page", page)
		}
	}
	return strings.NewReader(b.String())
}

// compare prints what each policy hits at 2, 10 and 30 % of the keys, and what no policy can beat.
func compare(ctx context.Context, t *trace.Trace) error {
	var sizes []uint64
	for _, percent := range []int{2, 10, 30} {
		sizes = append(sizes, max(1, uint64(t.Distinct*percent/100)))
	}
	results, err := sim.ReplayAll(ctx, t, sim.Cells(policy.All(), sizes), nil)
	if err != nil {
		return err
	}
	best, err := sim.Optimum(ctx, t, sizes)
	if err != nil {
		return err
	}
	results = append(results, best...)
	fmt.Printf("%d accesses of %d keys; hits in percent\n", len(t.Keys), t.Distinct)
	fmt.Printf("%-12s%8d%8d%8d\n", "entries", sizes[0], sizes[1], sizes[2])
	for ; len(results) > 0; results = results[len(sizes):] {
		row(results[:len(sizes)])
	}
	return nil
}

// row prints a policy: its hit ratios, and a bar for the size in the middle.
func row(results []sim.Result) {
	fmt.Printf("%-12s", results[0].Policy)
	for _, r := range results {
		fmt.Printf("%8.1f", 100*r.HitRatio())
	}
	fmt.Printf("  %s\n", strings.Repeat("█", int(50*results[1].HitRatio()+0.5)))
}
