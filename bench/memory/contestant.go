// contestant.go is what every cache is measured through, and the list of them.

package main

import (
	"context"
	"time"
)

// cache is the least that all contestants can do.
type cache[K comparable, V any] interface {
	get(K) (V, bool)
	set(K, V)
	// count returns how many entries it says that it has.
	count() int
	// settle returns when every write so far has reached the policy. It does nothing where writes
	// have when they return.
	settle()
	close()
}

// The two shapes that are measured.
type (
	numbers = cache[uint64, uint64]
	texts   = cache[string, []byte]
)

// loader gets the value of a key from the origin; a cache that loads looks the same from outside.
type loader = func(ctx context.Context, key string) (uint64, error)

// noTTL makes a cache whose entries live for ever.
const noTTL = time.Duration(0)

// contestant is a cache and how it is made: with room for max entries, each of which lives for ttl.
type contestant struct {
	name    string
	module  string // which it comes from, for its version
	numbers func(max int, ttl time.Duration) numbers
	texts   func(max int, ttl time.Duration) texts
	// loading makes one that loads what it does not have; nil if it has no such thing.
	loading func(max int, load loader) (get loader, done func())
}

// contestants lists them in the order of the tables. A new one is a file with an adapter, and a
// line here.
func contestants() []contestant {
	return []contestant{
		larderAdaptive(),
		larderLRU(),
		{"otter", "github.com/maypok86/otter/v2",
			newOtter[uint64, uint64], newOtter[string, []byte], loadOtter},
		{"theine", "github.com/Yiling-J/theine-go",
			newTheine[uint64, uint64], newTheine[string, []byte], loadTheine},
		{"phuslu/lru", "github.com/phuslu/lru",
			newPhuslu[uint64, uint64], newPhuslu[string, []byte], loadPhuslu},
		{"golang-lru", "github.com/hashicorp/golang-lru/v2",
			newGolangLRU[uint64, uint64], newGolangLRU[string, []byte], nil},
		{"ristretto", "github.com/dgraph-io/ristretto/v2",
			newRistretto[uint64, uint64], newRistretto[string, []byte], nil},
	}
}

func names(caches []contestant) (all []string) {
	for _, c := range caches {
		all = append(all, c.name)
	}
	return all
}
