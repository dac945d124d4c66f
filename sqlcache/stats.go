// stats.go counts what the cache has done.

package sqlcache

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/stats"
)

// Stats says what a cache has done so far, and what it holds.
type Stats struct {
	Hits      uint64            // queries answered from memory
	Coalesced uint64            // queries answered by the load of another
	Misses    uint64            // queries that were loaded and could be kept
	Failed    uint64            // queries that ended with an error, also of their context
	Unasked   uint64            // reads that could be kept and that nobody asked to be
	NotKept   map[string]uint64 // queries that were not kept though that was asked for, by reason
	TooLarge  uint64            // results beyond MaxRows or MaxResult
	Forgotten uint64            // how often something was forgotten for a change of our own
	Heard     uint64            // changes of others that were heard of
	Deaf      bool              // whether the link of Options.Watch is lost: nothing is kept
	Results   int               // results that are kept
	Bytes     int64             // what they take, about
}

// counters are the numbers of Stats.
type counters struct {
	hits, coalesced, misses, failed, unasked, tooLarge, forgotten, heard atomic.Uint64

	broken atomic.Uint64 // loads that failed; those that did not are misses
	took   stats.Durations
	ledger *shadow.Ledger // nil: nobody observes

	mu      sync.Mutex // guards the field below
	notKept map[string]uint64
}

// mostReasons is how many reasons are told apart; the others are counted together.
const mostReasons = 256

// mostReason is how long a reason is, in characters: the names in it may be anybody's.
const mostReason = 120

// count notes why a result is not kept that somebody asked to be.
func (c *counters) count(reason string) {
	reason = strings.ToValidUTF8(reason, "?")
	if len(reason) > mostReason {
		reason = fmt.Sprintf("%.*s...", mostReason, reason)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.notKept == nil {
		c.notKept = map[string]uint64{}
	}
	if _, known := c.notKept[reason]; !known && len(c.notKept) >= mostReasons {
		reason = "other reasons"
	}
	c.notKept[reason]++
}

// load counts a load that has ended. database/sql asks again where a driver wants a statement to be
// prepared, or a connection was broken: then it is no query that failed.
func (c *counters) load(l load, began time.Time, err error) {
	if errors.Is(err, driver.ErrSkip) {
		return
	}
	took := time.Since(began)
	c.took.Add(took)
	c.account(l, shadow.Load{At: began, Took: took}, err)
	if err == nil {
		c.misses.Add(1)
		return
	}
	c.broken.Add(1)
	if !errors.Is(err, driver.ErrBadConn) {
		c.failed.Add(1)
	}
}

// asksAgain reports whether database/sql comes again with the same query.
func asksAgain(err error) bool {
	return errors.Is(err, driver.ErrSkip) || errors.Is(err, driver.ErrBadConn)
}

// Stats returns the numbers up to now.
func (c *Cache) Stats() Stats {
	n := &c.counters
	n.mu.Lock()
	notKept := maps.Clone(n.notKept)
	n.mu.Unlock()
	return Stats{
		Hits: n.hits.Load(), Coalesced: n.coalesced.Load(), Misses: n.misses.Load(),
		Failed: n.failed.Load(), Unasked: n.unasked.Load(), NotKept: notKept,
		TooLarge: n.tooLarge.Load(), Forgotten: n.forgotten.Load(), Heard: n.heard.Load(),
		Deaf:    c.deaf.Load(),
		Results: c.results.Len(), Bytes: c.results.Weight(),
	}
}
