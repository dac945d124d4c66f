// abandon_test.go tests what becomes of loads that nobody waits for any more.

package larder_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
)

// slowLoads is a loader that takes a second, and counts what comes of its calls.
type slowLoads struct{ done, cancelled int }

func (l *slowLoads) load(ctx context.Context, key string) (string, error) {
	select {
	case <-time.After(time.Second):
		l.done++
		return "value of " + key, nil
	case <-ctx.Done():
		l.cancelled++
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
			if l.cancelled != 0 {
				t.Error("the load was cancelled while somebody waited")
			}
			<-gaveUp
			synctest.Wait()
			if l.cancelled != 1 {
				t.Errorf("%d loads were cancelled after all had given up, want 1", l.cancelled)
			}
			start := time.Now()
			if err := get(c, "a", time.Minute); err != nil {
				t.Errorf("who asks later got %v", err)
			}
			if d := time.Since(start); d != time.Second || l.done != 1 {
				t.Errorf("who asks later waited %v for %d loads, want one of a second", d, l.done)
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
		if _, ok := c.Lookup("a"); !ok || l.cancelled != 0 {
			t.Errorf("there: %v, cancelled: %d", ok, l.cancelled)
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
		if err := <-many; err != nil || l.cancelled != 0 || l.done != 2 {
			t.Errorf("GetMany got %v; %d cancelled, %d done", err, l.cancelled, l.done)
		}
	})
}
