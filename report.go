// report.go tells what a cache has counted in the words that all parts share.

package larder

import (
	"fmt"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/store"
)

// Snapshot implements [stats.Source]: the numbers of Stats, and what the cache predicts of itself if
// Options.Observe is set. Each request is counted in one series of stats.Requests.
func (c *Cache[K, V]) Snapshot() stats.Snapshot {
	s := c.Stats()
	durations := c.loaded.durations.Histogram()
	r := stats.Snapshot{
		Name: s.Name, Kind: stats.Memory, Policy: nameOf(c.engine.options.Policy),
		Durations: durations,
	}
	r.Samples = append(samplesOf(s), c.samplesOfTier(s)...)
	r.Samples = append(r.Samples, c.samplesOfWriting(s)...)
	r.Samples = append(r.Samples, c.samplesOfObserver()...)
	r.Samples = append(r.Samples, stats.TimeSaved.Is(r.Saved().Seconds()))
	return r
}

// samplesOf reports what every cache has.
func samplesOf(s Stats) []stats.Sample {
	n := func(x uint64) float64 { return float64(x) }
	fresh := s.Hits - min(s.StaleHits+s.Negative, s.Hits)
	led := s.Misses - min(s.Coalesced, s.Misses)
	ok := s.Loads - min(s.Absent+s.LoadErrors, s.Loads)
	return []stats.Sample{
		stats.Requests.Of(stats.Hit, n(fresh)),
		stats.Requests.Of(stats.Stale, n(s.StaleHits)),
		stats.Requests.Of(stats.Negative, n(s.Negative)),
		stats.Requests.Of(stats.Coalesced, n(s.Misses-led)),
		stats.Requests.Of(stats.Miss, n(led)),
		stats.Loads.Of(stats.LoadOK, n(ok)),
		stats.Loads.Of(stats.LoadAbsent, n(s.Absent)),
		stats.Loads.Of(stats.LoadError, n(s.LoadErrors)),
		stats.Departures.Of(stats.LeftRoom, n(s.Evicted)),
		stats.Departures.Of(stats.LeftExpired, n(s.Expired)),
		stats.Departures.Of(stats.LeftReplaced, n(s.Replaced)),
		stats.Departures.Of(stats.LeftDeleted, n(s.Deleted-s.DeletedByTag)),
		stats.Departures.Of(stats.LeftTag, n(s.DeletedByTag)),
		stats.Departures.Of(stats.LeftCleared, n(s.Cleared)),
		stats.Entries.Is(float64(s.Entries)),
		stats.Weight.Is(float64(s.Weight)),
		stats.WeightLimit.Is(float64(s.Max)),
		stats.Refused.Is(n(s.Refused)),
		stats.StaleUsed.Is(n(s.Stale)),
		stats.Refreshes.Is(n(s.Refreshes)),
	}
}

// samplesOfTier reports what a cache has that hears of others.
func (c *Cache[K, V]) samplesOfTier(s Stats) (all []stats.Sample) {
	if len(c.stops) > 0 {
		all = append(all,
			stats.Heard.Is(float64(s.Heard)), stats.Linked.Is(stats.Truth(s.Linked)))
	}
	if c.tier == nil {
		return all
	}
	g := c.tier.store.Stats()
	return append(all,
		stats.StoreRequests.Of("hit", float64(s.StoreHits)),
		stats.StoreRequests.Of("miss", float64(s.StoreMisses)),
		stats.StoreRequests.Of("error", float64(s.StoreErrors)),
		stats.StoreDamaged.Is(float64(s.StoreDamaged)),
		stats.StoreVoided.Is(float64(s.StoreVoided)),
		stats.BreakerOpen.Is(opened(g.State)),
		stats.BreakerOpened.Is(float64(g.Opened)),
	)
}

// opened is 1 for a store that is left alone, and one half while it is probed.
func opened(s store.GuardState) float64 {
	switch s {
	case store.GuardOpen:
		return 1
	case store.GuardClosed:
		return 0
	}
	return 0.5
}

func (c *Cache[K, V]) samplesOfWriting(s Stats) []stats.Sample {
	if c.behind == nil {
		return nil
	}
	return []stats.Sample{
		stats.Waiting.Is(float64(s.Waiting)), stats.Lost.Is(float64(s.Lost)),
	}
}

// samplesOfObserver reports what a cache knows that observes itself.
func (c *Cache[K, V]) samplesOfObserver() (all []stats.Sample) {
	o := c.engine.observer
	if o == nil {
		return nil
	}
	reasons := o.Reasons()
	for i, label := range labelsOfReasons {
		all = append(all, stats.Misses.Of(label, float64(reasons[i])))
	}
	curve, ok := c.Curve()
	if !ok {
		return all
	}
	for _, p := range curve.Points {
		all = append(all, stats.Predicted.Of(factorText(p.Factor), p.Ratio))
	}
	for _, p := range curve.Policies {
		all = append(all, stats.PredictedPolicy.Of(p.Policy, p.Ratio))
	}
	return append(all, stats.Observed.Is(float64(curve.Seen)))
}

// labelsOfReasons are the series of stats.Misses, by reason.
var labelsOfReasons = [...]string{
	shadow.New: stats.MissNew, shadow.Evicted: stats.MissEvicted,
	shadow.Expired: stats.MissExpired, shadow.Deleted: stats.MissDeleted,
	shadow.Failed: stats.MissFailed,
}

// Curve returns what the hit ratio would be at other sizes and with other policies, estimated from
// requests for some of the keys (Waldspurger et al., ATC 2017), and what it is. ok is false without
// Options.Observe, and while too little was seen. Every size stands for the policy that the cache
// has. It works off what was noted and not yet looked at, which takes some milliseconds at most.
func (c *Cache[K, V]) Curve() (_ stats.Curve, ok bool) {
	o := c.engine.observer
	if o == nil {
		return stats.Curve{}, false
	}
	found, ok := o.Curve()
	if !ok {
		return stats.Curve{}, false
	}
	curve := stats.Curve{
		Policy: nameOf(c.engine.options.Policy), Size: int64(c.engine.bound.Load()),
		Weighed: c.engine.options.Weigh != nil, Ratio: found.Actual, Seen: found.Seen,
		Rate: found.Part,
	}
	for _, e := range found.Sizes {
		size := max(int64(float64(curve.Size)*e.Factor), 1)
		curve.Points = append(curve.Points, stats.Point{Size: size, Factor: e.Factor, Ratio: e.Ratio})
	}
	for _, e := range found.Policies {
		curve.Policies = append(curve.Policies, stats.PolicyPoint{Policy: e.Policy, Ratio: e.Ratio})
	}
	return curve, true
}

// Advice says in sentences what the numbers mean and what to change, what matters most first.
func (c *Cache[K, V]) Advice() []stats.Advice {
	if curve, ok := c.Curve(); ok {
		return stats.Advise(c.Snapshot(), &curve)
	}
	return stats.Advise(c.Snapshot(), nil)
}

// factorText writes a factor of the size as in 0.5x.
func factorText(factor float64) string { return fmt.Sprintf("%gx", factor) }
