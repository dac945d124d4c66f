// abandon_test.go tests what becomes of loads that nobody waits for any more.

package larder_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
)

// slowLoads is a loader that takes a second, and counts what comes of its calls.
type slowLoads struct{ done, cancelled atomic.Int64 }

func (l *slowLoads) load(ctx context.Context, key string) (string, error) {
	select {
	case <-time.After(time.Second):
		l.done.Add(1)
		return "value of " + key, nil
	case <-ctx.Done():
		l.cancelled.Add(1)
		return "", ctx.Err()
	}
}

// get asks for key and gives up after patience.
func get(c *larder.Cache[string, string], key string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := c.Get(ctx, key)
	return err
}

func TestAnAbandonedLoadIsCancelledWithTheLastWhoWaits(t *testing.T) {
	for _, kept := range []store.Store{nil, store.NewMemory(store.MemoryOptions{})} {
		synctest.Test(t, func(t *testing.T) {
			var l slowLoads
			c := larder.New(larder.Options[string, string]{
				Name: "slow", Load: l.load, CancelAbandoned: true, Store: kept,
			})
			defer c.Close()
			gaveUp := make(chan error)
			go func() { gaveUp <- get(c, "a", 300*time.Millisecond) }()
			synctest.Wait()
			if err := get(c, "a", 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the first who gives up got %v", err)
			}
			if l.cancelled.Load() != 0 {
				t.Error("the load was cancelled while somebody waited")
			}
			<-gaveUp
			synctest.Wait()
			if l.cancelled.Load() != 1 {
				t.Errorf("%d loads were cancelled after all had given up, want 1", l.cancelled.Load())
			}
			start := time.Now()
			if err := get(c, "a", time.Minute); err != nil {
				t.Errorf("who asks later got %v", err)
			}
			if d := time.Since(start); d != time.Second || l.done.Load() != 1 {
				t.Errorf("who asks later waited %v for %d loads, want one of a second", d, l.done.Load())
			}
		})
	}
}

func TestWithoutCancelAbandonedALoadGoesOnForTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l slowLoads
		c := larder.New(larder.Options[string, string]{Load: l.load})
		defer c.Close()
		if err := get(c, "a", time.Millisecond); err == nil {
			t.Error("got a value in a millisecond")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, ok := c.Lookup("a"); !ok || l.cancelled.Load() != 0 {
			t.Errorf("there: %v, cancelled: %d", ok, l.cancelled.Load())
		}
	})
}

func TestALoadThatGetManyWaitsForIsNotAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l slowLoads
		c := larder.New(larder.Options[string, string]{Load: l.load, CancelAbandoned: true})
		defer c.Close()
		many := make(chan error)
		go func() {
			_, err := c.GetMany(context.Background(), []string{"a", "b"})
			many <- err
		}()
		synctest.Wait()
		if err := get(c, "a", time.Millisecond); err == nil {
			t.Error("got a value in a millisecond")
		}
		if err := <-many; err != nil || l.cancelled.Load() != 0 || l.done.Load() != 2 {
			t.Errorf("GetMany got %v; %d cancelled, %d done", err, l.cancelled.Load(), l.done.Load())
		}
	})
}

// abandon asks for key and gives up; what comes of the load has settled when it returns.
func abandon(c *larder.Cache[string, string], key string) {
	_ = get(c, key, 100*time.Millisecond)
	synctest.Wait()
}

func TestAnAbandonedReloadIsNoFailureOfTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l slowLoads
		c := larder.New(larder.Options[string, string]{
			Load: l.load, CancelAbandoned: true, TTL: time.Minute, StaleOnError: time.Hour,
			RetryAfter: time.Minute, OnError: func(err error) { t.Errorf("told: %v", err) },
		})
		defer c.Close()
		_ = get(c, "a", time.Minute)
		time.Sleep(2 * time.Minute)
		abandon(c, "a")
		if err := get(c, "a", time.Minute); err != nil || l.done.Load() != 2 {
			t.Errorf("who asks next got %v after %d loads: want the second one's value", err, l.done.Load())
		}
	})
}

func TestWhoGivesUpBeforeALeaseIsFreeAsksNoOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.NewMemory(store.MemoryOptions{})
		open := func(l *slowLoads) *larder.Cache[string, string] {
			return larder.New(larder.Options[string, string]{
				Name: "slow", Store: s, Load: l.load, CancelAbandoned: true,
				OnError: func(err error) { t.Errorf("told: %v", err) },
			})
		}
		var ours, theirs slowLoads
		other, c := open(&theirs), open(&ours)
		defer other.Close()
		defer c.Close()
		go func() { _ = get(other, "a", time.Minute) }()
		synctest.Wait()
		abandon(c, "a")
		if ours.cancelled.Load() != 0 || ours.done.Load() != 0 {
			t.Errorf("the origin was asked: %d done, %d cancelled", ours.done.Load(), ours.cancelled.Load())
		}
		time.Sleep(time.Minute)
	})
}

func TestARefreshIsNotAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l slowLoads
		c := larder.New(larder.Options[string, string]{Load: l.load, CancelAbandoned: true})
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := c.Refresh(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(2 * time.Second)
		if l.cancelled.Load() != 0 || l.done.Load() != 1 {
			t.Errorf("%d done, %d cancelled", l.done.Load(), l.cancelled.Load())
		}
	})
}

func TestALoaderThatAsksForItselfDoesNotCountAsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l slowLoads
		var c *larder.Cache[string, string]
		c = larder.New(larder.Options[string, string]{
			CancelAbandoned: true,
			Load: func(ctx context.Context, key string) (string, error) {
				if _, err := c.Get(ctx, key); !errors.Is(err, larder.ErrRecursive) {
					t.Errorf("got %v", err)
				}
				return l.load(ctx, key)
			},
		})
		defer c.Close()
		abandon(c, "a")
		if l.cancelled.Load() != 1 {
			t.Errorf("%d done, %d cancelled", l.done.Load(), l.cancelled.Load())
		}
	})
}
