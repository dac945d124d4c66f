//go:build slow && linux

// cost_slow_test.go measures what an open page costs a busy server.

package dash_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/stats"
)

// busy returns ten caches that observe themselves, and are asked until the test ends.
func busy(t *testing.T) []stats.Source {
	var all []stats.Source
	var caches []*larder.Cache[int, int]
	for i := range 10 {
		c := larder.New(larder.Options[int, int]{Name: fmt.Sprint("cache", i), MaxEntries: 10_000,
			Observe: true, TTL: time.Minute,
			Load: func(_ context.Context, key int) (int, error) { return key, nil }})
		t.Cleanup(func() { _ = c.Close() })
		all, caches = append(all, c), append(caches, c)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, 200_000)
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := caches[i%10].Get(ctx, int(zipf.Uint64())); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}()
	t.Cleanup(func() { stop(); <-done })
	return all
}

// used returns the time that the processor has spent on this thread.
func used(t *testing.T) time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var r syscall.Rusage
	if err := syscall.Getrusage(thread, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// TestAnOpenPageCostsAHundredthOfACore polls as the page does while a part is open, every two
// seconds, beside a goroutine that asks the caches as fast as it can.
func TestAnOpenPageCostsAHundredthOfACore(t *testing.T) {
	h := handler(t, dash.Options{}, busy(t)...)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const polls = 15
	spent := time.Duration(0)
	for i := range polls {
		time.Sleep(2 * time.Second) // that is how often the page asks
		before := used(t)
		bytes := answered(h, "/?format=json")
		if i%3 == 0 {
			bytes += answered(h, "/?format=json&cache=cache3")
		}
		took := used(t) - before
		t.Logf("poll %d: %v, %d bytes", i, took, bytes)
		spent += took
	}
	share := spent.Seconds() / (2 * polls)
	t.Logf("%.2f %% of a core", share*100)
	if share > 0.01 {
		t.Errorf("%.2f %% of a core, want at most 1 %%", share*100)
	}
}

func answered(h http.Handler, target string) int { return do(h, from("GET", target)).Body.Len() }
