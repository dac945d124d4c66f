// guard_test.go breaks a store behind a Guard, and holds the fakes that the tests of views share.

package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// hub is a Memory that gives leases and tells what changes, for handles that share it.
type hub struct {
	*store.Memory

	mu      sync.Mutex // guards the fields below
	token   uint64
	leases  map[string]*hubLease
	changed chan struct{} // is closed and replaced when a lease ends
	ears    map[int]func(store.Event)
	next    int
}

func newHub() *hub {
	return &hub{
		Memory: store.NewMemory(store.MemoryOptions{}), leases: map[string]*hubLease{},
		changed: make(chan struct{}), ears: map[int]func(store.Event){},
	}
}

// hubLease is void after a change of its key or of anything by tag.
type hubLease struct {
	hub   *hub
	key   string
	token uint64
	void  bool
	over  bool
}

func (h *hub) TryLease(ctx context.Context, key string) (store.Lease, error) {
	if err := errors.Join(ctx.Err(), store.CheckKey(key)); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.leases[key] != nil {
		return nil, store.ErrLeased
	}
	h.token++
	l := &hubLease{hub: h, key: key, token: h.token}
	h.leases[key] = l
	return l, nil
}

func (h *hub) AwaitLease(ctx context.Context, key string) error {
	for {
		h.mu.Lock()
		free, changed := h.leases[key] == nil, h.changed
		h.mu.Unlock()
		if free {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (l *hubLease) Token() uint64 { return l.token }

func (l *hubLease) Set(ctx context.Context, item store.Item) error {
	defer l.Release()
	l.hub.mu.Lock()
	bad := l.void || l.over
	l.hub.mu.Unlock()
	if bad {
		return store.ErrVoid
	}
	return l.hub.Set(ctx, l.key, item)
}

func (l *hubLease) Release() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if l.over {
		return
	}
	l.over = true
	delete(l.hub.leases, l.key)
	close(l.hub.changed)
	l.hub.changed = make(chan struct{})
}

// tell voids the leases that match and passes the event on.
func (h *hub) tell(e store.Event, err error) error {
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, l := range h.leases {
		l.void = l.void || e.Kind != store.Changed || e.Key == key
	}
	for _, hear := range h.ears {
		hear(e)
	}
	return nil
}

func (h *hub) Set(ctx context.Context, key string, item store.Item) error {
	return h.tell(store.Event{Kind: store.Changed, Key: key}, h.Memory.Set(ctx, key, item))
}

func (h *hub) Delete(ctx context.Context, key string) error {
	return h.tell(store.Event{Kind: store.Changed, Key: key}, h.Memory.Delete(ctx, key))
}

func (h *hub) DeleteTag(ctx context.Context, tag string) error {
	return h.tell(store.Event{Kind: store.TagDeleted, Tag: tag}, h.Memory.DeleteTag(ctx, tag))
}

func (h *hub) Clear(ctx context.Context) error {
	return h.tell(store.Event{Kind: store.Cleared}, h.Memory.Clear(ctx))
}

func (h *hub) Watch(hear func(store.Event)) (stop func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.next
	h.next++
	h.ears[id] = hear
	hear(store.Event{Kind: store.Linked})
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.ears, id)
	}
}

// link lets the link of the hub go down or come back.
func (h *hub) link(kind store.EventKind) { _ = h.tell(store.Event{Kind: kind}, nil) }

// keep is a handle of a hub that can be closed without the others.
type keep struct{ *hub }

func (keep) Close() error { return nil }

// newGuard is a guard that does not take a busy machine for a slow store.
func newGuard(s store.Store) *store.Guard {
	return store.NewGuard(s, store.GuardOptions{Timeout: time.Minute})
}

func TestGuard(t *testing.T) {
	for name, open := range map[string]func() store.Store{
		"Memory": func() store.Store { return store.NewMemory(store.MemoryOptions{}) },
		"Plain":  func() store.Store { return plain{store.NewMemory(store.MemoryOptions{})} },
		"Leaser": func() store.Store { return newHub() },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(*testing.T) store.Store { return newGuard(open()) })
		})
	}
}

func TestGuardShared(t *testing.T) {
	storetest.RunShared(t, func(*testing.T) (a, b store.Store) {
		h := newHub()
		return newGuard(keep{h}), newGuard(keep{h})
	})
}

func TestFaultyWithoutAFaultIsAStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return storetest.NewFaulty(newHub()) })
	storetest.RunShared(t, func(*testing.T) (a, b store.Store) {
		h := newHub()
		return storetest.NewFaulty(keep{h}), storetest.NewFaulty(keep{h})
	})
}

// broken is a guarded store that can be broken, in a bubble of synctest.
type broken struct {
	*store.Guard
	*storetest.Faulty
	hub    *hub
	states []store.GuardState
}

// inBubble runs f with a guarded store; what it has started must have ended at the end.
func inBubble(t *testing.T, f func(t *testing.T, s *broken)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		s := &broken{Faulty: storetest.NewFaulty(h), hub: h}
		s.Guard = store.NewGuard(s.Faulty, store.GuardOptions{
			OnChange: func(state store.GuardState) { s.states = append(s.states, state) },
		})
		f(t, s)
		s.Guard.Close()
	})
}

const (
	guardTimeout  = 250 * time.Millisecond // as GuardOptions says
	guardCooldown = time.Second
	guardFailures = 5
)

// get asks for a key and returns how long that took.
func (s *broken) get() (time.Duration, error) {
	start := time.Now()
	_, err := s.Guard.Get(context.Background(), "k")
	return time.Since(start), err
}

// open lets the store fail until it is left alone.
func (s *broken) open(t *testing.T) {
	t.Helper()
	s.Fail(errors.New("out of order"))
	for range guardFailures {
		_, _ = s.get()
	}
	if s.State() != store.GuardOpen {
		t.Fatalf("after %d failures the guard is %v", guardFailures, s.State())
	}
}

func TestGuardLeavesAStoreThatHangsAloneAndComesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		set(t, s.Guard, "k", []byte("v"))
		s.Hang()
		for i := range guardFailures {
			took, err := s.get()
			if took != guardTimeout || !errors.Is(err, store.ErrUnavailable) ||
				errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Get %d of a store that hangs: %v after %v", i, err, took)
			}
		}
		calls := s.Calls()
		for range 100 {
			if took, err := s.get(); took != 0 || !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("Get while it is left alone: %v after %v", err, took)
			}
		}
		if n := s.Calls() - calls; n != 0 {
			t.Errorf("%d operations reached a store that is left alone", n)
		}
		for range 3 { // probes that meet a store that still hangs
			time.Sleep(guardCooldown)
			if took, err := s.get(); took != 0 || !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("who starts a probe: %v after %v", err, took)
			}
			if s.State() != store.GuardHalfOpen {
				t.Fatalf("state during a probe: %v", s.State())
			}
			time.Sleep(guardTimeout)
			synctest.Wait()
			if s.State() != store.GuardOpen {
				t.Fatalf("state after a probe that failed: %v", s.State())
			}
		}
		s.Heal()
		time.Sleep(guardCooldown)
		_, _ = s.get()
		synctest.Wait()
		if _, err := s.get(); err != nil || s.State() != store.GuardClosed {
			t.Errorf("after it came back: %v, %v", err, s.State())
		}
		got := s.Stats()
		want := store.GuardStats{Calls: 1 + 5 + 4 + 1, Failures: 5 + 3, Timeouts: 5 + 3,
			Skipped: 100 + 4, Opened: 4}
		if got != want {
			t.Errorf("stats = %+v, want %+v", got, want)
		}
		if got := fmt.Sprint(s.states); got != "[open half-open open half-open open half-open open"+
			" half-open closed]" {
			t.Errorf("changes: %s", got)
		}
	})
}

func TestGuardSendsOneProbe(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		s.open(t)
		s.Delay(guardTimeout / 2)
		time.Sleep(guardCooldown)
		calls := s.Calls()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if took, err := s.get(); took != 0 || !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("Get during a probe: %v after %v", err, took)
				}
			})
		}
		wg.Wait()
		time.Sleep(guardTimeout)
		if n := s.Calls() - calls; n != 1 || s.State() != store.GuardClosed {
			t.Errorf("%d probes, state %v; want one that succeeds", n, s.State())
		}
	})
}

func TestGuardCountsWhatSpeaksAgainstTheStore(t *testing.T) {
	for _, c := range []struct {
		err    error
		counts bool
	}{
		{store.ErrNotFound, false},
		{fmt.Errorf("%w: %w", store.ErrNotFound, store.ErrDamaged), false},
		{fmt.Errorf("%w: %w", store.ErrNotFound, store.ErrUnavailable), false}, // of a Ring
		{store.ErrTooLarge, false},
		{store.ErrInvalidKey, false},
		{store.ErrLeased, false},
		{store.ErrVoid, false},
		{fmt.Errorf("redis: %w: OOM", store.ErrRefused), false},
		{store.ErrClosed, false},
		{errors.ErrUnsupported, false},
		{fmt.Errorf("redis: %w: EOF", store.ErrUnavailable), true},
		{errors.New("nobody knows this one"), true},
		{context.DeadlineExceeded, true}, // the caller's context has not ended
	} {
		inBubble(t, func(t *testing.T, s *broken) {
			s.Fail(c.err)
			for range guardFailures {
				if _, err := s.get(); !errors.Is(err, c.err) {
					t.Errorf("Get = %v, want %v as it is", err, c.err)
				}
			}
			if opened := s.State() == store.GuardOpen; opened != c.counts {
				t.Errorf("%v: the guard is %v", c.err, s.State())
			}
		})
	}
}

func TestGuardDoesNotCountCallersThatGiveUp(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		s.Hang()
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), guardTimeout/2)
			_, err := s.Guard.Get(ctx, "k")
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnavailable) {
				t.Errorf("Get = %v, want the caller's own deadline", err)
			}
		}
		if got := s.Stats(); got != (store.GuardStats{Calls: 10}) {
			t.Errorf("stats = %+v", got)
		}
	})
}

func TestGuardOpensWhenMoreFailsThanSucceeds(t *testing.T) {
	for _, c := range []struct {
		failures, successes int // in turn
		opens               bool
	}{{2, 1, true}, {1, 1, false}, {4, 4, false}, {1, 9, false}} {
		inBubble(t, func(t *testing.T, s *broken) {
			for range 100 {
				s.Fail(errors.New("out of order"))
				for range c.failures {
					_, _ = s.get()
				}
				s.Heal()
				for range c.successes {
					_, _ = s.get()
				}
			}
			if opened := s.Stats().Opened > 0; opened != c.opens {
				t.Errorf("%d fail, %d succeed in turn: %+v", c.failures, c.successes, s.Stats())
			}
		})
	}
}

func TestGuardForgetsWhatBeganBeforeAChange(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		s.Where(func(_, key string) bool { return key == "slow" })
		s.Delay(guardTimeout / 2)
		var wg sync.WaitGroup
		for range guardFailures {
			wg.Go(func() {
				if _, err := s.Guard.Get(t.Context(), "slow"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("an operation that was under way: %v", err)
				}
			})
		}
		synctest.Wait()
		s.Where(nil)
		s.open(t)
		wg.Wait()
		if s.State() != store.GuardOpen {
			t.Errorf("successes from before closed the guard: %v", s.State())
		}
	})
}

func TestGuardRefusesEverythingWhileOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		ctx, g := t.Context(), s.Guard
		l, err := g.TryLease(ctx, "leased")
		if err != nil {
			t.Fatal(err)
		}
		s.open(t)
		start := time.Now()
		for name, ask := range map[string]func() error{
			"Set":        func() error { return g.Set(ctx, "k", store.Item{}) },
			"Delete":     func() error { return g.Delete(ctx, "k") },
			"GetMany":    func() error { _, err := g.GetMany(ctx, []string{"k"}); return err },
			"SetMany":    func() error { return g.SetMany(ctx, map[string]store.Item{"k": {}}) },
			"DeleteTag":  func() error { return g.DeleteTag(ctx, "t") },
			"Clear":      func() error { return g.Clear(ctx) },
			"Open":       func() error { _, _, err := g.Open(ctx, "k"); return err },
			"Create":     func() error { return createThrough(ctx, g) },
			"TryLease":   func() error { _, err := g.TryLease(ctx, "k"); return err },
			"AwaitLease": func() error { return g.AwaitLease(ctx, "k") },
			"Lease.Set":  func() error { return l.Set(ctx, store.Item{}) },
			"List": func() (last error) {
				for _, err := range g.List(ctx, "") {
					last = err
				}
				return last
			},
		} {
			if err := ask(); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %v, want ErrUnavailable", name, err)
			}
		}
		l.Release()
		if took := time.Since(start); took != 0 {
			t.Errorf("all took %v, want no time", took)
		}
		s.Heal()
		synctest.Wait()
	})
}

func createThrough(ctx context.Context, s store.Store) error {
	w, err := store.Create(ctx, s, "k", store.Item{}, 100)
	if err != nil {
		return err
	}
	return w.Commit()
}

func TestGuardLetsLeasesBeAwaited(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		l, err := s.Guard.TryLease(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		awaited := make(chan error)
		await := func() { awaited <- s.Guard.AwaitLease(t.Context(), "k") }
		go await()
		time.Sleep(100 * guardTimeout)
		l.Release()
		if err := <-awaited; err != nil {
			t.Fatalf("AwaitLease, after a long time: %v", err)
		}
		if _, err = s.Guard.TryLease(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		go await()
		synctest.Wait()
		s.open(t)
		if err := <-awaited; !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("AwaitLease when the store begins to fail: %v", err)
		}
		if n := s.Stats().Failures; n != guardFailures {
			t.Errorf("%d failures, want those of Get alone", n)
		}
	})
}

func TestGuardBoundsLeases(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		ctx := t.Context()
		first, err := s.Guard.TryLease(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.Guard.TryLease(ctx, "b")
		if err != nil {
			t.Fatal(err)
		}
		s.Hang()
		start := time.Now()
		if err := first.Set(ctx, store.Item{}); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Set by a lease: %v", err)
		}
		second.Release()
		if took := time.Since(start); took != 2*guardTimeout {
			t.Errorf("Set and Release took %v, want two timeouts", took)
		}
		if got := s.Stats().Timeouts; got != 2 {
			t.Errorf("%d timeouts, want 2", got)
		}
		s.Heal()
		synctest.Wait()
		if _, err := s.Guard.TryLease(ctx, "b"); err != nil {
			t.Errorf("a Release that was left behind never arrived: %v", err)
		}
	})
}

func TestGuardSaysClosedAfterClose(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		s.open(t)
		s.Hang()
		time.Sleep(guardCooldown)
		_, _ = s.get() // starts a probe
		synctest.Wait()
		if err := s.Guard.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if took, err := s.get(); !errors.Is(err, store.ErrClosed) || took != 0 {
			t.Errorf("after Close: %v after %v", err, took)
		}
		if slices.Contains(s.states, store.GuardClosed) {
			t.Errorf("a probe that Close ended counted: %v", s.states)
		}
	})
}

func TestGuardSurvivesAStoreThatPanicsWhenProbed(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		s.open(t)
		s.Where(func(_, key string) bool {
			if key != "k" {
				panic("not today")
			}
			return true
		})
		time.Sleep(guardCooldown)
		_, _ = s.get()
		synctest.Wait()
		if s.State() != store.GuardOpen {
			t.Errorf("state = %v", s.State())
		}
	})
}

func TestGuardOpenAnswersAtOnce(t *testing.T) {
	f := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{}))
	g := store.NewGuard(f, store.GuardOptions{Cooldown: time.Hour})
	defer g.Close()
	f.Fail(errors.New("out of order"))
	for range guardFailures {
		_, _ = g.Get(t.Context(), "k")
	}
	took := make([]time.Duration, 1000)
	for i := range took {
		start := time.Now()
		_, err := g.Get(t.Context(), "k")
		took[i] = time.Since(start)
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > 50*time.Microsecond {
		t.Errorf("the median of %d refusals is %v, want less than 50 µs", len(took), median)
	}
}

func BenchmarkGuard(b *testing.B) {
	m := store.NewMemory(store.MemoryOptions{})
	if err := m.Set(b.Context(), "k", store.Item{Value: make([]byte, 100)}); err != nil {
		b.Fatal(err)
	}
	f := storetest.NewFaulty(m)
	open := store.NewGuard(f, store.GuardOptions{Cooldown: time.Hour})
	f.Fail(errors.New("out of order"))
	for range guardFailures {
		_, _ = open.Get(b.Context(), "k")
	}
	for _, c := range []struct {
		name  string
		store store.Store
	}{{"unguarded", m}, {"closed", newGuard(m)}, {"open", open}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.store.Get(context.Background(), "k")
			}
		})
	}
}

func ExampleNewGuard() {
	ctx := context.Background()
	far := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{})) // far away, out of order
	far.Fail(errors.New("connection refused"))
	s := store.NewGuard(far, store.GuardOptions{Failures: 1, OnChange: func(now store.GuardState) {
		fmt.Println("the store is", now)
	}})
	defer s.Close()
	for range 3 {
		_, err := s.Get(ctx, "k")
		fmt.Println(err)
	}
	fmt.Println(far.Calls(), "call")
	// Output:
	// the store is open
	// connection refused
	// store: unavailable: left alone after: connection refused
	// store: unavailable: left alone after: connection refused
	// 1 call
}
