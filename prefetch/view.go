// view.go serves list views, which show many items at a time.

package prefetch

import "time"

// view is what a list view shows: positions from first to last.
type view[K comparable] struct {
	on          bool
	first, last int
	backward    bool // the direction of scrolling
}

// Show tells which keys a list view shows: all from first to last, in the order of the sequence.
// Those that are not there are loaded next, from the first on, and OnReady hears of each as soon as
// it is there, and of those that are there already and were not visible before. After them as many
// again are loaded in the direction of scrolling. Loads of what is neither are cancelled, unless
// somebody waits for them in Get. If one of the keys is not in the sequence, nothing is visible:
// see Hide.
func (p *Prefetcher[K, V]) Show(first, last K) {
	from, ok := p.order.Index(first)
	to, ok2 := p.order.Index(last)
	if !ok || !ok2 {
		p.Hide()
		return
	}
	p.mu.Lock()
	ready := p.showingLocked(min(from, to), max(from, to))
	p.unlock()
	for _, i := range ready {
		p.options.OnReady(i.key, i.value)
	}
}

// Hide tells that nothing is visible any more. Loads that were for the view alone are cancelled.
func (p *Prefetcher[K, V]) Hide() {
	p.mu.Lock()
	defer p.unlock()
	p.view = view[K]{}
	p.planLocked(time.Now())
	p.cancelUnwantedLocked()
}

// showingLocked moves the view and returns what is newly visible and there.
func (p *Prefetcher[K, V]) showingLocked(first, last int) (ready []*item[K, V]) {
	if p.closed {
		return nil
	}
	old := p.view
	p.view = old.moved(first, last)
	if p.options.OnReady != nil {
		p.view.visible(p.order, func(key K, _ bool) found {
			if i := p.kept[key]; i != nil && !old.shows(p.order, key) {
				ready = append(ready, i)
			}
			return 0
		})
	}
	p.stampLocked()
	p.cancelUnwantedLocked()
	p.planLocked(time.Now())
	return ready
}

// cancelUnwantedLocked cancels what the plan does not want and nobody waits for.
func (p *Prefetcher[K, V]) cancelUnwantedLocked() {
	for _, f := range p.flights {
		if f.waiters == 0 && !p.plan.wants(f.wish) {
			p.cancelLocked(f)
		}
	}
}

// moved returns the view at another place.
func (v view[K]) moved(first, last int) view[K] {
	backward := v.backward
	if v.on && first != v.first {
		backward = first < v.first
	}
	return view[K]{true, first, last, backward}
}

// shows tells whether a key is visible.
func (v *view[K]) shows(order Sequence[K], key K) bool {
	if !v.on {
		return false
	}
	i, ok := order.Index(key)
	return ok && i >= v.first && i <= v.last
}

// visible wishes for what is visible.
func (v *view[K]) visible(order Sequence[K], wish func(key K, load bool) found) {
	if v.on {
		v.each(order, v.first, v.last, wish)
	}
}

// margin wishes for what will be visible next: as many as are visible.
func (v *view[K]) margin(order Sequence[K], wish func(key K, load bool) found) {
	size := v.last - v.first + 1
	switch {
	case !v.on:
	case v.backward:
		v.each(order, v.first-1, v.first-size, wish)
	default:
		v.each(order, v.last+1, v.last+size, wish)
	}
}

// each wishes for all from one position to another, whichever is greater.
func (v *view[K]) each(order Sequence[K], from, to int, wish func(key K, load bool) found) {
	step := 1
	if to < from {
		step = -1
	}
	for i := from; i != to+step; i += step {
		key, ok := order.At(i)
		if !ok {
			return
		}
		wish(key, true)
	}
}
