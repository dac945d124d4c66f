// main.go answers: does a ring of servers stay even, and what does it cost when one joins?

// Command many-machines spreads keys over rings of 3 to 1000 nodes. It prints the load of the
// fullest node, measured by the mean, and the share of keys that move when one more node joins: no
// more than the new node has to get. The nodes are stores in memory; where a key goes is decided by
// their names alone, so it is what servers of these names would have.
//
//	go run ./examples/many-machines
package main

import (
	"fmt"
	"log"
	"strconv"

	"github.com/larder-go/larder/store"
)

func main() {
	fmt.Println("nodes    keys  fullest  moved  1/(n+1)  moved elsewhere")
	for _, row := range []struct{ nodes, keys int }{
		{3, 30_000}, {10, 50_000}, {100, 50_000}, {1000, 150_000},
	} {
		if err := simulate(row.nodes, row.keys); err != nil {
			log.Fatal(err)
		}
	}
}

// simulate prints how n nodes share keys, and what moves when another one joins.
func simulate(n, keys int) error {
	var nodes []store.Node
	for i := range n {
		nodes = append(nodes, node(i))
	}
	ring := store.NewRing(nodes, store.RingOptions{})
	defer ring.Close()

	before := places(ring, keys)
	load, fullest := map[string]int{}, 0
	for _, name := range before {
		load[name]++
		fullest = max(fullest, load[name])
	}
	newcomer := node(n)
	if err := ring.Add(newcomer); err != nil {
		return err
	}
	moved, elsewhere := 0, 0
	for i, name := range places(ring, keys) {
		if name == before[i] {
			continue
		}
		moved++
		if name != newcomer.Name {
			elsewhere++
		}
	}
	fmt.Printf("%5d %7d    %.3f %5.2f%%   %5.2f%% %16d\n", n, keys,
		float64(fullest)*float64(n)/float64(keys),
		100*float64(moved)/float64(keys), 100/float64(n+1), elsewhere)
	return nil
}

// places returns on which node each key is.
func places(ring *store.Ring, keys int) []string {
	names := make([]string, keys)
	for i := range names {
		names[i] = ring.Node("user:" + strconv.Itoa(i))
	}
	return names
}

func node(i int) store.Node {
	return store.Node{
		Name:  fmt.Sprintf("machine-%04d", i),
		Store: store.NewMemory(store.MemoryOptions{}),
	}
}
