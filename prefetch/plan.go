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
}

// missing is a wish that no item and no flight fulfils.
type missing[K comparable] struct {
	key  K
	rank int
}

// stamp says on an item or a flight that a plan wants it.
type stamp struct {
	plan uint64
	rank int
}

func (p *plan[K]) wants(s stamp) bool { return s.plan == p.number && p.number > 0 }

// rank returns the place of a stamp in the plan.
func (p *plan[K]) rank(s stamp) int {
	if p.wants(s) {
		return s.rank
	}
	return math.MaxInt
}

func (i *item[K, V]) rank(p *plan[K]) int { return p.rank(i.wish) }

func (f *flight[K, V]) rank(p *plan[K]) int {
	if f.waiters > 0 {
		return asked
	}
	return p.rank(f.wish)
}

// planLocked makes a new plan and does what it says.
func (p *Prefetcher[K, V]) planLocked(now time.Time) {
	if p.closed {
		return
	}
	p.stampLocked()
	if p.waiting > 0 {
		p.giveWayLocked()
	}
	for _, m := range p.plan.missing {
		if p.running.count >= p.widthLocked() {
			return
		}
		if next := p.origin.after(p.running.launched); p.running.count > 0 && next.After(now) {
			p.wakeLocked(next, now)
			return
		}
		if !p.freeLocked(p.expectedWeight(m.key), m.rank) {
			return
		}
		if p.flights[m.key] == nil {
			f := p.startLocked(p.stopped, m.key, now)
			f.wish = stamp{p.plan.number, m.rank}
			p.stats.Prefetches++
		}
	}
}

// widthLocked returns how many loads may run. While somebody waits, no more than do not slow that
// one down; else as many as are faster than fewer.
func (p *Prefetcher[K, V]) widthLocked() int {
	w := p.origin.width()
	if p.freshLocked() {
		w = max(math.Floor(w), 1)
	} else {
		w = max(math.Ceil(w), 2)
	}
	return int(min(w, float64(p.options.MaxWidth)))
}

// giveWayLocked cancels what holds up those who wait: loads that nobody expects any more, and where
// a load was begun just for them, all that would slow it down.
func (p *Prefetcher[K, V]) giveWayLocked() {
	for _, f := range p.flights {
		if f.waiters == 0 && !p.plan.wants(f.wish) {
			p.cancelLocked(f)
		}
	}
	for p.freshLocked() && !p.rush.on && p.running.count > p.widthLocked() {
		f := p.latestLocked()
		if f == nil {
			return
		}
		p.cancelLocked(f)
	}
}

// stampLocked makes a new plan: what is visible, what was announced, or else what is predicted, and
// what will be visible soon.
func (p *Prefetcher[K, V]) stampLocked() {
	p.plan.number++
	p.plan.wishes, p.plan.missing = 0, p.plan.missing[:0]
	p.view.visible(p.order, p.wishLocked)
	if len(p.expected) > 0 {
		p.wishExpectedLocked()
	} else {
		p.wishPredictedLocked()
	}
	p.view.margin(p.order, p.wishLocked)
}

// reach is how many wishes there can be at most that have an effect.
func (p *Prefetcher[K, V]) reach() int {
	return len(p.kept) + len(p.flights) + p.options.MaxWidth
}

// wishExpectedLocked wishes for what was announced.
func (p *Prefetcher[K, V]) wishExpectedLocked() {
	for i, key := range p.expected[:min(len(p.expected), p.reach())] {
		p.wishLocked(key, p.mayAhead(i))
	}
}

// wishPredictedLocked wishes for what is predicted. Beyond the depth that is worth a load, what is
// there is kept still. In a rush, what would come too late is not worth a load.
func (p *Prefetcher[K, V]) wishPredictedLocked() {
	path, depth := p.predictor.ahead()
	from := p.rush.skip(&p.origin)
	p.stats.Depth = depth
	due := p.rush.due(&p.origin)
	allowed, loads, unseen := len(p.plan.missing), 0, 0
	for i, position := range path[:min(len(path), from+p.reach())] {
		key, ok := p.order.At(position)
		if !ok {
			break
		}
		found := p.wishLocked(key, i >= from && i < from+depth && p.mayAhead(i))
		if found >= unseenKept {
			unseen++
		}
		if found >= flying {
			loads++
			if due.late(i, loads) {
				allowed, unseen = len(p.plan.missing), 0
			}
		}
		if unseen <= int(p.credit) {
			allowed = len(p.plan.missing)
		}
	}
	p.plan.missing = p.plan.missing[:allowed]
	if unseen > max(int(p.credit), 2) || p.rush.on {
		return
	}
	for _, position := range p.predictor.aside {
		key, ok := p.order.At(position)
		if !ok || p.wishLocked(key, depth > 0) != seenKept {
			return
		}
	}
}

type found int

const (
	seenKept found = iota
	unseenKept
	flying
	absent
)

// mayAhead tells whether MaxAhead lets the wish that comes after so many others be loaded.
func (p *Prefetcher[K, V]) mayAhead(others int) bool {
	return p.options.MaxAhead == 0 || others < p.options.MaxAhead
}

// wishLocked adds a wish to the plan: to keep what is there, and perhaps to load what is not.
func (p *Prefetcher[K, V]) wishLocked(key K, load bool) found {
	s := stamp{p.plan.number, p.plan.wishes}
	p.plan.wishes++
	if i := p.kept[key]; i != nil {
		if !p.plan.wants(i.wish) {
			i.wish = s
			if i.ahead {
				return unseenKept
			}
		}
		return seenKept
	}
	if f := p.flights[key]; f != nil {
		if !p.plan.wants(f.wish) {
			f.wish = s
			return flying
		}
		return seenKept
	}
	if _, bad := p.failed[key]; load && !bad {
		p.plan.missing = append(p.plan.missing, missing[K]{key, s.rank})
		return absent
	}
	return absent
}

func (p *Prefetcher[K, V]) freshLocked() bool {
	if p.waiting == 0 {
		return false
	}
	for _, f := range p.flights {
		if f.waiters > 0 && f.fresh {
			return true
		}
	}
	return false
}

const earned = 1.0 / 8
