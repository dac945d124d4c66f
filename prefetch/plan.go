// plan.go says what should be there, in which order, and begins and cancels loads by that.

package prefetch

import (
	"math"
	"time"
)

// plan is what is wanted, most urgent first.
type plan[K comparable] struct {
	number  uint64 // counts the plans; a stamp with another number is out of date
	wishes  int
	missing []missing[K]
	certain bool // what comes first is no guess: it is visible, or was announced
}

// missing is a wish that no item and no flight fulfils.
type missing[K comparable] struct {
	key  K
	rank int
}

// stamp says on an item or a flight that a plan wants it, and after how many others.
type stamp struct {
	plan uint64
	rank int
}

// wants tells whether the plan wants what has that stamp.
func (p *plan[K]) wants(s stamp) bool { return s.plan == p.number && p.number > 0 }

// asked is the rank of what somebody waits for, or has just been given.
const asked = -1

// rank returns the place of a flight in the plan.
func (p *plan[K]) rank(s stamp, waiters int) int {
	switch {
	case waiters > 0:
		return asked
	case p.wants(s):
		return s.rank
	}
	return math.MaxInt
}

// state says what there is of a wish.
type state int

const (
	shown   state = iota // kept, and was asked for before
	unshown              // kept, loaded ahead
	coming               // being loaded
	absent
)

// planLocked makes a new plan and does what it says.
func (p *Prefetcher[K, V]) planLocked(now time.Time) {
	if p.closed {
		return
	}
	p.stampLocked()
	if p.waiting > 0 {
		p.giveWayLocked(now)
	}
	for _, m := range p.plan.missing {
		if !p.mayStartLocked(now) || !p.freeLocked(p.expectedWeight(m.key), m.rank) {
			return
		}
		if p.flights[m.key] == nil { // a plan may come to one key twice
			f := p.startLocked(p.stopped, m.key, now)
			f.wish = stamp{p.plan.number, m.rank}
			p.stats.Prefetches++
		}
	}
}

// mayStartLocked tells whether one load ahead more may begin. If it is only too early, the plan is
// looked at again in time.
func (p *Prefetcher[K, V]) mayStartLocked(now time.Time) bool {
	switch {
	case p.running.ending >= p.options.MaxWidth: // they do not heed their context
		return false
	case p.running.count == 0:
		return true
	case p.running.count >= p.widthLocked() || !p.origin.known():
		return false
	case p.plan.certain && !p.urgentLocked():
		return true
	}
	next := p.running.begun.Add(p.origin.spacing())
	if next.After(now) {
		p.wakeLocked(next, now)
		return false
	}
	return true
}

// widthLocked returns how many loads may run: as many as saturate the origin. Each of them begins
// when the transfer of the last one should be through, so that its latency passes meanwhile, but
// the next item does not share the wire with those after it. Where it is certain that what is
// loaded is needed, only the sum counts: one more runs, and they begin at once. While a load runs
// that somebody suddenly asked for, no more run than do not slow that one down.
func (p *Prefetcher[K, V]) widthLocked() int {
	w := max(math.Ceil(p.origin.width()), 2)
	switch {
	case p.urgentLocked():
		w = max(math.Floor(p.origin.width()), 1)
	case p.plan.certain:
		w++
	}
	return int(min(w, float64(p.options.MaxWidth)))
}

// urgentLocked tells whether somebody waits for a load that was begun just for that, and that
// nobody had announced.
func (p *Prefetcher[K, V]) urgentLocked() bool {
	if p.waiting == 0 {
		return false
	}
	for _, f := range p.flights {
		if f.waiters > 0 && f.sudden {
			return true
		}
	}
	return false
}

// giveWayLocked cancels what holds up those who wait: loads that nobody expects any more, and
// those that would slow an urgent one down.
func (p *Prefetcher[K, V]) giveWayLocked(now time.Time) {
	p.cancelUnwantedLocked(now)
	if p.pace.rush || !p.urgentLocked() {
		return
	}
	for p.running.count > p.widthLocked() {
		f := p.latestLocked()
		if f == nil {
			return
		}
		p.cancelLocked(f, now)
	}
}

// cancelUnwantedLocked cancels what the plan does not want and nobody waits for.
func (p *Prefetcher[K, V]) cancelUnwantedLocked(now time.Time) {
	for _, f := range p.flights {
		if f.waiters == 0 && !p.plan.wants(f.wish) {
			p.cancelLocked(f, now)
		}
	}
}

// latestLocked returns the flight that is wanted latest, nil if somebody waits for all of them.
func (p *Prefetcher[K, V]) latestLocked() (latest *flight[K, V]) {
	rank := asked
	for _, f := range p.flights {
		if r := p.plan.rank(f.wish, f.waiters); !f.stopped && r > rank {
			latest, rank = f, r
		}
	}
	return latest
}

// stampLocked makes a new plan: what is visible, what was announced, or else what is predicted,
// and what will be visible soon.
func (p *Prefetcher[K, V]) stampLocked() {
	p.plan.number++
	p.plan.wishes, p.plan.missing = 0, p.plan.missing[:0]
	p.wishRangeLocked(p.view.visible())
	p.plan.certain = len(p.expected)+len(p.plan.missing) > 0
	if len(p.expected) > 0 {
		p.wishExpectedLocked()
	} else {
		p.wishPredictedLocked()
	}
	p.wishRangeLocked(p.view.margin())
}

// reach is how many wishes there can be at most that have an effect.
func (p *Prefetcher[K, V]) reach() int {
	return len(p.kept) + len(p.flights) + p.options.MaxWidth
}

// wishExpectedLocked wishes for what was announced.
func (p *Prefetcher[K, V]) wishExpectedLocked() {
	for i, key := range p.expected[:min(len(p.expected), p.reach())] {
		if p.wishLocked(key) == absent && p.mayAhead(i) {
			p.lackLocked(key)
		}
	}
}

// mayAhead tells whether MaxAhead lets one more be loaded ahead, after so many others.
func (p *Prefetcher[K, V]) mayAhead(others int) bool {
	return p.options.MaxAhead == 0 || others < p.options.MaxAhead
}

// wishPredictedLocked wishes for what is predicted. As many are loaded as could else be late, and
// then as many as there is credit for. Beyond the depth to which the prediction is trusted, only
// what is there is kept. In a rush, what would come too late is left out. As long as there is not
// much to spare, something is loaded for the second best guess too.
func (p *Prefetcher[K, V]) wishPredictedLocked() {
	path, depth := p.predictor.ahead()
	from := p.pace.skip(&p.origin)
	p.stats.Depth = depth
	var s stock
	allowed := len(p.plan.missing)
	for i, position := range path[:min(len(path), from+p.reach())] {
		key, state := p.wishAtLocked(position)
		s.count(state)
		if state == absent && i >= from && i < from+depth && p.mayAhead(s.unshown-1) {
			p.lackLocked(key)
		}
		if state >= coming && p.pace.late(&p.origin, i, s.loads) {
			allowed, s.spare = len(p.plan.missing), 0
		} else if s.spare <= int(p.credit) {
			allowed = len(p.plan.missing)
		}
	}
	p.plan.missing = p.plan.missing[:allowed]
	if s.spare <= max(int(p.credit), 2) && depth > 0 && !p.pace.rush {
		p.wishAsideLocked()
	}
}

// stock counts what there is of a path.
type stock struct {
	loads   int // not there yet
	unshown int // loaded ahead, being loaded, or absent
	spare   int // of those, beyond what could else be late
}

func (s *stock) count(found state) {
	if found >= unshown {
		s.unshown++
		s.spare++
	}
	if found >= coming {
		s.loads++
	}
}

// wishAsideLocked wishes for the first that is not there yet if the viewer goes the other way.
func (p *Prefetcher[K, V]) wishAsideLocked() {
	for _, position := range p.predictor.aside {
		key, state := p.wishAtLocked(position)
		if state == absent && p.mayAhead(0) {
			p.lackLocked(key)
		}
		if state != shown {
			return
		}
	}
}

// wishRangeLocked wishes for all from one position to another, whichever is greater.
func (p *Prefetcher[K, V]) wishRangeLocked(from, to int, ok bool) {
	step := 1
	if to < from {
		step = -1
	}
	for i := from; ok; i += step {
		key, inside := p.order.At(i)
		if !inside {
			return
		}
		if p.wishLocked(key) == absent {
			p.lackLocked(key)
		}
		ok = i != to
	}
}

// wishAtLocked wishes for what is at a position, which the predictor has found to exist.
func (p *Prefetcher[K, V]) wishAtLocked(position int) (K, state) {
	key, _ := p.order.At(position)
	return key, p.wishLocked(key)
}

// wishLocked adds a wish to the plan, and returns what there is of it. What was wished for before
// counts as shown: it is not to be loaded once more.
func (p *Prefetcher[K, V]) wishLocked(key K) state {
	s := stamp{p.plan.number, p.plan.wishes}
	p.plan.wishes++
	i := p.kept[key]
	if i == nil {
		return p.wishFlightLocked(key, s)
	}
	if p.plan.wants(i.wish) {
		return shown
	}
	if i.wish = s; i.ahead {
		return unshown
	}
	return shown
}

// wishFlightLocked is wishLocked for what is not kept.
func (p *Prefetcher[K, V]) wishFlightLocked(key K, s stamp) state {
	f := p.flights[key]
	switch {
	case f == nil:
		return absent
	case p.plan.wants(f.wish):
		return shown
	}
	f.wish = s
	return coming
}

// lackLocked adds the last wish to what is to be loaded, unless that has failed before.
func (p *Prefetcher[K, V]) lackLocked(key K) {
	if _, bad := p.failed[key]; !bad {
		p.plan.missing = append(p.plan.missing, missing[K]{key, p.plan.wishes - 1})
	}
}

// earned is the part of an item that may be loaded ahead beyond what is needed in time, for each
// that was loaded ahead and used: so no more than an eighth of what is loaded is wasted for that.
const earned = 1.0 / 8

// usedLocked counts an item that was loaded ahead and asked for then.
func (p *Prefetcher[K, V]) usedLocked() {
	p.stats.Used++
	p.credit = min(p.credit+earned, foreseen)
}

// wastedLocked counts an item that was loaded ahead for nothing.
func (p *Prefetcher[K, V]) wastedLocked() {
	p.stats.Wasted++
	p.credit = max(p.credit-1, 0)
}
