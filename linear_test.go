package larder_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

// These tests write down what many goroutines do to a few keys, when each call began and when it
// returned, and ask whether each key could have done all that one after the other. Every value is
// set once in a history, so a value tells where it comes from.

// deed is what a goroutine does to a key.
type deed uint8

const (
	looks    deed = iota // Lookup, Get, GetMany
	sets                 // Set, SetFor
	deletes              // Delete, Clear
	puts                 // Compute that puts
	takes                // Compute that removes
	keeps                // Compute that keeps
	deedsEnd             // how many there are
)

// asked and answered are a deed as the checker sees it. A value of 0 is none.
type asked struct {
	deed  deed
	value uint64 // that is set
}

type answered struct {
	before  uint64 // that was found
	after   uint64 // that Compute says is there now
	unknown bool   // it has not returned yet
}

// linearModel is a key of a cache that has room for all: it holds a value or none. A key of a small
// cache may lose its value at any moment, so nobody may be surprised by finding none; who found
// none saw that it was lost.
func linearModel(small bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return uint64(0) },
		Step: func(state, input, output any) (bool, any) {
			now, in, out := state.(uint64), input.(asked), output.(answered)
			if small && out.before == 0 {
				now = 0
			}
			switch {
			case in.deed == sets, out.unknown && in.deed == puts:
				return true, in.value
			case in.deed == deletes, out.unknown:
				return true, uint64(0)
			}
			switch in.deed {
			case puts:
				return out.before == now && out.after == in.value, in.value
			case takes:
				return out.before == now && out.after == 0, uint64(0)
			case keeps:
				return out.before == now && out.after == now, now
			}
			return out.before == now, now
		},
		Equal: func(a, b any) bool { return a.(uint64) == b.(uint64) },
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%+v: %+v", input, output)
		},
	}
}

// linear is a history in the making.
type linear[V any] struct {
	t     *testing.T
	c     *larder.Cache[uint64, V]
	value func(uint64) V          // a number as a value
	back  func(V) (uint64, error) // and the other way round
	ttl   time.Duration           // for SetFor; 0 for Set alone
	clear bool                    // now and then
	keys  uint64
	ticks atomic.Int64  // one clock for all
	next  atomic.Uint64 // the next number
}

// record has goroutines do deeds, steps each, and returns the histories by key.
func (l *linear[V]) record(goroutines, steps int, seed uint64) [][]porcupine.Operation {
	mine := make([][][]porcupine.Operation, goroutines)
	var ready, wg sync.WaitGroup
	ready.Add(goroutines)
	for g := range mine {
		mine[g] = make([][]porcupine.Operation, l.keys)
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			ready.Done()
			ready.Wait()
			for range steps {
				l.step(r, g, mine[g])
			}
		})
	}
	wg.Wait()
	all := make([][]porcupine.Operation, l.keys)
	for _, histories := range mine {
		for k, h := range histories {
			all[k] = append(all[k], h...)
		}
	}
	return all
}

// step does one deed and writes it down. Clear is a deed to each key.
func (l *linear[V]) step(r *rand.Rand, g int, histories [][]porcupine.Operation) {
	op := porcupine.Operation{ClientId: g}
	note := func(k uint64) { histories[k] = append(histories[k], op) }
	if l.clear && r.IntN(64) == 0 {
		op.Input, op.Call = asked{deed: deletes}, l.ticks.Add(1)
		l.c.Clear(ctx)
		op.Output, op.Return = answered{}, l.ticks.Add(1)
		for k := range l.keys {
			note(k)
		}
		return
	}
	in := asked{deed: deed(r.IntN(int(deedsEnd) + 3))}
	if in.deed >= deedsEnd {
		in.deed = looks // most of all
	}
	if in.deed == sets || in.deed == puts {
		in.value = l.next.Add(1)
	}
	k := r.Uint64N(l.keys)
	op.Input, op.Call = in, l.ticks.Add(1)
	op.Output = l.do(r, k, in)
	op.Return = l.ticks.Add(1)
	note(k)
}

func (l *linear[V]) do(r *rand.Rand, k uint64, in asked) (out answered) {
	switch in.deed {
	case sets:
		l.set(r, k, l.value(in.value))
	case deletes:
		l.c.Delete(ctx, k)
	case puts:
		return l.compute(k, l.value(in.value), larder.Put)
	case takes:
		return l.compute(k, *new(V), larder.Remove)
	case keeps:
		return l.compute(k, *new(V), larder.Keep)
	default:
		out.before = l.number(l.look(r, k))
	}
	return out
}

func (l *linear[V]) set(r *rand.Rand, k uint64, v V) {
	var err error
	if l.ttl > 0 && r.IntN(2) == 0 {
		err = l.c.SetFor(ctx, k, v, l.ttl)
	} else {
		err = l.c.Set(ctx, k, v)
	}
	if err != nil {
		l.t.Errorf("Set(%d): %v", k, err)
	}
}

func (l *linear[V]) look(r *rand.Rand, k uint64) (V, bool) {
	switch r.IntN(4) {
	case 0:
		v, err := l.c.Get(ctx, k)
		return v, err == nil
	case 1:
		got, _ := l.c.GetMany(ctx, []uint64{k})
		v, ok := got[k]
		return v, ok
	}
	return l.c.Lookup(k)
}

func (l *linear[V]) compute(k uint64, v V, op larder.Op) (out answered) {
	after, ok, _ := l.c.Compute(ctx, k, func(before V, found bool) (V, larder.Op) {
		out.before = l.number(before, found)
		return v, op
	})
	out.after = l.number(after, ok)
	return out
}

// number is the number of a value that was found, 0 if none was.
func (l *linear[V]) number(v V, found bool) uint64 {
	if !found {
		return 0
	}
	n, err := l.back(v)
	if err != nil {
		l.t.Error(err)
	}
	return n
}

// linearRounds are short histories, many of them: goroutines meet at the start most of all.
const (
	linearRounds  = 12
	linearWriters = 32
	linearSteps   = 30
)

// checkLinear records histories of caches with options o, and checks them.
func checkLinear[V any](
	t *testing.T, o larder.Options[uint64, V], value func(uint64) V, back func(V) (uint64, error),
) {
	t.Helper()
	const keys = 6
	small := o.MaxEntries < keys && o.MaxWeight == 0 || o.MaxWeight > 0 && o.MaxWeight < 100
	for round := range linearRounds {
		l := &linear[V]{t: t, c: larder.New(o), value: value, back: back, keys: keys}
		if l.clear = round%3 == 1; round%2 == 1 {
			l.ttl = 1000 * time.Hour
		}
		histories := l.record(linearWriters, linearSteps, uint64(round))
		l.c.Close()
		for k, h := range histories {
			result := porcupine.CheckOperationsTimeout(linearModel(small), h, 100*time.Millisecond)
			switch result {
			case porcupine.Illegal:
				t.Fatalf("round %d: key %d did what no key can do one after the other: %v",
					round, k, shortest(small, h))
			case porcupine.Unknown:
				t.Logf("round %d: key %d: %d operations are too many to check", round, k, len(h))
			}
		}
	}
}

// shortest returns the beginning of a history that is still wrong, its last operations.
func shortest(small bool, h []porcupine.Operation) []string {
	h = slices.Clone(h)
	slices.SortFunc(h, func(a, b porcupine.Operation) int { return int(a.Return - b.Return) })
	n := 1 + slices.IndexFunc(h, func(last porcupine.Operation) bool {
		return !porcupine.CheckOperations(linearModel(small), until(h, last.Return))
	})
	var lines []string
	for _, op := range h[max(n-40, 0):n] {
		lines = append(lines,
			fmt.Sprintf("\n%d to %d: %+v: %+v", op.Call, op.Return, op.Input, op.Output))
	}
	return lines
}

// until returns the operations that had returned at a moment, and the changes that were under way:
// nobody knows what they found.
func until(h []porcupine.Operation, moment int64) (begun []porcupine.Operation) {
	for _, op := range h {
		if in := op.Input.(asked); op.Return > moment {
			if op.Call > moment || in.deed == looks || in.deed == keeps {
				continue
			}
			op.Output = answered{unknown: true}
		}
		begun = append(begun, op)
	}
	return begun
}

// wide is a value that shows when it was torn: all its words agree.
type wide [9]uint64

func wideOf(n uint64) (w wide) {
	for i := range w {
		w[i] = n * uint64(i+1)
	}
	return w
}

func (w wide) number() (uint64, error) {
	if w != wideOf(w[0]) {
		return 0, fmt.Errorf("a value was torn: %d", w)
	}
	return w[0], nil
}

func same(n uint64) uint64 { return n }

func plain(n uint64) (uint64, error) { return n, nil }

func text(n uint64) string { return fmt.Sprintf("%0*d", 1+n%50, n) }

func number(s string) (n uint64, err error) {
	for _, digit := range s {
		n = 10*n + uint64(digit-'0')
	}
	if s != text(n) {
		return 0, fmt.Errorf("a string was torn: %q", s)
	}
	return n, nil
}

// boxed are values of several types behind an interface: a type word and a data word.
func boxed(n uint64) any { return [...]any{n, text(n), wideOf(n)}[n%3] }

func unboxed(v any) (uint64, error) {
	switch v := v.(type) {
	case uint64:
		return v, nil
	case string:
		return number(v)
	case wide:
		return v.number()
	}
	return 0, fmt.Errorf("a value of type %T", v)
}

func TestKeysAreLinearizable(t *testing.T) {
	var heard atomic.Int64
	counts := func(uint64, uint64, larder.Cause) { heard.Add(1) }
	weighs := func(_, n uint64) int { return int(n%7) + 1 }
	for name, o := range map[string]larder.Options[uint64, uint64]{
		"as it is":         {},
		"with a TTL":       {TTL: time.Hour},
		"with idle time":   {TTL: time.Hour, Idle: time.Minute},
		"observed":         {Observe: true},
		"small, observed":  {MaxEntries: 2, TTL: time.Hour, Observe: true},
		"with OnEvict":     {OnEvict: counts},
		"with weights":     {MaxWeight: 1000, Weigh: weighs},
		"small":            {MaxEntries: 1},
		"small, with LRU":  {MaxEntries: 2, Policy: policy.LRU},
		"small, with all":  {MaxWeight: 10, Weigh: weighs, OnEvict: counts, TTL: time.Hour},
		"small, with TTL":  {MaxEntries: 2, TTL: time.Hour, Policy: policy.SIEVE},
		"small, and idle":  {MaxEntries: 1, Idle: time.Hour, Policy: policy.S3FIFO},
		"small, and heard": {MaxEntries: 2, OnEvict: counts, Policy: policy.LFU},
	} {
		t.Run(name, func(t *testing.T) {
			checkLinear(t, o, same, plain)
		})
	}
	t.Run("strings", func(t *testing.T) {
		checkLinear(t, larder.Options[uint64, string]{}, text, number)
	})
	t.Run("wide values", func(t *testing.T) {
		checkLinear(t, larder.Options[uint64, wide]{}, wideOf, wide.number)
	})
	t.Run("wide values, small", func(t *testing.T) {
		checkLinear(t, larder.Options[uint64, wide]{MaxEntries: 1}, wideOf, wide.number)
	})
	t.Run("interfaces, small", func(t *testing.T) {
		checkLinear(t, larder.Options[uint64, any]{MaxEntries: 2}, boxed, unboxed)
	})
}

func TestComputeSeesThatAnExpiredKeyWasSetAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[int, int]{TTL: time.Minute})
		defer c.Close()
		time.Sleep(1234567)
		c.Set(ctx, 1, 5)
		time.Sleep(time.Minute) // its room is given back somewhat later
		calls := 0
		v, _, _ := c.Compute(ctx, 1, func(v int, found bool) (int, larder.Op) {
			if calls++; calls == 1 {
				c.Set(ctx, 1, 5)
			} else if v != 5 || !found {
				t.Errorf("Compute gives %d, %v; want 5, true", v, found)
			}
			return v + 1, larder.Put
		})
		if v != 6 {
			t.Errorf("Compute = %d after 5 was set, want 6", v)
		}
	})
}

// watchedPolicy looks at the cache while it makes room.
type watchedPolicy struct {
	policy.Policy
	look func()
}

func (p *watchedPolicy) Victim(incoming uint32) uint32 {
	p.look()
	return p.Policy.Victim(incoming)
}

func TestAKeyIsThereWhileAHeavierValueReplacesItsOwn(t *testing.T) {
	var c *larder.Cache[int, int]
	look := func() {
		if v, ok := c.Lookup(1); v != 2 || !ok {
			t.Errorf("Lookup = %d, %v while Compute makes 7 of 2", v, ok)
		}
	}
	c = larder.New(larder.Options[int, int]{MaxWeight: 10,
		Weigh:  func(_, v int) int { return v },
		Policy: func(max uint64) policy.Policy { return &watchedPolicy{policy.FIFO(max), look} },
	})
	for k, weight := range []int{0, 2, 4, 4} {
		if k > 0 {
			c.Set(ctx, k, weight)
		}
	}
	c.Compute(ctx, 1, func(v int, _ bool) (int, larder.Op) { return v + 5, larder.Put })
	if v, ok := c.Lookup(1); v != 7 || !ok || c.Weight() > 10 {
		t.Errorf("Lookup = %d, %v; the weight is %d", v, ok, c.Weight())
	}
}

// TestNoLoadOutlivesAChange has loaders return the time: a Get that begins after a change returns
// nothing whose load began before that change did.
func TestNoLoadOutlivesAChange(t *testing.T) {
	for round := range 10 {
		var clock atomic.Int64
		c := larder.Memoize(func(context.Context, uint64) (int64, error) {
			return clock.Add(1), nil
		}, larder.Options[uint64, int64]{MaxEntries: 1 + 99*(round%2)})
		var changed [3]atomic.Int64 // when the latest change began that has returned
		writers(100, func(_, _ int, r *rand.Rand) {
			k := r.Uint64N(3)
			if r.IntN(4) > 0 {
				least := changed[k].Load()
				if v, err := c.Get(ctx, k); err != nil || v < least {
					t.Errorf("Get = %d, %v; it was changed at %d", v, err, least)
				}
				return
			}
			began := clock.Add(1)
			switch r.IntN(4) {
			case 0:
				c.Clear(ctx)
			case 1:
				c.Set(ctx, k, 1<<60)
			default:
				c.Delete(ctx, k)
			}
			for old := changed[k].Load(); old < began; old = changed[k].Load() {
				changed[k].CompareAndSwap(old, began)
			}
		}, func() { c.Len() })
		c.Close()
	}
}
