// owed.go remembers what a store was to forget while it could not be reached.

package larder

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// owed is the deletions that a store owes: whoever set or deleted a key while the store was down
// left an old item in it, which must not be served when it is back. Names in it are not read.
type owed struct {
	repay func(ctx context.Context, name string) error
	some  atomic.Int64 // len(names), for whoever only wants to know whether there are any
	// since is when there was no room for one more, in nanoseconds of Unix time: older items are
	// not read from then on. 0 is never.
	since atomic.Int64
	mu    sync.Mutex // guards the fields below
	// names counts the calls that added each: one that is being deleted may be added again.
	names  map[string]uint64
	added  uint64
	paying bool
	closed bool
	stop   context.CancelFunc
}

// maxOwed is how many deletions are remembered.
const maxOwed = 100_000

// The time between two attempts to repay grows between these.
const (
	firstPay = 50 * time.Millisecond
	lastPay  = time.Second
)

// has tells whether the deletion of name is owed.
func (o *owed) has(name string) bool {
	if o.some.Load() == 0 {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.names[name]
	return ok
}

// add notes that name is not to be read until it was deleted. It is not deleted before pay.
func (o *owed) add(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil {
		o.names = map[string]uint64{}
	}
	if _, ok := o.names[name]; !ok && len(o.names) >= maxOwed {
		o.since.Store(time.Now().UnixNano())
		return
	}
	o.added++
	o.names[name] = o.added
	o.some.Store(int64(len(o.names)))
}

// forgive notes that name was deleted, or set again.
func (o *owed) forgive(name string) {
	if o.some.Load() == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.removeLocked(name)
}

func (o *owed) removeLocked(name string) {
	delete(o.names, name)
	o.some.Store(int64(len(o.names)))
}

// pay sees that what is owed is deleted, as soon as that is possible.
func (o *owed) pay() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.paying || o.closed || len(o.names) == 0 {
		return
	}
	o.paying = true
	ctx, stop := context.WithCancel(context.Background())
	o.stop = stop
	go o.repayAll(ctx)
}

// repayAll deletes what is owed until there is nothing left, or ctx ends.
func (o *owed) repayAll(ctx context.Context) {
	wait := firstPay
	for {
		if !o.repaySome(ctx) {
			wait = min(2*wait, lastPay)
		}
		o.mu.Lock()
		if len(o.names) == 0 {
			o.paying = false
			o.stop()
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// repaySome goes through all names once, and tells whether the store could be reached. It stops at
// the first that fails.
func (o *owed) repaySome(ctx context.Context) bool {
	o.mu.Lock()
	due := make(map[string]uint64, len(o.names))
	for name, n := range o.names {
		due[name] = n
	}
	o.mu.Unlock()
	for name, n := range due {
		if o.repay(ctx, name) != nil {
			return false
		}
		o.mu.Lock()
		if o.names[name] == n { // not added again meanwhile
			o.removeLocked(name)
		}
		o.mu.Unlock()
	}
	return true
}

// close ends the attempts. What is still owed is known to nobody then.
func (o *owed) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.stop != nil {
		o.stop()
	}
}
