// view_test.go plays list views, and orders that are known.

package prefetch_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/prefetch"
)

func TestExpectedOrderIsLoadedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{MaxWeight: 20})
		r := rand.New(rand.NewPCG(1, 2))
		order := r.Perm(1000)[:60]
		p.Expect(order...)
		time.Sleep(time.Minute)
		if n := p.Stats().Items; n < 15 || n > 20 {
			t.Errorf("%d are there, want nearly 20", n)
		}
		var stall time.Duration
		for _, key := range order {
			stall += get(t, p, key)
			time.Sleep(200 * ms)
		}
		if stall != 0 {
			t.Errorf("waited %v", stall)
		}
		for _, key := range order {
			if n := s.loaded(key); n != 1 {
				t.Errorf("%d was loaded %d times", key, n)
			}
		}
	})
}

func TestExpectationSurvivesDetours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(50*ms, 100*ms), pages{MaxWeight: 20})
		p.Expect(900, 20, 350, 7, 610)
		get(t, p, 900)
		get(t, p, 350) // out of turn
		get(t, p, 5)   // not in it
		time.Sleep(time.Second)
		for _, key := range []int{20, 7, 610} {
			if d := get(t, p, key); d != 0 {
				t.Errorf("waited %v for %d", d, key)
			}
		}
	})
}

func TestMaxAheadBoundsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(50*ms, 10*ms), pages{MaxAhead: 3})
		p.Expect(row(100, 7, 50)...)
		time.Sleep(time.Minute)
		if n := p.Stats().Items; n != 3 {
			t.Errorf("%d are there, want 3", n)
		}
		p.Expect()
		for key := range 40 {
			get(t, p, key)
			time.Sleep(200 * ms)
			ahead := 0
			for k := key + 1; k < key+40; k++ {
				if _, ok := p.Peek(k); ok && k < 100 {
					ahead++
				}
			}
			if ahead > 3 {
				t.Errorf("at %d, %d are loaded ahead, want at most 3", key, ahead)
			}
		}
	})
}

type shown struct {
	mu   sync.Mutex
	keys []int
}

func (s *shown) ready(key int, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, key)
}

func (s *shown) take() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.keys
	s.keys = nil
	return keys
}

func TestVisibleItemsComeFirstAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ready shown
		p := over(t, newShare(30*ms, 50*ms), pages{OnReady: ready.ready, MaxWidth: 1})
		p.Show(100, 109)
		time.Sleep(10 * time.Second)
		if got, want := ready.take(), row(100, 1, 10); !slices.Equal(got, want) {
			t.Errorf("ready: %v, want %v", got, want)
		}
		for key := 110; key < 120; key++ {
			if _, ok := p.Peek(key); !ok {
				t.Errorf("%d is not there, one page ahead", key)
			}
		}
		p.Show(105, 114) // what was visible before is not told of again
		if got, want := ready.take(), row(110, 1, 5); !slices.Equal(got, want) {
			t.Errorf("ready: %v, want %v", got, want)
		}
	})
}

func TestScrolledPastItemsAreCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ready shown
		s := newShare(500*ms, 50*ms)
		p := over(t, s, pages{OnReady: ready.ready})
		p.Show(100, 109)
		time.Sleep(2 * time.Second) // so that it knows the share
		ready.take()
		for first := 200; first < 600; first += 50 {
			p.Show(first, first+9)
			time.Sleep(50 * ms)
		}
		p.Show(600, 609)
		began := time.Now()
		for n := 0; n < 10; {
			time.Sleep(10 * ms)
			n += len(ready.take())
		}
		if d := time.Since(began); d > 2500*ms {
			t.Errorf("took %v until all were there", d)
		}
		if n := s.loaded(255); n != 0 {
			t.Errorf("255 was loaded %d times, though it was out of sight before its turn came", n)
		}
		if p.Stats().Cancelled == 0 {
			t.Error("nothing was cancelled")
		}
	})
}

func TestMarginFollowsTheScrolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(30*ms, 50*ms), pages{MaxWeight: 100})
		p.Show(500, 509)
		p.Show(490, 499)
		time.Sleep(10 * time.Second)
		if _, ok := p.Peek(480); !ok {
			t.Error("480 is not there, though the view goes up")
		}
		if _, ok := p.Peek(515); ok {
			t.Error("515 is there, though the view goes up")
		}
		p.Hide()
		if n := p.Stats().InFlight; n != 0 {
			t.Errorf("%d loads run for a view that is hidden", n)
		}
	})
}

func TestHugeViewIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(ms, ms)
		p := prefetch.New(s.load, prefetch.Range(0, 1<<40), pages{MaxWeight: 50})
		defer p.Close()
		p.Show(0, 1<<40-1)
		time.Sleep(time.Minute)
		if n := p.Stats().Items; n != 50 {
			t.Errorf("%d are there, want 50", n)
		}
	})
}
