// lease.go lets one at a time work for a key, and voids work that was overtaken.

package store

import (
	"context"
	"errors"
)

// Leaser is a store that lets one at a time work for a key, among all processes that share it. A
// lease ends with its process: at once, or after a time limit that the store says.
type Leaser interface {
	// TryLease takes the lease of key if it is free; else the error wraps ErrLeased.
	TryLease(ctx context.Context, key string) (Lease, error)
	// AwaitLease returns when the lease of key may be free or its item may have changed, or with
	// the error of ctx. It may return early: look at the item, then try the lease again.
	AwaitLease(ctx context.Context, key string) error
}

// Lease is the right to work for a key, such as to load its value. All methods are safe for
// concurrent use.
type Lease interface {
	// Token is the fencing token: larger than that of every earlier lease of the key, so that
	// whoever is written to can refuse a holder that was overtaken. 0 where the store has none.
	Token() uint64
	// Set keeps what the work has brought and ends the lease. It keeps nothing and returns ErrVoid
	// if since the lease was taken the key was set or deleted, one of the item's tags was deleted,
	// or the lease was lost: then the work may have begun from what is no longer true. A store that
	// cannot tell says so in its documentation.
	Set(ctx context.Context, item Item) error
	// Release ends the lease. It may be called twice, and after Set.
	Release()
}

// TryLease takes the lease of key if it is free, where s is a [Leaser]; else the error wraps
// errors.ErrUnsupported.
func TryLease(ctx context.Context, s Store, key string) (Lease, error) {
	if l, ok := s.(Leaser); ok {
		return l.TryLease(ctx, key)
	}
	return nil, unsupported(s, "give leases")
}

// AwaitLease waits until the lease of key may be free, where s is a [Leaser]; else the error wraps
// errors.ErrUnsupported.
func AwaitLease(ctx context.Context, s Store, key string) error {
	if l, ok := s.(Leaser); ok {
		return l.AwaitLease(ctx, key)
	}
	return unsupported(s, "give leases")
}

// TakeLease waits until the lease of key is free or ctx is done, and takes it.
func TakeLease(ctx context.Context, s Store, key string) (Lease, error) {
	for {
		l, err := TryLease(ctx, s, key)
		if !errors.Is(err, ErrLeased) {
			return l, err
		}
		if err := AwaitLease(ctx, s, key); err != nil {
			return nil, err
		}
	}
}
