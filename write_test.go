// write_test.go tests what Set does at the origin.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// table is an origin that can be written.
type table struct {
	mu      sync.Mutex // guards the fields below
	rows    map[string]int
	batches []int
	fails   int // how many of the next writes fail
}

func (o *table) write(_ context.Context, values map[string]int) error {
	time.Sleep(100 * time.Millisecond)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails > 0 {
		o.fails--
		return errOrigin
	}
	if o.rows == nil {
		o.rows = map[string]int{}
	}
	maps.Copy(o.rows, values)
	o.batches = append(o.batches, len(values))
	return nil
}

func (o *table) get(key string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rows[key]
}

func TestWriteThrough(t *testing.T) {
	o := &table{}
	c := larder.New(larder.Options[string, int]{
		Write: func(ctx context.Context, key string, v int) error {
			return o.write(ctx, map[string]int{key: v})
		}})
	defer c.Close()
	if err := c.Set(ctx, "k", 1); err != nil || o.get("k") != 1 {
		t.Errorf("Set: %v; the origin has %d", err, o.get("k"))
	}
	o.fails = 1
	if err := c.Set(ctx, "k", 2); !errors.Is(err, errOrigin) {
		t.Errorf("Set: %v", err)
	}
	if v, _ := c.Lookup("k"); v != 1 {
		t.Errorf("%d is kept although the origin has 1", v)
	}
}

// behindOf is a cache that writes behind, to o.
func behindOf(o *table, b larder.WriteBehind[string, int]) *larder.Cache[string, int] {
	b.Write = o.write
	return larder.New(larder.Options[string, int]{WriteBehind: b,
		Load: func(_ context.Context, key string) (int, error) { return o.get(key), nil }})
}

func TestWriteBehindWritesBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := behindOf(o, larder.WriteBehind[string, int]{Delay: time.Second, MaxBatch: 10})
		for i := range 5 {
			c.Set(ctx, "same", i)
			c.Set(ctx, fmt.Sprint(i), i)
		}
		if len(o.batches) != 0 {
			t.Error("written at once")
		}
		c.Delete(ctx, "same")
		if v, err := c.Get(ctx, "same"); v != 4 || err != nil {
			t.Errorf("Get before it is written = %d, %v; want 4", v, err)
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if fmt.Sprint(o.batches) != "[6]" || o.get("same") != 4 {
			t.Errorf("batches %v, %d", o.batches, o.get("same"))
		}
		for i := range 25 {
			c.Set(ctx, fmt.Sprint("n", i), i)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		total := 0
		for _, n := range o.batches {
			total += n
			if n > 10 {
				t.Errorf("a batch of %d", n)
			}
		}
		if total != 31 || o.get("n24") != 24 {
			t.Errorf("%d written: %v", total, o.batches)
		}
		if err := c.Set(ctx, "late", 1); !errors.Is(err, larder.ErrRefused) {
			t.Errorf("Set after Close: %v", err)
		}
	})
}

func TestWriteBehindTriesAgainAndTellsWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{fails: 2}
		lost := map[string]int{}
		c := behindOf(o, larder.WriteBehind[string, int]{Tries: 3,
			OnLost: func(values map[string]int, err error) {
				maps.Copy(lost, values)
				if !errors.Is(err, errOrigin) {
					t.Error(err)
				}
			}})
		c.Set(ctx, "k", 1)
		time.Sleep(time.Minute)
		if o.get("k") != 1 || len(lost) != 0 {
			t.Errorf("the origin has %d, lost %v", o.get("k"), lost)
		}
		o.mu.Lock()
		o.fails = 3
		o.mu.Unlock()
		c.Set(ctx, "l", 2)
		if err := c.Close(); !errors.Is(err, larder.ErrLost) || lost["l"] != 2 {
			t.Errorf("Close: %v, lost %v", err, lost)
		}
	})
}

func TestWriteBehindHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := behindOf(o, larder.WriteBehind[string, int]{MaxQueue: 3, Delay: time.Hour})
		start := time.Now()
		for i := range 10 {
			if err := c.Set(ctx, fmt.Sprint(i), i); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("took %v: a full queue is not written at once", took)
		}
		o.mu.Lock()
		o.fails = 1
		o.mu.Unlock()
		short, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		c.Set(ctx, "x", 1)
		c.Set(ctx, "y", 1)
		if err := c.Set(short, "z", 1); !errors.Is(err, larder.ErrQueueFull) ||
			!errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Set into a full queue: %v", err)
		}
		if _, ok := c.Lookup("z"); ok {
			t.Error("what was refused is kept")
		}
		if err := c.Close(); err != nil || o.get("y") != 1 {
			t.Errorf("Close: %v, %d", err, o.get("y"))
		}
	})
}

func TestComputeWritesTheOrigin(t *testing.T) {
	o := &table{}
	c := larder.New(larder.Options[string, int]{
		Write: func(ctx context.Context, key string, v int) error {
			return o.write(ctx, map[string]int{key: v})
		}})
	defer c.Close()
	add := func(n int, _ bool) (int, larder.Op) { return n + 1, larder.Put }
	for range 3 {
		c.Compute(ctx, "k", add)
	}
	if o.get("k") != 3 {
		t.Errorf("the origin has %d, want 3", o.get("k"))
	}
	o.fails = 1
	if v, ok, err := c.Compute(ctx, "k", add); ok || !errors.Is(err, errOrigin) {
		t.Errorf("Compute = %d, %v, %v", v, ok, err)
	}
	if v, ok := c.Lookup("k"); ok {
		t.Errorf("%d is kept although the origin has 3", v)
	}
}

func TestComputeFindsWhatIsStillToBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := larder.New(larder.Options[string, int]{MaxEntries: 1,
			WriteBehind: larder.WriteBehind[string, int]{Write: o.write, Delay: time.Hour}})
		c.Set(ctx, "k", 10)
		c.Set(ctx, "other", 1) // k is evicted
		c.Compute(ctx, "k", func(n int, found bool) (int, larder.Op) { return n + 1, larder.Put })
		if s := c.Stats(); s.Waiting != 2 {
			t.Errorf("%d values wait, want 2", s.Waiting)
		}
		if err := c.Flush(ctx); err != nil || o.get("k") != 11 {
			t.Errorf("Flush: %v; the origin has %d, want 11", err, o.get("k"))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatWasGivenUpIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{fails: 1}
		c := behindOf(o, larder.WriteBehind[string, int]{Tries: 1})
		c.Set(ctx, "k", 1)
		if err := c.Flush(ctx); err != nil {
			t.Error(err)
		}
		if v, ok := c.Lookup("k"); ok || c.Stats().Lost != 1 {
			t.Errorf("%d is kept, %d lost", v, c.Stats().Lost)
		}
		if err := c.Close(); !errors.Is(err, larder.ErrLost) {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestAWriterThatWaitsForItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[int, int]{LoadTimeout: time.Second,
			WriteBehind: larder.WriteBehind[int, int]{Tries: 2,
				Write: func(ctx context.Context, _ map[int]int) error {
					<-ctx.Done()
					return ctx.Err()
				}}})
		c.Set(ctx, 1, 1)
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if err := c.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v", err)
		}
		start := time.Now()
		if err := c.Close(); !errors.Is(err, larder.ErrLost) || time.Since(start) > 3*time.Second {
			t.Errorf("Close: %v after %v", err, time.Since(start))
		}
	})
}

func TestSetForNoTimeDeletes(t *testing.T) {
	c := larder.New(larder.Options[string, int]{})
	defer c.Close()
	for _, ttl := range []time.Duration{0, -time.Second} {
		c.Set(ctx, "k", 1)
		if err := c.SetFor(ctx, "k", 2, ttl); err != nil {
			t.Error(err)
		}
		if v, ok := c.Lookup("k"); ok {
			t.Errorf("SetFor %v: %d is there", ttl, v)
		}
	}
}

func TestMaxBatch(t *testing.T) {
	var mu sync.Mutex // guards sizes
	var sizes []int
	c := larder.New(larder.Options[int, int]{MaxBatch: 10,
		LoadMany: func(_ context.Context, keys []int) (map[int]int, error) {
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, len(keys))
			got := map[int]int{}
			for _, k := range keys {
				got[k] = k
			}
			return got, nil
		}})
	defer c.Close()
	keys := make([]int, 95)
	for i := range keys {
		keys[i] = i
	}
	got, err := c.GetMany(ctx, keys)
	if len(got) != 95 || err != nil || len(sizes) != 10 {
		t.Errorf("%d values, %v, by calls of %v", len(got), err, sizes)
	}
}
