// hitratio.go replays traces through the caches themselves, as programs use them: what is not there
// is set.

package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

type hitRatio struct {
	percents     list
	limit, least positive
	raw          bool
}

func (h *hitRatio) flags(set *flag.FlagSet) {
	h.percents = list{0.5, 2, 10, 30}
	set.Var(&h.percents, "percents", "maxima, in `percent` of a trace's distinct keys")
	positiveVar(set, &h.limit, "limit", 4_000_000, "accesses of a trace that are replayed at most")
	positiveVar(set, &h.least, "least", 100, "smallest maximum that is measured")
	set.BoolVar(&h.raw, "raw", false, "never wait for what caches do in the background")
}

// cell is one trace at one maximum.
type cell struct {
	trace   string
	max     int
	optimum float64   // percent
	ratios  []float64 // percent, by contestant
	kept    []float64 // entries at the end, as multiples of max, by contestant
}

func (h *hitRatio) measure(caches []contestant, files []string) ([]*table, error) {
	var cells []cell
	for _, file := range files {
		of, err := h.replay(caches, file)
		if err != nil {
			return nil, err
		}
		cells = append(cells, of...)
	}
	if len(cells) == 0 {
		return nil, fmt.Errorf("no trace has room for %d entries: give another -least", h.least)
	}
	return []*table{
		ratioTable(caches, cells), keptTable(caches, cells), summary(caches, cells),
	}, nil
}

// replay runs one trace at all maxima.
func (h *hitRatio) replay(caches []contestant, file string) ([]cell, error) {
	t, err := trace.Open(file, trace.Options{Limit: int(h.limit)})
	if err != nil {
		return nil, err
	}
	log.Printf("%s: %d accesses, %d keys", file, len(t.Keys), t.Distinct)
	sizes := h.sizes(t)
	optima, err := sim.Optimum(context.Background(), t, sizes)
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	cells := make([]cell, len(sizes))
	for i, o := range optima {
		cells[i] = cell{
			trace: name, max: int(sizes[i]), optimum: 100 * o.HitRatio(),
			ratios: make([]float64, len(caches)), kept: make([]float64, len(caches)),
		}
		h.fill(caches, t, &cells[i])
	}
	return cells, nil
}

func (h *hitRatio) sizes(t *trace.Trace) (sizes []uint64) {
	for _, percent := range h.percents {
		if size := uint64(float64(t.Distinct) * percent / 100); size >= uint64(h.least) {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

// fill replays all contestants, as many at a time as there are processors: nothing is timed.
func (h *hitRatio) fill(caches []contestant, t *trace.Trace, c *cell) {
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, contestant := range caches {
		places <- struct{}{}
		wg.Go(func() {
			hits, kept := h.hits(contestant.numbers(c.max, noTTL), t)
			c.ratios[i] = 100 * float64(hits) / float64(len(t.Keys))
			c.kept[i] = float64(kept) / float64(c.max)
			<-places
		})
	}
	wg.Wait()
}

// hits counts the hits, and the entries that can be read at the end. It waits after each write, and
// after some hits, whose order otherwise gets lost on the way: policies are compared here, and not
// buffers, which -raw shows.
func (h *hitRatio) hits(c numbers, t *trace.Trace) (hits, kept int) {
	const settleEvery = 8 // hits; the smallest buffer of them among the peers has 16
	defer c.close()
	for _, key := range t.Keys {
		k := spread(int(key))
		_, ok := c.get(k)
		if ok {
			hits++
		} else {
			c.set(k, k)
		}
		if !h.raw && (!ok || hits%settleEvery == 0) {
			c.settle()
		}
	}
	for key := range t.Distinct {
		if _, ok := c.get(spread(key)); ok {
			kept++
		}
	}
	return hits, kept
}
