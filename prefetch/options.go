// options.go is what a prefetcher can be told when it is made.

package prefetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// The bounds of a prefetcher that is given none.
const (
	DefaultMaxItems = 64 // what MaxWeight is if nothing is weighed
	DefaultKeep     = 10
	DefaultMaxWidth = 8
)

// heaviest is the most that MaxWeight can be, so that sums of weights do not overflow.
const heaviest = 1 << 50

// ErrClosed is returned by a prefetcher that was closed.
var ErrClosed = errors.New("prefetch: closed")

// errExited is what the waiters of a loader get that called runtime.Goexit.
var errExited = errors.New("prefetch: the loader ended its goroutine")

// PanicError is what Get returns when a loader panics.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // where, as debug.Stack writes it
}

// Error returns the value and the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("prefetch: loader panicked: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func panicked(value any) error { return &PanicError{value, debug.Stack()} }

// Options says how much a prefetcher may keep and load. The zero value keeps 64 items, of which
// the last 10 shown stay whatever comes, and loads at most 8 at a time.
type Options[K comparable, V any] struct {
	// Name says in a Snapshot which prefetcher it is. "" means "prefetch".
	Name string
	// MaxWeight bounds the sum of the weights of what is kept, at every moment. A load ahead
	// begins only if there is room for what it will probably weigh, next to what other loads may;
	// one that somebody asked for begins at once. An item heavier than this is given out and not
	// kept. 0 means DefaultMaxItems; it must be set if Weigh is. More than 2^50 counts as that.
	// Limit changes it.
	MaxWeight int64
	// Weigh returns the weight of an item, for example its size in bytes; less than 1 counts as 1.
	// It is called once for each load, outside of any lock. nil means that each item weighs 1.
	Weigh func(key K, value V) int64
	// WeighAhead returns what the item of a key will weigh, where that can be known before it is
	// loaded: the size of a file. What is on its way then counts with that, and not with what the
	// last loads weighed: where there is no room for a load ahead it is cancelled, and tried again
	// when there is; for one that somebody waits for, loads ahead are cancelled and items leave,
	// and it goes on in any case. It is called before each load, in its goroutine, outside of any
	// lock and under its context. 0 means that it is not known; an error is that of the load. It
	// needs Weigh.
	WeighAhead func(ctx context.Context, key K) (int64, error)
	// Keep is how many of the items that were asked for last stay, so that going back needs no
	// load, as long as they take no more than half of MaxWeight. Only what is asked for may
	// drive them out, if there is no other room for it. 0 means DefaultKeep, less than 0 none.
	Keep int
	// MaxWidth is how many loads ahead run at a time at most, next to as many that were cancelled
	// and have not heeded that yet. Fewer run where more are not faster. 0 means DefaultMaxWidth.
	MaxWidth int
	// MaxAhead is how many items, loaded or being loaded ahead, may wait to be asked for; what is
	// visible (see Show) does not count. 0 means as many as MaxWeight has room for.
	MaxAhead int
	// LoadTimeout ends the context of a load. 0 means no limit.
	LoadTimeout time.Duration

	// Lookup returns what is there without a load, for example from a larder.Cache. It is asked
	// before each load, outside of any lock and by several goroutines at a time. nil means that
	// nothing is.
	Lookup func(key K) (V, bool)
	// OnReady hears of each item that Show said is visible as soon as it is kept. It is called
	// outside of any lock, in the goroutine of the load or, if the item was kept already, in that
	// of Show. It may use the prefetcher, but not call Close. Where MaxWeight has no room for all
	// that is visible, the value may be leaving at that moment: see Hold.
	OnReady func(key K, value V)
	// OnEvict hears once of each value that is not kept any more, or never was, also at Forget and
	// Close: there is the place to release it. It is not called while somebody holds the value
	// (see Hold); whoever has it from Get or Peek may still use it: see Keep. What Lookup has
	// given is told of too, and is its owner's. OnEvict is called outside of any lock and by
	// several goroutines at a time, and must neither panic nor call Close.
	OnEvict func(key K, value V)
	// OnError hears of loads that failed and that nobody had asked for. It is called in the
	// goroutine of the load, and must neither panic nor call Close. nil means that they are only
	// counted.
	OnError func(key K, err error)
}

// complete returns o with defaults in place of zeros, and panics on what makes no sense: options
// are written by programmers.
func (o Options[K, V]) complete() Options[K, V] {
	refuse := func(bad bool, why string) {
		if bad {
			panic("prefetch: options: " + why)
		}
	}
	refuse(o.MaxWeight < 0, "MaxWeight is negative")
	refuse(o.MaxWeight == 0 && o.Weigh != nil, "Weigh needs MaxWeight")
	refuse(o.WeighAhead != nil && o.Weigh == nil, "WeighAhead needs Weigh")
	refuse(o.MaxWidth < 0, "MaxWidth is negative")
	refuse(o.MaxAhead < 0, "MaxAhead is negative")
	refuse(o.LoadTimeout < 0, "LoadTimeout is negative")
	o.Name = cmp.Or(o.Name, "prefetch")
	o.MaxWeight = min(cmp.Or(o.MaxWeight, DefaultMaxItems), heaviest)
	o.Keep = max(cmp.Or(o.Keep, DefaultKeep), 0)
	o.MaxWidth = cmp.Or(o.MaxWidth, DefaultMaxWidth)
	return o
}
