// store.go says what every store can do, and what an item is.

// Package store keeps bytes by key.
//
// A [Store] is the second level behind the memory of a process: a folder on disk, a Redis, a ring
// of Memcached servers, or [Memory] in a test. Every implementation passes the acceptance suite
// in [github.com/larder-go/larder/store/storetest].
//
// What only some stores can do (streams, tags, iteration) is an optional interface beside Store;
// the functions of the same name use it where it is there and say how they manage where it is not.
package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxKey is the length of the longest key, in bytes.
const MaxKey = 8192

var (
	// ErrNotFound is returned for a key that is absent, expired, deleted or damaged.
	ErrNotFound = errors.New("store: not found")
	// ErrTooLarge is returned for an item that the store could not hold even when empty.
	ErrTooLarge = errors.New("store: item too large")
	// ErrInvalidKey is returned for a key that is empty or longer than [MaxKey].
	ErrInvalidKey = errors.New("store: invalid key")
	// ErrLeased is returned by TryLease while somebody else holds the lease of the key.
	ErrLeased = errors.New("store: leased to another")
	// ErrVoid is returned by Set of a lease whose key or tags were changed meanwhile.
	ErrVoid = errors.New("store: lease is void")
	// ErrDamaged is wrapped, with ErrNotFound, where bytes were found that are no item.
	ErrDamaged = errors.New("store: damaged")
	// ErrUnavailable is wrapped where a store could not be reached or did not answer in time.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrLeftAlone is wrapped, with ErrUnavailable, where a [Guard] spared a store that had failed.
	ErrLeftAlone = errors.New("left alone")
	// ErrRefused is wrapped where a store answered that it will not do it: out of memory,
	// read-only.
	ErrRefused = errors.New("store: refused")
	// ErrClosed is returned by every method of a store after its Close.
	ErrClosed = errors.New("store: closed")
)

// Store keeps items by key. All methods are safe for concurrent use.
//
// A store is a cache: it may forget any item at any time to keep its bound. It never returns an
// item under another key, and never a value that was not set under that key as a whole. A method
// whose context ends returns soon after; what it was to do may be done all the same.
type Store interface {
	// Get returns the item of key, or ErrNotFound. The caller owns the item and its bytes.
	Get(ctx context.Context, key string) (Item, error)
	// Set replaces the item of key. The store keeps no reference to item.Value or item.Tags. A Set
	// that fails leaves the old item or none, never a part of the new one.
	Set(ctx context.Context, key string, item Item) error
	// Delete removes the item of key; an absent key is no error.
	Delete(ctx context.Context, key string) error
	// Close releases what the store holds. It may be called twice.
	Close() error
}

// Item is what a store keeps under a key. The zero times mean: created now, fresh and kept for as
// long as there is room. Times are kept to the nanosecond, without a zone.
type Item struct {
	Value      []byte
	Created    time.Time  // when the load of the value began; zero in Set: now
	FreshUntil time.Time  // until then it may be served without asking; zero: while it is kept
	GoneAfter  time.Time  // from then on it is never returned; zero: never
	Tags       []string   // names under which DeleteTag finds it; at most 64 KiB in all
	Validators Validators // what a conditional reload may send
}

// Validators identify one version of a value at its origin (RFC 9110, section 8.8).
type Validators struct {
	ETag         string // as the origin wrote it, quotes and W/ included
	LastModified string // as the origin wrote it
}

// Skew is how far in the future an item may have been created before it counts as expired. A clock
// that jumped back would otherwise keep its items for ever.
const Skew = time.Minute

// Expired reports whether the item must no longer be returned at now.
func (it Item) Expired(now time.Time) bool {
	if it.GoneAfter.IsZero() {
		return false
	}
	return !now.Before(it.GoneAfter) || it.Created.Sub(now) > Skew
}

// Fresh reports whether the item may be served at now without asking its origin.
func (it Item) Fresh(now time.Time) bool {
	if it.Expired(now) {
		return false
	}
	return it.FreshUntil.IsZero() || now.Before(it.FreshUntil) && it.Created.Sub(now) <= Skew
}

// Clone returns a copy that shares no memory with it.
func (it Item) Clone() Item {
	it.Value = slices.Clone(it.Value)
	it.Tags = slices.Clone(it.Tags)
	return it
}

// CheckKey returns an error that wraps [ErrInvalidKey] if key cannot be a key of a store.
func CheckKey(key string) error {
	if key == "" {
		return fmt.Errorf("%w: empty", ErrInvalidKey)
	}
	if len(key) > MaxKey {
		return fmt.Errorf("%w: %d bytes, the limit is %d", ErrInvalidKey, len(key), MaxKey)
	}
	return nil
}
