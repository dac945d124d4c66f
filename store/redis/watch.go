// watch.go tells watchers what others change; link.go hears of it.

package redis

import (
	"sync"

	"github.com/larder-go/larder/store"
)

// mostEvents is how many events may wait for one watcher; with more, they become one Cleared.
const mostEvents = 1 << 16

// watcher hands events to one hear, on a goroutine of its own: one that is slow delays neither the
// connection nor other watchers.
type watcher struct {
	hear func(store.Event)
	done chan struct{} // closed when hear is called no more

	mu      sync.Mutex // guards the fields below
	more    sync.Cond
	events  []store.Event
	stopped bool
}

// Watch implements [store.Watcher]. All watchers share one link, which the first of them brings up;
// from then on it stays until Close. What this store sets, deletes and clears itself is not told,
// with one exception: in a Cluster with replicas these tell it. Its own DeleteTag is told with
// [Tracking]. With [Channel] a key that expires is not told.
func (s *Store) Watch(hear func(store.Event)) (stop func()) {
	w := &watcher{hear: hear, done: make(chan struct{})}
	w.more.L = &w.mu
	go w.run()
	if !s.link.join(w) { // the store is closed
		w.stop()
		return func() { <-w.done }
	}
	s.link.start()
	return func() {
		s.link.leave(w)
		w.stop()
		<-w.done
	}
}

func (w *watcher) run() {
	defer close(w.done)
	for {
		w.mu.Lock()
		for len(w.events) == 0 && !w.stopped {
			w.more.Wait()
		}
		if w.stopped {
			w.mu.Unlock()
			return
		}
		events := w.events
		w.events = nil
		w.mu.Unlock()
		for _, e := range events {
			if w.isStopped() {
				return
			}
			w.hear(e)
		}
	}
}

func (w *watcher) isStopped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
}

// push adds an event. Where too many wait, what was to be told is forgotten: Cleared says it all.
func (w *watcher) push(e store.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	if len(w.events) >= mostEvents {
		w.events = append(w.events[:0:0], w.states()...)
		w.events = append(w.events, store.Event{Kind: store.Cleared})
	}
	w.events = append(w.events, e)
	w.more.Signal()
}

// states returns the last event among those that wait that says whether the link stands.
func (w *watcher) states() []store.Event {
	for i := len(w.events) - 1; i >= 0; i-- {
		if k := w.events[i].Kind; k == store.Linked || k == store.Lost {
			return w.events[i : i+1]
		}
	}
	return nil
}

func (w *watcher) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped, w.events = true, nil
	w.more.Signal()
}
