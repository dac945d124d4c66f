// keys.go is what a part can tell of single keys, and what may be done to them.

package stats

import (
	"context"
	"errors"
	"time"
)

// ErrNoKey is returned, wrapped with the reason, for a text that is no key of a part.
var ErrNoKey = errors.New("stats: no such key")

// Inspectable is a Source that can be asked about single keys.
type Inspectable interface {
	Source
	Inspector() Inspector
}

// Inspector answers questions about single keys, which are written as text. It is safe for
// concurrent use. What it does on the way is not counted as a request.
type Inspector interface {
	// Top returns the first n keys in an order.
	Top(by Order, n int) []Key
	// Slowest returns the slowest loads, the slowest first.
	Slowest() []Load
	// Find says what is known of a key.
	Find(ctx context.Context, key string) (Life, error)
	// Refresh loads a key anew.
	Refresh(ctx context.Context, key string) error
	// Delete deletes a key.
	Delete(ctx context.Context, key string) error
	// Record hands out the requests that come until ctx is done, at most most of them. Keys are
	// numbers: the text stays where it is. yield is called by one goroutine at a time.
	Record(ctx context.Context, most int, yield func(Access)) error
}

// Order is by what keys are ranked.
type Order string

// The orders.
const (
	ByHits   Order = "hits"   // estimated from some of the hits
	ByLost   Order = "lost"   // time spent in its loads while somebody waited
	ByWeight Order = "weight" // of what is there
)

// Key is a key and its numbers.
type Key struct {
	Key    string        `json:"key"`
	Hits   uint64        `json:"hits,omitempty"`  // estimated
	Share  float64       `json:"share,omitempty"` // of all hits, from 0 to 1
	Loads  uint64        `json:"loads,omitempty"`
	Lost   time.Duration `json:"lost_ns,omitempty"`
	Weight int64         `json:"weight,omitempty"`
}

// Load is one call of the origin.
type Load struct {
	Key  string        `json:"key"`
	Took time.Duration `json:"took_ns"`
	At   time.Time     `json:"at"` // when it began
	Err  string        `json:"error,omitempty"`
}

// Life is what is known of one key.
type Life struct {
	Key      string        `json:"key"`
	State    string        `json:"state"`               // absent, fresh, due, stale, kept, negative
	Age      time.Duration `json:"age_ns,omitempty"`    // since its load began; 0: not known
	TTL      time.Duration `json:"ttl_ns,omitempty"`    // until it is no longer fresh; below 0: it is not
	Leaves   time.Duration `json:"leaves_ns,omitempty"` // until nobody gets it any more
	Forever  bool          `json:"forever,omitempty"`   // it never expires
	Took     time.Duration `json:"took_ns,omitempty"`   // its last load
	Hits     uint64        `json:"hits,omitempty"`      // estimated
	Loads    uint64        `json:"loads,omitempty"`     // that are remembered
	Weight   int64         `json:"weight,omitempty"`
	Tags     []string      `json:"tags,omitempty"`
	Missed   string        `json:"missed,omitempty"`    // why it is not there, as in Misses
	LastLoad *Load         `json:"last_load,omitempty"` // if it is remembered
	InStore  *bool         `json:"in_store,omitempty"`  // whether the second level has it; nil: not asked
	StoreTTL time.Duration `json:"store_ttl_ns,omitempty"`
	Why      []string      `json:"why,omitempty"` // in sentences
}

// Access is one request of a recording.
type Access struct {
	Key    uint64 // a hash of the key
	Weight uint32 // of its entry; 0 where it is not known
	Hit    bool
}
