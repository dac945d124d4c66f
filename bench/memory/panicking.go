// panicking.go asks what becomes of those who wait for a loader that panics.

package main

import (
	"context"
	"fmt"
	"time"
)

// fate is what became of a caller.
type fate int

const (
	served fate = iota
	failed
	panicked
)

// panicking tells how many callers got what. Those who have nothing when the verdict falls hang,
// and their goroutines with them. A cache that lets a panic loose in a goroutine of its own ends
// the program, and the run: none of these does.
func (l *loading) panicking(c contestant) string {
	get, done := c.loading(1000, func(context.Context, string) (uint64, error) {
		time.Sleep(l.load)
		panic("the loader panics")
	})
	defer done()
	callers := int(l.panicked)
	fates := make(chan fate, callers)
	for range callers {
		go func() { fates <- fateOf(get) }()
	}
	var counts [3]int
	verdict := time.After(l.verdict)
	hang := callers
	for late := false; hang > 0 && !late; {
		select {
		case f := <-fates:
			counts[f]++
			hang--
		case <-verdict:
			late = true
		}
	}
	return fmt.Sprintf("%d get an error, %d panic, %d are served, %d hang",
		counts[failed], counts[panicked], counts[served], hang)
}

func fateOf(get loader) (f fate) {
	defer func() {
		if recover() != nil {
			f = panicked
		}
	}()
	if _, err := get(context.Background(), "key"); err != nil {
		return failed
	}
	return served
}
