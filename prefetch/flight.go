// flight.go makes the loads: one for a key at a time, cancelled when nobody needs it.

package prefetch

import (
	"context"
	"time"
)

// flight is a load on its way, or that waits for a cancelled one of its key to end.
type flight[K comparable, V any] struct {
	key      K
	context  context.Context // carries the values of who asked first
	cancel   context.CancelFunc
	began    time.Time
	company  float64 // running.company when it began
	estimate int64   // weight it is expected to have
	waiters  int
	holds    int
	asked    bool // somebody asked for it, perhaps gave up
	fresh    bool // the ask began it
	stopped  bool // it was cancelled; who asks meanwhile waits for its successor
	wish     stamp

	done chan struct{} // closed when the fields below are set
	item *item[K, V]
	err  error
}

// running is what flights are on their way.
type running struct {
	count    int
	estimate int64 // sum of what they may weigh

	company float64 // integral of count over time, in seconds
	at      time.Time

	launched time.Time
}

// advance brings the integral up to now.
func (r *running) advance(now time.Time) {
	if d := now.Sub(r.at); d > 0 && !r.at.IsZero() {
		r.company += d.Seconds() * float64(r.count)
	}
	r.at = now
}

// add counts one flight more, or fewer.
func (r *running) add(count int, estimate int64, now time.Time) {
	r.advance(now)
	r.count += count
	r.estimate += int64(count) * estimate
}

// startLocked begins a load. There must be none of the key.
func (p *Prefetcher[K, V]) startLocked(ctx context.Context, key K, now time.Time) *flight[K, V] {
	f := &flight[K, V]{key: key, done: make(chan struct{}), estimate: p.expectedWeight(key)}
	p.flights[key] = f
	p.launchLocked(ctx, f, now)
	return f
}

func (p *Prefetcher[K, V]) launchLocked(ctx context.Context, f *flight[K, V], now time.Time) {
	p.stats.Loads++
	p.running.add(1, f.estimate, now)
	p.running.launched = now
	f.context, f.began, f.company, f.stopped = ctx, now, p.running.company, false
	run, cancel := context.WithCancel(ctx)
	if d := p.options.LoadTimeout; d > 0 {
		run, cancel = context.WithTimeout(ctx, d)
	}
	unhook := context.AfterFunc(p.stopped, cancel)
	f.cancel = cancel
	p.ended.Add(1)
	go func() {
		defer p.ended.Done()
		defer unhook()
		defer cancel()
		p.fly(run, f)
	}()
}

// cancelLocked ends a load that nobody needs.
func (p *Prefetcher[K, V]) cancelLocked(f *flight[K, V]) {
	if f.stopped {
		return
	}
	f.stopped = true
	f.cancel()
	p.running.add(-1, f.estimate, time.Now())
	p.stats.Cancelled++
	p.running.launched = time.Time{}
}

// fly calls the loader and brings home what it returns, or that it panicked or exited.
func (p *Prefetcher[K, V]) fly(ctx context.Context, f *flight[K, V]) {
	found := false
	n := &item[K, V]{key: f.key}
	err := errExited
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
		p.land(f, n, err, found)
	}()
	if p.options.Lookup != nil {
		if n.value, found = p.options.Lookup(f.key); found {
			n.weight = p.weigh(n)
			err = nil
			return
		}
	}
	v, failure := p.load(ctx, f.key)
	if n.value = v; failure == nil {
		n.weight = p.weigh(n)
	}
	err = failure
}

// weigh returns the weight of an item.
func (p *Prefetcher[K, V]) weigh(n *item[K, V]) int64 {
	if p.options.Weigh == nil {
		return 1
	}
	return max(p.options.Weigh(n.key, n.value), 1)
}

// land ends a flight.
func (p *Prefetcher[K, V]) land(f *flight[K, V], n *item[K, V], err error, found bool) {
	now := time.Now()
	ready := false
	p.mu.Lock()
	again := p.landLocked(f, n, err, found, now)
	if !again && err == nil {
		ready = p.view.shows(p.order, f.key)
	}
	unheard := err != nil && !f.stopped && !f.asked && !p.closed
	p.unlock()
	switch {
	case unheard && p.options.OnError != nil:
		p.options.OnError(f.key, err)
	case ready && p.options.OnReady != nil:
		p.options.OnReady(n.key, n.value)
	}
}

// landLocked keeps what a flight has brought. It returns true if another one was begun since
// somebody asked after this one was cancelled.
func (p *Prefetcher[K, V]) landLocked(
	f *flight[K, V], n *item[K, V], err error, found bool, now time.Time,
) (again bool) {
	if !f.stopped {
		p.running.add(-1, f.estimate, now)
		if err == nil && !found {
			p.noteLocked(f, n, now)
		}
	}
	if f.stopped && f.waiters > 0 && !p.closed {
		if err == nil {
			p.leaving = append(p.leaving, n)
		}
		p.launchLocked(f.context, f, now)
		return true
	}
	delete(p.flights, f.key)
	if p.closed && err != nil {
		err = ErrClosed
	}
	if f.err = err; err == nil {
		f.item = n
		p.keepLocked(f, n, now)
	} else if !f.stopped {
		p.failLocked(f)
	}
	if f.waiters > 0 {
		p.waiting -= f.waiters
		p.rush.given(now)
	}
	close(f.done)
	p.planLocked(now)
	return false
}

// noteLocked learns from a load that has succeeded.
func (p *Prefetcher[K, V]) noteLocked(f *flight[K, V], n *item[K, V], now time.Time) {
	took := now.Sub(f.began)
	company := 1.0
	if took > 0 {
		company = (p.running.company - f.company) / took.Seconds()
	}
	p.origin.note(took, max(company, 1), n.weight)
}

// remembering is how many keys are remembered for a bad experience with loading them ahead.
const remembering = 1024

// failLocked sees to it that what cannot be loaded is not tried ahead again and again.
func (p *Prefetcher[K, V]) failLocked(f *flight[K, V]) {
	p.stats.Failed++
	if len(p.failed) >= remembering {
		clear(p.failed)
	}
	p.failed[f.key] = struct{}{}
}
