// gaps_internal_test.go makes an observer miss events at moments of its choice, and looks whether its
// numbers still fit together.

package shadow

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/policy"
)

// lists are LRUs of some sizes, by factor; the observed one is that of 1.
type lists struct {
	all  map[float64]*naive
	hits map[float64]float64
	asks float64
}

const listed = 64 // entries of the observed list

func newLists() *lists {
	l := &lists{all: map[float64]*naive{}, hits: map[float64]float64{}}
	for _, factor := range []float64{0.5, 1, 2} {
		l.all[factor] = &naive{max: uint64(factor * listed)}
	}
	return l
}

// ask asks all for a hash, and tells whether the observed one had it.
func (l *lists) ask(hash uint32) (hit bool) {
	l.asks++
	for factor, list := range l.all {
		ok, _ := list.ask(hash, 0, Forever)
		if ok {
			l.hits[factor]++
		} else {
			list.put(hash, 1, 0, traffic{fresh: Forever, idle: Forever}, Loaded)
		}
		hit = hit || ok && factor == 1
	}
	return hit
}

// stalled is an observer of a cache that one goroutine asks. In a bubble, in which no time passes, its
// work costs nothing: nothing but the test makes it pause.
type stalled struct {
	*Observer
	lists        *lists
	r            *rand.Rand
	hits, misses atomic.Uint64
}

func newStalled(r *rand.Rand) *stalled {
	s := &stalled{lists: newLists(), r: r}
	s.Observer = NewObserver(Host{
		Cache:   Cache{Policy: "LRU", New: policy.LRU, Max: listed, Entries: listed},
		Totals:  func() (hits, misses uint64) { return s.hits.Load(), s.misses.Load() },
		Shape:   func() (max, used, count uint64) { return listed, listed, listed },
		Listens: func(uint32, bool) {},
	}, 2)
	return s
}

// ask asks n times for keys of which some are far more popular, and tells of it as a cache does.
func (s *stalled) ask(n int) {
	for range n {
		hash := uint32(float64(8*listed) * math.Pow(s.r.Float64(), 2.5))
		if s.lists.ask(hash) {
			s.hits.Add(1)
			s.tell(eventOf(hit, hash, 0))
			continue
		}
		s.misses.Add(1)
		s.tell(eventOf(miss, hash, 0))
		s.tell(eventOf(loaded, hash, 1))
	}
}

func (s *stalled) tell(e event) {
	if !s.closed.Load() {
		s.enqueue(e)
	}
}

// settle works off all there is.
func (s *stalled) settle() {
	for s.workOff(together) {
	}
}

// check fails t if what is predicted is off by more than a point.
func (s *stalled) check(t *testing.T, least, most float64) {
	t.Helper()
	c, ok := s.Curve()
	if seen := float64(c.Seen) / s.lists.asks; !ok || seen < least || seen > most {
		t.Errorf("%.3f of the requests were seen, want %v to %v", seen, least, most)
	}
	for _, e := range c.Sizes {
		hits, ok := s.lists.hits[e.Factor]
		if is := hits / s.lists.asks; ok && math.Abs(e.Ratio-is) > 0.01 {
			t.Errorf("%gx: predicted %.4f, is %.4f", e.Factor, e.Ratio, is)
		}
	}
}

// TestGapsAreNotCounted stalls the observer while the cache is asked for more than can wait.
func TestGapsAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStalled(random(t))
		defer s.Close()
		for range 10 {
			s.ask(200)
			s.settle()
			s.work.Lock()
			s.ask(8000) // of which 3000 or so can wait
			s.work.Unlock()
			s.settle()
			s.settle()
		}
		s.check(t, 0.2, 0.5)
	})
}

// TestPausesAreNotCounted lets the observer pause while a lot of events wait, which count, and while
// the cache is asked on, which does not.
func TestPausesAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStalled(random(t))
		defer s.Close()
		for range 10 {
			s.ask(300) // until it is warm
			s.settle()
			s.work.Lock()
			s.ask(2000)
			s.work.Unlock()
			s.shut(0)
			s.ask(4000)
			s.settle()
			s.ask(4000)
			s.settle()
			s.open()
		}
		s.check(t, 0.1, 0.25)
	})
}

// TestPauseWithEventsThatWaitEnds lets it open again before anybody has worked them off.
func TestPauseWithEventsThatWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStalled(random(t))
		defer s.Close()
		s.ask(50) // too few to be worked off
		s.shut(0)
		s.open()
		for range 50 {
			s.ask(200)
			s.settle()
		}
		s.check(t, 0.9, 1)
	})
}

// TestTheLastWordToTheHostIsTrue holds up one who tells the host that nobody listens, until another
// has had time to tell it that somebody does.
func TestTheLastWordToTheHostIsTrue(t *testing.T) {
	var o *Observer
	var words []bool
	var others sync.WaitGroup
	held := false
	host := Host{
		Cache:  Cache{Policy: "LRU", New: policy.LRU, Max: listed, Entries: listed},
		Totals: func() (hits, misses uint64) { return 0, 0 },
		Shape:  func() (max, used, count uint64) { return listed, listed, listed },
	}
	host.Listens = func(_ uint32, some bool) {
		if !some && !held {
			held = true
			others.Go(func() { o.open() })
			for o.closed.Load() {
				runtime.Gosched()
			}
			for range 1000 {
				runtime.Gosched()
			}
		}
		words = append(words, some)
	}
	o = NewObserver(host, 2)
	o.shut(time.Hour)
	others.Wait()
	if !words[len(words)-1] {
		t.Errorf("the host was told %v", words)
	}
	if o.Close(); words[len(words)-1] {
		t.Error("somebody listens after the end")
	}
}
