// redlock.go holds leases on several independent servers, so that one of them may fail.

package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
)

// Redlock gives leases that more than half of several independent servers agree on: the Redlock
// algorithm (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/). It outlives the
// failure of fewer than half of them. All methods are safe for concurrent use.
//
// It is for work that should be done once, such as an expensive load. It is not for work that must
// not be done twice. It does not promise that there is one holder at a time: a holder whose process
// or machine stood still (garbage collection, a suspended virtual machine) goes on after its lease
// has gone to another; a server whose clock jumps, or that restarts without what it held, gives it
// away too early. Nor does it give fencing tokens by which what is written to could tell a holder
// that was overtaken from the next: N servers have no common order (M. Kleppmann, "How to do
// distributed locking", 2016). Where that matters let one server decide: [Store] has tokens, and
// its leases cannot set an item after they were lost.
type Redlock struct {
	stores []*Store
	o      RedlockOptions
}

// RedlockOptions configure [NewRedlock]; the zero value works.
type RedlockOptions struct {
	// Drift is how much of the lease's time the clocks of servers and ours may differ by; 0: 0.01.
	Drift float64
	// Patience is how long each server may take to answer; 0: a tenth of its Options.LeaseTime.
	Patience time.Duration
}

// NewRedlock returns a Redlock over stores, each on a server of its own that does not replicate
// another. Take an odd number, at least 3. They stay the caller's to close, and to give the same
// prefix and LeaseTime. It panics without stores.
func NewRedlock(stores []*Store, o RedlockOptions) *Redlock {
	if len(stores) == 0 {
		panic("redis: a Redlock without stores")
	}
	if o.Drift <= 0 {
		o.Drift = 0.01
	}
	return &Redlock{stores, o}
}

// quorum is how many servers must agree.
func (r *Redlock) quorum() int { return len(r.stores)/2 + 1 }

// redlockHead keeps these leases apart from those that a store gives by itself: a cache takes both.
const redlockHead = "redlock:"

// TryLease implements [store.Leaser]. The lease it returns is a [*RedlockLease]. Where too few
// servers answer the error wraps [store.ErrUnavailable].
func (r *Redlock) TryLease(ctx context.Context, key string) (store.Lease, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	key = redlockHead + key
	l := &RedlockLease{of: r}
	results := make(chan error, len(r.stores))
	for _, s := range r.stores {
		go func() {
			part, err := r.takeOne(ctx, s, key)
			if err == nil {
				l.add(part)
			}
			results <- err
		}()
	}
	errs, enough := r.enough(results)
	if enough && l.Valid() {
		return l, nil
	}
	l.Release()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	silent := slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, store.ErrLeased) })
	if len(silent) > len(r.stores)-r.quorum() {
		return nil, fmt.Errorf("redis: %d of %d servers gave no answer: %w",
			len(silent), len(r.stores), errors.Join(silent...))
	}
	return nil, fmt.Errorf("redis: %w: %.60q", store.ErrLeased, key)
}

func (r *Redlock) takeOne(ctx context.Context, s *Store, key string) (*lease, error) {
	patience := r.o.Patience
	if patience <= 0 {
		patience = s.o.LeaseTime / 10
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l, err := s.take(short, key)
	if err != nil && ctx.Err() == nil && isContext(err) {
		err = fmt.Errorf("%w: no answer in %v", store.ErrUnavailable, patience)
	}
	return l, err
}

// spread is how long at most one who was woken waits by chance, lest all who wait take a few
// servers each and none enough.
const spread = 10 * time.Millisecond

// AwaitLease implements [store.Leaser]. It waits for enough servers to have the lease free.
func (r *Redlock) AwaitLease(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	key = redlockHead + key
	inner, cancel := context.WithCancel(ctx)
	results := make(chan error, len(r.stores))
	var wg sync.WaitGroup
	for _, s := range r.stores {
		wg.Go(func() { results <- s.AwaitLease(inner, key) })
	}
	errs, enough := r.enough(results)
	cancel()
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	if !enough {
		return errors.Join(errs...)
	}
	select {
	case <-time.After(rand.N(spread)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enough returns when a quorum has succeeded, or can no longer: then it is not enough. errs are the
// failures so far.
func (r *Redlock) enough(results <-chan error) (errs []error, enough bool) {
	for n := 0; n < r.quorum(); {
		if err := <-results; err == nil {
			n++
		} else if errs = append(errs, err); len(errs) > len(r.stores)-r.quorum() {
			return errs, false
		}
	}
	return errs, true
}

// RedlockLease is a lease of a [Redlock]. Each server's part of it is renewed every third of its
// time until Release.
type RedlockLease struct {
	of *Redlock

	mu    sync.Mutex // guards the fields below
	parts []*lease   // of the servers that gave one
	ended bool
}

// add keeps the part of one server, or gives it back if it comes too late.
func (l *RedlockLease) add(part *lease) {
	l.mu.Lock()
	if !l.ended {
		l.parts = append(l.parts, part)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	part.Release()
}

// Valid reports whether enough servers are sure to keep the lease for us at this moment, as far as
// clocks can tell. It says nothing of the next moment.
func (l *RedlockLease) Valid() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, n := time.Now(), 0
	for _, part := range l.parts {
		if now.Before(part.safeUntil(l.of.o.Drift)) {
			n++
		}
	}
	return n >= l.of.quorum()
}

// Token implements [store.Lease]. It is 0: servers that know nothing of each other cannot make
// numbers of which each is larger than all before.
func (l *RedlockLease) Token() uint64 { return 0 }

// Set implements [store.Lease]. It cannot: no one server could tell whether the lease is still
// held, so the error wraps errors.ErrUnsupported and the lease goes on. Ask Valid, then set by the
// store itself; between the two the lease may get lost.
func (l *RedlockLease) Set(context.Context, store.Item) error {
	return fmt.Errorf("redis: a Redlock cannot set: %w", errors.ErrUnsupported)
}

// Release implements [store.Lease], on all servers. It does not wait for those that have not
// answered yet.
func (l *RedlockLease) Release() {
	l.mu.Lock()
	parts := l.parts
	l.parts, l.ended = nil, true
	l.mu.Unlock()
	var wg sync.WaitGroup
	for _, part := range parts {
		wg.Go(part.Release)
	}
	wg.Wait()
}
