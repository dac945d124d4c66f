// view.go serves list views, which show many items at a time.

package prefetch

import "time"

// maxVisible is how many items of a view are looked after; of more, the first.
const maxVisible = 4096

// view is what a list view shows: positions from first to last.
type view struct {
	on          bool
	first, last int
	backward    bool // the direction of scrolling
}

// Show tells which keys a list view shows: all from first to last, in the order of the sequence;
// of more than 4096, the first. Those that are not there are loaded next, from the first on, and
// OnReady hears of each as soon as it is kept, and of those that are kept already and were not
// visible before. After them as many again are loaded in the direction of scrolling. Loads of what
// is neither, nor predicted from what Get was asked for, are cancelled, unless somebody waits for
// them. If one of the keys is not in the sequence, nothing is visible any more: see Hide.
func (p *Prefetcher[K, V]) Show(first, last K) {
	from, ok := p.order.Index(first)
	to, ok2 := p.order.Index(last)
	if !ok || !ok2 {
		p.Hide()
		return
	}
	for _, i := range p.lookAt(min(from, to), max(from, to)) {
		if p.options.OnReady != nil {
			p.options.OnReady(i.key, i.value)
		}
	}
}

// Hide tells that nothing is visible any more. Loads that were for the view alone are cancelled.
func (p *Prefetcher[K, V]) Hide() {
	p.mu.Lock()
	defer p.unlock()
	p.view = view{}
	p.replanLocked()
}

// lookAt moves the view and returns what is newly visible and kept.
func (p *Prefetcher[K, V]) lookAt(first, last int) (ready []*item[K, V]) {
	p.mu.Lock()
	defer p.unlock()
	old := p.view
	p.view = old.moved(first, min(last, first+maxVisible-1))
	for at := p.view.first; at <= p.view.last; at++ {
		key, ok := p.order.At(at)
		if !ok {
			break
		}
		if i := p.kept[key]; i != nil && !shows(old, p.order, key) {
			p.showLocked(i)
			ready = append(ready, i)
		}
	}
	p.replanLocked()
	return ready
}

// replanLocked makes a new plan and cancels at once what it does not want.
func (p *Prefetcher[K, V]) replanLocked() {
	now := time.Now()
	p.stampLocked()
	p.cancelUnwantedLocked(now)
	p.planLocked(now)
}

// moved returns the view at another place.
func (v view) moved(first, last int) view {
	backward := v.backward
	if v.on && first != v.first {
		backward = first < v.first
	}
	return view{true, first, last, backward}
}

// shows tells whether a key is visible.
func shows[K comparable](v view, order Sequence[K], key K) bool {
	if !v.on {
		return false
	}
	i, ok := order.Index(key)
	return ok && i >= v.first && i <= v.last
}

// visible returns the positions that are visible.
func (v view) visible() (from, to int, ok bool) { return v.first, v.last, v.on }

// margin returns the positions that will be visible next: as many as are visible.
func (v view) margin() (from, to int, ok bool) {
	size := v.last - v.first + 1
	if v.backward {
		return v.first - 1, v.first - size, v.on
	}
	return v.last + 1, v.last + size, v.on
}
