// freshness_test.go tests what a Get does in each state of a value.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
)

// slow is an origin that counts, takes its time, and fails on demand.
type slow struct {
	calls atomic.Int64
	takes atomic.Int64 // nanoseconds
	fails atomic.Pointer[error]
}

func (s *slow) load(ctx context.Context, key string) (string, error) {
	n := s.calls.Add(1)
	select {
	case <-time.After(time.Duration(s.takes.Load())):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if err := s.fails.Load(); err != nil {
		return "", *err
	}
	return fmt.Sprint(key, n), nil
}

func (s *slow) fail(err error) {
	if err == nil {
		s.fails.Store(nil)
		return
	}
	s.fails.Store(&err)
}

// timed has a cache over a slow origin, in a bubble.
func timed(
	t *testing.T, o larder.Options[string, string],
	test func(c *larder.Cache[string, string], s *slow),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		s.takes.Store(int64(time.Second))
		c := larder.Memoize(s.load, o)
		defer c.Close()
		test(c, s)
	})
}

// wantGet checks what Get returns, and how long it takes.
func wantGet(t *testing.T, c *larder.Cache[string, string], want string, took time.Duration) {
	t.Helper()
	start := time.Now()
	v, err := c.Get(ctx, "k")
	if v != want || err != nil || time.Since(start) != took {
		t.Errorf("Get = %q, %v after %v; want %q after %v", v, err, time.Since(start), want, took)
	}
}

func TestStaleIsServedWhileOneLoadRefreshes(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, Stale: time.Minute}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		wantGet(t, c, "k1", time.Second)
		time.Sleep(time.Minute)
		for range 100 {
			wantGet(t, c, "k1", 0)
		}
		if v, ok := c.Lookup("k"); v != "k1" || !ok {
			t.Errorf("Lookup = %q, %v", v, ok)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		wantGet(t, c, "k2", 0)
		if got := s.calls.Load(); got != 2 {
			t.Errorf("%d loads, want 2", got)
		}
		if st := c.Stats(); st.Stale != 100 || st.Refreshes != 1 {
			t.Errorf("%d stale, %d refreshes", st.Stale, st.Refreshes)
		}
		time.Sleep(2*time.Minute + time.Second)
		wantGet(t, c, "k3", time.Second) // gone: waits
	})
}

func TestAFailedRefreshIsTriedAgainAfterAWhile(t *testing.T) {
	var told atomic.Int64
	o := larder.Options[string, string]{TTL: time.Minute, Stale: time.Hour, RetryAfter: 10 * time.Second,
		OnError: func(err error) {
			if errors.Is(err, errOrigin) {
				told.Add(1)
			}
		}}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		s.takes.Store(0)
		wantGet(t, c, "k1", 0)
		s.fail(errOrigin)
		time.Sleep(time.Minute)
		for range 60 {
			wantGet(t, c, "k1", 0)
			synctest.Wait()
			time.Sleep(time.Second)
		}
		if got := s.calls.Load(); got != 7 || told.Load() != 6 {
			t.Errorf("%d loads, %d errors told; want 7, 6", got, told.Load())
		}
		s.fail(nil)
		time.Sleep(10 * time.Second)
		wantGet(t, c, "k1", 0)
		synctest.Wait()
		wantGet(t, c, "k8", 0)
	})
}

func TestStaleOnError(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, StaleOnError: time.Hour}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		wantGet(t, c, "k1", time.Second)
		s.fail(errOrigin)
		time.Sleep(time.Minute)
		if _, ok := c.Lookup("k"); ok {
			t.Error("Lookup shows what is only kept for errors")
		}
		wantGet(t, c, "k1", time.Second) // tries
		wantGet(t, c, "k1", 0)           // does not, for a second
		time.Sleep(time.Second)
		wantGet(t, c, "k1", time.Second)
		s.fail(nil)
		time.Sleep(time.Second)
		wantGet(t, c, "k4", time.Second)
		s.fail(errOrigin)
		time.Sleep(time.Hour + time.Minute)
		if v, err := c.Get(ctx, "k"); !errors.Is(err, errOrigin) {
			t.Errorf("after StaleOnError: %q, %v", v, err)
		}
	})
}

func TestNotFoundEndsAnOldValue(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, Stale: time.Hour, StaleOnError: time.Hour}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		wantGet(t, c, "k1", time.Second)
		s.fail(fmt.Errorf("no such key: %w", larder.ErrNotFound))
		time.Sleep(time.Minute)
		wantGet(t, c, "k1", 0)
		time.Sleep(time.Second)
		synctest.Wait()
		if v, err := c.Get(ctx, "k"); !errors.Is(err, larder.ErrNotFound) || c.Len() != 0 {
			t.Errorf("Get = %q, %v, %d entries", v, err, c.Len())
		}
	})
}

func TestSoftTimeoutServesStale(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, StaleOnError: time.Hour,
		SoftTimeout: 100 * time.Millisecond}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		wantGet(t, c, "k1", time.Second) // nothing to serve instead
		time.Sleep(time.Minute)
		wantGet(t, c, "k1", 100*time.Millisecond)
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		wantGet(t, c, "k2", 0)
	})
}

func TestRefreshAhead(t *testing.T) {
	o := larder.Options[string, string]{TTL: 100 * time.Second, RefreshAhead: 0.8}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		s.takes.Store(0)
		wantGet(t, c, "k1", 0)
		time.Sleep(80*time.Second - time.Nanosecond)
		wantGet(t, c, "k1", 0)
		synctest.Wait()
		if s.calls.Load() != 1 {
			t.Error("refreshed too early")
		}
		time.Sleep(time.Nanosecond)
		wantGet(t, c, "k1", 0)
		synctest.Wait()
		wantGet(t, c, "k2", 0)
		time.Sleep(100 * time.Second)
		wantGet(t, c, "k3", 0) // nobody asked in time: gone
	})
}

func TestEarlyRefreshesBeforeTheEnd(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, Early: 1}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		wantGet(t, c, "k1", time.Second)
		time.Sleep(30 * time.Second) // 30 times its load before the end: the chance is e^-30
		for range 10_000 {
			wantGet(t, c, "k1", 0)
		}
		time.Sleep(30*time.Second - time.Nanosecond)
		for range 10 {
			wantGet(t, c, "k1", 0) // the chance is near 1
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := s.calls.Load(); got != 2 {
			t.Errorf("%d loads, want 2", got)
		}
	})
}

func TestNegativeTTL(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Hour, NegativeTTL: time.Minute}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		missing := fmt.Errorf("no such key: %w", larder.ErrNotFound)
		s.fail(missing)
		for range 10 {
			if _, err := c.Get(ctx, "k"); !errors.Is(err, missing) {
				t.Errorf("Get: %v", err)
			}
			if got, err := c.GetMany(ctx, []string{"k"}); len(got) != 0 || err != nil {
				t.Errorf("GetMany = %v, %v", got, err)
			}
		}
		if _, ok := c.Lookup("k"); ok || s.calls.Load() != 1 {
			t.Errorf("Lookup finds %v; %d loads, want 1", ok, s.calls.Load())
		}
		for k := range c.All() {
			t.Errorf("All shows %q", k)
		}
		s.fail(nil)
		time.Sleep(time.Minute)
		wantGet(t, c, "k2", time.Second)
		c.Delete(ctx, "k")
		s.fail(missing)
		c.Get(ctx, "k")
		if err := c.Set(ctx, "k", "set"); err != nil {
			t.Error(err)
		}
		wantGet(t, c, "set", 0)
	})
}

func TestReloadGetsTheOldVersionAndChoosesTheTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var olds []larder.Entry[string]
		next := larder.Entry[string]{Value: "one", TTL: time.Minute, Tags: []string{"t"},
			Validators: store.Validators{ETag: `"1"`}}
		c := larder.New(larder.Options[string, string]{TTL: time.Hour, StaleOnError: time.Hour,
			Reload: func(_ context.Context, _ string, old larder.Entry[string]) (larder.Entry[string], error) {
				olds = append(olds, old)
				return next, nil
			}})
		defer c.Close()
		start := time.Now()
		wantGet(t, c, "one", 0)
		time.Sleep(time.Minute)
		next.TTL = 0
		wantGet(t, c, "one", 0)
		old := olds[1]
		if len(olds) != 2 || !olds[0].Created.IsZero() || old.Value != "one" ||
			old.Validators.ETag != `"1"` || !old.Created.Equal(start) || !slices.Equal(old.Tags, next.Tags) {
			t.Errorf("old versions: %+v", olds)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		wantGet(t, c, "one", 0)
		if len(olds) != 2 {
			t.Error("TTL 0 is not that of the options")
		}
		c.DeleteTag(ctx, "t")
		next = larder.Entry[string]{Value: "two", TTL: -1}
		wantGet(t, c, "two", 0)
		if c.Len() != 0 {
			t.Error("what is not to be kept is kept")
		}
	})
}

func TestWeightOfAnEntryCounts(t *testing.T) {
	c := larder.New(larder.Options[string, string]{
		MaxWeight: 100, Weigh: func(string, string) int { return 1 },
		Reload: func(context.Context, string, larder.Entry[string]) (larder.Entry[string], error) {
			return larder.Entry[string]{Value: "v", Weight: 60}, nil
		}})
	defer c.Close()
	for _, k := range []string{"a", "b"} {
		if _, err := c.Get(ctx, k); err != nil || c.Weight() != 60 {
			t.Errorf("weight %d, %v; want 60", c.Weight(), err)
		}
	}
	if err := c.SetEntry(ctx, "c", larder.Entry[string]{Value: "v", Weight: 101}); !errors.Is(err, larder.ErrRefused) {
		t.Errorf("SetEntry: %v", err)
	}
}

func TestTagsAndPrefixes(t *testing.T) {
	var left []string
	c := larder.New(larder.Options[string, int]{MaxEntries: 100,
		OnEvict: func(k string, _ int, cause larder.Cause) { left = append(left, k+" "+cause.String()) }})
	defer c.Close()
	set := func(k string, tags ...string) {
		if err := c.SetEntry(ctx, k, larder.Entry[int]{Value: 1, Tags: tags}); err != nil {
			t.Fatal(err)
		}
	}
	c.Set(ctx, "plain", 1)
	set("a/1", "x", "y")
	set("a/2", "y")
	set("b/1", "x")
	set("b/1") // has none any more
	c.DeleteTag(ctx, "x")
	c.DeleteTag(ctx, "nobody has it")
	c.DeletePrefix(ctx, "a/")
	slices.Sort(left)
	if got, want := fmt.Sprint(left), "[a/1 deleted a/2 deleted b/1 replaced]"; got != want || c.Len() != 2 {
		t.Errorf("left %s, %d entries; want %s, 2", got, c.Len(), want)
	}
}

func TestATagDeletedDuringALoadVoidsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, string]{
			Reload: func(_ context.Context, key string, _ larder.Entry[string]) (larder.Entry[string], error) {
				time.Sleep(time.Second)
				return larder.Entry[string]{Value: "old", Tags: []string{key}}, nil
			}})
		defer c.Close()
		go c.Get(ctx, "x")
		go c.Get(ctx, "y")
		synctest.Wait()
		c.DeleteTag(ctx, "x")
		time.Sleep(time.Second)
		synctest.Wait()
		_, x := c.Lookup("x")
		if _, y := c.Lookup("y"); x || !y {
			t.Errorf("x is kept: %v, y: %v; want false, true", x, y)
		}
	})
}

func TestIdleWithStale(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, Stale: time.Hour, Idle: 10 * time.Second}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		s.takes.Store(0)
		wantGet(t, c, "k1", 0)
		for range 11 {
			time.Sleep(9 * time.Second)
			c.Lookup("k") // refreshes nothing
		}
		if v, ok := c.Lookup("k"); v != "k1" || !ok || s.calls.Load() != 1 {
			t.Errorf("Lookup = %q, %v after %d loads", v, ok, s.calls.Load())
		}
		time.Sleep(10 * time.Second)
		if v, ok := c.Lookup("k"); ok {
			t.Errorf("%q shows after it was idle", v)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if c.Len() != 0 {
			t.Error("its room is not given back")
		}
	})
}

func TestJitterInACache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards at
		var at []time.Time
		c := larder.New(larder.Options[int, int]{MaxEntries: 20_000, TTL: time.Hour, Jitter: 0.5,
			OnEvict: func(int, int, larder.Cause) {
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Now())
			}})
		defer c.Close()
		start := time.Now()
		for i := range 10_000 {
			c.Set(ctx, i, i)
		}
		time.Sleep(2 * time.Hour)
		mu.Lock()
		defer mu.Unlock()
		var in [100]int
		for _, when := range at {
			in[min(int(100*(when.Sub(start).Hours()-0.5)), 99)]++
		}
		if most := slices.Max(in[:]); len(at) != 10_000 || most > 300 {
			t.Errorf("%d expired, %d of them in one hundredth of the window", len(at), most)
		}
	})
}

func TestRefreshLoadsNow(t *testing.T) {
	for _, o := range []larder.Options[string, string]{{}, {TTL: time.Hour}, {TTL: time.Hour, Stale: time.Hour}} {
		timed(t, o, func(c *larder.Cache[string, string], s *slow) {
			wantGet(t, c, "k1", time.Second)
			if v, err := c.Refresh(ctx, "k"); v != "k2" || err != nil {
				t.Errorf("Refresh = %q, %v", v, err)
			}
			wantGet(t, c, "k2", 0)
			s.fail(errOrigin)
			if _, err := c.Refresh(ctx, "k"); !errors.Is(err, errOrigin) && o.Stale == 0 {
				t.Errorf("Refresh of a broken origin: %v", err)
			}
			wantGet(t, c, "k2", 0)
		})
	}
}

func TestASetDuringARefreshWins(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, Stale: time.Minute}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		wantGet(t, c, "k1", time.Second)
		time.Sleep(time.Minute)
		wantGet(t, c, "k1", 0)
		c.Set(ctx, "k", "set")
		time.Sleep(time.Second)
		synctest.Wait()
		wantGet(t, c, "set", 0)
	})
}

func TestGetManyServesStaleAndKeeps(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, Stale: time.Minute, StaleOnError: time.Hour}
	timed(t, o, func(c *larder.Cache[string, string], s *slow) {
		want := func(v string, took time.Duration) {
			t.Helper()
			start := time.Now()
			got, err := c.GetMany(ctx, []string{"k", "k"})
			if got["k"] != v || err != nil || time.Since(start) != took {
				t.Errorf("GetMany = %v, %v after %v; want %q after %v", got, err, time.Since(start), v, took)
			}
		}
		want("k1", time.Second)
		s.fail(errOrigin)
		time.Sleep(time.Minute)
		want("k1", 0)
		time.Sleep(time.Minute)
		want("k1", time.Second)
		want("k1", 0)
	})
}
