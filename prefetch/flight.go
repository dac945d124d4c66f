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
	estimate int64   // weight it is expected to have, or known to: see Options.WeighAhead
	waiters  int
	holds    int  // of the waiters
	asked    bool // somebody asked for it, and may have given up
	sudden   bool // the ask began it, and nobody had announced that
	stopped  bool // it was cancelled; who asks meanwhile may have to wait for its successor
	void     bool // what it brings is out of date
	wish     stamp
	called   bool          // its loader was called; this and the next are its goroutine's
	took     time.Duration // by its loader

	done chan struct{} // closed when the fields below are set
	item *item[K, V]
	err  error
}

// running is what flights are on their way. Those that were cancelled do not count.
type running struct {
	count    int
	ending   int       // were cancelled, and have not returned yet
	estimate int64     // sum of what those that count may weigh
	begun    time.Time // the latest; zero if it was cancelled

	company float64 // integral of count over time, in seconds
	at      time.Time
}

// add counts one flight more, or fewer.
func (r *running) add(count int, estimate int64, now time.Time) {
	if d := now.Sub(r.at); d > 0 && !r.at.IsZero() {
		r.company += d.Seconds() * float64(r.count)
	}
	r.at = now
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

// launchLocked begins a load for a flight. It ends by itself, when it is cancelled, by
// LoadTimeout, or at Close.
func (p *Prefetcher[K, V]) launchLocked(ctx context.Context, f *flight[K, V], now time.Time) {
	p.stats.Loads++
	p.running.add(1, f.estimate, now)
	p.running.begun = now
	f.context, f.began, f.company = ctx, now, p.running.company
	f.stopped, f.void, f.called = false, false, false
	run, cancel := p.runContext(ctx)
	f.cancel = cancel
	unhook := context.AfterFunc(p.stopped, cancel)
	p.ended.Add(1)
	go func() {
		defer p.ended.Done()
		defer cancel()
		defer unhook()
		p.fly(run, f)
	}()
}

// runContext returns the context of a load.
func (p *Prefetcher[K, V]) runContext(
	ctx context.Context,
) (context.Context, context.CancelFunc) {
	if d := p.options.LoadTimeout; d > 0 {
		return context.WithTimeout(ctx, d)
	}
	return context.WithCancel(ctx)
}

// cancelLocked ends a load that nobody needs.
func (p *Prefetcher[K, V]) cancelLocked(f *flight[K, V], now time.Time) {
	if f.stopped {
		return
	}
	f.stopped = true
	f.cancel()
	p.running.add(-1, f.estimate, now)
	p.running.ending++
	p.partLocked(f.estimate)
	p.running.begun = time.Time{}
	p.stats.Cancelled++
	if !f.asked {
		p.stats.Unused++
	}
}

// fly calls the loader and brings home what it returns, or that it panicked or exited.
func (p *Prefetcher[K, V]) fly(ctx context.Context, f *flight[K, V]) {
	n, found, err := &item[K, V]{key: f.key}, false, errExited
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
		p.land(f, n, found, err)
	}()
	var failure error
	if n.value, found = p.lookup(f.key); !found {
		n.value, failure = p.loadWeighed(ctx, f)
	}
	if failure == nil {
		n.weight = p.weigh(n)
	}
	err = failure
}

// loadWeighed calls the loader if there is room for what the item is known to weigh.
func (p *Prefetcher[K, V]) loadWeighed(ctx context.Context, f *flight[K, V]) (v V, err error) {
	if p.options.WeighAhead != nil {
		weight, err := p.options.WeighAhead(ctx, f.key)
		if err != nil {
			return v, err
		}
		if weight > 0 && !p.admit(ctx, f, min(weight, heaviest+1)) {
			return v, context.Canceled
		}
	}
	return p.callLoader(ctx, f)
}

// callLoader calls the loader, and notes how long it took even if it panics.
func (p *Prefetcher[K, V]) callLoader(ctx context.Context, f *flight[K, V]) (V, error) {
	f.called = true
	began := time.Now()
	defer func() { f.took = time.Since(began) }()
	return p.load(ctx, f.key)
}

// admit has a flight count with the weight that is known now, and waits until what has to leave for it
// has left. If there is no room, it ends if it is a load ahead, and false is returned; for one that
// somebody waits for room is made, and it waits for nothing.
func (p *Prefetcher[K, V]) admit(ctx context.Context, f *flight[K, V], weight int64) bool {
	for {
		room, parted := p.admitted(f, weight)
		if parted == nil {
			return room
		}
		select {
		case <-parted:
		case <-ctx.Done():
			return false
		}
	}
}

// admitted tells whether there is room for a flight, and has leave what is wanted less. What has not
// left yet is to be waited for.
func (p *Prefetcher[K, V]) admitted(
	f *flight[K, V], weight int64,
) (room bool, parted <-chan struct{}) {
	now := time.Now()
	p.mu.Lock()
	defer p.unlock()
	if f.stopped {
		return false, nil
	}
	p.running.estimate += weight - f.estimate
	f.estimate = weight
	rank := p.plan.rank(f.wish, f.waiters)
	switch {
	case rank == asked && weight <= p.options.MaxWeight:
		p.clearLocked(now)
		return true, nil
	case rank == asked:
		return true, nil
	case p.freeLocked(0, rank):
		return true, p.partedLocked()
	}
	p.tooHeavyLocked(f.key, weight)
	p.cancelLocked(f, now)
	return false, nil
}

// lookup returns what is there without a load.
func (p *Prefetcher[K, V]) lookup(key K) (v V, found bool) {
	if p.options.Lookup == nil {
		return v, false
	}
	return p.options.Lookup(key)
}

// weigh returns the weight of an item.
func (p *Prefetcher[K, V]) weigh(n *item[K, V]) int64 {
	if p.options.Weigh == nil {
		return 1
	}
	return min(max(p.options.Weigh(n.key, n.value), 1), heaviest+1)
}

// land ends a flight and tells of it who wants to know.
func (p *Prefetcher[K, V]) land(f *flight[K, V], n *item[K, V], found bool, err error) {
	now := time.Now()
	p.mu.Lock()
	p.tally.load(f.called, f.took, err, f.stopped)
	p.noteLocked(f, n, now, err == nil && !found)
	unheard := err != nil && !f.stopped && !f.asked && !p.closed
	landed := p.landLocked(f, n, err, now)
	ready := landed && err == nil && !n.gone && shows(p.view, p.order, f.key)
	if ready {
		p.showLocked(n)
	}
	p.unlock()
	switch {
	case unheard && p.options.OnError != nil:
		p.options.OnError(f.key, err)
	case ready && p.options.OnReady != nil:
		p.options.OnReady(n.key, n.value)
	}
}

// landLocked gives what a flight has brought to those who wait. If that is of no use to them since
// the flight was cancelled before they asked, it begins again, and false is returned.
func (p *Prefetcher[K, V]) landLocked(
	f *flight[K, V], n *item[K, V], err error, now time.Time,
) (landed bool) {
	useless := f.void || f.stopped && err != nil
	if useless && f.waiters > 0 && !p.closed {
		if err == nil {
			p.leaveLocked(n)
		}
		p.launchLocked(f.context, f, now)
		return false
	}
	delete(p.flights, f.key)
	switch {
	case err == nil:
		f.item = n
		p.keepLocked(f, n)
	case p.closed:
		err = ErrClosed
	case !f.stopped:
		p.failLocked(f.key)
	}
	if f.err = err; f.waiters > 0 {
		p.waiting -= f.waiters
		p.pace.serve(now)
	}
	close(f.done)
	p.planLocked(now)
	return true
}

// noteLocked counts that a load has ended, and learns from one that has succeeded.
func (p *Prefetcher[K, V]) noteLocked(
	f *flight[K, V], n *item[K, V], now time.Time, succeeded bool,
) {
	if f.stopped {
		p.running.ending--
		p.partLocked(-f.estimate)
		return
	}
	p.running.add(-1, f.estimate, now)
	if !succeeded {
		return
	}
	company := 1.0
	if took := now.Sub(f.began); took > 0 {
		company = max((p.running.company-f.company)/took.Seconds(), 1)
	}
	p.origin.note(now.Sub(f.began), company, n.weight)
}

// remembering is how many keys are remembered for a bad experience with loading them ahead.
const remembering = 1024

// failLocked sees to it that what cannot be loaded is not tried ahead again and again.
func (p *Prefetcher[K, V]) failLocked(key K) {
	p.stats.Failed++
	if len(p.failed) >= remembering {
		clear(p.failed)
	}
	p.failed[key] = struct{}{}
}
