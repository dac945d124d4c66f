// stats.go is what a prefetcher tells of itself in numbers.

package prefetch

import (
	"math"
	"time"
)

// Stats is what a prefetcher has done since it was made, and what it holds.
type Stats struct {
	Asks       uint64 // calls of Get and Hold
	Hits       uint64 // of those, found the item kept
	Loads      uint64 // loads that were begun, for whatever reason
	Prefetches uint64 // of those, begun before anybody asked
	Used       uint64 // items loaded or being loaded ahead that were asked for then
	Wasted     uint64 // items loaded ahead that left before anybody asked
	Cancelled  uint64 // loads that were cancelled
	Unused     uint64 // of those, begun ahead and cancelled before anybody asked
	Failed     uint64 // loads that returned an error

	Stall time.Duration // time spent waiting in Get and Hold, summed over all of them

	Depth    int   // how many items ahead are worth a load
	Width    int   // how many loads at a time the origin is found to be worth
	InFlight int   // loads that run
	Items    int   // items kept
	Weight   int64 // their weights' sum, at most MaxWeight
}

// Stats returns the numbers up to now.
func (p *Prefetcher[K, V]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.statsLocked()
}

func (p *Prefetcher[K, V]) statsLocked() Stats {
	s := p.stats
	s.Width = int(min(max(math.Ceil(p.origin.width()), 1), float64(p.options.MaxWidth)))
	s.InFlight = p.running.count
	s.Items, s.Weight = len(p.kept), p.weight
	return s
}
