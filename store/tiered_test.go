// tiered_test.go sets two stores against each other.

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

func TestTiered(t *testing.T) {
	memory := func() store.Store { return store.NewMemory(store.MemoryOptions{}) }
	hub := func() store.Store { return newHub() }
	plainMemory := func() store.Store { return plain{memory()} }
	broken := func() store.Store {
		f := storetest.NewFaulty(memory())
		f.Fail(errors.New("out of order"))
		return f
	}
	small := func() store.Store { return store.NewMemory(store.MemoryOptions{MaxBytes: 2000}) }
	for name, open := range map[string]struct{ fast, slow func() store.Store }{
		"Memory":     {memory, memory},
		"Hub":        {memory, hub},
		"PlainFast":  {plainMemory, hub},
		"PlainSlow":  {memory, plainMemory},
		"BrokenFast": {broken, hub},
		"SmallFast":  {small, memory},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(*testing.T) store.Store {
				return store.NewTiered(open.fast(), open.slow())
			})
		})
	}
}

func TestTieredShared(t *testing.T) {
	storetest.RunShared(t, func(t *testing.T) (a, b store.Store) {
		h := newHub()
		return store.NewTiered(newMemory(t), keep{h}), store.NewTiered(newMemory(t), keep{h})
	})
}

// tiers is a Tiered whose stores can be broken.
type tiers struct {
	*store.Tiered
	fast, slow *storetest.Faulty
	hub        *hub // below slow
}

func newTiers(t *testing.T) *tiers {
	s := &tiers{hub: newHub(), fast: storetest.NewFaulty(newMemory(t))}
	s.slow = storetest.NewFaulty(s.hub)
	s.Tiered = store.NewTiered(s.fast, s.slow)
	return s
}

// tieredBubble runs f in a bubble of synctest, where Wait waits for events to be worked off.
func tieredBubble(t *testing.T, f func(t *testing.T, s *tiers)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newTiers(t)
		f(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// warm lets key be in both stores.
func (s *tiers) warm(t *testing.T, key string) {
	t.Helper()
	set(t, s, key, []byte(key))
	synctest.Wait()
	wantHit(t, s, key)
	wantHit(t, s.fast, key)
}

func TestTieredServesFromTheFastStore(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		calls := s.slow.Calls()
		s.slow.Fail(store.ErrUnavailable)
		wantHit(t, s, "k")
		if items, err := s.GetMany(t.Context(), []string{"k", "k"}); len(items) != 1 || err != nil {
			t.Errorf("GetMany: %v, %v", items, err)
		}
		if n := s.slow.Calls() - calls; n != 0 {
			t.Errorf("the slow store was asked %d times", n)
		}
		if _, err := s.Get(t.Context(), "other"); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("what only the slow store could have: %v", err)
		}
	})
}

func TestTieredKeepsWhatItFindsInTheSlowStore(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		now := time.Now()
		want := store.Item{
			Value: []byte("v"), Created: now.Add(-time.Hour), FreshUntil: now.Add(time.Second),
			GoneAfter: now.Add(time.Hour), Tags: []string{"a", "b"},
			Validators: store.Validators{ETag: `"1"`},
		}
		if err := s.Set(t.Context(), "first", store.Item{}); err != nil { // links
			t.Fatal(err)
		}
		for _, key := range []string{"one", "many", "many too"} {
			if err := s.hub.Set(t.Context(), key, want); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if _, err := s.Get(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		keys := []string{"one", "many", "many too", "absent"}
		if _, err := s.GetMany(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"one", "many", "many too"} {
			got, err := s.fast.Get(t.Context(), key)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s in the fast store: %v, %v; want %v", key, got, err, want)
			}
		}
		stats := store.TieredStats{FastHits: 1, SlowHits: 3, Misses: 1, Fills: 3, Forgotten: 4}
		if got := s.Stats(); got != stats {
			t.Errorf("stats = %+v, want %+v", got, stats)
		}
	})
}

func TestTieredSetThatTheSlowStoreRefusesIsInNeither(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		s.slow.Fail(store.ErrRefused)
		if err := s.Set(t.Context(), "k", store.Item{}); !errors.Is(err, store.ErrRefused) {
			t.Errorf("Set: %v", err)
		}
		s.slow.Heal()
		wantHit(t, s, "k") // the old one: from the slow store
		if n := s.Stats().SlowHits; n != 2 {
			t.Errorf("%d hits of the slow store, want 2: after warming and after the Set", n)
		}
	})
}

func TestTieredForgetsWhatOthersChange(t *testing.T) {
	for name, change := range map[string]func(ctx context.Context, h *hub) error{
		"set":    func(ctx context.Context, h *hub) error { return h.Set(ctx, "k", store.Item{}) },
		"delete": func(ctx context.Context, h *hub) error { return h.Delete(ctx, "k") },
		"tag":    func(ctx context.Context, h *hub) error { return h.DeleteTag(ctx, "t") },
		"clear":  func(ctx context.Context, h *hub) error { return h.Clear(ctx) },
		"lost link": func(ctx context.Context, h *hub) error {
			h.link(store.Lost)
			err := h.Memory.Delete(ctx, "k") // nobody hears
			h.link(store.Linked)
			return err
		},
	} {
		tieredBubble(t, func(t *testing.T, s *tiers) {
			tagged := store.Item{Value: []byte("k"), Tags: []string{"t"}}
			if err := s.Set(t.Context(), "k", tagged); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			wantHit(t, s, "k")
			if err := change(t.Context(), s.hub); err != nil {
				t.Fatal(err)
			}
			if item, err := s.Get(t.Context(), "k"); err == nil && len(item.Value) > 0 {
				t.Errorf("%s by another: the old item is served", name)
			}
			synctest.Wait()
			if item, err := s.fast.Get(t.Context(), "k"); err == nil && len(item.Value) > 0 {
				t.Errorf("%s by another: the old item is in the fast store", name)
			}
		})
	}
}

func TestTieredTellsWhatItHasForgotten(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		var heard []string
		stop := s.Watch(func(e store.Event) {
			if e.Kind == store.Changed {
				if _, err := s.fast.Get(context.Background(), e.Key); err == nil {
					t.Error("told of a change before the fast store has forgotten")
				}
			}
			heard = append(heard, e.Kind.String())
		})
		if err := s.hub.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		s.hub.link(store.Lost)
		s.hub.link(store.Linked)
		synctest.Wait()
		stop()
		stop()
		s.hub.link(store.Lost)
		synctest.Wait()
		if got := strings.Join(heard, " "); got != "linked changed lost cleared linked" {
			t.Errorf("heard %s", got)
		}
	})
}

// TestTieredNeverKeepsACopyThatWasOvertaken lets an item be deleted while a Get brings it from the
// slow store.
func TestTieredNeverKeepsACopyThatWasOvertaken(t *testing.T) {
	for name, change := range map[string]func(ctx context.Context, s *tiers) error{
		"Delete":    func(ctx context.Context, s *tiers) error { return s.Delete(ctx, "k") },
		"DeleteTag": func(ctx context.Context, s *tiers) error { return s.DeleteTag(ctx, "t") },
		"Clear":     func(ctx context.Context, s *tiers) error { return s.Clear(ctx) },
		"by others": func(ctx context.Context, s *tiers) error { return s.hub.Delete(ctx, "k") },
	} {
		tieredBubble(t, func(t *testing.T, s *tiers) {
			ctx := t.Context()
			gate := &gated{Store: s.slow, after: make(chan struct{})}
			tiered := store.NewTiered(s.fast, gate)
			set(t, tiered, "link", nil)
			if err := s.hub.Set(ctx, "k", store.Item{Tags: []string{"t"}}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			got := make(chan error)
			go func() {
				_, err := tiered.Get(ctx, "k")
				got <- err
			}()
			synctest.Wait() // Get has read the item and not yet come back with it
			s.Tiered = tiered
			if err := change(ctx, s); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			close(gate.after)
			if err := <-got; err != nil {
				t.Fatal(err)
			}
			if _, err := s.fast.Get(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: the fast store got the old item: %v", name, err)
			}
		})
	}
}

// gated lets Get return when after is closed. It is what the store is besides.
type gated struct {
	store.Store
	after chan struct{}
}

func (g *gated) Get(ctx context.Context, key string) (store.Item, error) {
	item, err := g.Store.Get(ctx, key)
	<-g.after
	return item, err
}

func (g *gated) Watch(hear func(store.Event)) func() { return store.Watch(g.Store, hear) }

func (g *gated) DeleteTag(ctx context.Context, tag string) error {
	return store.DeleteTag(ctx, g.Store, tag)
}

func (g *gated) Clear(ctx context.Context) error { return store.Clear(ctx, g.Store) }

// TestTieredStoresAgreeAfterTheStorm has many change few keys. At the end no copy may differ from
// what the slow store has.
func TestTieredStoresAgreeAfterTheStorm(t *testing.T) {
	for _, slow := range []func() store.Store{
		func() store.Store { return newMemory(t) }, func() store.Store { return newHub() },
	} {
		s, fast := slow(), newMemory(t)
		tiered := store.NewTiered(fast, s)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() { storm(t, tiered, g) })
		}
		wg.Wait()
		agree(t, tiered, fast, s)
		if err := tiered.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func storm(t *testing.T, s *store.Tiered, g int) {
	ctx := context.Background()
	for i := range 2000 {
		key := fmt.Sprint((i*7 + g) % 5)
		item := store.Item{Value: fmt.Append(nil, g, i), Tags: []string{"t" + key}}
		var err error
		switch (i + g) % 11 {
		case 0:
			err = s.Delete(ctx, key)
		case 1:
			err = s.DeleteTag(ctx, "t"+key)
		case 2:
			err = s.SetMany(ctx, map[string]store.Item{key: item, key + "x": item})
		case 3, 4, 5:
			err = s.Set(ctx, key, item)
		case 6:
			_, err = s.GetMany(ctx, []string{key, key + "x"})
		default:
			_, err = s.Get(ctx, key)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
			return
		}
	}
}

// agree waits until no copy differs: events may still be under way.
func agree(t *testing.T, tiered *store.Tiered, fast, slow store.Store) {
	t.Helper()
	ctx := context.Background()
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		differ := ""
		for info := range store.List(ctx, fast, "") {
			a, errA := fast.Get(ctx, info.Key)
			b, errB := slow.Get(ctx, info.Key)
			if errA == nil && (errB != nil || string(a.Value) != string(b.Value)) {
				differ = fmt.Sprintf("%s: fast %q, slow %q, %v", info.Key, a.Value, b.Value, errB)
			}
		}
		if differ == "" {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("the stores differ at %s; %+v", differ, tiered.Stats())
		}
	}
}

func TestTieredLivesWithoutItsFastStore(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		s.fast.Fail(errors.New("out of order"))
		wantHit(t, s, "k")
		set(t, s, "k", []byte("new")) // the fast store still has the old one
		s.fast.Heal()
		if item, err := s.Get(t.Context(), "k"); err != nil || string(item.Value) != "new" {
			t.Fatalf("Get = %q, %v; want what was set", item.Value, err)
		}
		if !s.Stats().Suspect {
			t.Errorf("a fast store that could not forget is trusted: %+v", s.Stats())
		}
		for range 2 { // the first Get after a while has it cleared
			time.Sleep(2 * time.Second)
			_, _ = s.Get(t.Context(), "k")
			synctest.Wait()
		}
		if s.Stats().Suspect {
			t.Errorf("the fast store was not cleared: %+v", s.Stats())
		}
		if item, err := s.fast.Get(t.Context(), "k"); err != nil || string(item.Value) != "new" {
			t.Errorf("in the fast store: %q, %v", item.Value, err)
		}
	})
}

func TestTieredTakesNothingNewWhileTheLinkIsLost(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		s.hub.link(store.Lost)
		synctest.Wait()
		wantHit(t, s, "k")
		set(t, s, "new", []byte("new"))
		wantHit(t, s, "new")
		if _, err := s.fast.Get(t.Context(), "new"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the fast store took something new: %v", err)
		}
	})
}

func TestTieredSurvivesMoreEventsThanItCanHold(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		s.fast.Delay(time.Millisecond) // the events pile up
		for i := range 20_000 {
			_ = s.hub.tell(store.Event{Kind: store.Changed, Key: fmt.Sprint(i)}, nil)
			if i%5000 == 0 {
				s.hub.link(store.Lost)
				s.hub.link(store.Linked)
			}
		}
		time.Sleep(time.Minute)
		if got := s.Stats().Forgotten; got > 10_000 {
			t.Errorf("%d events were worked off one by one", got)
		}
		s.fast.Heal()
		s.warm(t, "k")
	})
}

func TestTieredStreamsReplaceCopies(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		w, err := s.Create(t.Context(), "k", store.Item{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if item, err := s.Get(t.Context(), "k"); err != nil || string(item.Value) != "new" {
			t.Errorf("Get = %q, %v", item.Value, err)
		}
	})
}

func TestTieredClosesBoth(t *testing.T) {
	s := newTiers(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, fast := s.fast.Get(t.Context(), "k")
	_, slow := s.slow.Get(t.Context(), "k")
	if !errors.Is(fast, store.ErrClosed) || !errors.Is(slow, store.ErrClosed) {
		t.Errorf("fast %v, slow %v", fast, slow)
	}
}

func ExampleNewTiered() {
	ctx := context.Background()
	near := store.NewMemory(store.MemoryOptions{}) // such as a disk
	far := store.NewMemory(store.MemoryOptions{})  // such as a Redis
	_ = far.Set(ctx, "k", store.Item{Value: []byte("v")})
	s := store.NewTiered(near, far)
	defer s.Close()
	for range 3 {
		_, _ = s.Get(ctx, "k")
	}
	fmt.Println(s.Stats().SlowHits, "from far,", s.Stats().FastHits, "from near")
	// Output: 1 from far, 2 from near
}
