// example_test.go shows the questions that a simulation answers.

package sim_test

import (
	"context"
	"fmt"
	"log"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

func ExampleLRUCurve_whichSize() {
	t, err := trace.Open("../trace/testdata/lirs-multi1.u32.gz", trace.Options{})
	if err != nil {
		log.Fatal(err)
	}
	curve, err := sim.LRUCurve(context.Background(), t)
	if err != nil {
		log.Fatal(err)
	}
	size, ok := curve.SizeFor(0.5)
	fmt.Println(size, ok)
	fmt.Printf("%.3f\n", curve.At(2*size))
	// Output:
	// 1570 true
	// 0.836
}

func ExampleReplayAll_whichPolicy() {
	t, err := trace.Open("../trace/testdata/lirs-loop.u32.gz", trace.Options{})
	if err != nil {
		log.Fatal(err)
	}
	lru, _ := policy.ByName("lru")
	mru, _ := policy.ByName("mru")
	cells := sim.Cells([]policy.Named{lru, mru}, []uint64{500})
	results, err := sim.ReplayAll(context.Background(), t, cells, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Printf("%s hits %.0f %% of a loop over %d keys\n", r.Policy, 100*r.HitRatio(), t.Distinct)
	}
	// Output:
	// LRU hits 0 % of a loop over 1011 keys
	// MRU hits 49 % of a loop over 1011 keys
}
