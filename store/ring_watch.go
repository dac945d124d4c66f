// ring_watch.go makes one sequence of what all nodes tell.

package store

import "sync"

// ringWatch is one who listens to all nodes.
type ringWatch struct {
	hear func(Event)

	turn   sync.Mutex         // held while hear runs, so that it hears one event at a time
	links  map[*ringNode]bool // who is linked; guarded by turn
	linked bool               // what hear knows; guarded by turn
	begun  bool               // it was linked once; guarded by turn
	ended  bool               // guarded by turn

	mu    sync.Mutex // guards stops. Never taken by whoever holds turn
	stops map[*ringNode]func()
}

// Watch implements [Watcher]: events come from all nodes. It is Linked when all nodes are, and Lost
// when one is. When a node joins it is Lost until that one is linked. When one joins or leaves it
// tells Cleared: keys have other items from now on, or none. A node that tells nothing counts as
// linked.
func (r *Ring) Watch(hear func(Event)) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &ringWatch{hear: hear, links: map[*ringNode]bool{}, stops: map[*ringNode]func(){}}
	if r.closed.Load() {
		return func() {}
	}
	nodes := r.view.Load().nodes
	for _, n := range nodes { // all are missing before the first is linked
		w.links[n] = false
	}
	for _, n := range nodes {
		w.listen(n)
	}
	if len(nodes) == 0 {
		w.tell(nil, Event{Kind: Linked})
	}
	r.watches[w] = none{}
	return func() {
		r.mu.Lock()
		delete(r.watches, w)
		r.mu.Unlock()
		w.end()
	}
}

// add listens to a node that joins.
func (w *ringWatch) add(n *ringNode) {
	w.tell(n, Event{Kind: Lost})
	w.listen(n)
}

func (w *ringWatch) listen(n *ringNode) {
	stop := n.guard.Watch(func(e Event) { w.tell(n, e) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stops[n] = stop
}

// remove forgets a node that leaves.
func (w *ringWatch) remove(n *ringNode) {
	w.mu.Lock()
	stop := w.stops[n]
	delete(w.stops, n)
	w.mu.Unlock()
	stop()
	w.turn.Lock()
	delete(w.links, n)
	w.turn.Unlock()
	w.tell(nil, Event{Kind: Cleared})
	w.tell(nil, Event{Kind: Linked}) // if it was the last that was lost
}

// end stops listening and waits for a hear that is running.
func (w *ringWatch) end() {
	w.turn.Lock()
	w.ended = true
	w.turn.Unlock()
	w.mu.Lock()
	stops := w.stops
	w.stops = nil
	w.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
}

// tell passes on what node n has told, or the ring itself where n is nil.
func (w *ringWatch) tell(n *ringNode, e Event) {
	w.turn.Lock()
	defer w.turn.Unlock()
	if w.ended {
		return
	}
	switch e.Kind {
	case Linked, Lost:
		if n != nil {
			w.links[n] = e.Kind == Linked
		}
		w.linkLocked()
	default:
		if w.begun {
			w.hear(e)
		}
	}
}

// linkLocked tells whether all are linked, where that has changed. It needs turn held.
func (w *ringWatch) linkLocked() {
	all := true
	for _, linked := range w.links {
		all = all && linked
	}
	switch {
	case all && !w.linked:
		w.begun = true
		w.hear(Event{Kind: Linked})
	case !all && w.linked:
		w.hear(Event{Kind: Lost})
	}
	w.linked = all
}
