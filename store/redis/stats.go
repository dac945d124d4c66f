// stats.go counts what a store does.

package redis

import "sync/atomic"

// Stats are the counts of one store since it was opened.
type Stats struct {
	Gets    uint64 `json:"gets"` // keys that were asked for
	Hits    uint64 `json:"hits"` // of them, those whose item was returned
	Sets    uint64 `json:"sets"` // items that were written
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
	gets, hits, sets, deletes, damaged, errors, leases, voids, losses, events atomic.Uint64
}

// Stats returns the counts. They are read one after the other.
func (s *Store) Stats() Stats {
	c := &s.count
	return Stats{
		Gets: c.gets.Load(), Hits: c.hits.Load(), Sets: c.sets.Load(), Deletes: c.deletes.Load(),
		Damaged: c.damaged.Load(), Errors: c.errors.Load(), Leases: c.leases.Load(),
		Voids: c.voids.Load(), Linked: s.link.stands(), Losses: c.losses.Load(),
		Events: c.events.Load(),
	}
}
