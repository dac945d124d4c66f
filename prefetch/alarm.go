// alarm.go has the plan looked at again when its time has come.

package prefetch

import "time"

// alarm is a timer that is set for the earliest of several times. It holds no goroutine until it
// goes off.
type alarm struct {
	timer *time.Timer // nil if none is set
	at    time.Time
}

// wakeLocked has the plan looked at again at a time, or before.
func (p *Prefetcher[K, V]) wakeLocked(at, now time.Time) {
	if p.closed || p.alarm.timer != nil && !at.Before(p.alarm.at) {
		return
	}
	p.silenceLocked()
	p.ended.Add(1)
	p.alarm = alarm{time.AfterFunc(max(at.Sub(now), 0), p.wake), at}
}

// silenceLocked takes the alarm back. If it goes off at this moment, wake finds that out.
func (p *Prefetcher[K, V]) silenceLocked() {
	if p.alarm.timer != nil && p.alarm.timer.Stop() {
		p.ended.Done()
	}
	p.alarm = alarm{}
}

// wake looks at the plan again. It may come late, for an alarm that was taken back: that does no
// harm.
func (p *Prefetcher[K, V]) wake() {
	defer p.ended.Done()
	now := time.Now()
	p.mu.Lock()
	defer p.unlock()
	if !now.Before(p.alarm.at) {
		p.alarm = alarm{}
	}
	if p.pace.rush && !now.Before(p.pace.calm()) {
		p.pace.rush = false
	}
	p.watchRushLocked(now)
	p.planLocked(now)
}

// watchRushLocked has the end of a rush noticed.
func (p *Prefetcher[K, V]) watchRushLocked(now time.Time) {
	if p.pace.rush {
		p.wakeLocked(p.pace.calm(), now)
	}
}
