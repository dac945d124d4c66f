package larder_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

var ctx = context.Background()

// model is what a cache that never has to evict does.
type model[K comparable, V comparable] struct {
	t *testing.T
	c *larder.Cache[K, V]
	m map[K]V
}

func (m *model[K, V]) step(r *rand.Rand, k K, v V) {
	switch r.IntN(10) {
	case 0, 1, 2:
		if err := m.c.Set(ctx, k, v); err != nil {
			m.t.Fatal(err)
		}
		m.m[k] = v
	case 3:
		m.c.Delete(ctx, k)
		delete(m.m, k)
	case 4:
		m.compute(k, v, larder.Put)
		m.m[k] = v
	case 5:
		m.compute(k, v, larder.Remove)
		delete(m.m, k)
	case 6:
		m.compute(k, v, larder.Keep)
	default:
		got, ok := m.c.Lookup(k)
		want, there := m.m[k]
		if got != want || ok != there {
			m.t.Fatalf("Lookup(%v) = %v, %v; want %v, %v", k, got, ok, want, there)
		}
	}
}

func (m *model[K, V]) compute(k K, v V, op larder.Op) {
	want, there := m.m[k]
	got, ok, _ := m.c.Compute(ctx, k, func(old V, found bool) (V, larder.Op) {
		if old != want || found != there {
			m.t.Fatalf("Compute(%v) gives %v, %v; want %v, %v", k, old, found, want, there)
		}
		return v, op
	})
	switch op {
	case larder.Put:
		want, there = v, true
	case larder.Remove:
		want, there = *new(V), false
	}
	if got != want || ok != there {
		m.t.Fatalf("Compute(%v, %v) = %v, %v; want %v, %v", k, op, got, ok, want, there)
	}
}

func (m *model[K, V]) check() {
	m.t.Helper()
	if got := maps.Collect(m.c.All()); !maps.Equal(got, m.m) {
		m.t.Fatalf("All has %d entries, want %d, or others", len(got), len(m.m))
	}
	if m.c.Len() != len(m.m) {
		m.t.Fatalf("Len() = %d, want %d", m.c.Len(), len(m.m))
	}
}

// against runs random operations on a cache and on a map.
func against[K comparable, V comparable](t *testing.T, key func(uint32) K, value func(uint32) V) {
	t.Helper()
	t.Run(fmt.Sprintf("%T to %T", *new(K), *new(V)), func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		m := &model[K, V]{t, larder.New(larder.Options[K, V]{MaxEntries: 3000}), map[K]V{}}
		defer m.c.Close()
		for i := range 30_000 {
			m.step(r, key(r.Uint32N(3000)), value(r.Uint32()))
			if i%1000 == 0 {
				m.check()
			}
		}
		m.c.Clear(ctx)
		clear(m.m)
		m.check()
	})
}

type small struct {
	a uint8
	b bool
}

type mixed struct {
	n int32
	s string
	f float32
	i any
}

func TestCacheIsAMap(t *testing.T) {
	against(t, func(n uint32) uint64 { return uint64(n) }, func(n uint32) uint64 { return uint64(n) })
	against(t, func(n uint32) int32 { return -int32(n) }, func(n uint32) int8 { return int8(n) })
	against(t, func(n uint32) string { return fmt.Sprint("key ", n) }, func(n uint32) string { return fmt.Sprint(n) })
	against(t, func(n uint32) small { return small{uint8(n), n%3 == 0} }, func(n uint32) mixed {
		return mixed{int32(n), fmt.Sprint(n), float32(n), n}
	})
	against(t, func(n uint32) any { return [3]any{n, fmt.Sprint(n), int64(n)}[n%3] }, func(n uint32) *int { return new(int) })
	against(t, func(n uint32) [3]uint16 { return [3]uint16{uint16(n), 1, 2} }, func(uint32) struct{} { return struct{}{} })
	against(t, func(n uint32) float64 { return float64(n) }, func(n uint32) [5]uint64 { return [5]uint64{uint64(n), 4: 7} })
}

func TestZeroOptionsMakeACache(t *testing.T) {
	var c = larder.New(larder.Options[string, int]{})
	defer c.Close()
	for i := range 2 * larder.DefaultMaxEntries {
		c.Set(ctx, fmt.Sprint(i), i)
	}
	if c.Len() != larder.DefaultMaxEntries {
		t.Errorf("Len() = %d, want %d", c.Len(), larder.DefaultMaxEntries)
	}
	if _, err := c.Get(ctx, "absent"); !errors.Is(err, larder.ErrNotFound) {
		t.Errorf("Get of an absent key: %v, want ErrNotFound", err)
	}
}

func TestAFullCacheIsFull(t *testing.T) {
	for _, p := range policy.All() {
		for _, max := range []int{1, 2, 3, 7, 100, 5000} {
			c := larder.New(larder.Options[int, int]{MaxEntries: max, Policy: p.New})
			for i := range 3 * max {
				c.Set(ctx, i, i)
				if got, ok := c.Lookup(i); got != i || !ok {
					t.Fatalf("%s, %d entries: %d was set and is not there", p.Name, max, i)
				}
			}
			if c.Len() != max || len(maps.Collect(c.All())) != max {
				t.Errorf("%s: %d entries, want %d", p.Name, c.Len(), max)
			}
			c.Close()
		}
	}
}

func TestOptionsThatMakeNoSensePanic(t *testing.T) {
	weigh := func(int, int) int { return 1 }
	for _, o := range []larder.Options[int, int]{
		{MaxEntries: -1}, {MaxWeight: -1, Weigh: weigh}, {MaxWeight: 5}, {Weigh: weigh},
		{MaxEntries: 5, MaxWeight: 5, Weigh: weigh}, {TTL: -1}, {Idle: -1}, {LoadTimeout: -1},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v: no panic", o)
				}
			}()
			larder.New(o)
		}()
	}
}

func TestKeysThatDoNotEqualThemselvesAreRefused(t *testing.T) {
	c := larder.New(larder.Options[float64, int]{MaxEntries: 4})
	if err := c.Set(ctx, math.NaN(), 1); !errors.Is(err, larder.ErrRefused) {
		t.Errorf("Set of a NaN: %v, want ErrRefused", err)
	}
	c.Set(ctx, math.Copysign(0, -1), 7)
	if v, ok := c.Lookup(0); v != 7 || !ok {
		t.Errorf("Lookup(0) = %d, %v after -0 was set", v, ok)
	}
}

func TestWeightIsBounded(t *testing.T) {
	c := larder.New(larder.Options[int, string]{
		MaxWeight: 100, Weigh: func(_ int, v string) int { return len(v) }, Policy: policy.LRU,
	})
	c.Set(ctx, 1, string(make([]byte, 40)))
	c.Set(ctx, 2, string(make([]byte, 40)))
	c.Set(ctx, 1, string(make([]byte, 70))) // grows: 2 has to leave
	if _, ok := c.Lookup(2); ok || c.Weight() != 70 {
		t.Errorf("weight %d, 2 there: %v; want 70, false", c.Weight(), ok)
	}
	err := c.Set(ctx, 1, string(make([]byte, 101)))
	if _, ok := c.Lookup(1); ok || !errors.Is(err, larder.ErrRefused) {
		t.Errorf("an entry that is too heavy: %v, the old one is there: %v", err, ok)
	}
	for i := range 300 {
		c.Set(ctx, i, "")
	}
	if c.Weight() != 100 || c.Len() != 100 {
		t.Errorf("weight %d, %d entries; an entry of no weight should weigh 1", c.Weight(), c.Len())
	}
}

func TestResize(t *testing.T) {
	for _, p := range policy.All() {
		c := larder.New(larder.Options[int, int]{MaxEntries: 100, Policy: p.New})
		for _, max := range []int{10, 1, 500, 37, 4000} {
			c.Resize(int64(max))
			if c.Len() > max {
				t.Fatalf("%s: %d entries after Resize(%d)", p.Name, c.Len(), max)
			}
			for i := range 2 * max {
				c.Set(ctx, i, i)
			}
			if c.Len() != max {
				t.Errorf("%s: %d entries, want %d", p.Name, c.Len(), max)
			}
		}
	}
}

func TestOnEvictHearsTheCause(t *testing.T) {
	type departure struct {
		key, value int
		cause      larder.Cause
	}
	var got []departure
	c := larder.New(larder.Options[int, int]{MaxEntries: 2, Policy: policy.LRU,
		OnEvict: func(k, v int, cause larder.Cause) { got = append(got, departure{k, v, cause}) }})
	c.Set(ctx, 1, 10)
	c.Set(ctx, 1, 11)
	c.Set(ctx, 2, 20)
	c.Set(ctx, 3, 30)
	c.Delete(ctx, 2)
	c.Clear(ctx)
	want := []departure{
		{1, 10, larder.Replaced}, {1, 11, larder.Evicted}, {2, 20, larder.Deleted}, {3, 30, larder.Cleared},
	}
	if !slices.Equal(got, want) {
		t.Errorf("OnEvict heard %v, want %v", got, want)
	}
}

func TestOnEvictMayUseTheCache(t *testing.T) {
	var c *larder.Cache[int, int]
	c = larder.New(larder.Options[int, int]{MaxEntries: 10, OnEvict: func(k, v int, cause larder.Cause) {
		c.Lookup(k)
		if k < 1000 {
			c.Set(ctx, k+1000, v)
		}
	}})
	for i := range 100 {
		c.Set(ctx, i, i)
	}
	if c.Len() != 10 {
		t.Errorf("%d entries, want 10", c.Len())
	}
}

func TestStatsCount(t *testing.T) {
	c := larder.New(larder.Options[int, int]{Name: "squares", MaxEntries: 3, Policy: policy.LRU,
		Load: func(_ context.Context, k int) (int, error) {
			if k < 0 {
				return 0, errors.New("negative")
			}
			return k * k, nil
		}})
	for _, k := range []int{1, 2, 1, 3, 4, -1, 4} {
		c.Get(ctx, k)
	}
	s := c.Stats()
	s.LoadTime = 0
	want := larder.Stats{Linked: true, Name: "squares", Hits: 2, Misses: 5, Loads: 5, LoadErrors: 1, Evicted: 1,
		Entries: 3, Weight: 3, Max: 3}
	if s != want {
		t.Errorf("Stats() = %+v, want %+v", s, want)
	}
	if got, want := s.String(), "squares: 2 hits, 5 misses (28.6 %), 3 of 3 kept, 1 evicted"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestAClosedCacheStaysEmpty(t *testing.T) {
	c := larder.New(larder.Options[int, int]{Load: func(_ context.Context, k int) (int, error) { return k, nil }})
	c.Set(ctx, 1, 1)
	c.Close()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Set(ctx, 1, 1); !errors.Is(err, larder.ErrRefused) {
		t.Errorf("Set: %v, want ErrRefused", err)
	}
	if v, err := c.Get(ctx, 7); v != 7 || err != nil || c.Len() != 0 {
		t.Errorf("Get = %d, %v, and %d are kept", v, err, c.Len())
	}
}

func TestNothingIsAllocated(t *testing.T) {
	c := larder.New(larder.Options[int, int]{MaxEntries: 1000})
	defer c.Close()
	next := 0
	set := func() { c.Set(ctx, next, next); next++ }
	for range 5000 {
		set()
	}
	for name, f := range map[string]func(){
		"a hit":                   func() { c.Lookup(next - 1) },
		"a miss":                  func() { c.Lookup(-1) },
		"an update":               func() { c.Set(ctx, next-1, 1) },
		"an insert over a victim": set,
	} {
		if n := testing.AllocsPerRun(1000, f); n > 0.01 {
			t.Errorf("%s allocates %.2f times", name, n)
		}
	}
}
