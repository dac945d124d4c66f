// cells.go replays many policies and sizes, on all cores.

package sim

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/trace"
)

// Cell is one policy at one size.
type Cell struct {
	Policy policy.Named
	Max    uint64
}

// Cells returns every policy at every size, policy by policy.
func Cells(policies []policy.Named, sizes []uint64) []Cell {
	var cells []Cell
	for _, p := range policies {
		for _, max := range sizes {
			cells = append(cells, Cell{p, max})
		}
	}
	return cells
}

// ReplayAll replays each cell, several at a time, and returns the results in the order of cells.
// done, if it is not nil, is called with each result as it comes, by one goroutine at a time.
func ReplayAll(ctx context.Context, t *trace.Trace, cells []Cell, done func(Result),
) ([]Result, error) {
	return replayAll(ctx, cells, done, func(c Cell) (Result, error) {
		return Replay(ctx, t, c.Policy, c.Max)
	})
}

// ReplayAllWeighed is ReplayAll with sizes in bytes.
func ReplayAllWeighed(ctx context.Context, t *trace.Trace, cells []Cell, done func(Result),
) ([]Result, error) {
	return replayAll(ctx, cells, done, func(c Cell) (Result, error) {
		return ReplayWeighed(ctx, t, c.Policy, c.Max)
	})
}

func replayAll(ctx context.Context, cells []Cell, done func(Result),
	replay func(Cell) (Result, error),
) ([]Result, error) {
	results := make([]Result, len(cells))
	var mu sync.Mutex // held while done runs
	err := inParallel(len(cells), func(i int) (err error) {
		if results[i], err = replay(cells[i]); err != nil || done == nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		done(results[i])
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// inParallel calls do with 0 to n-1, as many at a time as there are cores. It returns the first
// error once all calls have ended, and begins no call after it.
func inParallel(n int, do func(i int) error) error {
	var next atomic.Int64
	var first error
	var once sync.Once
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					once.Do(func() { first = err })
					next.Store(int64(n))
				}
			}
		})
	}
	all.Wait()
	return first
}
