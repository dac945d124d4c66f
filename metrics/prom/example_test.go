// example_test.go shows a collector beside others in a registry.

package prom_test

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

func ExampleNew_withALabelForTheWholeProgram() {
	squares := larder.New(larder.Options[int, int]{Name: "squares",
		Load: func(_ context.Context, n int) (int, error) { return n * n, nil }})
	defer squares.Close()
	for n := range 10 {
		squares.Get(context.Background(), n%3)
	}

	registry := prometheus.NewRegistry()
	named := prometheus.WrapRegistererWith(prometheus.Labels{"app": "shop"}, registry)
	named.MustRegister(prom.New(stats.NewSet(squares), prom.Options{}))

	families, err := registry.Gather()
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == "cache_requests_total" && m.GetCounter().GetValue() > 0 {
				fmt.Println(labelsIn(m), m.GetCounter().GetValue())
			}
		}
	}
	fmt.Println(err)
	// Output:
	// app="shop",cache="squares",kind="memory",result="hit" 7
	// app="shop",cache="squares",kind="memory",result="miss" 3
	// <nil>
}
