// queue.go hands events to whoever works them off, and keeps that within the budget.

package shadow

import "time"

// event is what happened to a key: its hash above, then what, then a weight.
type event uint64

type kind uint64

const (
	hit kind = iota
	miss
	loaded // a value came, whose key was not there
	set    // a value came over another
	deleted
	cleared
	requests // of any key, since the last such event; their number is its weight
)

const weightBits = 29

func eventOf(what kind, hash, weight uint32) event {
	return event(hash)<<32 | event(what)<<weightBits | event(min(weight, 1<<weightBits-1))
}

func (e event) hash() uint32   { return uint32(e >> 32) }
func (e event) kind() kind     { return kind(e>>weightBits) & 7 }
func (e event) weight() uint32 { return uint32(e) & (1<<weightBits - 1) }

// enqueue adds events and returns how many wait. Where there is no room they are dropped, and so are
// all that come until the others are worked off: a short time without a gap tells more than a long
// one that is full of them.
func (o *Observer) enqueue(events ...event) (waiting int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended.Load() {
		return 0
	}
	if len(o.queue)+len(events) > most {
		o.loseLocked()
	}
	if o.gap {
		return len(o.queue)
	}
	if o.queue == nil {
		o.queue = make([]event, 0, wakes)
	}
	if o.marked == 0 { // the first after some are missing
		o.marked = o.totalNow() - uint64(len(events))
	}
	o.queue = append(o.queue, events...)
	if o.unmarked += len(events); o.unmarked >= together {
		o.markLocked()
	}
	if len(o.queue) >= wakes && !o.working {
		o.working = true
		go o.workAll()
	}
	return len(o.queue)
}

// markLocked queues how many requests there were since it last did.
func (o *Observer) markLocked() {
	if o.marked == 0 || o.unmarked == 0 {
		return
	}
	now := o.totalNow()
	n := min(now-o.marked, 1<<weightBits-1)
	o.queue = append(o.queue, eventOf(requests, 0, uint32(n)))
	o.marked, o.unmarked = now, 0
}

// totalNow returns how many requests there were.
func (o *Observer) totalNow() uint64 {
	hits, misses := o.host.Totals()
	return hits + misses
}

// loseLocked notes that events are missing from now on, until those that wait are worked off.
func (o *Observer) loseLocked() {
	if !o.gap {
		o.markLocked()
	}
	o.marked, o.unmarked = 0, 0
	o.gap = o.gap || len(o.queue) > 0
	o.doubt = o.doubt || !o.gap
}

// workAll works off what there is.
func (o *Observer) workAll() {
	for o.workOff(together) {
	}
	o.mu.Lock()
	o.working = false
	o.mu.Unlock()
}

// workOff works off up to n events, and tells whether there were any.
func (o *Observer) workOff(n int) bool {
	o.work.Lock()
	events, doubt := o.dequeue(n)
	began := time.Now()
	if doubt {
		o.panel.Doubt()
	}
	changed := o.process(events)
	cost := o.costOf(time.Since(began), len(events))
	o.work.Unlock()
	if len(events) > 0 {
		o.pay(cost)
	}
	if changed {
		o.listen()
	}
	return len(events) > 0
}

// dequeue takes up to n events; doubt tells that some are missing before them. It is called with the
// work.
func (o *Observer) dequeue(n int) (events []event, doubt bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n = min(n, len(o.queue))
	events = append(o.spare[:0], o.queue[:n]...)
	o.spare = events
	o.queue = o.queue[:copy(o.queue, o.queue[n:])]
	doubt = o.doubt
	o.doubt = false
	if o.gap && len(o.queue) == 0 {
		o.gap, o.doubt = false, true
	}
	return events, doubt
}

// costOf returns what n events have cost that took some time. Who loses the processor meanwhile is
// not to pay for it: an event counts for a few times as much as the cheapest lately.
func (o *Observer) costOf(took time.Duration, n int) time.Duration {
	if n == 0 {
		return 0
	}
	each := took / time.Duration(n)
	if n >= batch {
		o.unit += o.unit/64 + 1 // what it was need not be what it is
		if each < o.unit || o.unit == 1 {
			o.unit = each
		}
	}
	return min(took, time.Duration(n)*min(max(dearer*o.unit, time.Microsecond), dearest))
}

const (
	// dearer is how many times as much an event may cost as the cheapest.
	dearer = 3
	// dearest is what an event is reckoned at most, on a slow machine: else what may be spent would
	// be gone before the copies are filled.
	dearest = 8 * time.Microsecond
)

// process leads events through the panel. It is called with the work, and tells whether the host
// should be told anew what is wanted.
func (o *Observer) process(events []event) (changed bool) {
	changed = o.reshape()
	now := o.now()
	for _, e := range events {
		changed = o.note(e, now) || changed
	}
	o.fade()
	return changed
}

func (o *Observer) note(e event, now uint32) (changed bool) {
	h := e.hash()
	if e.kind() == hit {
		changed = o.hot.hit(h)
	}
	if o.record != nil {
		o.record.note(e)
	}
	if e.kind() == requests {
		o.panel.Seen(uint64(e.weight()))
		return changed
	}
	missing := o.closed.Load() && o.panel.warm > 0 // what waited when it closed still counts
	if missing || !o.panel.Wants(h) && e.kind() != cleared {
		return changed
	}
	switch e.kind() {
	case hit:
		o.panel.Hit(h, now)
	case miss:
		o.panel.Miss(h, now)
	case loaded, set:
		o.panel.Put(h, max(e.weight(), 1), now, How(e.kind() == set))
	case deleted:
		o.panel.Delete(h)
	case cleared:
		o.renew(o.panel.cache.Max, o.panel.cache.Entries)
	}
	return changed
}

// fade lets the past count half, now and then.
func (o *Observer) fade() {
	if o.panel.seen*o.panel.share.part() > fades {
		o.panel.Fade()
		recentHits, recentMisses := o.recent()
		o.base.hits += recentHits / 2
		o.base.misses += recentMisses / 2
	}
}

// reshape begins anew where the cache has become another: it was resized, or holds far more or fewer
// entries than was thought. It does so too where no tick is left.
func (o *Observer) reshape() bool {
	max, used, count := o.host.Shape()
	c := &o.panel.cache
	entries := c.Entries
	if !c.Weighed {
		entries = max
	} else if count >= tiny && used > 0 {
		entries = uint64(float64(count) * float64(max) / float64(used))
	}
	old := o.now() == lastTick
	if max == c.Max && entries <= 2*c.Entries && 2*entries >= c.Entries && !old {
		return false
	}
	o.began = time.Now()
	o.renew(max, entries)
	o.panel.Doubt()
	return true
}

// pay notes what observing has cost, and stops for a while if that was too much.
func (o *Observer) pay(cost time.Duration) {
	o.mu.Lock()
	now := time.Now()
	earned := min(now.Sub(o.paid)/costShare, reopens)
	o.paid = now
	o.mu.Unlock()
	left := o.earned.Add(int64(earned - cost))
	switch {
	case left < 0 && !o.closed.Load():
		o.shut(time.Duration(-left))
	case left > int64(savings): // else a long quiet time would be followed by a busy one
		o.earned.Store(int64(savings))
	}
}

// shut stops listening until enough time is earned.
func (o *Observer) shut(debt time.Duration) {
	o.mu.Lock()
	o.loseLocked()
	if !o.closed.Swap(true) && !o.ended.Load() {
		o.timer = time.AfterFunc((debt+reopens)*costShare, o.open)
	}
	o.mu.Unlock()
	o.listen()
}

// open listens again.
func (o *Observer) open() {
	o.mu.Lock()
	if o.ended.Load() || !o.closed.Swap(false) {
		o.mu.Unlock()
		return
	}
	if o.timer != nil {
		o.timer.Stop()
	}
	if o.gap {
		o.queue, o.gap, o.doubt = o.queue[:0], false, true
		o.marked, o.unmarked = 0, 0
	}
	now := time.Now()
	o.earned.Add(int64(min(now.Sub(o.paid)/costShare, reopens)))
	o.paid = now
	o.mu.Unlock()
	o.work.Lock()
	o.hot.begin()
	o.work.Unlock()
	o.listen()
}
