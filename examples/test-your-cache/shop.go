// shop.go is the code under test: a small part of a program that has a cache.

// Package shop answers what tea costs. It is here for its tests: they show how one tests a program
// with a cache, its hits and misses, who is evicted, what expires, what is invalidated, and bad
// days of the store, without one real second of waiting.
//
//	go test ./examples/test-your-cache
package shop

import (
	"context"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/store"
)

// What the tests have to know of the cache.
const (
	fresh   = time.Minute     // how long a price is believed
	oldest  = time.Hour       // how much longer, if nobody can be asked
	entries = 3               // few, so that a test can fill it
	patient = 2 * time.Second // the longest that a shared store is waited for
)

// Ask asks the merchant for the price of a tea in cents.
type Ask func(ctx context.Context, tea string) (int, error)

// Prices knows what tea costs. Its methods may be called by many goroutines at once.
type Prices struct{ kept *larder.Cache[string, int] }

// Open returns prices that ask is the origin of. Those who have the same shared store ask once for
// all; nil means that there is none. Closing the store is up to the caller.
func Open(ask Ask, shared store.Store) *Prices {
	o := larder.Options[string, int]{
		Name: "prices", Load: ask, TTL: fresh, StaleOnError: oldest,
		MaxEntries: entries, Policy: policy.LRU,
	}
	if shared != nil {
		o.Store = store.NewGuard(shared, store.GuardOptions{Timeout: patient})
	}
	return &Prices{larder.New(o)}
}

// Of returns what a tea costs. It fails if nobody ever knew.
func (p *Prices) Of(ctx context.Context, tea string) (int, error) { return p.kept.Get(ctx, tea) }

// Changed has to be called when the price of a tea has changed.
func (p *Prices) Changed(ctx context.Context, tea string) error { return p.kept.Delete(ctx, tea) }

// Stats returns what the cache has counted.
func (p *Prices) Stats() larder.Stats { return p.kept.Stats() }

// Close ends what the cache does behind.
func (p *Prices) Close() error { return p.kept.Close() }
