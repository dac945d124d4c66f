// pace.go knows how fast the viewer goes, and so how far ahead loads have to be.

package prefetch

import (
	"math"
	"time"
)

// patience is how many mean deviations from the mean a load is given to be in time. It covers one
// in twenty that waits four times as long; with 4, as TCP waits for an answer (RFC 6298), the
// stalls of the simulated shares were up to 2 % more.
const patience = 8

// pace is how fast the viewer goes. A rush is when asks come faster than loads and are given up at
// once: somebody holds the arrow key down. What comes next cannot be there in time then, but what
// comes some steps later can. The rush is over when somebody waits for longer than usual.
//
// It is pure: times are arguments.
type pace struct {
	asked, given time.Time // the last ask; the last time that somebody who waited was served

	gap   time.Duration // between asks, on average of the last few
	think time.Duration // from being served to the next ask: a low value of late
	rush  bool
}

// ask notes an ask for another item than the last.
func (p *pace) ask(now time.Time) {
	if !p.asked.IsZero() {
		p.learn(now.Sub(p.asked), min(now.Sub(p.asked), now.Sub(p.given)))
	}
	p.asked = now
}

// learn keeps to short thinking times quickly and forgets them slowly, so that a pause between
// quick looks does not count.
func (p *pace) learn(gap, think time.Duration) {
	if p.gap == 0 {
		p.gap, p.think = gap, think
		return
	}
	p.gap = (p.gap + gap) / 2
	p.think = min(think, p.think+(min(think, 2*p.think)-p.think)/16)
}

// serve notes that somebody who waited was served.
func (p *pace) serve(now time.Time) { p.given, p.rush = now, false }

// giveUp notes that somebody stopped waiting.
func (p *pace) giveUp() { p.rush = p.gap > 0 }

// calm returns when a rush is over if nobody asks until then.
func (p *pace) calm() time.Time { return p.asked.Add(2 * p.gap) }

// skip returns how many of the next steps are passed by before a load that begins now is there.
func (p *pace) skip(o *origin) int {
	switch {
	case !p.rush:
		return 0
	case !o.known():
		return foreseen
	}
	return int(min(math.Ceil(o.takes(1)/p.gap.Seconds()), foreseen))
}

// late tells whether an item may come too late unless its load is begun before the next step: it
// is asked for after so many steps more, and is the last of so many loads.
func (p *pace) late(o *origin, steps, loads int) bool {
	ready := o.takes(patience) + float64(loads-1)*o.transfer
	return !o.known() || p.think == 0 || float64(steps)*p.think.Seconds() < ready
}
