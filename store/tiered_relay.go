// tiered_relay.go brings what others change in the slow store to the fast one, and to who listens.

package store

import (
	"context"
	"slices"
	"sync"
)

// relayLimit is how many events may wait for the fast store. Beyond it they become one: anything
// may have changed.
const relayLimit = 4096

// tieredRelay passes the events of the slow store on: it hears them, voids copies that are on their
// way, and leaves the rest to a goroutine that runs while events wait.
type tieredRelay struct {
	tiered *Tiered
	once   sync.Once
	stop   func() // ends the watch of the slow store; nil before the first use

	mu      sync.Mutex // guards the fields below
	waiting []Event
	running bool
	begun   bool // the link stood once
	mending bool // the fast store is to be cleared
	closed  bool
	worker  sync.WaitGroup

	turn   sync.Mutex // held while an ear runs, so that each hears one event at a time
	ears   []*tieredEar
	linked bool // what the ears know; guarded by turn
}

type tieredEar struct{ hear func(Event) }

// start watches the slow store from the first use on.
func (r *tieredRelay) start() {
	r.once.Do(func() { r.stop = Watch(r.tiered.slow, r.hear) })
}

// hear is quick: whoever tells is a goroutine of the slow store. What happened while the link was
// lost may be anything.
func (r *tieredRelay) hear(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case Linked:
		if r.begun {
			r.queueLocked(Event{Kind: Cleared})
		}
		r.begun = true
		r.tiered.linked.Store(true)
	case Lost:
		r.tiered.linked.Store(false)
	}
	r.queueLocked(e)
	r.runLocked()
}

func (r *tieredRelay) queueLocked(e Event) {
	r.tiered.keys.touch(r.scopeOf(e))
	r.hold(e, 1)
	r.waiting = append(r.waiting, e)
	if len(r.waiting) <= relayLimit {
		return
	}
	few := condense(r.waiting)
	for _, e := range few {
		r.hold(e, 1)
	}
	for _, e := range r.waiting {
		r.hold(e, -1)
	}
	r.waiting = few
}

// scopeOf returns the stripes in which e may have made copies old.
func (r *tieredRelay) scopeOf(e Event) scope {
	switch e.Kind {
	case Linked, Lost:
		return nil
	case Changed:
		return scope{r.tiered.keys.of(e.Key)}
	}
	return r.tiered.keys.all()
}

// hold keeps the fast store from being asked for what e is about while e waits.
func (r *tieredRelay) hold(e Event, n int64) {
	for _, i := range r.scopeOf(e) {
		r.tiered.keys.stripes[i].pending.Add(n)
	}
}

// condense makes one Cleared of all events but those of the link, whose order matters.
func condense(events []Event) []Event {
	few := []Event{{Kind: Cleared}}
	for _, e := range events {
		if e.Kind != Linked && e.Kind != Lost {
			continue
		}
		if n := len(few); n > 2 { // of a link that comes and goes, the last two say all
			few = append(few[:1], few[n-1])
		}
		few = append(few, e)
	}
	return few
}

// mend has the fast store cleared in the background.
func (r *tieredRelay) mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mending = true
	r.runLocked()
}

// runLocked starts the goroutine, which ends when nothing waits or with Close.
func (r *tieredRelay) runLocked() {
	if r.running || r.closed {
		return
	}
	r.running = true
	r.worker.Go(r.work)
}

func (r *tieredRelay) work() {
	for {
		e, mend, ok := r.next()
		switch {
		case !ok:
			return
		case mend:
			r.tiered.clearFast()
		default:
			r.forget(e)
			r.hold(e, -1)
			r.tell(e)
		}
	}
}

func (r *tieredRelay) next() (e Event, mend, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed || !r.mending && len(r.waiting) == 0:
		r.running = false
		return Event{}, false, false
	case r.mending:
		r.mending = false
		return Event{}, true, true
	}
	e = r.waiting[0]
	r.waiting = r.waiting[1:]
	return e, false, true
}

// forget lets the fast store forget what e is about.
func (r *tieredRelay) forget(e Event) {
	t := r.tiered
	ctx, cancel := context.WithTimeout(context.Background(), fastLimit)
	defer cancel()
	s := r.scopeOf(e)
	switch e.Kind {
	case Linked, Lost:
		return
	case Changed:
		t.keys.lock(s)
		defer t.keys.unlock(s)
		t.forgot(t.fast.Delete(ctx, e.Key))
	case TagDeleted:
		t.keys.lock(s)
		defer t.keys.unlock(s)
		t.forgot(t.forgetTag(ctx, e.Tag))
	default:
		t.clearFast()
	}
	t.counts.forgotten.Add(1)
}

func (r *tieredRelay) tell(e Event) {
	r.turn.Lock()
	defer r.turn.Unlock()
	switch e.Kind {
	case Linked:
		r.linked = true
	case Lost:
		r.linked = false
	}
	for _, ear := range r.ears {
		ear.hear(e)
	}
}

// watch adds an ear. It is told at once that the link stands, if it does.
func (r *tieredRelay) watch(hear func(Event)) (stop func()) {
	ear := &tieredEar{}
	begun := false
	ear.hear = func(e Event) {
		begun = begun || e.Kind == Linked
		if begun {
			hear(e)
		}
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	r.ears = append(slices.Clone(r.ears), ear)
	if r.linked {
		ear.hear(Event{Kind: Linked})
	}
	return func() {
		r.turn.Lock()
		defer r.turn.Unlock()
		others := slices.Clone(r.ears)
		r.ears = slices.DeleteFunc(others, func(e *tieredEar) bool { return e == ear })
	}
}

// close ends the watch and waits for what the goroutine is doing.
func (r *tieredRelay) close() {
	r.once.Do(func() {})
	if r.stop != nil {
		r.stop()
	}
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.worker.Wait()
}
