package larder_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

var errOrigin = errors.New("the origin is down")

func TestOneLoadForAThousandCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c := larder.Memoize(func(context.Context, string) (int, error) {
			calls.Add(1)
			time.Sleep(20 * time.Millisecond)
			return 7, nil
		}, larder.Options[string, int]{})
		defer c.Close()
		start := time.Now()
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if v, err := c.Get(ctx, "key"); v != 7 || err != nil {
					t.Errorf("Get = %d, %v", v, err)
				}
			})
		}
		wg.Wait()
		if calls.Load() != 1 || time.Since(start) != 20*time.Millisecond {
			t.Errorf("%d calls, %v; want 1, 20ms", calls.Load(), time.Since(start))
		}
	})
}

func TestWhoGivesUpHurtsNobodyElse(t *testing.T) {
	slow := func(ctx context.Context, _ string) (int, error) {
		select {
		case <-time.After(100 * time.Millisecond):
			return 7, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	for _, first := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := larder.Memoize(slow, larder.Options[string, int]{})
			defer c.Close()
			impatient := func() {
				start := time.Now()
				limited, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
				defer cancel()
				_, err := c.Get(limited, "key")
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Millisecond {
					t.Errorf("the impatient: %v after %v", err, time.Since(start))
				}
			}
			patient := func() {
				limited, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				if v, err := c.Get(limited, "key"); v != 7 || err != nil {
					t.Errorf("the patient: %d, %v", v, err)
				}
			}
			callers := []func(){impatient, patient}
			if !first {
				slices.Reverse(callers)
			}
			var wg sync.WaitGroup
			for _, call := range callers {
				wg.Go(call)
				synctest.Wait()
			}
			wg.Wait()
			if v, ok := c.Lookup("key"); v != 7 || !ok {
				t.Error("what was loaded is not kept")
			}
		})
	}
}

func TestALoadGoesOnWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.Memoize(func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			return 7, nil
		}, larder.Options[int, int]{})
		limited, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		c.Get(limited, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		if v, ok := c.Lookup(1); v != 7 || !ok {
			t.Error("what was loaded is not kept")
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	calls := 0
	c := larder.Memoize(func(context.Context, int) (int, error) {
		if calls++; calls == 1 {
			return 0, errOrigin
		}
		return calls, nil
	}, larder.Options[int, int]{})
	if _, err := c.Get(ctx, 1); !errors.Is(err, errOrigin) {
		t.Errorf("Get: %v, want %v", err, errOrigin)
	}
	if v, err := c.Get(ctx, 1); v != 2 || err != nil {
		t.Errorf("Get = %d, %v; want 2, nil", v, err)
	}
}

func TestAPanicIsAnErrorWithItsStack(t *testing.T) {
	c := larder.Memoize(func(context.Context, int) (int, error) { panic(errOrigin) },
		larder.Options[int, int]{})
	limited, cancel := context.WithTimeout(ctx, time.Minute) // the load has a goroutine of its own
	defer cancel()
	for _, ctx := range []context.Context{ctx, limited} {
		_, err := c.Get(ctx, 1)
		var p *larder.PanicError
		if !errors.As(err, &p) || !errors.Is(err, errOrigin) ||
			!strings.Contains(string(p.Stack), "TestAPanicIsAnError") {
			t.Errorf("Get: %v", err)
		}
	}
}

// TestAPanicFreesTheWaiters has a loader that cannot stand the context of the first caller: it is
// tried again for the others, once.
func TestAPanicFreesTheWaiters(t *testing.T) {
	for _, always := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var calls, failed, served atomic.Int64
			c := larder.Memoize(func(context.Context, int) (int, error) {
				n := calls.Add(1)
				time.Sleep(20 * time.Millisecond)
				if always || n == 1 {
					panic("loader")
				}
				return 7, nil
			}, larder.Options[int, int]{})
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if v, err := c.Get(ctx, 1); err != nil {
						failed.Add(1)
					} else if v == 7 {
						served.Add(1)
					}
				})
			}
			wg.Wait()
			want := []int64{2, 1, 49}
			if always {
				want = []int64{2, 50, 0}
			}
			if got := []int64{calls.Load(), failed.Load(), served.Load()}; !slices.Equal(got, want) {
				t.Errorf("always %v: calls, failed, served %v; want %v", always, got, want)
			}
		})
	}
}

func TestALoaderThatEndsItsGoroutineFreesTheWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.Memoize(func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			runtime.Goexit()
			return 0, nil
		}, larder.Options[int, int]{})
		go c.Get(ctx, 1)
		synctest.Wait()
		if _, err := c.Get(ctx, 1); err == nil {
			t.Error("no error")
		}
	})
}

func TestALoaderMayAskForAnotherKey(t *testing.T) {
	var c *larder.Cache[int, int64]
	c = larder.Memoize(func(ctx context.Context, n int) (int64, error) {
		if n < 2 {
			return int64(n), nil
		}
		a, err := c.Get(ctx, n-1)
		if err != nil {
			return 0, err
		}
		b, err := c.Get(ctx, n-2)
		return a + b, err
	}, larder.Options[int, int64]{})
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	if v, err := c.Get(ctx, 50); v != 12586269025 || err != nil {
		t.Errorf("Get(50) = %d, %v", v, err)
	}
	if v, err := c.Get(limited, 80); v != 23416728348467685 || err != nil {
		t.Errorf("Get(80) = %d, %v", v, err)
	}
}

func TestALoadThatWaitsForItselfFails(t *testing.T) {
	var c, d *larder.Cache[int, int]
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	loaders := map[string]func(ctx context.Context, n int) (int, error){
		"its own key":       func(ctx context.Context, n int) (int, error) { return c.Get(ctx, n) },
		"without a context": func(_ context.Context, n int) (int, error) { return c.Get(ctx, n) },
		"in a circle":       func(ctx context.Context, n int) (int, error) { return c.Get(ctx, (n+1)%3) },
		"through GetMany": func(ctx context.Context, n int) (int, error) {
			m, err := c.GetMany(ctx, []int{n + 1, n})
			return m[n], err
		},
		"through another cache": func(ctx context.Context, n int) (int, error) { return d.Get(ctx, n) },
	}
	for name, load := range loaders {
		if name == "through GetMany" {
			load = func(ctx context.Context, n int) (int, error) {
				if n > 0 {
					return n, nil
				}
				m, err := c.GetMany(ctx, []int{1, 0})
				return m[0], err
			}
		}
		c = larder.Memoize(load, larder.Options[int, int]{})
		d = larder.Memoize(func(ctx context.Context, n int) (int, error) { return c.Get(ctx, n) },
			larder.Options[int, int]{})
		for _, ctx := range []context.Context{ctx, limited} {
			if _, err := c.Get(ctx, 0); !errors.Is(err, larder.ErrRecursive) {
				t.Errorf("%s: %v, want ErrRecursive", name, err)
			}
		}
	}
}

// TestTwoLoadsThatWaitForEachOtherFail begins them on their own, and has each ask for the other.
func TestTwoLoadsThatWaitForEachOtherFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *larder.Cache[int, int]
		c = larder.Memoize(func(ctx context.Context, n int) (int, error) {
			time.Sleep(time.Second)
			return c.Get(ctx, 1-n)
		}, larder.Options[int, int]{})
		var recursive atomic.Int64
		var wg sync.WaitGroup
		for n := range 2 {
			wg.Go(func() {
				if _, err := c.Get(ctx, n); errors.Is(err, larder.ErrRecursive) {
					recursive.Add(1)
				}
			})
		}
		wg.Wait()
		if recursive.Load() != 2 {
			t.Errorf("%d of 2 failed", recursive.Load())
		}
	})
}

func TestAChangeDuringALoadWins(t *testing.T) {
	changes := map[string]func(c *larder.Cache[int, string]){
		"set":     func(c *larder.Cache[int, string]) { c.Set(ctx, 1, "set") },
		"delete":  func(c *larder.Cache[int, string]) { c.Delete(ctx, 1) },
		"clear":   func(c *larder.Cache[int, string]) { c.Clear(ctx) },
		"compute": func(c *larder.Cache[int, string]) { c.Compute(ctx, 1, toSet) },
	}
	for name, change := range changes {
		synctest.Test(t, func(t *testing.T) {
			c := larder.Memoize(func(context.Context, int) (string, error) {
				time.Sleep(time.Second)
				return "old", nil
			}, larder.Options[int, string]{})
			var wg sync.WaitGroup
			wg.Go(func() {
				if v, err := c.Get(ctx, 1); v != "old" || err != nil {
					t.Errorf("%s: who asked before gets %q, %v", name, v, err)
				}
			})
			synctest.Wait()
			change(c)
			wg.Wait()
			v, ok := c.Lookup(1)
			if wants := name == "set" || name == "compute"; ok != wants || wants && v != "set" {
				t.Errorf("%s: %q, %v is there after the load", name, v, ok)
			}
		})
	}
}

func toSet(string, bool) (string, larder.Op) { return "set", larder.Put }

func TestLoadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.Memoize(func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}, larder.Options[int, int]{LoadTimeout: time.Second})
		start := time.Now()
		_, err := c.Get(ctx, 1)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestGetManyLoadsWhatIsMissingAtOnce(t *testing.T) {
	var asked [][]int
	c := larder.New(larder.Options[int, string]{
		LoadMany: func(_ context.Context, keys []int) (map[int]string, error) {
			asked = append(asked, slices.Clone(keys))
			got := map[int]string{}
			for _, k := range keys {
				if k != 4 {
					got[k] = fmt.Sprint(k)
				}
			}
			return got, nil
		}})
	c.Set(ctx, 2, "two")
	got, err := c.GetMany(ctx, []int{1, 2, 3, 4, 3})
	want := map[int]string{1: "1", 2: "two", 3: "3"}
	if !maps.Equal(got, want) || err != nil {
		t.Errorf("GetMany = %v, %v; want %v", got, err, want)
	}
	if v, err := c.Get(ctx, 5); v != "5" || err != nil {
		t.Errorf("Get(5) = %q, %v", v, err)
	}
	if _, err := c.Get(ctx, 4); !errors.Is(err, larder.ErrNotFound) {
		t.Errorf("Get(4): %v, want ErrNotFound", err)
	}
	if fmt.Sprint(asked) != "[[1 3 4] [5] [4]]" {
		t.Errorf("asked for %v", asked)
	}
}

func TestGetManyWaitsForOthersAndReportsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c := larder.Memoize(func(_ context.Context, k int) (int, error) {
			calls.Add(1)
			time.Sleep(time.Second)
			if k == 3 {
				return 0, errOrigin
			}
			return k, nil
		}, larder.Options[int, int]{})
		go c.Get(ctx, 1)
		synctest.Wait()
		start := time.Now()
		got, err := c.GetMany(ctx, []int{1, 2, 3})
		if !maps.Equal(got, map[int]int{1: 1, 2: 2}) || !errors.Is(err, errOrigin) {
			t.Errorf("GetMany = %v, %v", got, err)
		}
		if calls.Load() != 3 || time.Since(start) != time.Second {
			t.Errorf("%d calls, %v; want 3, 1s", calls.Load(), time.Since(start))
		}
	})
}

func TestAPanicInLoadManyFreesAll(t *testing.T) {
	c := larder.New(larder.Options[int, int]{
		LoadMany: func(context.Context, []int) (map[int]int, error) { panic("no") }})
	var p *larder.PanicError
	if _, err := c.GetMany(ctx, []int{1, 2, 3}); !errors.As(err, &p) {
		t.Errorf("GetMany: %v", err)
	}
	if _, err := c.Get(ctx, 1); !errors.As(err, &p) {
		t.Errorf("Get: %v", err)
	}
}

func TestAContextThatHasEndedLoadsNothing(t *testing.T) {
	c := larder.Memoize(func(context.Context, int) (int, error) {
		t.Error("loaded")
		return 0, nil
	}, larder.Options[int, int]{})
	c.Set(ctx, 1, 1)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Get(ended, 1); err != nil {
		t.Errorf("Get of what is there: %v", err)
	}
	if _, err := c.Get(ended, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if _, err := c.GetMany(ended, []int{2, 3}); !errors.Is(err, context.Canceled) {
		t.Errorf("GetMany: %v", err)
	}
}

func TestAPanicIsNeverTakenForAbsence(t *testing.T) {
	c := larder.Memoize(func(context.Context, int) (int, error) {
		panic(fmt.Errorf("no such user: %w", larder.ErrNotFound))
	}, larder.Options[int, int]{})
	var p *larder.PanicError
	if got, err := c.GetMany(ctx, []int{1, 2}); !errors.As(err, &p) {
		t.Errorf("GetMany = %v, %v; want a PanicError", got, err)
	}
}

func TestWhoWaitsInGetManyTriesAgainAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c := larder.Memoize(func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			if calls.Add(1) == 1 {
				panic("the first")
			}
			return 7, nil
		}, larder.Options[int, int]{})
		go c.Get(ctx, 1)
		synctest.Wait()
		if got, err := c.GetMany(ctx, []int{1}); got[1] != 7 || err != nil {
			t.Errorf("GetMany = %v, %v; want 7", got, err)
		}
	})
}

func TestComputeThatKeepsLeavesALoadAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.Memoize(func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			return 7, nil
		}, larder.Options[int, int]{})
		go c.Get(ctx, 1)
		synctest.Wait()
		c.Compute(ctx, 1, func(int, bool) (int, larder.Op) { return 0, larder.Keep })
		time.Sleep(time.Second)
		synctest.Wait()
		if v, ok := c.Lookup(1); v != 7 || !ok {
			t.Errorf("Lookup = %d, %v; want 7, true", v, ok)
		}
	})
}

func TestAnOperationThatIsNonePanics(t *testing.T) {
	c := larder.New(larder.Options[int, int]{})
	c.Set(ctx, 1, 1)
	defer func() {
		if _, ok := c.Lookup(1); recover() == nil || !ok {
			t.Error("no panic, or the entry is gone")
		}
	}()
	c.Compute(ctx, 1, func(int, bool) (int, larder.Op) { return 0, larder.Op(77) })
}
