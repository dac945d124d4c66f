package larder_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

// writers runs 32 goroutines that do steps each, and probe besides until they are done. It is over
// when all have returned.
func writers(steps int, do func(g, i int, r *rand.Rand), probe func()) {
	var done atomic.Bool
	var wg, probes sync.WaitGroup
	probes.Go(func() {
		for !done.Load() {
			probe()
		}
		probe()
	})
	for g := range 32 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(3, uint64(g)))
			for i := range steps {
				do(g, i, r)
			}
		})
	}
	wg.Wait()
	done.Store(true)
	probes.Wait()
}

// heavy is the weight of a value in these tests.
func heavy(_, v int) int { return v & 7 }

// scribbles makes each value another one; what it weighs is at random.
var scribbles atomic.Int64

func scribbled(r *rand.Rand) int { return int(scribbles.Add(1)<<3) | r.IntN(8) }

// scribble does something or other to a key.
func scribble(c *larder.Cache[int, int], k int, r *rand.Rand) {
	switch r.IntN(16) {
	case 0:
		c.Delete(ctx, k)
	case 1:
		c.Compute(ctx, k, func(int, bool) (int, larder.Op) { return scribbled(r), larder.Put })
	case 2:
		c.Compute(ctx, k, func(int, bool) (int, larder.Op) { return 0, larder.Remove })
	case 3, 4, 5:
		c.Lookup(k)
	default:
		c.Set(ctx, k, scribbled(r))
	}
}

// probeBound looks from outside whether a cache keeps to its bound.
func probeBound(t *testing.T, c *larder.Cache[int, int], what string, max int) {
	if n := c.Len(); n > max {
		t.Errorf("%s: %d entries, at most %d are allowed", what, n, max)
	}
	if n := c.Weight(); n > int64(max) {
		t.Errorf("%s: they weigh %d, at most %d is allowed", what, n, max)
	}
	if s := c.Stats(); s.Entries > max || s.Weight > int64(max) {
		t.Errorf("%s: Stats() = %+v, at most %d is allowed", what, s, max)
	}
}

// countExactly compares what is there with what the cache says, when nobody changes it.
func countExactly(
	t *testing.T, c *larder.Cache[int, int], what string, max, keys int, weighs bool,
) {
	all, weight := maps.Collect(c.All()), 0
	for _, v := range all {
		weight += weightIn(v, weighs)
	}
	if found := lookAll(c, keys); !maps.Equal(all, found) {
		t.Errorf("%s: All visits %d entries, Lookup finds %d, or others", what, len(all), len(found))
	}
	if len(all) != c.Len() || int64(weight) != c.Weight() || weight > max {
		t.Errorf("%s: All visits %d entries that weigh %d; Len() = %d, Weight() = %d, at most %d "+
			"are allowed", what, len(all), weight, c.Len(), c.Weight(), max)
	}
}

func TestTheBoundHoldsUnder32Writers(t *testing.T) {
	for _, p := range policy.All() {
		for _, size := range []int{1, 2, 3, 10, 100, 1000} {
			for _, weighs := range []bool{false, true} {
				o := larder.Options[int, int]{MaxEntries: size, Policy: p.New}
				if weighs {
					o.MaxEntries, o.MaxWeight, o.Weigh = 0, int64(size), heavy
				}
				c := larder.New(o)
				what := fmt.Sprintf("%s, %d, weights: %v", p.Name, size, weighs)
				keys := 3*size + 5
				writers(50, func(_, _ int, r *rand.Rand) { scribble(c, r.IntN(keys), r) },
					func() {
						probeBound(t, c, what, size)
						countTwice(t, c, what, size, keys, weighs)
					})
				countExactly(t, c, what, size, keys, weighs)
				c.Close()
			}
		}
	}
}

// countTwice counts what is there while others write. What was seen twice with one value was there
// all the time in between, for no value is set twice: all of that was there at one moment.
func countTwice(
	t *testing.T, c *larder.Cache[int, int], what string, max, keys int, weighs bool,
) {
	for how, look := range map[string]func() map[int]int{
		"All":    func() map[int]int { return maps.Collect(c.All()) },
		"Lookup": func() map[int]int { return lookAll(c, keys) },
	} {
		before, weight := look(), 0
		for k, v := range look() {
			if was, ok := before[k]; ok && was == v {
				weight += weightIn(v, weighs)
			}
		}
		if weight > max {
			t.Errorf("%s: by %s there were %d at one moment, the most is %d", what, how, weight, max)
		}
	}
}

func lookAll(c *larder.Cache[int, int], keys int) map[int]int {
	found := map[int]int{}
	for k := range keys {
		if v, ok := c.Lookup(k); ok {
			found[k] = v
		}
	}
	return found
}

// weightIn is what a value counts against the bound.
func weightIn(v int, weighs bool) int {
	if weighs {
		return max(heavy(0, v), 1)
	}
	return 1
}

// TestWhatOneSetOneFinds gives each goroutine keys of its own, and all of them together fewer than
// there is room for: nothing that others do can make a key go.
func TestWhatOneSetOneFinds(t *testing.T) {
	const own = 20
	for _, p := range policy.All() {
		for _, o := range []larder.Options[int, int]{
			{MaxEntries: 32 * own},
			{MaxWeight: 32 * own * 7, Weigh: heavy},
			{MaxEntries: 32 * own, TTL: time.Hour, Idle: time.Hour},
			{MaxEntries: 32 * own, OnEvict: func(int, int, larder.Cause) {}},
		} {
			o.Policy = p.New
			c := larder.New(o)
			writers(100, func(g, i int, r *rand.Rand) {
				k, v := g*own+r.IntN(own), r.IntN(1<<20)
				if err := c.Set(ctx, k, v); err != nil {
					t.Errorf("%s: Set: %v", p.Name, err)
				}
				c.Lookup(r.IntN(32 * own))
				if got, ok := c.Lookup(k); got != v || !ok {
					t.Errorf("%s: Lookup(%d) = %d, %v; want %d", p.Name, k, got, ok, v)
				}
				if i%8 == 0 {
					c.Delete(ctx, k)
					if _, ok := c.Lookup(k); ok {
						t.Errorf("%s: %d was deleted and is there", p.Name, k)
					}
				}
			}, func() { probeBound(t, c, p.Name, 32*own*7) })
			c.Close()
		}
	}
}

func TestTheBoundHoldsWhileItIsResized(t *testing.T) {
	for _, p := range policy.All() {
		for _, weighs := range []bool{false, true} {
			o := larder.Options[int, int]{MaxEntries: 3000, Policy: p.New}
			if weighs {
				o.MaxEntries, o.MaxWeight, o.Weigh = 0, 3000, heavy
			}
			c := larder.New(o)
			sizes := [...]int{3000, 1, 2049, 7, 500, 2048, 2} // Adaptive changes its form at 2048
			var at int
			writers(300, func(_, _ int, r *rand.Rand) { scribble(c, r.IntN(5000), r) }, func() {
				size := sizes[at%len(sizes)]
				at++
				c.Resize(int64(size))
				probeBound(t, c, p.Name, size)
			})
			countExactly(t, c, p.Name, sizes[(at-1)%len(sizes)], 5000, weighs)
			c.Close()
		}
	}
}

func TestTheBoundHoldsWhileAllIsCleared(t *testing.T) {
	for _, p := range policy.All() {
		for _, weighs := range []bool{false, true} {
			o := larder.Options[int, int]{MaxEntries: 100, Policy: p.New, TTL: time.Hour}
			if weighs {
				o.MaxEntries, o.MaxWeight, o.Weigh = 0, 100, heavy
			}
			c := larder.New(o)
			writers(150, func(_, _ int, r *rand.Rand) { scribble(c, r.IntN(300), r) }, func() {
				c.Clear(ctx)
				probeBound(t, c, p.Name, 100)
			})
			countExactly(t, c, p.Name, 100, 300, weighs)
			c.Close()
		}
	}
}

// TestTheFirstTTLMovesNothingOutOfSight has a cache without times get its first one while others
// read, and then grow.
func TestTheFirstTTLMovesNothingOutOfSight(t *testing.T) {
	const old, keys = 16, 80
	for range 40 {
		c := larder.New(larder.Options[int, int]{MaxEntries: 256})
		for k := range old {
			c.Set(ctx, k, k)
		}
		var done atomic.Bool
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for !done.Load() {
					findAll(t, c, keys, old)
				}
			})
		}
		runtime.Gosched()
		c.SetFor(ctx, keys, keys, time.Hour)
		for k := range keys - old {
			c.Set(ctx, old+k, old+k)
		}
		findAll(t, c, keys, keys)
		done.Store(true)
		wg.Wait()
		c.Close()
	}
}

// findAll looks for keys, each of which is its value; the first ones are there for certain.
func findAll(t *testing.T, c *larder.Cache[int, int], keys, certain int) {
	for k := range keys {
		if v, ok := c.Lookup(k); ok && v != k || !ok && k < certain {
			t.Errorf("Lookup(%d) = %d, %v", k, v, ok)
		}
	}
}

func TestAllShowsNothingThatExpiresMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[int, int]{MaxEntries: 50, TTL: time.Minute})
		defer c.Close()
		for k := range 50 {
			c.Set(ctx, k, k)
		}
		start := time.Now()
		for k := range c.All() {
			if past := time.Since(start); past >= time.Minute {
				t.Fatalf("All shows %d after %v", k, past)
			}
			time.Sleep(10 * time.Second)
		}
	})
}

func TestComputeThatRemovesWeighsNothing(t *testing.T) {
	c := larder.New(larder.Options[int, *int]{
		MaxWeight: 10, Weigh: func(_ int, v *int) int { return *v },
	})
	c.Set(ctx, 1, new(5))
	c.Compute(ctx, 1, func(*int, bool) (*int, larder.Op) { return nil, larder.Remove })
	if c.Len() != 0 {
		t.Error("it is still there")
	}
}

func TestComputeThatIsRefusedLeavesNothing(t *testing.T) {
	c := larder.New(larder.Options[int, int]{MaxWeight: 10, Weigh: func(_, v int) int { return v }})
	c.Set(ctx, 1, 5)
	toTooMuch := func(int, bool) (int, larder.Op) { return 11, larder.Put }
	v, ok, err := c.Compute(ctx, 1, toTooMuch)
	if v != 0 || ok || !errors.Is(err, larder.ErrRefused) {
		t.Errorf("Compute = %d, %v, %v; want 0, false, ErrRefused", v, ok, err)
	}
}

func TestALoadOfANaNIsNotHeld(t *testing.T) {
	c := larder.Memoize(func(context.Context, float64) (*[100]int, error) {
		return new([100]int), nil
	}, larder.Options[float64, *[100]int]{})
	defer c.Close()
	var values []weak.Pointer[[100]int]
	for range 20 {
		v, err := c.Get(ctx, math.NaN())
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, weak.Make(v))
	}
	runtime.GC()
	if n := alive(values); n > 1 {
		t.Errorf("%d of %d values are held", n, len(values))
	}
}

func alive[T any](values []weak.Pointer[T]) (n int) {
	for _, p := range values {
		if p.Value() != nil {
			n++
		}
	}
	return n
}

func TestWhatHasLeftIsNotHeld(t *testing.T) {
	for name, leave := range map[string]func(c *larder.Cache[string, *[100]int], k string){
		"Delete":  func(c *larder.Cache[string, *[100]int], k string) { c.Delete(ctx, k) },
		"Clear":   func(c *larder.Cache[string, *[100]int], _ string) { c.Clear(ctx) },
		"Close":   func(c *larder.Cache[string, *[100]int], _ string) { c.Close() },
		"Set":     func(c *larder.Cache[string, *[100]int], k string) { c.Set(ctx, k, nil) },
		"Resize":  func(c *larder.Cache[string, *[100]int], _ string) { c.Resize(1) },
		"SetFor":  func(c *larder.Cache[string, *[100]int], k string) { c.SetFor(ctx, k, nil, 9e9) },
		"Compute": func(c *larder.Cache[string, *[100]int], k string) { c.Compute(ctx, k, removed) },
	} {
		c := larder.New(larder.Options[string, *[100]int]{MaxEntries: 100})
		var values []weak.Pointer[[100]int]
		for k := range 100 {
			v := new([100]int)
			values = append(values, weak.Make(v))
			c.Set(ctx, fmt.Sprint(k), v)
		}
		for k := range 100 {
			leave(c, fmt.Sprint(k))
		}
		runtime.GC()
		if n := alive(values); n > 1 {
			t.Errorf("%s: %d values are held", name, n)
		}
		runtime.KeepAlive(c)
		c.Close()
	}
}

func removed(*[100]int, bool) (*[100]int, larder.Op) { return nil, larder.Remove }

func TestLoadersOfOneGetManyMayAskForEachOther(t *testing.T) {
	var c *larder.Cache[int, int]
	c = larder.Memoize(func(ctx context.Context, n int) (int, error) {
		if n < 2 {
			return n, nil
		}
		a, err := c.Get(ctx, n-1)
		if err != nil {
			return 0, err
		}
		b, err := c.Get(ctx, n-2)
		return a + b, err
	}, larder.Options[int, int]{})
	defer c.Close()
	keys := make([]int, 60) // more than are loaded at a time, the last ones first
	for i := range keys {
		keys[i] = len(keys) - 1 - i
	}
	got, err := c.GetMany(ctx, keys)
	if err != nil || len(got) != len(keys) || got[20] != 6765 {
		t.Errorf("GetMany returns %d of %d keys, %v", len(got), len(keys), err)
	}
}

func TestEachLoadOfGetManyHasItsOwnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.Memoize(func(ctx context.Context, n int) (int, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(500 * time.Millisecond):
				return n, nil
			}
		}, larder.Options[int, int]{LoadTimeout: time.Second})
		defer c.Close()
		keys := make([]int, 100)
		for i := range keys {
			keys[i] = i
		}
		if got, err := c.GetMany(ctx, keys); err != nil || len(got) != 100 {
			t.Errorf("GetMany returns %d of 100 keys, %v", len(got), err)
		}
	})
}

func TestAPanicInOnEvictLeavesNoLoadBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		armed := true
		c := larder.New(larder.Options[int, int]{
			MaxEntries: 1,
			LoadMany: func(_ context.Context, keys []int) (map[int]int, error) {
				m := map[int]int{}
				for _, k := range keys {
					m[k] = k
				}
				return m, nil
			},
			OnEvict: func(int, int, larder.Cause) {
				if armed {
					armed = false
					panic("no")
				}
			},
		})
		defer c.Close()
		c.Set(ctx, 0, 0)
		func() {
			defer func() { recover() }()
			c.GetMany(ctx, []int{1, 2, 3})
		}()
		for k := range 4 {
			limited, cancel := context.WithTimeout(ctx, time.Second)
			if v, err := c.Get(limited, k); v != k || err != nil {
				t.Errorf("Get(%d) = %d, %v", k, v, err)
			}
			cancel()
		}
	})
}

func TestPanicsOfCallbacksLeaveNoLockHeld(t *testing.T) {
	armed := false
	trip := func() {
		if armed {
			panic("no")
		}
	}
	c := larder.New(larder.Options[any, int]{MaxWeight: 10,
		Weigh:   func(any, int) int { trip(); return 1 },
		OnEvict: func(any, int, larder.Cause) { trip() },
	})
	defer c.Close()
	unhashable := any([]int{1})
	for i, f := range []func(){
		func() { c.Set(ctx, 1, 2) },
		func() { c.Delete(ctx, 1) },
		func() { c.Compute(ctx, 1, func(int, bool) (int, larder.Op) { trip(); return 1, larder.Put }) },
		func() { c.Clear(ctx) },
		func() { c.Resize(10); panic("no") },
		func() { c.Set(ctx, unhashable, 1) },
		func() { c.Lookup(unhashable) },
		func() { c.Delete(ctx, unhashable) },
		func() { c.GetMany(ctx, []any{unhashable}) },
		func() {
			for range c.All() {
				trip()
			}
		},
	} {
		c.Set(ctx, 1, 1)
		armed = true
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d: no panic", i)
				}
			}()
			f()
		}()
		armed = false
		c.Set(ctx, 1, i)
		if v, ok := c.Lookup(1); v != i || !ok || c.Len() != 1 {
			t.Errorf("%d: Lookup = %d, %v after a panic; %d entries", i, v, ok, c.Len())
		}
	}
}

// simple is a cache that one goroutine uses, beside what was done to it: what is there must be what
// was set last, and what has left must have been heard of once.
type simple struct {
	t     *testing.T
	c     *larder.Cache[byte, int]
	now   func() time.Time
	set   map[byte]life // what may be there
	heard map[int]int   // how often each value left
	next  int           // each value is another
	all   int           // how many were kept
	ttl   time.Duration // of the options
	max   int64
	mu    sync.Mutex // guards heard
}

type life struct {
	value int
	end   time.Time // zero: never
}

// weightOf is in the value: its lowest three bits.
func weightOf(_ byte, v int) int { return v & 7 }

// newSimple makes a cache as the first two bytes say.
func newSimple(t *testing.T, kind, size byte) *simple {
	s := &simple{t: t, now: time.Now, set: map[byte]life{}, heard: map[int]int{}}
	all := policy.All()
	o := larder.Options[byte, int]{Policy: all[int(kind)%len(all)].New}
	s.max = int64(size%32) + 1
	if kind&0x20 != 0 {
		o.MaxWeight, o.Weigh = s.max, weightOf
	} else {
		o.MaxEntries = int(s.max)
	}
	if kind&0x40 != 0 {
		s.ttl = time.Minute
		o.TTL = s.ttl
	}
	if kind&0x80 != 0 {
		o.OnEvict = s.hear
	}
	s.c = larder.New(o)
	return s
}

func (s *simple) hear(_ byte, v int, cause larder.Cause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[v]++
	if cause < larder.Evicted || cause > larder.Cleared {
		s.t.Errorf("OnEvict hears of cause %d", cause)
	}
}

// step does what two bytes say.
func (s *simple) step(op, k byte) {
	s.next += 8
	v := s.next | int(op>>5)
	k %= 40
	switch op % 16 {
	default:
		s.put(k, v, s.ttl, s.c.Set(ctx, k, v))
	case 4, 5:
		ttl := time.Duration(op>>4+1) * 7 * time.Second
		s.put(k, v, ttl, s.c.SetFor(ctx, k, v, ttl))
	case 6:
		s.c.Delete(ctx, k)
		delete(s.set, k)
	case 7:
		s.compute(k, v, larder.Put)
	case 8:
		s.compute(k, v, larder.Remove)
	case 9, 10, 11:
		got, ok := s.c.Lookup(k)
		s.seen(k, got, ok)
	case 12:
		time.Sleep(time.Duration(op>>4+1) * 5 * time.Second)
	case 13:
		time.Sleep(time.Duration(k) * time.Millisecond)
	case 14:
		s.max = int64(k) + 1
		s.c.Resize(s.max)
	case 15:
		if op>>4 == 0 {
			s.c.Clear(ctx)
			clear(s.set)
		}
	}
}

// put notes that v was set, and is there, if it was kept.
func (s *simple) put(k byte, v int, ttl time.Duration, err error) {
	s.t.Helper()
	delete(s.set, k)
	if got, ok := s.c.Lookup(k); ok != (err == nil) || ok && got != v {
		s.t.Fatalf("Lookup(%d) = %d, %v after %d was set: %v", k, got, ok, v, err)
	}
	if err != nil {
		return
	}
	s.all++
	l := life{value: v}
	if ttl > 0 {
		l.end = s.now().Add(ttl)
	}
	s.set[k] = l
}

func (s *simple) compute(k byte, v int, op larder.Op) {
	got, ok, _ := s.c.Compute(ctx, k, func(old int, found bool) (int, larder.Op) {
		s.seen(k, old, found)
		return v, op
	})
	if op == larder.Put {
		var err error
		if !ok {
			err = larder.ErrRefused
		}
		s.put(k, v, s.ttl, err)
		return
	}
	if ok {
		s.t.Fatalf("Compute(%d) that removes finds %d afterwards", k, got)
	}
	delete(s.set, k)
}

// seen compares what was found with what may be there.
func (s *simple) seen(k byte, v int, ok bool) {
	s.t.Helper()
	l, there := s.set[k]
	if there && !l.end.IsZero() && !s.now().Before(l.end) {
		delete(s.set, k)
		there = false
	}
	if ok && (!there || v != l.value) {
		s.t.Fatalf("%d is found under %d; %+v, %v should be", v, k, l, there)
	}
	if !ok && there && s.c.Stats().Evicted == 0 {
		s.t.Fatalf("%d is not found, though nothing was evicted yet", k)
	}
	if !ok {
		delete(s.set, k) // it was evicted, and does not come back
	}
}

// check compares everything.
func (s *simple) check(kind byte) {
	s.t.Helper()
	synctest.Wait()
	var n, weight int64
	for k, v := range s.c.All() {
		s.seen(k, v, true)
		n++
		weight += int64(max(weightOf(k, v), 1))
	}
	if kind&0x20 == 0 {
		weight = n
	}
	// What has expired counts until its room is given back.
	if n > int64(s.c.Len()) || weight > s.c.Weight() || s.c.Weight() > s.max {
		s.t.Fatalf("All visits %d entries that weigh %d; Len() = %d, Weight() = %d, the most is %d", n,
			weight, s.c.Len(), s.c.Weight(), s.max)
	}
	st := s.c.Stats()
	if st.Entries != s.c.Len() || st.Weight != s.c.Weight() || st.Max != s.max {
		s.t.Fatalf("Stats() = %+v; Len() = %d, Weight() = %d, the most is %d", st, s.c.Len(),
			s.c.Weight(), s.max)
	}
	s.conserve(kind, st)
}

// conserve compares what was set with what is there and what has left, once each.
func (s *simple) conserve(kind byte, st larder.Stats) {
	s.t.Helper()
	if kind&0x80 == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for v, times := range s.heard {
		if times != 1 {
			s.t.Fatalf("%d left %d times", v, times)
		}
	}
	if s.all != st.Entries+len(s.heard) {
		s.t.Fatalf("%d were set, %d are there, %d have left", s.all, st.Entries, len(s.heard))
	}
	if left := st.Evicted + st.Expired + st.Deleted + st.Cleared; left > uint64(len(s.heard)) {
		s.t.Fatalf("%d left by Stats, %d by OnEvict", left, len(s.heard))
	}
}

func FuzzCache(f *testing.F) {
	for kind := range policy.All() {
		for _, flags := range []byte{0, 0x20, 0x40, 0x80, 0xc0, 0xe0} {
			r := rand.New(rand.NewPCG(uint64(kind), uint64(flags)))
			data := make([]byte, 600)
			for i := range data {
				data[i] = byte(r.Uint32())
			}
			data[0] = byte(kind) | flags
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			kind := data[0]
			s := newSimple(t, kind, data[1])
			defer s.c.Close()
			for i := 2; i+1 < len(data) && i < 2000; i += 2 {
				s.step(data[i], data[i+1])
				if i%16 == 0 {
					s.check(kind)
				}
			}
			s.check(kind)
			time.Sleep(2 * time.Hour)
			s.check(kind)
			if s.ttl > 0 && s.c.Len() != 0 {
				t.Fatalf("%d entries after their time", s.c.Len())
			}
			s.c.Close()
			synctest.Wait()
			if s.max = s.c.Stats().Max; s.c.Len() != 0 {
				t.Fatalf("%d entries in a closed cache", s.c.Len())
			}
			s.conserve(kind, s.c.Stats())
		})
	})
}
