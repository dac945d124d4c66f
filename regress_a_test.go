// regress_a_test.go: what once went wrong between memory, store and origin.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// told is a text that several goroutines read and write.
type told struct{ atomic.Value }

func textOf(s string) *told {
	t := &told{}
	t.set(s)
	return t
}

func (t *told) get() string  { return t.Load().(string) }
func (t *told) set(s string) { t.Store(s) }

// bare hides what a store can do besides.
type bare struct{ store.Store }

var _ = storetest.NewFaulty
var _ sync.Mutex

// 1. tags are not delisted by a plain Set of a simple cache.
func TestATaggedEntryMayBeSetWithoutTags(t *testing.T) {
	c := larder.New(larder.Options[string, int]{})
	defer c.Close()
	c.SetEntry(ctx, "k", larder.Entry[int]{Value: 1, Tags: []string{"a"}})
	c.Set(ctx, "k", 2)
	c.Delete(ctx, "k")
	c.DeleteTag(ctx, "a") // panics: an entry is not in the index
}

func TestADeletedTagTakesNoOtherKey(t *testing.T) {
	c := larder.New(larder.Options[string, int]{})
	defer c.Close()
	c.SetEntry(ctx, "k", larder.Entry[int]{Value: 1, Tags: []string{"a"}})
	c.Set(ctx, "k", 2)
	c.Delete(ctx, "k")
	c.Set(ctx, "other", 3)
	c.DeleteTag(ctx, "a")
	if _, ok := c.Lookup("other"); !ok {
		t.Error("DeleteTag deleted an entry that never had that tag")
	}
}

// 2. the caller's slice of tags is kept.
func TestTagsAreCopied(t *testing.T) {
	c := larder.New(larder.Options[string, int]{})
	defer c.Close()
	tags := []string{"a"}
	c.SetEntry(ctx, "k", larder.Entry[int]{Value: 1, Tags: tags})
	tags[0] = "b" // reused
	c.Delete(ctx, "k")
	c.DeleteTag(ctx, "a")
}

// 3. Compute that is refused stores the zero value.
func TestARefusedComputeStoresNoZero(t *testing.T) {
	s := store.NewMemory(store.MemoryOptions{})
	o := larder.Options[string, string]{Name: "n", MaxWeight: 10,
		Weigh: func(_, v string) int { return len(v) }}
	o.Store = s.Share()
	a := larder.New(o)
	o.Store = s.Share()
	b := larder.New(o)
	defer a.Close()
	defer b.Close()
	a.Compute(ctx, "k", func(string, bool) (string, larder.Op) { return "much too heavy", larder.Put })
	if v, err := b.Get(ctx, "k"); err == nil && v == "" {
		t.Errorf("the other node reads %q, %v", v, err)
	}
}

func TestComputeAfterCloseStoresNothing(t *testing.T) {
	s := store.NewMemory(store.MemoryOptions{})
	o := larder.Options[string, int]{Name: "n"}
	o.Store = s.Share()
	a := larder.New(o)
	o.Store = s.Share()
	b := larder.New(o)
	defer b.Close()
	a.Set(ctx, "k", 7)
	a.Close()
	a.Compute(ctx, "k", func(int, bool) (int, larder.Op) { return 8, larder.Put })
	if v, err := b.Get(ctx, "k"); v != 7 && v != 8 {
		t.Errorf("the other node reads %v, %v", v, err)
	}
}

// 4. SoftTimeout with a Store: who leads waits for the load.
func TestSoftTimeoutHoldsWithAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var takes atomic.Int64
		c := larder.New(larder.Options[string, int]{Name: "n", Store: store.NewMemory(store.MemoryOptions{}),
			TTL: time.Minute, StaleOnError: time.Hour, SoftTimeout: 200 * time.Millisecond,
			Load: func(context.Context, string) (int, error) {
				time.Sleep(time.Duration(takes.Load()))
				return 1, nil
			}})
		defer c.Close()
		c.Get(ctx, "k")
		takes.Store(int64(30 * time.Second))
		time.Sleep(2 * time.Minute)
		start := time.Now()
		c.Get(ctx, "k")
		if d := time.Since(start); d > time.Second {
			t.Errorf("Get with SoftTimeout 200ms took %v", d)
		}
		time.Sleep(3 * time.Minute)
		start = time.Now()
		c.GetMany(ctx, []string{"k"})
		if d := time.Since(start); d > time.Second {
			t.Errorf("GetMany with SoftTimeout 200ms took %v", d)
		}
		time.Sleep(time.Minute)
	})
}

// 5. a load that Set or Delete of the same process has dropped is stored where the store gives no leases
// (or leases that see no changes, as store/disk).
func TestADroppedLoadIsNotStored(t *testing.T) {
	// Set and Delete both fail; the first one that fails ends the test.
	for _, how := range []string{"Set", "Delete"} {
		synctest.Test(t, func(t *testing.T) {
			truth := textOf("old")
			c := larder.New(larder.Options[string, string]{Name: "n", MaxEntries: 1,
				Store: bare{store.NewMemory(store.MemoryOptions{})},
				Load: func(_ context.Context, key string) (string, error) {
					v := truth.get()
					time.Sleep(time.Second)
					return v, nil
				}})
			defer c.Close()
			go c.Get(ctx, "k")
			time.Sleep(time.Second / 2)
			truth.set("new")
			if how == "Set" {
				c.Set(ctx, "k", truth.get())
			} else {
				c.Delete(ctx, "k")
			}
			time.Sleep(time.Second)
			if _, ok := c.Lookup("k"); ok && how == "Delete" {
				t.Error("in memory")
			}
			if how == "Set" {
				c.Set(ctx, "x", "") // evicts k
			}
			if v, err := c.Get(ctx, "k"); v != "new" {
				t.Errorf("%s: Get returns %q, %v", how, v, err)
			}
		})
	}
}

// 6. Set during a refresh that says "not found": store loses the value.
func TestASetDuringARefreshThatFindsNothingStaysStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.NewMemory(store.MemoryOptions{})
		first := true
		c := larder.New(larder.Options[string, string]{Name: "n", TTL: time.Minute, Stale: time.Hour,
			Store: s, Load: func(_ context.Context, key string) (string, error) {
				if first {
					first = false
					return "old", nil
				}
				time.Sleep(time.Second)
				return "", larder.ErrNotFound
			}})
		defer c.Close()
		c.Get(ctx, "k")
		time.Sleep(2 * time.Minute)
		c.Get(ctx, "k") // refreshes
		time.Sleep(time.Second / 2)
		if err := c.Set(ctx, "k", "set"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if v, ok := c.Lookup("k"); v != "set" {
			t.Errorf("memory has %q %v", v, ok)
		}
		if key := keyIn(s); key == "" {
			t.Error("the store has lost what was set")
		}
	})
}

// 7. a load that finds nothing takes out what was set meanwhile.
func TestNotFoundUndoesNoSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, string]{
			Load: func(_ context.Context, key string) (string, error) {
				time.Sleep(600 * time.Millisecond)
				return "", larder.ErrNotFound
			},
			Store: slowSet{store.NewMemory(store.MemoryOptions{}), 200 * time.Millisecond},
			Name:  "n",
			Write: func(context.Context, string, string) error { time.Sleep(time.Second); return nil },
		})
		defer c.Close()
		go func() { time.Sleep(time.Second / 2); c.Get(ctx, "k") }() // ends after 1.1 s
		if err := c.Set(ctx, "k", "set"); err != nil {               // in memory after 1 s, in the store after 1.2 s
			t.Log(err)
		}
		if v, ok := c.Lookup("k"); !ok {
			t.Errorf("memory has %q %v: the load undid the Set", v, ok)
		}
	})
}

type slowSet struct {
	*store.Memory
	d time.Duration
}

func (s slowSet) Set(ctx context.Context, key string, item store.Item) error {
	time.Sleep(s.d)
	return s.Memory.Set(ctx, key, item)
}

// 8. Watch: Cleared does not reach the store before loads read it.
func TestAClearedOriginIsForgottenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		truth := textOf("old")
		w := &link{}
		m := store.NewMemory(store.MemoryOptions{})
		f := storetest.NewFaulty(m)
		f.Where(func(op, _ string) bool { return op == "DeletePrefix" })
		var errs atomic.Int64
		c := larder.New(larder.Options[string, string]{Name: "n", Store: f, Watch: w, TTL: time.Hour,
			OnError: func(error) { errs.Add(1) },
			Load:    func(context.Context, string) (string, error) { return truth.get(), nil }})
		defer c.Close()
		w.hear(store.Event{Kind: store.Linked})
		c.Get(ctx, "k")
		f.Delay(100 * time.Millisecond)
		truth.set("new")
		w.hear(store.Event{Kind: store.Cleared})
		v, _ := c.Get(ctx, "k")
		time.Sleep(time.Minute)
		v2, _ := c.Get(ctx, "k")
		if v != "new" || v2 != "new" {
			t.Errorf("slow store: after Cleared: %q, a minute later %q", v, v2)
		}
		f.Fail(errors.New("down"))
		truth.set("newer")
		w.hear(store.Event{Kind: store.Cleared})
		synctest.Wait()
		f.Heal()
		time.Sleep(time.Minute)
		v, _ = c.Get(ctx, "k")
		if v != "newer" {
			t.Errorf("store that failed: a minute after Cleared: %q; %d errors reported", v, errs.Load())
		}
	})
}

// 9. Watch lost and linked: what changed meanwhile is read from the store for its whole TTL.
func TestWhatTheOriginsLinkMissedIsNotReadFromTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		truth := textOf("old")
		w := &link{}
		c := larder.New(larder.Options[string, string]{Name: "n", Watch: w, TTL: time.Hour,
			Store: store.NewMemory(store.MemoryOptions{}),
			Load:  func(context.Context, string) (string, error) { return truth.get(), nil }})
		defer c.Close()
		w.hear(store.Event{Kind: store.Linked})
		c.Get(ctx, "k")
		w.hear(store.Event{Kind: store.Lost})
		truth.set("new")
		time.Sleep(10 * time.Second)
		if v, _ := c.Get(ctx, "k"); v != "new" {
			t.Errorf("10 s after the change, link lost: %q", v)
		}
		w.hear(store.Event{Kind: store.Linked})
		time.Sleep(time.Minute)
		if v, _ := c.Get(ctx, "k"); v != "new" {
			t.Errorf("a minute after the link is back: %q", v)
		}
	})
}

// 10. distrusted values are served while RetryAfter lasts.
func TestWhatIsDistrustedIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		truth := textOf("old")
		w := &link{}
		var takes atomic.Int64
		c := larder.New(larder.Options[string, string]{Watch: w, TTL: time.Hour, RefreshAhead: 0.5,
			StaleOnError: time.Hour, RetryAfter: time.Minute,
			Load: func(context.Context, string) (string, error) {
				v := truth.get()
				time.Sleep(time.Duration(takes.Load()))
				return v, nil
			}})
		defer c.Close()
		w.hear(store.Event{Kind: store.Linked})
		c.Get(ctx, "k")
		time.Sleep(40 * time.Minute)
		takes.Store(int64(time.Second))
		c.Get(ctx, "k") // due: a refresh begins
		time.Sleep(time.Second / 2)
		w.hear(store.Event{Kind: store.Lost})
		truth.set("new")
		w.hear(store.Event{Kind: store.Linked})
		time.Sleep(30 * time.Second)
		if v, err := c.Get(ctx, "k"); v != "new" {
			t.Errorf("30 s after the link is back, and the origin works: %q, %v", v, err)
		}
	})
}

// 11. LostTTL is not kept by Set in a cache with Watch alone.
func TestLostTTLHoldsForSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &link{}
		c := larder.New(larder.Options[string, string]{Watch: w, TTL: time.Hour,
			Load: func(context.Context, string) (string, error) { return "loaded", nil }})
		defer c.Close()
		c.Set(ctx, "set", "set")
		c.Get(ctx, "got")
		c.Compute(ctx, "computed", func(string, bool) (string, larder.Op) { return "", larder.Put })
		time.Sleep(time.Minute)
		for _, k := range []string{"set", "got", "computed"} {
			if _, ok := c.Lookup(k); ok {
				t.Errorf("a link that never stood: %s is in memory after a minute", k)
			}
		}
	})
}

// 12. Refresh that finds nothing leaves the store's value.
func TestARefreshThatFindsNothingDeletesFromTheStore(t *testing.T) {
	for name, load := range map[string]func(context.Context, string, larder.Entry[string]) (larder.Entry[string], error){
		"not found": func(context.Context, string, larder.Entry[string]) (larder.Entry[string], error) {
			return larder.Entry[string]{}, larder.ErrNotFound
		},
		"unkept": func(context.Context, string, larder.Entry[string]) (larder.Entry[string], error) {
			return larder.Entry[string]{Value: "new", TTL: -1}, nil
		},
	} {
		s := store.NewMemory(store.MemoryOptions{})
		o := larder.Options[string, string]{Name: "n", TTL: time.Hour, Reload: load}
		o.Store = s.Share()
		a := larder.New(o)
		o.Store = s.Share()
		b := larder.New(o)
		a.Set(ctx, "k", "old")
		v, err := b.Refresh(ctx, "k")
		v2, err2 := b.Get(ctx, "k")
		if v2 == "old" {
			t.Errorf("%s: Refresh: %q, %v; then Get: %q, %v", name, v, err, v2, err2)
		}
		a.Close()
		b.Close()
	}
}

// 13. Refresh hides the error where entries have lives.
func TestRefreshReturnsTheError(t *testing.T) {
	for _, ahead := range []float64{0, 0.5} {
		fail := false
		c := larder.New(larder.Options[string, string]{TTL: time.Hour, RefreshAhead: ahead,
			Load: func(context.Context, string) (string, error) {
				if fail {
					return "", errOrigin
				}
				return "old", nil
			}})
		c.Get(ctx, "k")
		fail = true
		v, err := c.Refresh(ctx, "k")
		if err == nil {
			t.Errorf("RefreshAhead %v: Refresh of a failing origin: %q, %v", ahead, v, err)
		}
		c.Close()
	}
}

// 14. Idle after a tagged entry.
func TestIdleGoesOnAfterATag(t *testing.T) {
	for _, tagged := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := larder.New(larder.Options[string, int]{Idle: 10 * time.Second})
			defer c.Close()
			if tagged {
				c.SetEntry(ctx, "t", larder.Entry[int]{Tags: []string{"a"}})
			}
			c.Set(ctx, "k", 1)
			for i := range 10 {
				time.Sleep(5 * time.Second)
				if _, ok := c.Lookup("k"); !ok {
					t.Errorf("tagged=%v: gone after %d s although used every 5", tagged, 5*(i+1))
					break
				}
			}
		})
	}
}

// 15. OnEvict under the turn of a key.
func TestOnEvictMayUseTheKey(t *testing.T) {
	for _, with := range []string{"stale", "store", "store event"} {
		done := make(chan bool)
		go func() {
			var c *larder.Cache[string, int]
			s := store.NewMemory(store.MemoryOptions{})
			o := larder.Options[string, int]{Name: "n", TTL: time.Hour,
				OnEvict: func(key string, v int, cause larder.Cause) {
					if v == 1 {
						c.Delete(ctx, key)
						c.Set(ctx, key, 3)
					}
				}}
			if with == "stale" {
				o.Stale = time.Hour
			} else {
				o.Store = s.Share()
			}
			c = larder.New(o)
			c.Set(ctx, "k", 1)
			if with == "store event" {
				o.Store, o.OnEvict = s.Share(), nil
				larder.New(o).Set(ctx, "k", 2)
			} else {
				c.Set(ctx, "k", 2) // tells OnEvict of 1
			}
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(2 * time.Second):
			t.Errorf("%s: deadlock", with)
		}
	}
}

// 17. Warm counts.
func TestWarmCountsWhatFailed(t *testing.T) {
	c := larder.New(larder.Options[int, int]{Load: func(_ context.Context, k int) (int, error) {
		if k == 0 {
			return 0, errOrigin
		}
		return 0, larder.ErrNotFound
	}})
	w, err := c.Warm(ctx, func(yield func(int) bool) {
		for i := range 50 {
			if !yield(i) {
				return
			}
		}
	}, larder.WarmOptions{})
	if w.Failed != 1 || w.NotFound != 49 {
		t.Errorf("%+v %v", w, err)
	}
}

// 18. Compute(Remove) leaves a kept value and a remembered absence.
func TestComputeRemovesWhatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err error
		c := larder.New(larder.Options[string, string]{TTL: time.Minute, StaleOnError: time.Hour, NegativeTTL: time.Hour,
			Load: func(context.Context, string) (string, error) { return "v", err }})
		defer c.Close()
		c.Get(ctx, "k")
		time.Sleep(2 * time.Minute)
		err = errOrigin
		c.Compute(ctx, "k", func(string, bool) (string, larder.Op) { return "", larder.Remove })
		if v, e := c.Get(ctx, "k"); e == nil {
			t.Errorf("removed, and served: %q", v)
		}
		err = larder.ErrNotFound
		c.Get(ctx, "n")
		c.Compute(ctx, "n", func(string, bool) (string, larder.Op) { return "", larder.Remove })
		err = nil
		if v, e := c.Get(ctx, "n"); e != nil {
			t.Errorf("removed, and still remembered as absent: %q, %v", v, e)
		}
	})
}

var _ = fmt.Sprint
