// guard.go keeps a store that is slow or down from holding up those who ask it.

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"
)

// GuardOptions configure [NewGuard]; the zero value works.
type GuardOptions struct {
	// Name says in a Snapshot which store it is; "" means "store".
	Name string
	// Timeout is how long one operation may take; 0 means 250 ms. That is hundreds of times what a
	// store in the same network takes, and more than the 200 ms after which Linux sends a lost
	// packet again. Choose less than the deadlines of the callers: an operation whose own context
	// ended says nothing about the store.
	Timeout time.Duration
	// Failures is how many operations may fail in a row until the store is left alone; 0 means 5.
	// A success takes one failure back, so that a store of which more than half the operations
	// fail is left alone too.
	Failures int
	// Cooldown is how long the store is left alone until a probe asks it again; 0 means 1 s.
	Cooldown time.Duration
	// OnChange is told every new state, by the goroutine that made the change: it must be quick.
	// It may call the Guard. nil: nobody is told.
	OnChange func(GuardState)
}

// Guard is a view of a store that cannot hurt: an operation takes no longer than a timeout, and a
// store that fails is left alone. Then every operation returns at once, with an error that wraps
// [ErrUnavailable], until a probe in the background finds that the store works again: no caller
// waits to find that out. It can do what the store can. Closing it closes the store.
//
// A failure is an operation that met the timeout, or an error that says nothing else: not
// [ErrNotFound], [ErrTooLarge], [ErrInvalidKey], [ErrLeased], [ErrVoid], [ErrRefused], [ErrClosed],
// errors.ErrUnsupported, nor any error after the caller's own context has ended. The timeout is for
// Get, Set, Delete, GetMany, SetMany, TryLease, and Set and Release of a lease. Lists, tags, Clear
// and streams take as long as they need. AwaitLease waits until the caller's context ends or the
// store fails.
//
// Guard relies on the promise of [Store] that a method whose context ends returns soon after. It
// does not run operations in goroutines of their own, which would take 1.2 µs each and, since a Set
// that is left behind still reads the bytes of its caller, a copy of every value.
type Guard struct {
	name    string
	store   Store
	timeout time.Duration
	breaker breaker
	alive   context.Context // ends with Close
	end     context.CancelFunc
	closed  atomic.Bool
	why     atomic.Pointer[error] // what operations get while the store is left alone

	// Each operation is counted in one of these, when it ends.
	answered, failed, timeouts, skipped atomic.Uint64
}

// GuardStats count what a [Guard] has seen since it was made.
type GuardStats struct {
	Calls    uint64     // operations that the store was asked for and that ended, probes included
	Failures uint64     // of those, how many failed, timeouts included
	Timeouts uint64     // of those, how many met the timeout
	Skipped  uint64     // operations that were refused at once
	Opened   uint64     // how many times the store was begun to be left alone
	State    GuardState // now
}

// probeKey is what a probe gets; it need not exist.
const probeKey = "larder:probe"

// errNoAnswer is the cause of the contexts that end by the timeout.
var errNoAnswer = errors.New("no answer in time")

// NewGuard returns a guarded view of s. It panics if o holds a negative number.
func NewGuard(s Store, o GuardOptions) *Guard {
	if o.Timeout < 0 || o.Failures < 0 || o.Cooldown < 0 {
		panic("store: negative option of a guard")
	}
	g := &Guard{name: cmp.Or(o.Name, "store"), store: s, timeout: o.Timeout}
	if g.timeout == 0 {
		g.timeout = 250 * time.Millisecond
	}
	g.breaker.limit = int64(o.Failures)
	if o.Failures == 0 {
		g.breaker.limit = 5
	}
	g.breaker.cooldown = o.Cooldown
	if o.Cooldown == 0 {
		g.breaker.cooldown = time.Second
	}
	g.breaker.onChange, g.breaker.start = o.OnChange, time.Now()
	g.alive, g.end = context.WithCancel(context.Background())
	g.breaker.gate.Store(newGate(g.alive))
	return g
}

// Stats returns the numbers so far.
func (g *Guard) Stats() GuardStats {
	s := GuardStats{
		Timeouts: g.timeouts.Load(), Skipped: g.skipped.Load(),
		Opened: g.breaker.times.Load(), State: g.breaker.state(),
	}
	s.Failures = g.failed.Load() + s.Timeouts
	s.Calls = g.answered.Load() + s.Failures
	return s
}

// State says whether the store is asked.
func (g *Guard) State() GuardState { return g.breaker.state() }

// enter begins an operation, or refuses it at once. The first one after the cooldown starts the
// probe.
func (g *Guard) enter() (turn uint64, err error) {
	turn = g.breaker.turn.Load()
	if stateOf(turn) == GuardClosed {
		return turn, nil
	}
	if g.closed.Load() {
		return 0, ErrClosed
	}
	g.skipped.Add(1)
	if probe, ok := g.breaker.tryProbe(turn); ok {
		go g.probe(probe)
	}
	return 0, *g.why.Load()
}

// probe asks the store for an item. It ends by itself, or with Close.
func (g *Guard) probe(turn uint64) {
	ctx, cancel := context.WithTimeoutCause(g.alive, g.timeout, errNoAnswer)
	defer cancel()
	err := g.askForProbe(ctx)
	switch failed := g.note(g.alive, ctx, err); {
	case g.alive.Err() != nil:
	case failed:
		g.blame(err)
		g.breaker.open(turn)
	default:
		g.breaker.close(turn, newGate(g.alive))
	}
}

// askForProbe turns a panic of the store into a failure: nobody is there to hear it.
func (g *Guard) askForProbe(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the store panicked: %v", p)
		}
	}()
	_, err = g.store.Get(ctx, probeKey)
	return err
}

// succeed ends an operation that met no error.
func (g *Guard) succeed(turn uint64) {
	g.answered.Add(1)
	g.breaker.settle(turn, false)
}

// leave ends an operation and returns the error for its caller.
func (g *Guard) leave(turn uint64, caller, ctx context.Context, err error) error {
	failed := g.note(caller, ctx, err)
	if failed {
		if met(ctx) {
			err = fmt.Errorf("%w: no answer in %v (%v)", ErrUnavailable, g.timeout, err)
		}
		g.blame(err)
		err = judged{err}
	}
	g.breaker.settle(turn, failed)
	return err
}

// judged is a failure that a Guard has counted. One around it does not count it too: what speaks
// against a node of a [Ring] does not speak against the others.
type judged struct{ error }

func (j judged) Unwrap() error { return j.error }

// note counts an operation in ctx that ended with err, and reports whether that speaks against the
// store.
func (g *Guard) note(caller, ctx context.Context, err error) (failed bool) {
	var already judged
	switch {
	case err == nil || caller.Err() != nil || !isFailure(err) || errors.As(err, &already):
		g.answered.Add(1)
		return false
	case met(ctx):
		g.timeouts.Add(1)
	default:
		g.failed.Add(1)
	}
	return true
}

// met reports whether ctx ended by the Guard's timeout.
func met(ctx context.Context) bool {
	return ctx.Err() != nil && context.Cause(ctx) == errNoAnswer
}

// isFailure reports whether err is none of those with which a store that works answers.
func isFailure(err error) bool {
	for _, answer := range [...]error{
		ErrNotFound, ErrTooLarge, ErrInvalidKey, ErrLeased, ErrVoid, ErrRefused, ErrClosed,
		errors.ErrUnsupported,
	} {
		if errors.Is(err, answer) {
			return false
		}
	}
	return true
}

// blame keeps the error that those will get who are refused. It holds the text alone: what an
// earlier operation met is not what a later one may be asked about with errors.Is.
func (g *Guard) blame(err error) {
	var refusal error = judged{fmt.Errorf("%w: %w after: %v", ErrUnavailable, ErrLeftAlone, err)}
	g.why.Store(&refusal)
}

// Close implements [Store]. It closes the store below and ends a probe that is under way, without
// waiting for it.
func (g *Guard) Close() error {
	g.closed.Store(true)
	g.end()
	return g.store.Close()
}

// within runs an operation under the timeout.
func within[T any](
	ctx context.Context, g *Guard, ask func(context.Context) (T, error),
) (T, error) {
	turn, err := g.enter()
	if err != nil {
		var none T
		return none, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, g.timeout, errNoAnswer)
	defer cancel()
	v, err := ask(limited)
	if err == nil {
		g.succeed(turn)
		return v, nil
	}
	return v, g.leave(turn, ctx, limited, err)
}

// without runs an operation that may take as long as its caller lets it.
func without[T any](
	ctx context.Context, g *Guard, ask func(context.Context) (T, error),
) (T, error) {
	turn, err := g.enter()
	if err != nil {
		var none T
		return none, err
	}
	v, err := ask(ctx)
	return v, g.leave(turn, ctx, ctx, err)
}

// none stands for the result of operations that have an error alone.
type none struct{}

// Get implements [Store].
func (g *Guard) Get(ctx context.Context, key string) (Item, error) {
	return within(ctx, g, func(ctx context.Context) (Item, error) {
		return g.store.Get(ctx, key)
	})
}

// Set implements [Store].
func (g *Guard) Set(ctx context.Context, key string, item Item) error {
	_, err := within(ctx, g, func(ctx context.Context) (none, error) {
		return none{}, g.store.Set(ctx, key, item)
	})
	return err
}

// Delete implements [Store].
func (g *Guard) Delete(ctx context.Context, key string) error {
	_, err := within(ctx, g, func(ctx context.Context) (none, error) {
		return none{}, g.store.Delete(ctx, key)
	})
	return err
}

// GetMany implements [ManyGetter], all keys under one timeout.
func (g *Guard) GetMany(ctx context.Context, keys []string) (map[string]Item, error) {
	return within(ctx, g, func(ctx context.Context) (map[string]Item, error) {
		return GetMany(ctx, g.store, keys)
	})
}

// SetMany implements [ManySetter], all items under one timeout.
func (g *Guard) SetMany(ctx context.Context, items map[string]Item) error {
	_, err := within(ctx, g, func(ctx context.Context) (none, error) {
		return none{}, SetMany(ctx, g.store, items)
	})
	return err
}

// List implements [Lister].
func (g *Guard) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		turn, err := g.enter()
		if err != nil {
			yield(Info{}, err)
			return
		}
		for info, err := range List(ctx, g.store, prefix) {
			if err != nil {
				err = g.leave(turn, ctx, ctx, err)
				yield(info, err)
				return
			}
			if !yield(info, nil) {
				break
			}
		}
		g.succeed(turn)
	}
}

// DeleteTag implements [TagDeleter].
func (g *Guard) DeleteTag(ctx context.Context, tag string) error {
	_, err := without(ctx, g, func(ctx context.Context) (none, error) {
		return none{}, DeleteTag(ctx, g.store, tag)
	})
	return err
}

// Clear implements [Clearer].
func (g *Guard) Clear(ctx context.Context) error {
	_, err := without(ctx, g, func(ctx context.Context) (none, error) {
		return none{}, Clear(ctx, g.store)
	})
	return err
}

// DeletePrefix implements [PrefixDeleter].
func (g *Guard) DeletePrefix(ctx context.Context, prefix string) (int, error) {
	return without(ctx, g, func(ctx context.Context) (int, error) {
		return DeletePrefix(ctx, g.store, prefix)
	})
}

// plainStore hides what a store can do besides the interface.
type plainStore struct{ Store }

// Open implements [Streamer]. What goes wrong while a value is read is the reader's alone.
func (g *Guard) Open(ctx context.Context, key string) (Item, Reader, error) {
	s, ok := g.store.(Streamer)
	if !ok {
		return Open(ctx, plainStore{g}, key)
	}
	type opened struct {
		Item
		Reader
	}
	o, err := without(ctx, g, func(ctx context.Context) (o opened, err error) {
		o.Item, o.Reader, err = s.Open(ctx, key)
		return o, err
	})
	return o.Item, o.Reader, err
}

// Create implements [Streamer]. Where the store below is none, a value may have 64 MiB.
func (g *Guard) Create(ctx context.Context, key string, item Item) (Writer, error) {
	s, ok := g.store.(Streamer)
	if !ok {
		return Create(ctx, plainStore{g}, key, item, bufferLimit)
	}
	w, err := without(ctx, g, func(ctx context.Context) (Writer, error) {
		return s.Create(ctx, key, item)
	})
	if err != nil {
		return nil, err
	}
	return &guardWriter{w, ctx, g}, nil
}

// guardWriter counts how the writing ends.
type guardWriter struct {
	Writer
	ctx   context.Context // of Create: a Writer's methods have none
	guard *Guard
}

func (w *guardWriter) Commit() error {
	_, err := without(w.ctx, w.guard, func(context.Context) (none, error) {
		return none{}, w.Writer.Commit()
	})
	return err
}

// TryLease implements [Leaser].
func (g *Guard) TryLease(ctx context.Context, key string) (Lease, error) {
	l, err := within(ctx, g, func(ctx context.Context) (Lease, error) {
		return TryLease(ctx, g.store, key)
	})
	if err != nil {
		return nil, err
	}
	return &guardLease{l, g}, nil
}

// guardLease holds nobody up either.
type guardLease struct {
	Lease
	guard *Guard
}

// Set also ends a lease that it could not use: whoever waits for it need not wait for its limit.
func (l *guardLease) Set(ctx context.Context, item Item) error {
	turn, err := l.guard.enter()
	if err != nil {
		go l.Lease.Release()
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, l.guard.timeout, errNoAnswer)
	defer cancel()
	return l.guard.leave(turn, ctx, limited, l.Lease.Set(limited, item))
}

// Release always reaches the store: some keep a lease for as long as the process lives. It waits
// for the end no longer than the timeout, and not at all while the store is left alone.
func (l *guardLease) Release() {
	released := make(chan none)
	go func() {
		defer close(released)
		l.Lease.Release()
	}()
	turn := l.guard.breaker.turn.Load()
	if stateOf(turn) != GuardClosed {
		return
	}
	ctx, cancel := context.WithTimeoutCause(l.guard.alive, l.guard.timeout, errNoAnswer)
	defer cancel()
	select {
	case <-released:
		l.guard.answered.Add(1)
	case <-ctx.Done():
		_ = l.guard.leave(turn, l.guard.alive, ctx, ctx.Err()) // counted; Release has no error
	}
}

// AwaitLease implements [Leaser]. It waits for as long as ctx lets it, and ends with an error that
// wraps [ErrUnavailable] as soon as the store is left alone.
func (g *Guard) AwaitLease(ctx context.Context, key string) error {
	turn, err := g.enter()
	if err != nil {
		return err
	}
	gate := g.breaker.gate.Load()
	either, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(gate, cancel)()
	err = AwaitLease(either, g.store, key)
	if err == nil || ctx.Err() != nil || gate.Err() == nil {
		return g.leave(turn, ctx, either, err)
	}
	g.answered.Add(1) // others have failed
	if g.closed.Load() {
		return ErrClosed
	}
	return fmt.Errorf("%w: it failed while a lease was awaited", ErrUnavailable)
}

// Watch implements [Watcher]. Events come from the store as they are, also while it is left alone.
func (g *Guard) Watch(hear func(Event)) (stop func()) { return Watch(g.store, hear) }
