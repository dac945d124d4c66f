// regress_b_test.go: what once went wrong with debts, callbacks and snapshots.

package larder_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// 20. Idle after a remembered absence.
func TestIdleGoesOnAfterANegativeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, int]{Idle: 10 * time.Second, NegativeTTL: time.Second,
			Load: func(_ context.Context, key string) (int, error) {
				if key == "none" {
					return 0, larder.ErrNotFound
				}
				return 1, nil
			}})
		defer c.Close()
		c.Get(ctx, "none")
		c.Get(ctx, "k")
		for i := range 10 {
			time.Sleep(5 * time.Second)
			if _, ok := c.Lookup("k"); !ok {
				t.Errorf("gone after %d s although used every 5", 5*(i+1))
				break
			}
		}
	})
}

// 21. a key that the store refuses is owed for ever.
func TestAnInvalidKeyIsNotOwedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &link{}
		f := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{}))
		c := larder.New(larder.Options[string, int]{Name: "n", Store: f, Watch: w})
		defer c.Close()
		w.hear(store.Event{Kind: store.Linked})
		w.hear(store.Event{Kind: store.Changed, Key: strings.Repeat("x", store.MaxKey+1)})
		time.Sleep(time.Minute)
		n := f.Calls()
		time.Sleep(time.Hour)
		if n = f.Calls() - n; n > 100 {
			t.Errorf("%d calls of the store in the second hour, for one foreign event", n)
		}
	})
}

// 22. a deleted tag that the store cannot delete is never read again.
func TestATagThatTheStoreCannotDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &link{}
		m := store.NewMemory(store.MemoryOptions{})
		loads := 0
		c := larder.New(larder.Options[string, int]{Name: "n", Store: bare{m}, Watch: w,
			Reload: func(context.Context, string, larder.Entry[int]) (larder.Entry[int], error) {
				loads++
				return larder.Entry[int]{Value: 1, Tags: []string{"t"}}, nil
			}, MaxEntries: 1})
		defer c.Close()
		w.hear(store.Event{Kind: store.Linked})
		w.hear(store.Event{Kind: store.TagDeleted, Tag: "t"})
		time.Sleep(time.Minute)
		for range 10 {
			c.Get(ctx, "k")
			c.Get(ctx, "l") // evicts k
			time.Sleep(time.Minute)
		}
		if loads > 2 {
			t.Errorf("%d loads of two keys, both stored after the deletion of the tag", loads)
		}
	})
}

// 23. the life in an entry is written without a lock (run with -race).
type twoInts struct{ A, B int }

func TestAnOldLifeIsNotWritten(t *testing.T) {
	var fail atomic.Bool
	c := larder.New(larder.Options[twoInts, int]{Name: "n", Store: store.NewMemory(store.MemoryOptions{}),
		TTL: time.Millisecond, StaleOnError: time.Hour, RetryAfter: 1,
		Load: func(context.Context, twoInts) (int, error) {
			if fail.Load() {
				return 0, errOrigin
			}
			return 1, nil
		}})
	defer c.Close()
	k := twoInts{1, 2}
	c.Get(ctx, k)
	for range 300 {
		fail.Store(false)
		c.Set(ctx, k, 1)
		fail.Store(true)
		time.Sleep(3 * time.Millisecond)
		var wg sync.WaitGroup
		wg.Go(func() { c.Get(ctx, k) })
		wg.Go(func() { c.Set(ctx, k, 1) })
		wg.Wait()
	}
}

// 24. OnError that panics once blocks the key for ever.
func TestAnOnErrorThatPanicsFreesTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail bool
		var once sync.Once
		c := larder.New(larder.Options[string, int]{TTL: time.Minute, StaleOnError: time.Hour,
			OnError: func(error) { once.Do(func() { panic("logger") }) },
			Load: func(context.Context, string) (int, error) {
				if fail {
					return 0, errOrigin
				}
				return 1, nil
			}})
		defer c.Close()
		c.Get(ctx, "k")
		time.Sleep(2 * time.Minute)
		fail = true
		func() {
			defer func() { t.Log(recover()) }()
			c.Get(ctx, "k")
		}()
		fail = false
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		if _, err := c.Get(ctx, "k"); err != nil {
			t.Errorf("Get hangs: %v", err)
		}
	})
}

// 25. keys of interface types in a store.
func TestInterfacesAsKeysOfAStore(t *testing.T) {
	m := store.NewMemory(store.MemoryOptions{})
	c := larder.New(larder.Options[any, int]{Name: "n", Store: m, MaxEntries: 1})
	defer c.Close()
	type id int
	keys := []any{1, int64(1), int32(1), uint(1), "1", id(1), 1.0, float32(1), twoInts{1, 2}, [2]int{1, 2}, true, 'a', nil,
		time.Duration(1), struct{ A, B int }{1, 2}, complex(1, 0), math.Inf(1)}
	for i, k := range keys {
		if err := c.Set(ctx, k, i+1); err != nil {
			t.Logf("%T %v: %v", k, k, err)
		}
	}
	c.Set(ctx, "other", 0)
	for i, k := range keys {
		if v, err := c.Get(ctx, k); err == nil && v != i+1 {
			t.Errorf("%T %v has the value of %T", k, k, keys[v-1])
		}
	}
	f := larder.New(larder.Options[[1]float64, int]{Name: "f", Store: m, MaxEntries: 1})
	defer f.Close()
	f.Set(ctx, [1]float64{0}, 1)
	f.Delete(ctx, [1]float64{math.Copysign(0, -1)})
	if v, err := f.Get(ctx, [1]float64{0}); err == nil {
		t.Errorf("0 == -0 was deleted, and is there: %v", v)
	}
	x, y := 1, 1
	p := larder.New(larder.Options[*int, int]{Name: "p", Store: m, MaxEntries: 1})
	defer p.Close()
	p.Set(ctx, &x, 1)
	if v, err := p.Get(ctx, &y); err == nil {
		t.Errorf("a pointer that is not equal finds %v", v)
	}
}

// 27. very long TTL with a store.
func TestVeryLongTimesToLive(t *testing.T) {
	m := store.NewMemory(store.MemoryOptions{})
	for _, ttl := range []time.Duration{250 * 365 * 24 * time.Hour, larder.Forever - 1, larder.Forever} {
		o := larder.Options[string, int]{Name: "n" + ttl.String(), TTL: ttl, Stale: time.Hour, RefreshAhead: 0.5, Early: 1, Jitter: 0.5}
		o.Store = m.Share()
		a := larder.New(o)
		o.Store = m.Share()
		b := larder.New(o)
		if err := a.Set(ctx, "k", 1); err != nil {
			t.Error(err)
		}
		if _, ok := a.Lookup("k"); !ok {
			t.Error(ttl, "memory")
		}
		if _, err := b.Get(ctx, "k"); err != nil {
			t.Error(ttl, err)
		}
		a.Close()
		b.Close()
	}
}

// 28. a deletion that the origin tells while a Set or Delete of the store ends is forgiven with it.
func TestANewDebtIsNotForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &link{}
		m := store.NewMemory(store.MemoryOptions{})
		f := storetest.NewFaulty(m)
		f.Where(func(op, _ string) bool { return op == "Delete" })
		var after func()
		s := hookSet{f, m, func() {
			if after != nil {
				after()
			}
		}}
		truth := textOf("0")
		c := larder.New(larder.Options[string, string]{Name: "n", Store: s, Watch: w, TTL: time.Hour,
			Load: func(context.Context, string) (string, error) { return truth.get(), nil }})
		defer c.Close()
		w.hear(store.Event{Kind: store.Linked})
		f.Fail(errors.New("busy"))
		c.Delete(ctx, "other") // the store owes: it is tried again every now and then
		time.Sleep(100 * time.Millisecond)
		after = func() { truth.set("new"); w.hear(store.Event{Kind: store.Changed, Key: "k"}) }
		c.Set(ctx, "k", "old") // stored; then, before the answer has come, the origin changes
		after = nil
		f.Heal()
		time.Sleep(time.Minute)
		if v, _ := c.Get(ctx, "k"); v != "new" {
			t.Errorf("a minute after the event: %q", v)
		}
	})
}

type hookSet struct {
	store.Store
	*store.Memory
	after func()
}

func (s hookSet) Get(ctx context.Context, key string) (store.Item, error) {
	return s.Store.Get(ctx, key)
}
func (s hookSet) Delete(ctx context.Context, key string) error { return s.Store.Delete(ctx, key) }
func (s hookSet) Close() error                                 { return nil }
func (s hookSet) Set(ctx context.Context, key string, item store.Item) error {
	defer s.after()
	return s.Store.Set(ctx, key, item)
}

// 29. Clear that the store failed is not owed.
func TestAFailedClearReadsNothingOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{}))
		truth := textOf("old")
		c := larder.New(larder.Options[string, string]{Name: "n", Store: f,
			Load: func(context.Context, string) (string, error) { return truth.get(), nil }})
		defer c.Close()
		c.Get(ctx, "k")
		f.Fail(errors.New("down"))
		truth.set("new")
		err := c.Clear(ctx)
		f.Heal()
		time.Sleep(time.Minute)
		if v, _ := c.Get(ctx, "k"); v != "new" {
			t.Errorf("Clear returned %v; a minute later Get returns %q", err, v)
		}
	})
}

// 30. Restore of a cache with Idle.
func TestRestoreKeepsIdleEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := larder.Options[string, int]{Idle: 10 * time.Second}
		a := larder.New(o)
		a.Set(ctx, "k", 1)
		var b strings.Builder
		a.Save(&b, 10)
		a.Close()
		c := larder.New(o)
		defer c.Close()
		c.Restore(ctx, strings.NewReader(b.String()))
		for i := range 5 {
			time.Sleep(5 * time.Second)
			if _, ok := c.Lookup("k"); !ok {
				t.Errorf("gone after %d s although used every 5", 5*(i+1))
				break
			}
		}
	})
}

// 32. Goexit in WriteBehind.Write loses what waits without a word.
func TestAWriterThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written atomic.Int64
		n := 0
		c := larder.New(larder.Options[string, int]{WriteBehind: larder.WriteBehind[string, int]{
			Write: func(_ context.Context, values map[string]int) error {
				if n++; n == 1 {
					runtime.Goexit()
				}
				written.Add(int64(len(values)))
				return nil
			}}})
		c.Set(ctx, "a", 1)
		time.Sleep(2 * time.Second)
		c.Set(ctx, "b", 1)
		time.Sleep(time.Minute)
		err := c.Close()
		if written.Load() == 0 && err == nil {
			t.Error("nothing was written, and Close returns nil")
		}
	})
}

// 33. TTL and tags of an entry that waits to be written behind.
func TestWhatIsPendingKeepsItsTTLAndTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, int]{MaxEntries: 1, TTL: time.Hour,
			WriteBehind: larder.WriteBehind[string, int]{Delay: 10 * time.Second,
				Write: func(context.Context, map[string]int) error { return nil }},
			Load: func(context.Context, string) (int, error) { return 2, nil }})
		defer c.Close()
		c.SetEntry(ctx, "k", larder.Entry[int]{Value: 1, TTL: 5 * time.Second, Tags: []string{"t"}})
		c.Set(ctx, "x", 1)
		c.Get(ctx, "k")
		time.Sleep(20 * time.Minute)
		if v, ok := c.Lookup("k"); ok && v == 1 {
			t.Errorf("set for 5 s, there 20 min later: %v", v)
		}
	})
}
