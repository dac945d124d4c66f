// await.go waits for leases, by events and not by asking again and again.

package redis

import (
	"context"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
)

// waits are those who wait for something to happen to a key.
type waits struct {
	mu    sync.Mutex // guards the field below
	byKey map[string]map[*waiter]struct{}
}

// waiter is one who waits.
type waiter struct {
	changed chan struct{} // closed when the item has changed, or anything may have
	lease   chan struct{} // holds one when the lease was taken, renewed or ended: who knows
}

// add returns one who waits for key, and what to call when it waits no more.
func (w *waits) add(key string) (me *waiter, done func()) {
	me = &waiter{make(chan struct{}), make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byKey == nil {
		w.byKey = map[string]map[*waiter]struct{}{}
	}
	if w.byKey[key] == nil {
		w.byKey[key] = map[*waiter]struct{}{}
	}
	w.byKey[key][me] = struct{}{}
	return me, func() { w.drop(key, me) }
}

func (w *waits) drop(key string, me *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byKey[key], me)
	if len(w.byKey[key]) == 0 {
		delete(w.byKey, key)
	}
}

// wake tells those who wait for key that it was changed.
func (w *waits) wake(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for me := range w.byKey[key] {
		close(me.changed)
	}
	delete(w.byKey, key)
}

// nudge tells those who wait for key that something happened to its lease.
func (w *waits) nudge(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for me := range w.byKey[key] {
		select {
		case me.lease <- struct{}{}:
		default:
		}
	}
}

func (w *waits) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, all := range w.byKey {
		for me := range all {
			close(me.changed)
		}
	}
	w.byKey = nil
}

// unheard is how long AwaitLease waits while nothing is heard of others.
const unheard = 50 * time.Millisecond

// AwaitLease implements [store.Leaser]. It waits on the same link as Watch, and no longer than the
// lease lasts: a holder that was killed delays nobody more than Options.LeaseTime. While the link
// is down, and with [None], it returns after 50 ms.
func (s *Store) AwaitLease(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	s.link.start()
	me, done := s.waits.add(key)
	defer done()
	for {
		again, err := s.awaitOnce(ctx, key, me)
		if err != nil || !again {
			return err
		}
	}
}

// awaitOnce waits until something happens. again says that it has happened to the lease, which may
// have been taken just now.
func (s *Store) awaitOnce(ctx context.Context, key string, me *waiter) (again bool, err error) {
	// Ask the link before the server: what happens after that is heard.
	hears := s.link.stands() && s.conn.settled() != None
	left, err := s.leaseLeft(ctx, key)
	if err != nil || left <= 0 {
		return false, err
	}
	if !hears {
		left = min(left, unheard)
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-me.lease:
		again = true
	case <-me.changed:
	case <-timer.C:
	case <-ctx.Done():
		return false, ctx.Err()
	case <-s.ctx.Done():
	}
	if s.closed.Load() {
		return false, store.ErrClosed
	}
	return again, nil
}

// leaseLeft returns how long the lease of key still lasts, 0 where it is free.
func (s *Store) leaseLeft(ctx context.Context, key string) (time.Duration, error) {
	c, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer c.end()
	ms, err := c.do(c.client.B().Pttl().Key(s.keys.lease(key)).Build()).AsInt64()
	if err != nil {
		return 0, c.fail("await a lease", err)
	}
	if ms < 0 {
		return 0, nil
	}
	return time.Duration(ms+1) * time.Millisecond, nil
}
