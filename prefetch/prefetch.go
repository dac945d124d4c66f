// Package prefetch loads what will be asked for next.
//
// Somebody looks through pages, files, frames: asks for one, looks at it, asks for the next. A
// Prefetcher learns from that which come next and loads them meanwhile, as many at a time and as
// far ahead as the origin and a bound of weight allow. What was shown last is kept, so that going
// back needs no load. What is asked for goes before everything else.
//
//	pages := prefetch.New(loadPage, prefetch.Range(0, n), prefetch.Options[int, Page]{})
//	defer pages.Close()
//	page, err := pages.Get(ctx, 7)
//
// One prefetcher serves one viewer: several that walk through it in their own ways look like one
// who jumps about. They do it no harm, but little is predicted then; give each their own, over a
// common cache (see Options.Lookup).
package prefetch

import (
	"context"
	"sync"
	"time"
)

// Prefetcher keeps what was shown last and what will be asked for next. All methods may be called
// by several goroutines at a time. Loads run in goroutines of their own, which end by Close.
type Prefetcher[K comparable, V any] struct {
	load    func(context.Context, K) (V, error)
	order   Sequence[K]
	options Options[K, V]

	mu      sync.Mutex // guards the fields below; nothing but order is called while it is locked
	kept    map[K]*item[K, V]
	seen    list[K, V] // what is kept and was asked for, the latest last
	unseen  list[K, V] // what is kept and was not, the latest last
	weight  int64      // of what is kept
	flights map[K]*flight[K, V]
	running running // the flights that were not cancelled
	waiting int     // how many asks wait

	predictor *predictor
	pace      pace
	origin    origin
	view      view
	expected  []K
	plan      plan[K]
	credit    float64 // how many may be loaded ahead beyond what is needed in time
	failed    map[K]struct{}
	heavy     map[K]int64 // what was loaded ahead and found no room: its weight
	alarm     alarm

	stats   Stats
	tally   tally
	leaving []*item[K, V] // to be told of when mu is unlocked
	parting int64         // see partLocked
	parted  chan struct{} // see partedLocked; nil while nobody waits
	closed  bool
	ended   sync.WaitGroup // loads and alarms
	stopped context.Context
	stop    context.CancelFunc
}

// New returns a prefetcher that calls load for what is not there; order says what is next to what.
//
// load may be called by several goroutines at a time, but for one key by one alone. Its context
// ends when nobody needs the item any more, by LoadTimeout, or at Close: a load that does not heed
// it holds up Close, and the next load of its key. The context of a load that somebody asked for
// carries the values of that ask.
func New[K comparable, V any](
	load func(context.Context, K) (V, error), order Sequence[K], options Options[K, V],
) *Prefetcher[K, V] {
	if load == nil || order == nil {
		panic("prefetch: New needs load and order")
	}
	p := &Prefetcher[K, V]{
		load: load, order: order, options: options.complete(),
		kept: map[K]*item[K, V]{}, flights: map[K]*flight[K, V]{},
		failed: map[K]struct{}{}, heavy: map[K]int64{},
	}
	p.stopped, p.stop = context.WithCancel(context.Background())
	p.predictor = newPredictor(func(i int) bool {
		_, ok := order.At(i)
		return ok
	})
	return p
}

// Get returns the item of key, and waits for its load if it must: one load for all who ask
// meanwhile. It returns the error of the load, which is not kept; a *PanicError if it panicked;
// the error of ctx if that ends first, which takes the item from nobody else who waits; or
// ErrClosed.
//
// The value may be given to others too. It stays what it is at least while it is one of the last
// Keep items asked for; whoever uses it for longer, and releases values in OnEvict, needs Hold. A
// key that is not in the sequence is loaded and kept all the same, and predicts nothing.
func (p *Prefetcher[K, V]) Get(ctx context.Context, key K) (V, error) {
	i, err := p.ask(ctx, key, 0)
	if err != nil {
		var none V
		return none, err
	}
	return i.value, nil
}

// Hold is Get for a value that must not leave while it is in use: until release is called, which
// may be done twice, it is not evicted, and even after Forget or Close OnEvict does not hear of
// it. As long as it is kept it counts against MaxWeight. release is never nil.
func (p *Prefetcher[K, V]) Hold(ctx context.Context, key K) (value V, release func(), err error) {
	i, err := p.ask(ctx, key, 1)
	if err != nil {
		return value, func() {}, err
	}
	return i.value, sync.OnceFunc(func() { p.release(i) }), nil
}

// Peek returns the item of key if it is kept. It loads nothing and predicts nothing.
func (p *Prefetcher[K, V]) Peek(key K) (value V, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.kept[key]; i != nil {
		return i.value, true
	}
	return value, false
}

// Forget drops the item of key: it has changed at the origin. A load that runs is not kept; those
// who wait for it get what comes after.
func (p *Prefetcher[K, V]) Forget(key K) {
	p.mu.Lock()
	defer p.unlock()
	delete(p.failed, key)
	delete(p.heavy, key)
	if i := p.kept[key]; i != nil {
		p.dropLocked(i)
	}
	if f := p.flights[key]; f != nil {
		f.void = true
		p.cancelLocked(f, time.Now())
	}
}

// Close cancels all loads and drops all that is kept; who waits gets ErrClosed. It returns when
// the goroutines of all loads have ended, and always nil. It may be called again.
func (p *Prefetcher[K, V]) Close() error {
	p.mu.Lock()
	p.closed = true
	p.stop()
	p.silenceLocked()
	for _, i := range p.kept {
		p.dropLocked(i)
	}
	p.unlock()
	p.ended.Wait()
	return nil
}

// ask returns the item of key, held as often as holds says.
func (p *Prefetcher[K, V]) ask(ctx context.Context, key K, holds int) (*item[K, V], error) {
	began := time.Now()
	p.mu.Lock()
	if p.closed {
		p.unlock()
		return nil, ErrClosed
	}
	if i := p.kept[key]; i != nil {
		i.held += holds
		p.hitLocked(i, began)
		p.unlock()
		return i, nil
	}
	if err := ctx.Err(); err != nil {
		p.unlock()
		return nil, err
	}
	joined := p.flights[key] != nil
	f := p.missLocked(ctx, key, began)
	f.waiters++
	f.holds += holds
	p.signalLocked()
	p.waiting++
	p.planLocked(began)
	p.unlock()
	i, err := p.await(ctx, f, began, holds)
	p.tally.ask(ctx, joined, err)
	return i, err
}

// await waits for a flight.
func (p *Prefetcher[K, V]) await(
	ctx context.Context, f *flight[K, V], began time.Time, holds int,
) (*item[K, V], error) {
	select {
	case <-f.done:
	case <-ctx.Done():
	}
	now := time.Now()
	p.mu.Lock()
	defer p.unlock()
	p.stats.Stall += now.Sub(began)
	select {
	case <-f.done: // also if ctx has ended: it is there
		return f.item, f.err
	default:
	}
	p.waiting--
	f.waiters--
	f.holds -= holds
	p.pace.giveUp()
	p.watchRushLocked(now)
	p.planLocked(now)
	return nil, ctx.Err()
}

// hitLocked notes that a kept item was asked for.
func (p *Prefetcher[K, V]) hitLocked(i *item[K, V], now time.Time) {
	p.stats.Asks++
	p.stats.Hits++
	fresh := i.ahead
	p.showLocked(i)
	announced := p.fulfilLocked(i.key)
	if p.followLocked(i.key, now) || announced || fresh {
		p.planLocked(now)
	}
}

// missLocked notes that an item was asked for that is not there, and returns its flight.
func (p *Prefetcher[K, V]) missLocked(ctx context.Context, key K, now time.Time) *flight[K, V] {
	p.stats.Asks++
	announced := p.fulfilLocked(key)
	p.followLocked(key, now)
	delete(p.failed, key)
	f := p.flights[key]
	switch {
	case f == nil:
		f = p.startLocked(context.WithoutCancel(ctx), key, now)
		f.sudden = !announced
	case !f.asked:
		p.usedLocked()
	}
	f.asked = true
	return f
}

// followLocked tells all who learn from asks of one. It returns false if there is nothing to
// learn: the same was asked for as before.
func (p *Prefetcher[K, V]) followLocked(key K, now time.Time) (moved bool) {
	position, ok := p.order.Index(key)
	moved = ok && p.predictor.ask(position)
	if moved {
		p.pace.ask(now)
	}
	p.watchRushLocked(now)
	return moved
}

// unlock ends a change, and tells of what has left by it.
func (p *Prefetcher[K, V]) unlock() {
	gone := p.leaving
	p.leaving = nil
	p.mu.Unlock()
	if p.options.OnEvict != nil {
		for _, i := range gone {
			p.options.OnEvict(i.key, i.value)
		}
	}
	if p.options.WeighAhead != nil && len(gone) > 0 {
		p.part(gone)
	}
}

// part has those begin who were waiting for items to be gone.
func (p *Prefetcher[K, V]) part(gone []*item[K, V]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range gone {
		p.partLocked(-i.weight)
	}
}
