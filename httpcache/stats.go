// stats.go counts how requests were answered.

package httpcache

import (
	"context"
	"sync/atomic"
)

// Stats is what a [Cache] counted since it began.
type Stats struct {
	Entries  int    // responses in memory
	Weight   int64  // of them, in bytes
	Hits     uint64 // answered from memory or store, fresh
	Stale    uint64 // answered from there although no longer fresh
	Misses   uint64 // answered by the origin
	Shared   uint64 // of the misses, answered by a response that another request had asked for
	Bypassed uint64 // answered by the origin, since no cache may
	Checked  uint64 // answered from the cache after the origin said that it still holds
	Failed   uint64 // answered with an error of ours, since the origin failed
}

// counts has each answer in one place. Those that were shared are misses.
type counts struct {
	outcomes       [Bypass + 1]atomic.Uint64
	shared, failed atomic.Uint64
}

// count counts one answer.
func (c *Cache) count(r Result) {
	switch {
	case r.Failed:
		c.counts.failed.Add(1)
	case r.Shared:
		c.counts.shared.Add(1)
	default:
		c.counts.outcomes[r.Outcome].Add(1)
	}
}

// Stats returns what was counted.
func (c *Cache) Stats() Stats {
	n := func(o Outcome) uint64 { return c.counts.outcomes[o].Load() }
	shared := c.counts.shared.Load()
	return Stats{
		Entries: c.engine.memory.Len(), Weight: c.engine.memory.Weight(),
		Hits: n(Hit), Stale: n(Stale), Misses: n(Miss) + shared, Bypassed: n(Bypass),
		Checked: n(Revalidated), Shared: shared, Failed: c.counts.failed.Load(),
	}
}

type trackKey struct{}

// Track returns a context for a request to a handler of a [Cache], and where that writes how the
// request was answered. It may be read when the handler has returned.
func Track(ctx context.Context) (context.Context, *Result) {
	r := &Result{}
	return context.WithValue(ctx, trackKey{}, r), r
}
