// options.go is what a cache can be told when it is made.

package larder

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/store"
)

// Forever is a time to live without end.
const Forever = time.Duration(math.MaxInt64)

// DefaultMaxEntries is the bound of a cache that is given none.
const DefaultMaxEntries = 10_000

// ErrNotFound is returned for what is not there and cannot be loaded. A loader returns it, wrapped
// or not, to say that the origin has no such thing. It is the error of package store.
var ErrNotFound = store.ErrNotFound

// Options says what a cache keeps and how. The zero value is a cache of DefaultMaxEntries entries
// that never expire and are only there if they were set.
type Options[K comparable, V any] struct {
	// Name says in logs and errors which cache it is. Default: "cache".
	Name string

	// MaxEntries is how many entries are kept at most, at every moment. 0 means DefaultMaxEntries,
	// unless MaxWeight is set: only one of both may be.
	MaxEntries int
	// MaxWeight bounds the sum of what Weigh returns instead, at every moment. An entry heavier
	// than that is not kept. 0 means that entries are counted.
	MaxWeight int64
	// Weigh returns the weight of an entry, for example its size in bytes; less than 1 counts as 1,
	// 4 GiB or more is never kept. It is called at every Set and must not use the cache. It must
	// be set if MaxWeight is, and only then.
	Weigh func(key K, value V) int
	// Policy chooses who leaves when there is no room: policy.LRU, policy.SIEVE, ... nil means
	// policy.Adaptive, which is hard to beat.
	Policy policy.New

	// TTL is how long a value is fresh after it was set; then it is gone. 0 means Forever.
	TTL time.Duration
	// Idle is how long an entry lives after it was used last, within its TTL. 0 means that use does
	// not matter. The last use is known to a thousandth of Idle.
	Idle time.Duration
	// OnEvict hears of each entry that left and of each value that was replaced, after the fact and
	// in the goroutine in which it happened, or in one of its own for what expired: several may
	// call it at once. It holds up its caller alone, and may use the cache. Close does not wait for
	// it. If it panics, that reaches the caller; where there is none, as for what expired, the
	// program ends. nil means that nobody wants to know, which makes Set faster.
	OnEvict func(key K, value V, cause Cause)

	// Load gets the value of a key that is not there from the origin: Get calls it once for all who
	// ask at the same time. Its context carries the values of the one that asked first, but not its
	// end: a caller who gives up stops waiting, not the load. A panic comes back as an error. nil
	// means that Get returns ErrNotFound.
	Load func(ctx context.Context, key K) (V, error)
	// LoadMany gets several at once. A key that is not in the map is not found. nil means that
	// GetMany calls Load for each of them, several at a time.
	LoadMany func(ctx context.Context, keys []K) (map[K]V, error)
	// LoadTimeout ends the context of a load. 0 means no limit.
	LoadTimeout time.Duration
}

// Cause says why an entry left.
type Cause uint8

// The causes of leaving.
const (
	Evicted  Cause = iota + 1 // to make room
	Expired                   // its time was up
	Replaced                  // its key was set again; only the value left
	Deleted                   // somebody deleted it
	Cleared                   // everything was cleared, or the cache closed
)

// String returns the cause in a word.
func (c Cause) String() string {
	names := [...]string{"none", "evicted", "expired", "replaced", "deleted", "cleared"}
	return names[min(int(c), len(names)-1)]
}

// complete returns o with defaults in place of zeros, and panics on what makes no sense: options
// are written by programmers.
func (o Options[K, V]) complete() Options[K, V] {
	refuse := func(bad bool, why string) {
		if bad {
			panic(fmt.Sprintf("larder: options of %q: %s", o.Name, why))
		}
	}
	if o.Name == "" {
		o.Name = "cache"
	}
	refuse(o.MaxEntries < 0, "MaxEntries is negative")
	refuse(o.MaxWeight < 0, "MaxWeight is negative")
	refuse(o.MaxEntries > 0 && o.MaxWeight > 0, "MaxEntries and MaxWeight are both set: choose one")
	refuse(o.MaxWeight > 0 && o.Weigh == nil, "MaxWeight needs Weigh")
	refuse(o.MaxWeight == 0 && o.Weigh != nil, "Weigh needs MaxWeight")
	refuse(o.TTL < 0, "TTL is negative")
	refuse(o.Idle < 0, "Idle is negative")
	refuse(o.LoadTimeout < 0, "LoadTimeout is negative")
	if o.MaxEntries == 0 && o.MaxWeight == 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	if o.TTL == 0 {
		o.TTL = Forever
	}
	if o.Policy == nil {
		o.Policy = policy.Adaptive
	}
	return o
}

// times returns how many times an entry carries: none, its deadline, or its end besides.
func (o Options[K, V]) times() int {
	switch {
	case o.Idle > 0:
		return 2
	case o.TTL != Forever:
		return 1
	}
	return 0
}
