// link.go keeps the link by which a store hears of others, and says when it is lost.

package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
)

// link hears of changes for all watchers and all who await a lease. It has one goroutine from the
// first need until Close.
type link struct {
	s    *Store
	kick chan struct{} // something broke: look at once
	done chan struct{} // closed when the goroutine has ended

	mu       sync.Mutex // guards the fields below
	started  bool
	closed   bool
	linked   bool
	on       any // what is linked: a *wires or a *channel
	watchers map[*watcher]struct{}
}

func newLink(s *Store) *link {
	return &link{
		s: s, kick: make(chan struct{}, 1), done: make(chan struct{}),
		watchers: map[*watcher]struct{}{},
	}
}

// start brings the link up, if that is not under way already.
func (l *link) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started || l.closed {
		return
	}
	l.started = true
	go l.run()
}

// join adds a watcher. Where the link stands its first event says so.
func (l *link) join(w *watcher) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.watchers[w] = struct{}{}
	if l.linked {
		w.push(store.Event{Kind: store.Linked})
	}
	return true
}

func (l *link) leave(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, w)
}

// state reports whether anybody needs the link, and whether it stands.
func (l *link) state() (needed, stands bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.started, l.linked
}

func (l *link) stands() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.linked
}

// close ends the goroutine, which the store's context has told so, and all watchers.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	started, watchers := l.started, l.watchers
	l.watchers = nil
	l.mu.Unlock()
	for w := range watchers {
		w.stop()
	}
	if started {
		<-l.done
	}
}

// run brings the link up, again and again.
func (l *link) run() {
	defer close(l.done)
	for l.s.ctx.Err() == nil {
		if l.session() == nil {
			continue
		}
		l.lose(nil)
		l.rest(pause)
	}
}

// session has the link until it breaks.
func (l *link) session() error {
	ctx, cancel := context.WithTimeout(l.s.ctx, l.s.o.Timeout)
	_, err := l.s.conn.get(ctx) // the first connection settles the mode
	cancel()
	if err != nil {
		return err
	}
	switch l.s.conn.settled() {
	case Tracking:
		return l.track()
	case Channel:
		return l.subscribe()
	}
	l.raise(nil)
	<-l.s.ctx.Done()
	return nil
}

// rest waits for a time, or until something breaks.
func (l *link) rest(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.kick:
	case <-l.s.ctx.Done():
	}
}

// broken is called when a connection of w was closed.
func (l *link) broken(w *wires) {
	l.lose(w)
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// lose says that the link is lost, if it stood on what broke; nil is any.
func (l *link) lose(on any) {
	l.mu.Lock()
	lost := l.linked && (on == nil || on == l.on)
	if lost {
		l.linked = false
		l.s.count.losses.Add(1)
		l.tellLocked(store.Event{Kind: store.Lost})
	}
	l.mu.Unlock()
	if lost {
		l.s.waits.wakeAll()
	}
}

// raise says that the link stands on something.
func (l *link) raise(on any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raiseLocked(on)
}

func (l *link) raiseLocked(on any) {
	l.on = on
	if !l.linked {
		l.linked = true
		l.tellLocked(store.Event{Kind: store.Linked})
	}
}

func (l *link) tellLocked(e store.Event) {
	for w := range l.watchers {
		w.push(e)
	}
}

// heard tells what happened to a name, or to a kind of it.
func (l *link) heard(kind byte, key string) {
	e := store.Event{Kind: store.Changed, Key: key}
	switch kind {
	case kindSign:
		e = store.Event{Kind: store.TagDeleted, Tag: key}
	case kindAll:
		e = store.Event{Kind: store.Cleared}
		l.s.waits.wakeAll()
	case kindLease:
		l.s.waits.nudge(key)
	case kindValue:
		l.s.waits.wake(key)
	default:
		return
	}
	l.s.count.events.Add(1)
	if kind == kindLease {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tellLocked(e)
}

var errSilent = errors.New("the link is silent")
