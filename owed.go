// owed.go remembers what a store was to forget while it could not be reached.

package larder

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/store"
)

// owed is the deletions that a store owes: whoever set or deleted a key while the store was down
// left an old item in it, which must not be served when it is back. Names in it are not read.
type owed struct {
	delete func(ctx context.Context, name string) error
	some   atomic.Int64 // len(debts), for whoever only wants to know whether there are any
	// since is when there was no room for one more, in nanoseconds of Unix time: older items are not
	// read from then on. 0 is never.
	since atomic.Int64
	paid  atomic.Uint64 // debts that were forgiven

	mu     sync.Mutex // guards the fields below
	debts  map[string]debt
	added  uint64
	due    int // debts that can be paid
	paying bool
	closed bool
	stop   context.CancelFunc
}

// debt is one deletion that is owed.
type debt struct {
	number   uint64 // which call of add it is of
	at       int64  // when that was, in nanoseconds of Unix time
	hopeless bool   // the store cannot do it at all
}

// maxOwed is how many deletions are remembered.
const maxOwed = 100_000

// The time between two attempts to repay grows between these.
const (
	firstPay = 50 * time.Millisecond
	lastPay  = time.Second
)

// get returns the debt of name, the zero one if there is none.
func (o *owed) get(name string) debt {
	if o.some.Load() == 0 {
		return debt{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.debts[name]
}

// has tells whether the deletion of name is owed.
func (o *owed) has(name string) bool { return o.get(name) != debt{} }

// hasSince tells whether the deletion of name is owed for what was created then, in nanoseconds of
// Unix time.
func (o *owed) hasSince(name string, created int64) bool { return created <= o.get(name).at }

// add notes that name is not to be read until it was deleted, and returns the number by which
// forgive knows this debt. It is not deleted before pay.
func (o *owed) add(name string) (number uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.debts == nil {
		o.debts = map[string]debt{}
	}
	old, ok := o.debts[name]
	now := time.Now().UnixNano()
	if !ok && len(o.debts) >= maxOwed {
		o.since.Store(now)
		return 0
	}
	o.added++
	o.debts[name] = debt{number: o.added, at: now, hopeless: old.hopeless}
	if !ok {
		o.due++
	}
	o.some.Store(int64(len(o.debts)))
	return o.added
}

// forgive notes that name was deleted, or set again, unless it is owed anew.
func (o *owed) forgive(name string, number uint64) {
	if o.some.Load() == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := o.debts[name]; d.number == number && d != (debt{}) {
		o.paid.Add(1)
		o.removeLocked(name)
	}
}

func (o *owed) removeLocked(name string) {
	if !o.debts[name].hopeless {
		o.due--
	}
	delete(o.debts, name)
	o.some.Store(int64(len(o.debts)))
}

// pay sees that what is owed is deleted, as soon as that is possible.
func (o *owed) pay() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.paying || o.closed || o.due == 0 {
		return
	}
	o.paying = true
	ctx, stop := context.WithCancel(context.Background())
	o.stop = stop
	go o.repayAll(ctx)
}

// repayAll deletes what is owed until there is nothing left that can be, or ctx ends.
func (o *owed) repayAll(ctx context.Context) {
	wait := firstPay
	for {
		if !o.repaySome(ctx) {
			wait = min(2*wait, lastPay)
		}
		o.mu.Lock()
		if o.due == 0 {
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

// repaySome goes through all debts once, and tells whether the store could be reached. It stops at
// the first that fails.
func (o *owed) repaySome(ctx context.Context) bool {
	for name, d := range o.payable() {
		err := o.delete(ctx, name)
		switch {
		case err == nil || errors.Is(err, store.ErrInvalidKey):
			o.forgive(name, d.number)
		case errors.Is(err, errors.ErrUnsupported):
			o.giveUp(name)
		default:
			return false
		}
	}
	return true
}

// payable returns the debts that can be paid.
func (o *owed) payable() map[string]debt {
	o.mu.Lock()
	defer o.mu.Unlock()
	due := make(map[string]debt, o.due)
	for name, d := range o.debts {
		if !d.hopeless {
			due[name] = d
		}
	}
	return due
}

// giveUp notes that the store will never delete name. What is older stays unread.
func (o *owed) giveUp(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d, ok := o.debts[name]; ok && !d.hopeless {
		d.hopeless = true
		o.debts[name] = d
		o.due--
	}
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
