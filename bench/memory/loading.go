// loading.go asks what becomes of those who wait for one load of one key.

package main

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

type loading struct {
	callers, panicked       positive
	load, patience, verdict time.Duration
}

func (l *loading) flags(set *flag.FlagSet) {
	positiveVar(set, &l.callers, "callers", 1000, "callers at once")
	positiveVar(set, &l.panicked, "panicked", 50, "callers at once of the loader that panics")
	set.DurationVar(&l.load, "load", 20*time.Millisecond,
		"how long a load takes; five times that for those who give up")
	set.DurationVar(&l.patience, "patience", 5*time.Millisecond, "after which a caller gives up")
	set.DurationVar(&l.verdict, "verdict", 2*time.Second, "after which a caller is said to hang")
}

func (l *loading) measure(caches []contestant, _ []string) ([]*table, error) {
	t := newTable(fmt.Sprintf("%d callers of one key", l.callers), "cache", "loads", "ms for all",
		"the first gives up", "the second gives up", "the loader panics")
	for _, c := range caches {
		if c.loading == nil {
			t.add(c.name, "does not load", "", "", "", "")
			continue
		}
		loads, took := l.crowd(c)
		hasty, joined := l.pair(c, l.patience, time.Minute)
		patient, late := l.pair(c, time.Minute, l.patience)
		t.add(c.name, loads, took.Seconds()*1000,
			say(hasty, joined), say(late, patient), l.panicking(c))
	}
	return []*table{t}, nil
}

// crowd lets all callers ask at once, and returns how often the origin was asked.
func (l *loading) crowd(c contestant) (loads int, took time.Duration) {
	var called atomic.Int64
	get, done := c.loading(1000, func(context.Context, string) (uint64, error) {
		called.Add(1)
		time.Sleep(l.load)
		return 7, nil
	})
	defer done()
	var wg sync.WaitGroup
	begin := time.Now()
	for range int(l.callers) {
		wg.Go(func() { _, _ = get(context.Background(), "key") })
	}
	wg.Wait()
	return int(called.Load()), time.Since(begin)
}
