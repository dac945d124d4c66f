// budget.go keeps what all pictures together take within bounds.

package thumb

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"
)

// budget is memory, and turns to decode. Both are given first come first served, so that a huge
// picture gets its turn.
type budget struct {
	memory int64
	bytes  *semaphore.Weighted
	turns  *semaphore.Weighted
}

func newBudget(memory int64, parallel int) *budget {
	return &budget{memory: memory, bytes: semaphore.NewWeighted(memory),
		turns: semaphore.NewWeighted(int64(parallel))}
}

// take waits for n bytes. What it returns gives them back.
func (b *budget) take(ctx context.Context, n int64) (free func(), err error) {
	if n > b.memory {
		return nil, fmt.Errorf("thumb: %w: it needs %d MiB, of %d MiB", ErrTooLarge,
			n>>20, b.memory>>20)
	}
	if err := b.bytes.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { b.bytes.Release(n) }, nil
}

// turn waits until fewer pictures than allowed are being decoded. What it returns ends the turn.
func (b *budget) turn(ctx context.Context) (end func(), err error) {
	if err := b.turns.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { b.turns.Release(1) }, nil
}
