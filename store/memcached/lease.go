// lease.go lets one at a time load a key, as Facebook's leases do.

package memcached

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/larder-go/larder/store"
)

// TryLease implements [store.Leaser], as "Scaling Memcache at Facebook" (Nishtala et al. 2013)
// describes it: the record of the key says who loads it. Where there is an item, it keeps being
// served; where there is none, Get is a miss as before. Whoever sets or deletes the key meanwhile
// ends the lease, for the record that says so is replaced, and Set of the lease is void. So it is
// if a tag of the new item or of the one before was deleted, unless the tag's mark was evicted
// since.
//
// The token is a number of a counter on the server. A lease that is not renewed ends at its limit,
// by the clock of whoever wants it next: clocks that differ by more than half of the limit let two
// work at a time, of whom the first is void. A server that is short of memory may evict a lease
// too.
func (s *Store) TryLease(ctx context.Context, key string) (store.Lease, error) {
	if err := s.ready(ctx, key); err != nil {
		return nil, err
	}
	for range maxTries {
		r, old, err := s.readForChange(ctx, key)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if r.leased(now) {
			return nil, fmt.Errorf("memcached: %w: %.60q", store.ErrLeased, key)
		}
		token, err := s.draw(ctx)
		if err != nil {
			return nil, err
		}
		if !r.alive(now) {
			r = record{}
		}
		l := &lease{store: s, key: key, token: token}
		ok, err := l.write(ctx, old, r)
		if err != nil {
			return nil, err
		}
		if ok {
			return l.keep(), nil
		}
	}
	return nil, busy(key)
}

// readForChange returns the record of key and the entry it stands in. The entry is nil where there
// is none, and the record empty where it is damaged.
func (s *Store) readForChange(ctx context.Context, key string) (record, *memcache.Item, error) {
	r, old, err := s.read(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return record{}, old, nil
	}
	return r, old, err
}

// The times between two looks at a lease that others hold.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// AwaitLease implements [store.Leaser]. Memcached tells nobody when a lease ends: this looks again
// and again, at first after 5 ms, later every 100 ms.
func (s *Store) AwaitLease(ctx context.Context, key string) error {
	for wait := firstLook; ; wait = min(wait*3/2, lastLook) {
		if err := s.ready(ctx, key); err != nil {
			return err
		}
		r, _, err := s.readForChange(ctx, key)
		if err != nil {
			return err
		}
		if !r.leased(time.Now()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return store.ErrClosed
		case <-time.After(wait):
		}
	}
}

// lease is what the record of key names by its token.
type lease struct {
	store *Store
	key   string
	token uint64

	mu   sync.Mutex    // guards over
	over bool          // it was set or released
	quit chan struct{} // is closed when over
}

func (l *lease) Token() uint64 { return l.token }

// write puts the lease into the record that was read, for another limit from now on.
func (l *lease) write(ctx context.Context, old *memcache.Item, r record) (ok bool, err error) {
	now := time.Now()
	r.lease = leaseMark{l.token, now.Add(l.store.o.LeaseLimit)}
	entry, err := l.store.entry(l.key, r, now)
	if errors.Is(err, store.ErrTooLarge) { // with the lease it is: then without the old item
		r = record{lease: r.lease}
		entry, err = l.store.entry(l.key, r, now)
	}
	if err != nil {
		return false, err
	}
	return l.store.swap(ctx, l.key, old, entry)
}

// keep renews the lease until it is over or lost, or the store is closed.
func (l *lease) keep() *lease {
	l.quit = make(chan struct{})
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if !l.store.closed.Load() {
		l.store.work.Go(l.renewUntilOver)
	}
	return l
}

func (l *lease) renewUntilOver() {
	every := time.NewTicker(l.store.o.LeaseLimit / 3)
	defer every.Stop()
	for {
		select {
		case <-l.quit:
			return
		case <-l.store.ctx.Done():
			return
		case <-every.C:
		}
		if l.renew() == errLost {
			return
		}
	}
}

var errLost = fmt.Errorf("memcached: %w: the lease was lost", store.ErrVoid)

// renew returns errLost where the record is no longer the lease's. After any other error the next
// time is as good: if it stays, others find the lease ended at its limit.
func (l *lease) renew() error {
	ctx, cancel := context.WithTimeout(l.store.ctx, l.store.o.LeaseLimit/3)
	defer cancel()
	for range maxTries {
		r, old, err := l.read(ctx)
		if err != nil {
			return err
		}
		if ok, err := l.write(ctx, old, r); ok || err != nil {
			return err
		}
	}
	return busy(l.key)
}

// read returns the record if it is still the lease's.
func (l *lease) read(ctx context.Context) (record, *memcache.Item, error) {
	r, old, err := l.store.readForChange(ctx, l.key)
	if err == nil && (old == nil || r.lease.token != l.token) {
		err = errLost
	}
	return r, old, err
}

// end reports whether the caller is the one who ends the lease.
func (l *lease) end() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.over = true
	close(l.quit)
	return true
}

// Set implements [store.Lease]. If the server cannot be reached while it answers, the item may be
// kept although Set returned an error.
func (l *lease) Set(ctx context.Context, item store.Item) error {
	s := l.store
	if err := s.ready(ctx, l.key); err != nil {
		return err
	}
	if !l.end() {
		return errLost
	}
	if item.Created.IsZero() {
		item.Created = time.Now()
	}
	err := s.checkSize(item)
	for range maxTries {
		if err != nil {
			break
		}
		var ok bool
		if ok, err = l.trySet(ctx, item); ok {
			return nil
		}
	}
	l.leave()
	if err == nil {
		err = busy(l.key)
	}
	return err
}

// trySet replaces the record by item if the lease is not void. It is not ok if the record was
// changed just then, as by a renewal.
func (l *lease) trySet(ctx context.Context, item store.Item) (ok bool, err error) {
	s := l.store
	r, old, err := l.read(ctx)
	if err != nil {
		return false, err
	}
	marks, err := s.makeMarks(ctx, item.Tags)
	if err != nil {
		return false, err
	}
	before, err := s.readMarks(ctx, r.item.Tags)
	if err != nil {
		return false, err
	}
	for _, some := range []map[string]mark{marks, before} {
		for tag, m := range some {
			if m.deleted && m.number > l.token {
				return false, fmt.Errorf("memcached: %w: tag %.60q was deleted", store.ErrVoid, tag)
			}
		}
	}
	entry, err := s.entry(l.key, newRecord(item, marks), time.Now())
	if err != nil {
		return false, err
	}
	return s.swap(ctx, l.key, old, entry)
}

// Release implements [store.Lease]. It takes two round trips. If they fail the lease ends at its
// limit.
func (l *lease) Release() {
	if l.end() {
		l.leave()
	}
}

// leave takes the lease out of the record. Where there is no item, nothing is left: an entry that
// expires as it is stored is a delete that compares.
func (l *lease) leave() {
	ctx, cancel := context.WithTimeout(l.store.ctx, 2*l.store.o.Timeout)
	defer cancel()
	for range maxTries {
		r, old, err := l.read(ctx)
		if err != nil {
			return
		}
		r.lease = leaseMark{}
		now := time.Now()
		entry, err := l.store.entry(l.key, r, now)
		if err != nil {
			return
		}
		if !r.alive(now) {
			entry.Expiration = -1
		}
		if ok, err := l.store.swap(ctx, l.key, old, entry); ok || err != nil {
			return
		}
	}
}
