// stats.go counts what a store does.

package redis

import (
	"errors"
	"sync/atomic"

	"github.com/larder-go/larder/store"
)

// Stats are the counts of one store since it was opened.
type Stats struct {
	Gets    uint64 `json:"gets"`   // keys that were asked for
	Hits    uint64 `json:"hits"`   // of them, those whose item was returned
	Misses  uint64 `json:"misses"` // those that were not there; the others failed, or were given up
	Sets    uint64 `json:"sets"`   // items that were written
	Deletes uint64 `json:"deletes"`
	Damaged uint64 `json:"damaged"` // values that were found to be no item
	Errors  uint64 `json:"errors"`  // calls that failed: unavailable, refused
	Leases  uint64 `json:"leases"`  // taken
	Voids   uint64 `json:"voids"`   // leases whose Set found them void

	Linked bool   `json:"linked"` // whether changes of others are heard now
	Losses uint64 `json:"losses"` // how often the link was lost
	Events uint64 `json:"events"` // changes that were heard
}

type counters struct {
	hits, misses, failed, sets, deletes, damaged, errors, leases, voids, losses, events atomic.Uint64
}

// asked counts keys that were asked for, of which some were found.
func (c *counters) asked(keys, found int, err error) {
	c.hits.Add(uint64(found))
	rest := uint64(max(0, keys-found))
	if err == nil || errors.Is(err, store.ErrNotFound) {
		c.misses.Add(rest)
	} else {
		c.failed.Add(rest)
	}
}

// Stats returns the counts. They are read one after the other.
func (s *Store) Stats() Stats {
	c := &s.count
	hits, misses := c.hits.Load(), c.misses.Load()
	return Stats{
		Gets: hits + misses + c.failed.Load(), Hits: hits, Misses: misses, Sets: c.sets.Load(), Deletes: c.deletes.Load(),
		Damaged: c.damaged.Load(), Errors: c.errors.Load(), Leases: c.leases.Load(),
		Voids: c.voids.Load(), Linked: s.link.stands(), Losses: c.losses.Load(),
		Events: c.events.Load(),
	}
}
