// rush.go notices that somebody holds the arrow key down, and aims ahead.

package prefetch

import (
	"time"
)

// rush is when asks come faster than loads and are given up at once. What comes next cannot be
// there in time then, but what comes some steps later can. The rush is over when nobody has asked
// for twice the usual time.
//
// It is pure but for the timer that it holds: times are arguments.
type rush struct {
	on     bool
	last   time.Time     // of the asks
	gap    time.Duration // between two of them, on average of the last few
	given_ time.Time
	think  time.Duration
	timer  *time.Timer
	wake   time.Time
}

// ask notes an ask.
func (r *rush) ask(now time.Time) {
	gap := now.Sub(r.last)
	if !r.last.IsZero() {
		think := gap
		if r.given_.After(r.last) {
			think = now.Sub(r.given_)
		}
		if think < r.think || r.think == 0 {
			r.think = think
		} else {
			r.think += (min(think, 2*r.think) - r.think) / 16
		}
	}
	switch {
	case r.last.IsZero():
	case r.gap == 0:
		r.gap = gap
	default:
		r.gap = (r.gap + gap) / 2
	}
	r.last = now
}

// gaveUp notes that somebody stopped waiting.
func (r *rush) gaveUp() { r.on = r.gap > 0 }

// over tells whether the rush has ended, and if not, when to look again.
func (r *rush) over(now time.Time) (wait time.Duration, over bool) {
	wait = r.last.Add(2 * r.gap).Sub(now)
	return wait, wait <= 0
}

// skip returns how many of the next steps are passed by before a load that begins now is there.
func (r *rush) skip(o *origin) int {
	if !r.on || r.gap <= 0 {
		return 0
	}
	if !o.known() {
		return foreseen
	}
	return int(min(o.takes(1)/r.gap.Seconds(), foreseen-1)) + 1
}

// armLocked has the end of a rush noticed.
func (p *Prefetcher[K, V]) armLocked() {
	if p.rush.on {
		now := time.Now()
		wait, _ := p.rush.over(now)
		p.wakeLocked(now.Add(max(wait, 0)), now)
	}
}

func (p *Prefetcher[K, V]) wakeLocked(at, now time.Time) {
	if p.closed || p.rush.timer != nil && !at.Before(p.rush.wake) {
		return
	}
	if p.rush.timer == nil || !p.rush.timer.Stop() {
		p.ended.Add(1)
	}
	p.rush.wake = at
	p.rush.timer = time.AfterFunc(at.Sub(now), p.look)
}

// look ends a rush if it is over.
func (p *Prefetcher[K, V]) look() {
	defer p.ended.Done()
	now := time.Now()
	p.mu.Lock()
	defer p.unlock()
	if p.closed || p.rush.timer == nil || now.Before(p.rush.wake) {
		return
	}
	p.rush.timer = nil
	if _, over := p.rush.over(now); over {
		p.rush.on = false
	}
	p.planLocked(now)
	p.armLocked()
}

// stopTimerLocked ends the timer, or leaves it to end itself.
func (p *Prefetcher[K, V]) stopTimerLocked() {
	if p.rush.timer != nil && p.rush.timer.Stop() {
		p.ended.Done()
	}
	p.rush.timer = nil
}

func (r *rush) given(now time.Time) { r.given_ = now }

type due struct{ think, takes, transfer float64 }

func (r *rush) due(o *origin) due {
	return due{r.think.Seconds(), o.takes(8), o.transfer}
}

func (d due) late(i, loads int) bool {
	return d.think == 0 || d.takes == 0 || float64(i)*d.think < d.takes+float64(loads-1)*d.transfer
}
