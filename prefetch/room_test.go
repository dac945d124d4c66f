// room_test.go holds what is kept against what the options say.

package prefetch_test

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/prefetch"
)

func TestGoingBackNeedsNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{MaxWeight: 24})
		for key := range 60 {
			get(t, p, key)
			time.Sleep(100 * ms)
			for back := key; back > max(key-10, -1); back-- {
				if _, ok := p.Peek(back); !ok {
					t.Errorf("at %d, %d is gone", key, back)
				}
			}
		}
	})
}

func TestKeepSaysHowManyStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			keep int
			room int64
			want int // at least, of the last shown
		}{{3, 12, 3}, {6, 12, 6}, {100, 12, 6}, {-1, 12, 0}} {
			p := over(t, newShare(50*ms, 10*ms), pages{MaxWeight: c.room, Keep: c.keep})
			for key := range 50 {
				get(t, p, key)
				time.Sleep(500 * ms)
			}
			stay := 0
			for _, ok := p.Peek(49); ok && stay < 50; _, ok = p.Peek(49 - stay) {
				stay++
			}
			if stay < c.want {
				t.Errorf("keep %d of %d: %d stay, want %d", c.keep, c.room, stay, c.want)
			}
		}
	})
}

// TestWeightStaysBelowItsBound walks, jumps and holds on, and looks at the weight at every
// landing.
func TestWeightStaysBelowItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept atomic.Int64 // what was loaded and did not leave, told by OnEvict
		s := newShare(20*ms, 60*ms)
		weigh := func(key int, _ string) int64 { return int64(50 + key*71%100) }
		p := over(t, s, pages{
			MaxWeight: 1500, Weigh: func(key int, v string) int64 {
				kept.Add(weigh(key, v))
				return weigh(key, v)
			},
			OnEvict: func(key int, v string) { kept.Add(-weigh(key, v)) },
		})
		r := rand.New(rand.NewPCG(3, 4))
		at := 500
		for range 600 {
			switch r.IntN(20) {
			case 0:
				at = r.IntN(1000)
			case 1:
				at = max(at-5, 0)
			default:
				at = min(at+1, 999)
			}
			get(t, p, at)
			time.Sleep(time.Duration(r.IntN(100)) * ms)
			if w := p.Stats().Weight; w > 1500 {
				t.Fatalf("weight %d, want at most 1500", w)
			}
		}
		synctest.Wait()
		if w := p.Stats().Weight; w != kept.Load() {
			t.Errorf("weight is %d, but what did not leave weighs %d", w, kept.Load())
		}
		p.Close()
		if n := kept.Load(); n != 0 {
			t.Errorf("OnEvict did not hear of a weight of %d", n)
		}
	})
}

func TestTooHeavyItemIsGivenOutAndNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(20*ms, 60*ms)
		p := over(t, s, pages{MaxWeight: 10, Weigh: func(key int, _ string) int64 {
			if key%2 == 1 {
				return 11
			}
			return 1
		}})
		for key := range 20 {
			get(t, p, key)
			time.Sleep(200 * ms)
		}
		if _, ok := p.Peek(19); ok {
			t.Error("19 is kept")
		}
		if _, ok := p.Peek(18); !ok {
			t.Error("18 had to leave")
		}
		for key := range 24 {
			if n := s.loaded(key); n > 2 {
				t.Errorf("%d was loaded %d times", key, n)
			}
		}
	})
}

// TestAbsurdWeightsDoNoHarm weighs more than can be added up.
func TestAbsurdWeightsDoNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(5*ms, 5*ms), pages{
			MaxWeight: math.MaxInt64, Weigh: func(key int, _ string) int64 {
				return []int64{math.MaxInt64, math.MinInt64, 1 << 49, 0}[key%4]
			},
		})
		for key := range 40 {
			get(t, p, key)
			time.Sleep(50 * ms)
			if w := p.Stats().Weight; w < 0 || w > 1<<50 {
				t.Fatalf("weight %d", w)
			}
		}
		if _, ok := p.Peek(39); !ok {
			t.Error("39 weighs next to nothing, but is not kept")
		}
	})
}

// TestItemThatCannotFitDrivesNothingOut predicts one that is heavier than all the room.
func TestItemThatCannotFitDrivesNothingOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(20*ms, 60*ms)
		p := over(t, s, pages{MaxWeight: 30, Weigh: func(key int, _ string) int64 {
			if key == 20 {
				return 31
			}
			return 1
		}})
		for key := range 20 {
			get(t, p, key)
			time.Sleep(200 * ms)
		}
		if n := s.loaded(20); n != 1 {
			t.Errorf("20 was loaded %d times", n)
		}
		if n := p.Stats().Items; n < 20 {
			t.Errorf("%d are kept, want at least 20", n)
		}
	})
}

func TestHeldValueStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		p := over(t, newShare(5*ms, 10*ms), pages{MaxWeight: 5, OnEvict: func(key int, _ string) {
			if key == 5 {
				gone.Store(true)
			}
		}})
		_, release, err := p.Hold(t.Context(), 5)
		if err != nil {
			t.Fatal(err)
		}
		_, again, _ := p.Hold(t.Context(), 5)
		for key := 100; key < 200; key++ {
			get(t, p, key)
		}
		if _, ok := p.Peek(5); !ok {
			t.Error("5 is not kept")
		}
		p.Forget(5)
		p.Close()
		again()
		again()
		if gone.Load() {
			t.Error("5 left while it was held")
		}
		if release(); !gone.Load() {
			t.Error("OnEvict did not hear of 5")
		}
	})
}

func TestHoldThatGivesUpHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left atomic.Int32
		p := over(t, newShare(50*ms, 100*ms), pages{OnEvict: func(int, string) { left.Add(1) }})
		ctx, cancel := context.WithTimeout(t.Context(), 10*ms)
		defer cancel()
		if _, release, err := p.Hold(ctx, 5); err == nil {
			t.Error("got no error")
		} else {
			release()
		}
		time.Sleep(time.Second)
		kept := p.Stats().Items
		if p.Close(); int(left.Load()) != kept || kept == 0 {
			t.Errorf("OnEvict heard of %d of %d", left.Load(), kept)
		}
	})
}

// TestOnEvictHearsOnceOfEachValue counts values in and out.
func TestOnEvictHearsOnceOfEachValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		serial := 0
		alive := map[int]bool{}
		p := prefetch.New(func(ctx context.Context, key int) (int, error) {
			if err := rest(ctx, 20*ms); err != nil {
				return 0, err
			}
			mu.Lock()
			defer mu.Unlock()
			serial++
			alive[serial] = true
			return serial, nil
		}, prefetch.Range(0, 1000), prefetch.Options[int, int]{
			MaxWeight: 15,
			OnEvict: func(_, value int) {
				mu.Lock()
				defer mu.Unlock()
				if !alive[value] {
					t.Errorf("heard of %d twice", value)
				}
				delete(alive, value)
			},
		})
		for i := range 300 {
			key := i * (i / 40) % 1000
			if _, err := p.Get(t.Context(), key); err != nil {
				t.Error(err)
			}
			if i%17 == 0 {
				p.Forget(key)
			}
			time.Sleep(15 * ms)
		}
		p.Close()
		if len(alive) != 0 {
			t.Errorf("did not hear of %d values", len(alive))
		}
	})
}
