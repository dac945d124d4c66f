// snapshot.go reports what guards, rings and tiers have counted.

package store

import "github.com/larder-go/larder/stats"

// Snapshot implements [stats.Source]. Calls are counted when they end. Those that say nothing
// against the store are ok: also what its caller gave up, and who waited for a lease when others
// failed.
func (g *Guard) Snapshot() stats.Snapshot {
	return stats.Snapshot{Name: g.name, Kind: stats.Guard, Samples: g.samples()}
}

func (g *Guard) samples() []stats.Sample {
	return []stats.Sample{
		stats.StoreCalls.Of("ok", float64(g.answered.Load())),
		stats.StoreCalls.Of("failed", float64(g.failed.Load())),
		stats.StoreCalls.Of("timeout", float64(g.timeouts.Load())),
		stats.StoreCalls.Of("skipped", float64(g.skipped.Load())),
		stats.BreakerOpen.Is(g.State().openness()),
		stats.BreakerOpened.Is(float64(g.breaker.times.Load())),
	}
}

// openness is how far from asked a store is, from 0 to 1.
func (s GuardState) openness() float64 {
	switch s {
	case GuardClosed:
		return 0
	case GuardHalfOpen:
		return 0.5
	}
	return 1
}

// Sources returns the nodes of this moment, in the order of their names: each is a part of its own.
func (r *Ring) Sources() []stats.Source {
	var all []stats.Source
	for _, n := range r.view.Load().nodes {
		all = append(all, ringSource{n, r.options.Name})
	}
	return all
}

// ringSource reports a node.
type ringSource struct {
	*ringNode
	ring string // its name
}

// Snapshot implements [stats.Source]. Keys that were asked for while the node was down have failed.
func (n ringSource) Snapshot() stats.Snapshot {
	s := stats.Snapshot{Name: n.name, Kind: stats.Ring}
	if n.ring != "" {
		s.Name = n.ring + "/" + n.name
	}
	s.Samples = append([]stats.Sample{
		stats.Requests.Of(stats.Hit, float64(n.hits.Load())),
		stats.Requests.Of(stats.Miss, float64(n.misses.Load())),
		stats.Requests.Of(stats.Failed, float64(n.missed.Load())),
		stats.Up.Is(stats.Truth(n.guard.State() == GuardClosed)),
	}, n.guard.samples()...)
	return s
}

// Snapshot implements [stats.Source]. Its hits are those of the fast store; what the slow one was
// asked for is a miss, or has failed, and counts once more as a request to the second level. The
// name is tiered. It is not linked before its first use.
func (t *Tiered) Snapshot() stats.Snapshot {
	n := t.Stats()
	s := stats.Snapshot{Name: "tiered", Kind: stats.Tiered, Samples: []stats.Sample{
		stats.Requests.Of(stats.Hit, float64(n.FastHits)),
		stats.Requests.Of(stats.Miss, float64(n.SlowHits+n.Misses)),
		stats.Requests.Of(stats.Failed, float64(n.Failed)),
		stats.Heard.Is(float64(n.Forgotten)),
		stats.Linked.Is(stats.Truth(t.linked.Load())),
		stats.StoreRequests.Of("hit", float64(n.SlowHits)),
		stats.StoreRequests.Of("miss", float64(n.Misses)),
		stats.StoreRequests.Of("error", float64(n.Failed)),
	}}
	if n.Suspect {
		s.Note = "the fast store is not asked until it was cleared: it failed to forget"
	}
	return s
}
