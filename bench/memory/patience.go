// patience.go asks what becomes of two who wait for a load when one of them gives up.

package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// answer is what a caller got, and when.
type answer struct {
	took time.Duration
	err  error
}

// pair lets two callers ask for one key, each with a limit of its own: one whose call begins the
// load, and one who joins him. The loader stops when its context ends, as loaders do: whose context
// that is shows in the answers.
func (l *loading) pair(c contestant, limit, limit2 time.Duration) (first, second answer) {
	started := make(chan struct{})
	begun := sync.OnceFunc(func() { close(started) })
	get, done := c.loading(1000, func(ctx context.Context, _ string) (uint64, error) {
		begun()
		select {
		case <-time.After(5 * l.load):
			return 7, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	defer done()
	var wg sync.WaitGroup
	wg.Go(func() { first = ask(get, limit) })
	<-started
	second = ask(get, limit2)
	wg.Wait()
	return first, second
}

func ask(get loader, limit time.Duration) answer {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	begin := time.Now()
	_, err := get(ctx, "key")
	return answer{time.Since(begin), err}
}

// say tells when the one who gave up came back, and what it meant for the other.
func say(gone, other answer) string {
	fate := "the other is served"
	if other.err != nil {
		fate = "the other fails too: " + other.err.Error()
	}
	return fmt.Sprintf("returns after %d ms, %s", gone.took.Milliseconds(), fate)
}
