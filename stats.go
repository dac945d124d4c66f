// stats.go is what a cache tells of itself in numbers.

package larder

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/stats"
)

// Stats is what a cache has done since it was made, and what it holds.
type Stats struct {
	Name string // of the options

	Hits, Misses uint64 // Lookup, Get and GetMany that found a key, and that did not

	StaleHits uint64 // of the hits, those on values that were no longer fresh
	Negative  uint64 // of the hits, those that found that the origin has no such thing
	Coalesced uint64 // of the misses, those that waited for the load of another

	Loads      uint64        // calls of Load, LoadMany and Reload that returned
	Absent     uint64        // those of them that returned ErrNotFound
	LoadErrors uint64        // those of them that returned another error or panicked
	LoadTime   time.Duration // spent in them

	Stale     uint64 // hits on stale values, and failed or slow loads that one stood in for
	Refreshes uint64 // refreshes behind that began
	Heard     uint64 // changes by others that were heard of
	Linked    bool   // they are heard of now; else entries live for LostTTL

	Waiting int    // values that are still to be written behind
	Lost    uint64 // values that were given up

	StoreHits, StoreMisses uint64 // reads that found something of use in the store, and that did not
	StoreErrors            uint64 // what the store failed to do, or was spared while it is down
	StoreDamaged           uint64 // misses for bytes that are no value of this cache
	StoreVoided            uint64 // loads that were not stored: their key was changed meanwhile

	Evicted      uint64 // entries that left for room
	Expired      uint64 // entries whose time was up
	Replaced     uint64 // values whose key was set again
	Deleted      uint64 // entries that were deleted
	DeletedByTag uint64 // those of them that a tag was deleted of
	Cleared      uint64 // entries that left by Clear or Close
	Refused      uint64 // values that were heavier than all that may be kept

	Entries int   // entries that are there
	Weight  int64 // their weight; their number where they are counted
	Max     int64 // the most that Weight may be
}

// HitRatio returns the share of hits, from 0 to 1; 0 if nobody has asked yet.
func (s Stats) HitRatio() float64 {
	if s.Hits+s.Misses == 0 {
		return 0
	}
	return float64(s.Hits) / float64(s.Hits+s.Misses)
}

// String returns the numbers that one looks at first, in a line.
func (s Stats) String() string {
	line := fmt.Sprintf("%s: %d hits, %d misses (%.1f %%), %d of %d kept, %d evicted", s.Name,
		s.Hits, s.Misses, 100*s.HitRatio(), s.Weight, s.Max, s.Evicted)
	if s.StoreHits+s.StoreMisses+s.StoreErrors > 0 {
		line += fmt.Sprintf("; store: %d hits, %d misses, %d errors", s.StoreHits, s.StoreMisses,
			s.StoreErrors)
	}
	return line
}

// Stats returns the numbers of this moment.
func (c *Cache[K, V]) Stats() Stats {
	s := c.engine.stats()
	s.Name = c.engine.options.Name
	s.Loads, s.Absent = c.loaded.calls.Load(), c.loaded.absent.Load()
	s.LoadErrors = c.loaded.failed.Load()
	s.Coalesced = c.counts.coalesced.Load()
	s.LoadTime = time.Duration(c.loaded.took.Load())
	s.Stale, s.Refreshes = c.counts.stale.Load(), c.counts.refreshes.Load()
	s.Heard, s.Linked = c.counts.heard.Load(), c.lost.Load() == 0
	s.Waiting, s.Lost = c.behind.counts()
	if t := c.tier; t != nil {
		s.StoreHits, s.StoreMisses = t.hits.Load(), t.misses.Load()
		s.StoreErrors, s.StoreDamaged = t.failed.Load(), t.damaged.Load()
		s.StoreVoided = t.voided.Load()
	}
	return s
}

// counts are what happens seldom enough for counters that all share.
type counts struct {
	stale, refreshes, heard, coalesced atomic.Uint64
}

// loaded counts calls of the origin.
type loaded struct {
	calls, absent, failed atomic.Uint64
	took                  atomic.Int64
	durations             stats.Durations
}

// begin notes a call of the origin; what it returns notes its end. A call that does not return
// leaves the error that begin sets.
func (l *loaded) begin(err *error) (end func()) {
	start := time.Now()
	*err = errExited
	return func() {
		took := time.Since(start)
		l.took.Add(int64(took))
		l.durations.Add(took)
		switch {
		case *err == nil:
		case isAbsent(*err):
			l.absent.Add(1)
		default:
			l.failed.Add(1)
		}
		l.calls.Add(1)
	}
}
