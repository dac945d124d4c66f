// advice.go says in sentences what the numbers of a part mean for its owner.

package stats

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Advice is one thing that the numbers say, for people.
type Advice struct {
	About Topic  `json:"about"`
	Level Level  `json:"level"`
	Text  string `json:"text"` // one or two sentences
}

// Topic is what an advice is about.
type Topic string

// The topics.
const (
	AboutUse    Topic = "use"    // whether the cache is worth having
	AboutSize   Topic = "size"   // whether it should be larger or smaller
	AboutPolicy Topic = "policy" // whether another policy would do better
	AboutTTL    Topic = "ttl"    // whether entries live long enough
	AboutLoads  Topic = "loads"  // what misses cost
	AboutStore  Topic = "store"  // whether the second level works
)

// Level is how much an advice matters.
type Level string

// The levels.
const (
	Good Level = "good" // nothing to do
	Hint Level = "hint" // something could be better
	Warn Level = "warn" // something is wrong
)

// Advise says what the numbers of a part mean, what matters most first. curve is nil where there is
// none. It is a pure function of its arguments, and says nothing that they do not show.
func Advise(s Snapshot, curve *Curve) []Advice {
	var all []Advice
	for _, rule := range []func(Snapshot, *Curve) (Advice, bool){
		adviseOnStore, adviseOnLink, adviseOnWrites, adviseOnDamage, adviseOnRefused,
		adviseOnErrors, adviseOnUse, adviseOnTTL, adviseOnDeletes, adviseOnSize, adviseOnPolicy,
		adviseOnNew, adviseOnNotKept, adviseOnPrefetches, adviseOnStale, adviseOnCoalesced,
	} {
		if a, ok := rule(s, curve); ok {
			all = append(all, a)
		}
	}
	rank := map[Level]int{Warn: 0, Hint: 1, Good: 2}
	slices.SortStableFunc(all, func(a, b Advice) int {
		return cmp.Compare(rank[a.Level], rank[b.Level])
	})
	return all
}

// Limits from which on the numbers mean something. They are a matter of judgement.
const (
	fewRequests = 1000  // before them nothing is said of use
	fewMisses   = 100   // before them nothing is said of why
	useless     = 0.01  // a hit ratio below it saves nothing
	worthMore   = 0.02  // what twice the size must gain to be worth it
	worthLess   = 0.005 // what half the size may cost
	worthOther  = 0.005 // what another policy must gain
	roomy       = 0.5   // a share of the room below which it is too much
)

func value(s Snapshot, m Metric, label string) float64 {
	v, _ := s.Value(m, label)
	return v
}

func adviseOnStore(s Snapshot, _ *Curve) (Advice, bool) {
	if open, ok := s.Value(BreakerOpen, ""); ok && open > 0 {
		return Advice{AboutStore, Warn, "The store fails and is left alone: every miss goes to the" +
			" origin until it answers again."}, true
	}
	if up, ok := s.Value(Up, ""); ok && up == 0 {
		return Advice{AboutStore, Warn, "It does not answer."}, true
	}
	failed, asked := value(s, StoreRequests, "error"), s.Sum(StoreRequests)
	if failed > 0 && failed >= asked/100 {
		return Advice{AboutStore, Warn, fmt.Sprintf("%s of %s requests to the store failed.",
			count(failed), count(asked))}, true
	}
	return Advice{}, false
}

func adviseOnLink(s Snapshot, _ *Curve) (Advice, bool) {
	linked, ok := s.Value(Linked, "")
	return Advice{AboutStore, Warn, "Changes by others are not heard now: entries live only for" +
		" a moment, so that nothing old is served."}, ok && linked == 0
}

func adviseOnWrites(s Snapshot, _ *Curve) (Advice, bool) {
	lost := value(s, Lost, "")
	return Advice{AboutStore, Warn, fmt.Sprintf("%s values never reached the origin: writing behind"+
		" gave them up.", count(lost))}, lost > 0
}

func adviseOnDamage(s Snapshot, _ *Curve) (Advice, bool) {
	damaged := value(s, StoreDamaged, "")
	return Advice{AboutStore, Warn, fmt.Sprintf("%s stored values were damaged or somebody else's:"+
		" look who writes there.", count(damaged))}, damaged > 0
}

func adviseOnRefused(s Snapshot, _ *Curve) (Advice, bool) {
	refused := value(s, Refused, "")
	return Advice{AboutSize, Warn, fmt.Sprintf("%s values were heavier than all the room there is,"+
		" and are loaded each time.", count(refused))}, refused > 0
}

func adviseOnErrors(s Snapshot, _ *Curve) (Advice, bool) {
	failed, loads := value(s, Loads, LoadError), s.Sum(Loads)
	return Advice{AboutLoads, Warn, fmt.Sprintf("%s of %s loads failed.", count(failed),
		count(loads))}, loads >= 10 && failed > loads/10
}

// adviseOnUse says whether a part is worth having.
func adviseOnUse(s Snapshot, _ *Curve) (Advice, bool) {
	ratio, ok := s.HitRatio()
	all := s.Sum(Requests)
	if !ok {
		return Advice{}, false
	}
	hits := count(ratio * all)
	switch saved := s.Saved(); {
	case all < fewRequests:
		return Advice{AboutUse, Good, fmt.Sprintf("%s requests are too few to judge by.",
			count(all))}, true
	case ratio < useless:
		return Advice{AboutUse, Warn, fmt.Sprintf("It saves nothing: %s hits in %s requests.", hits,
			count(all))}, true
	case saved > 0:
		return Advice{AboutUse, Good, fmt.Sprintf("It answered %s of %s requests and saved about %s"+
			" of loading.", percent(ratio), count(all), long(saved))}, true
	}
	return Advice{AboutUse, Good, fmt.Sprintf("It answered %s of %s requests.", percent(ratio),
		count(all))}, true
}

// adviseOnTTL says whether entries live long enough.
func adviseOnTTL(s Snapshot, _ *Curve) (Advice, bool) {
	share, ok := shareOfMisses(s, MissExpired)
	return Advice{AboutTTL, Hint, fmt.Sprintf("%s of misses are expiries: the TTL is too short for"+
		" how often this is read.", percent(share))}, ok && share >= 0.5
}

func adviseOnDeletes(s Snapshot, _ *Curve) (Advice, bool) {
	share, ok := shareOfMisses(s, MissDeleted)
	return Advice{AboutTTL, Hint, fmt.Sprintf("%s of misses ask for what was deleted: delete fewer"+
		" keys at a time, or refresh them instead.", percent(share))}, ok && share >= 0.5
}

// adviseOnNew says that no size would help.
func adviseOnNew(s Snapshot, _ *Curve) (Advice, bool) {
	share, ok := shareOfMisses(s, MissNew)
	return Advice{AboutUse, Good, fmt.Sprintf("%s of misses ask for something that was never there:"+
		" only warming or prefetching helps against those.", percent(share))}, ok && share >= 0.8
}

// shareOfMisses returns the share of misses with a reason; ok is false if there are too few.
func shareOfMisses(s Snapshot, reason string) (share float64, ok bool) {
	all := s.Sum(Misses)
	ratio, _ := s.HitRatio()
	if all < fewMisses || ratio > 0.99 {
		return 0, false
	}
	return value(s, Misses, reason) / all, true
}

// adviseOnSize says whether a part should be larger or smaller.
func adviseOnSize(s Snapshot, curve *Curve) (Advice, bool) {
	used, limit := value(s, Weight, ""), value(s, WeightLimit, "")
	if limit == 0 {
		used, limit = value(s, Bytes, ""), value(s, BytesLimit, "")
	}
	if limit > 0 && used < roomy*limit && value(s, Departures, LeftRoom) == 0 {
		return Advice{AboutSize, Good, fmt.Sprintf("It uses %s of its room, and nothing had to leave"+
			" for room yet.", percent(used/limit))}, true
	}
	if curve == nil {
		return Advice{}, false
	}
	half, ok1 := curve.At(0.5)
	twice, ok2 := curve.At(2)
	if !ok1 || !ok2 {
		return Advice{}, false
	}
	costs, gains := curve.Ratio-half, twice-curve.Ratio
	text := fmt.Sprintf("Half the size costs %s; twice gains %s.", points(costs), points(gains))
	switch {
	case gains >= worthMore:
		return Advice{AboutSize, Hint, text + " It should be larger."}, true
	case costs <= worthLess:
		return Advice{AboutSize, Hint, text + " It could be smaller."}, true
	}
	return Advice{AboutSize, Good, text}, true
}

// adviseOnPolicy says whether another policy would do better.
func adviseOnPolicy(_ Snapshot, curve *Curve) (Advice, bool) {
	if curve == nil || len(curve.Policies) == 0 {
		return Advice{}, false
	}
	if best := curve.Best(worthOther); best.Policy != curve.Policy {
		return Advice{AboutPolicy, Hint, fmt.Sprintf("%s would gain %s here.", best.Policy,
			points(best.Ratio-curve.Ratio))}, true
	}
	return Advice{AboutPolicy, Good, fmt.Sprintf("No other policy would gain as much as %s.",
		points(worthOther))}, true
}

// adviseOnNotKept names the most frequent reason for not keeping something.
func adviseOnNotKept(s Snapshot, _ *Curve) (Advice, bool) {
	var most Sample
	for _, sample := range s.Samples {
		if sample.Metric == NotKept.Name && sample.Value > most.Value {
			most = sample
		}
	}
	return Advice{AboutUse, Hint, fmt.Sprintf("%s results were not kept, most of them for this reason:"+
		" %s.", count(s.Sum(NotKept)), most.Label)}, most.Value >= fewMisses
}

func adviseOnPrefetches(s Snapshot, _ *Curve) (Advice, bool) {
	used, wasted := value(s, Prefetches, "used"), value(s, Prefetches, "wasted")
	return Advice{AboutLoads, Hint, fmt.Sprintf("%s items were loaded ahead and never asked for, %s"+
		" were.", count(wasted), count(used))}, wasted >= fewMisses && wasted > used
}

func adviseOnStale(s Snapshot, _ *Curve) (Advice, bool) {
	served, all := value(s, StaleUsed, ""), s.Sum(Requests)
	return Advice{AboutLoads, Hint, fmt.Sprintf("%s of %s requests got a stale value: refreshes do not"+
			" keep up, or the origin fails.", count(served), count(all))},
		all >= fewRequests && served > all/10
}

func adviseOnCoalesced(s Snapshot, _ *Curve) (Advice, bool) {
	n := value(s, Requests, Coalesced)
	return Advice{AboutLoads, Good, fmt.Sprintf("%s loads were spared since another was under way.",
		count(n))}, n >= fewMisses
}

// count writes a number with its thousands apart.
func count(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// points writes a difference of ratios.
func points(d float64) string {
	if d = max(d, 0); fmt.Sprintf("%.1f", 100*d) == "1.0" {
		return "1.0 point"
	}
	return fmt.Sprintf("%.1f points", 100*d)
}

// long writes a duration that may be long.
func long(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return short(d)
}
