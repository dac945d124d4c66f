// observer_test.go looks at what an observer hears, and when it hears nothing.

package shadow_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/internal/shadow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestObserverPredictsAsItsPanelDoes looks at a cache that is copied whole, so that it has to be
// right to the last hit.
func TestObserverPredictsAsItsPanelDoes(t *testing.T) {
	for name, life := range map[string]time.Duration{"for ever": 0, "an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 300
				s := seed(t)
				keys := zipfKeys(s, 0.8, size, 20_000)
				h := newHost(named(t, "LRU"), size, life, 0)
				defer h.observer.Close()
				h.getAll(keys, s)
				checkObserved(t, h, keys, size)
			})
		})
	}
}

func checkObserved(t *testing.T, h *host, keys []uint32, size int) {
	t.Helper()
	tr, lru := traceOf(keys), named(t, "LRU")
	for _, factor := range []float64{0.25, 0.5, 1, 2} {
		got, want := at(t, h.observer, factor), replayed(t, tr, lru, int(factor*float64(size)))
		if math.Abs(got-want) > 0.0005 {
			t.Errorf("%gx: predicted %.4f, is %.4f", factor, got, want)
		}
	}
}

func TestCurveIsSilentWhileItHasSeenTooLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		defer h.observer.Close()
		for i := range 2000 {
			_, ok := h.observer.Curve()
			if i > 510 && !ok || i < 490 && ok {
				t.Fatalf("after %d requests: %v", i, ok)
			}
			h.get(uint32(i % 7))
		}
	})
}

// TestObserverServesForYears is about ticks, of which there are but 4 billion.
func TestObserverServesForYears(t *testing.T) {
	for name, life := range map[string]time.Duration{"for ever": 0, "two seconds": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 300
				s := seed(t)
				keys := zipfKeys(s, 0.8, size, 20_000)
				h := newHost(named(t, "LRU"), size, life, 0)
				defer h.observer.Close()
				for range 5 {
					time.Sleep(100 * 24 * time.Hour)
					h.getAll(keys[:12_000], s) // all at one moment: nothing expires meanwhile
				}
				if got, want := at(t, h.observer, 2)-at(t, h.observer, 1), 0.1; got < want {
					t.Errorf("twice the size gains %.4f, want more than %v", got, want)
				}
			})
		})
	}
}

// TestCurveReturnsWhileRequestsCome feeds it each time that it works something off.
func TestCurveReturnsWhileRequestsCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		defer h.observer.Close()
		worked := 0
		h.works = func() {
			if worked++; worked < 10_000 {
				h.observer.Put(1, 1, shadow.Loaded)
			}
		}
		h.get(1)
		if h.observer.Curve(); worked > 100 {
			t.Errorf("it has worked %d times", worked)
		}
	})
}

// costly makes each lot of events cost so long.
func costly(h *host, cost time.Duration) { h.works = func() { time.Sleep(cost) } }

// TestObserverOfABusyHostHardlyListens lets working off cost all the time there is: 8 µs an event,
// and more events than that.
func TestObserverOfABusyHostHardlyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		defer h.observer.Close()
		costly(h, time.Millisecond)
		const lasts = 10 * time.Minute
		for began := time.Now(); time.Since(began) < lasts; time.Sleep(time.Millisecond) {
			for i := range uint32(200) {
				h.hit(i % 50)
			}
		}
		share := float64(h.listening()) / float64(lasts)
		t.Logf("it has listened %.2f %% of the time", 100*share)
		if share > 0.02 || share < 0.002 {
			t.Errorf("it has listened %.2f %% of the time, want about 1 %%", 100*share)
		}
	})
}

func TestObserverOfAQuietHostListensAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		defer h.observer.Close()
		costly(h, time.Millisecond)
		const lasts = 10 * time.Minute
		for began := time.Now(); time.Since(began) < lasts; time.Sleep(time.Second) {
			for i := range uint32(512) { // 4 ms of work
				h.hit(i % 50)
			}
		}
		if h.listening() < lasts {
			t.Errorf("it has listened %v of %v", h.listening(), lasts)
		}
	})
}

func TestCloseEndsListening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		costly(h, time.Millisecond)
		for i := range uint32(20_000) {
			h.hit(i % 50) // more than is allowed: it pauses
		}
		h.observer.Close()
		h.observer.Close()
		synctest.Wait()
		listened := h.listening()
		time.Sleep(time.Hour)
		for i := range uint32(1000) {
			h.get(i)
			h.observer.Hit(0, i)
		}
		if h.listening() != listened || h.mask.Load() != nobody {
			t.Errorf("somebody listens %v after the end", h.listening()-listened)
		}
	})
}

// TestAllMayUseAnObserverAtOnce is for the race detector.
func TestAllMayUseAnObserverAtOnce(t *testing.T) {
	s := seed(t)
	h := newHost(named(t, "Adaptive"), 1000, time.Minute, time.Second)
	z := newZipf(0.9, 4000)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(s, uint64(i)))
			for n := range 500 {
				useAll(h, hashOf(s, z.draw(r)), i*500+n)
			}
		})
	}
	all.Go(func() {
		h.observer.Curve()
		for range 3 {
			h.observer.Record(context.Background(), 500, func(shadow.Access) {})
		}
	})
	all.Wait()
	h.observer.Close()
	h.observer.Close()
	if h.mask.Load() != nobody {
		t.Error("somebody listens after the end")
	}
}

// useAll does one of all that a cache may do with an observer.
func useAll(h *host, hash uint32, n int) {
	o := h.observer
	h.hit(hash)
	switch n % 50 {
	case 0, 1, 2, 3, 4:
		h.missed.Add(1)
		o.Miss(uintptr(n)<<13, hash, o.Why(hash))
		o.Put(hash, 1, shadow.How(n%2 == 0))
	case 5:
		o.Delete(hash)
		o.Left(hash, shadow.Deleted)
	case 6:
		l := shadow.Load{Key: fmt.Sprint(hash), Took: time.Duration(n)}
		o.Charge(hash, l)
		o.Rank(l)
	case 7:
		o.Curve()
		o.Favorites()
	case 8:
		o.Dearest()
		o.Slowest()
		o.Account(hash)
		o.Reasons()
	case 9:
		o.Clear()
	case 10:
		ctx, cancel := context.WithTimeout(context.Background(), time.Microsecond)
		o.Record(ctx, 10, func(shadow.Access) {})
		cancel()
	case 11:
		if n == 31*500+461 {
			o.Close() // while others go on
		}
	}
}

func TestReasonsAreThoseOfTheLastDeparture(t *testing.T) {
	h := newHost(named(t, "LRU"), 5000, 0, 0)
	defer h.observer.Close()
	o, s := h.observer, seed(t)
	all := []shadow.Reason{shadow.Evicted, shadow.Expired, shadow.Deleted, shadow.Failed}
	for i, r := range all {
		hash := hashOf(s, uint32(i))
		if got := o.Why(hash); got != shadow.New {
			t.Errorf("reason %d before it left, want %d", got, shadow.New)
		}
		o.Left(hash, shadow.Deleted)
		o.Left(hash, r)
		if got := o.Why(hash); got != r {
			t.Errorf("reason %d, want %d", got, r)
		}
		for range i + 1 {
			o.Miss(0, hash, o.Why(hash))
		}
	}
	if got := o.Reasons(); got != [...]uint64{0, 1, 2, 3, 4} {
		t.Errorf("reasons %v, want 0, 1, 2, 3, 4", got)
	}
}

// TestReasonsAreOfTheirKey lets more keys leave than are remembered: the last ones are known, and
// what was never there is hardly ever taken for one of them.
func TestReasonsAreOfTheirKey(t *testing.T) {
	for _, entries := range []int{1, 100, 5000, 1_000_000} {
		h := newHost(named(t, "LRU"), entries, 0, 0)
		o, s := h.observer, seed(t)
		for i := range uint32(100_000) {
			o.Left(hashOf(s, i), shadow.Evicted)
		}
		known, mistaken := 0, 0
		for i := range uint32(100) {
			if o.Why(hashOf(s, 99_999-i)) == shadow.Evicted {
				known++
			}
		}
		for i := range uint32(100_000) {
			if o.Why(hashOf(s, 1_000_000+i)) != shadow.New {
				mistaken++
			}
		}
		if known < 70 || mistaken > 20 {
			t.Errorf("%d entries: %d of the last 100 known, %d strangers mistaken", entries, known,
				mistaken)
		}
		o.Close()
	}
}

func TestFavoritesAreThoseOfZipf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := seed(t)
		h := newHost(named(t, "LRU"), 100_000, 0, 0)
		defer h.observer.Close()
		z, r := newZipf(1, 20_000), rand.New(rand.NewPCG(s, 6))
		const n = 600_000
		for i := range n {
			if h.hit(hashOf(s, z.draw(r))); i%1000 == 0 {
				h.observer.Curve()
			}
		}
		checkFavorites(t, h.observer.Favorites(), z, s)
	})
}

// checkFavorites wants the ten keys that are asked for most among the first twenty, with about their
// share.
func checkFavorites(t *testing.T, all []shadow.Favorite, z zipf, seed uint64) {
	t.Helper()
	if len(all) < 20 || len(all) > 2400 {
		t.Fatalf("there are %d favourites", len(all))
	}
	place := map[uint32]int{}
	for i, f := range all {
		place[f.Hash] = i
		if i > 0 && f.Share > all[i-1].Share || f.Share < 0 || f.Share > 1 {
			t.Errorf("place %d has a share of %v", i, f.Share)
		}
	}
	for k := range uint32(10) {
		i, ok := place[hashOf(seed, k)]
		want := 1 / float64(k+1) / z[len(z)-1]
		if !ok || i >= 20 || math.Abs(all[i].Share-want) > 0.25*want+0.002 {
			t.Errorf("key %d is at place %d of %d, want a share of %.4f", k, i, len(all), want)
		}
	}
}

func TestFavoritesOfNothingAreNone(t *testing.T) {
	h := newHost(named(t, "LRU"), 100, 0, 0)
	defer h.observer.Close()
	if all := h.observer.Favorites(); len(all) != 0 {
		t.Errorf("favourites %v of no hits", all)
	}
}

func TestRecordEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		defer h.observer.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := recorded(t, h, ctx, 1000)
		for i := range uint32(10) {
			h.get(i % 5)
		}
		want := []shadow.Access{{Hash: 0}, {Hash: 1}, {Hash: 2}, {Hash: 3}, {Hash: 4},
			{Hash: 0, Hit: true}, {Hash: 1, Hit: true}, {Hash: 2, Hit: true}, {Hash: 3, Hit: true},
			{Hash: 4, Hit: true}}
		began := time.Now()
		if all := <-got; fmt.Sprint(all) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", all, want)
		}
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("it took %v, want a second", took)
		}
	})
}

// recorded records in another goroutine, which has begun when it returns.
func recorded(t *testing.T, h *host, ctx context.Context, most int) <-chan []shadow.Access {
	got := make(chan []shadow.Access, 1)
	go func() {
		var all []shadow.Access
		err := h.observer.Record(ctx, most, func(a shadow.Access) { all = append(all, a) })
		if err != nil {
			t.Error(err)
		}
		got <- all
	}()
	synctest.Wait()
	return got
}

func TestRecordEndsWithTheMost(t *testing.T) {
	for _, most := range []int{-1, 0, 1, 700} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(named(t, "LRU"), 1_000_000, 0, 0) // of which a panel wants to hear little
			defer h.observer.Close()
			got := recorded(t, h, t.Context(), most)
			for i := range uint32(3000) {
				h.get(hashOf(1, i%1000))
			}
			if all := <-got; len(all) != max(most, 0) {
				t.Errorf("got %d requests, want %d", len(all), most)
			}
		})
	}
}

func TestRecordEndsWithTheObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		got := recorded(t, h, t.Context(), 1000)
		h.observer.Close()
		began := time.Now()
		if <-got; time.Since(began) > time.Second {
			t.Errorf("it went on for %v", time.Since(began))
		}
	})
}

func TestASecondRecordingIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		defer h.observer.Close()
		ctx, cancel := context.WithCancel(t.Context())
		first := recorded(t, h, ctx, 1000)
		err := h.observer.Record(ctx, 1, func(shadow.Access) {})
		if !errors.Is(err, shadow.ErrRecording) {
			t.Errorf("got %v, want ErrRecording", err)
		}
		h.get(1)
		cancel()
		if all := <-first; len(all) != 1 {
			t.Errorf("the first got %v, want one request", all)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.observer.Record(ctx, 1, func(shadow.Access) {}); err != nil {
			t.Errorf("once the first has ended: %v", err)
		}
	})
}

// TestRecordHearsAllWhileTheObserverPauses records where the budget is used up.
func TestRecordHearsAllWhileTheObserverPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(named(t, "LRU"), 100, 0, 0)
		defer h.observer.Close()
		costly(h, time.Millisecond)
		for range 100 {
			for i := range uint32(200) {
				h.hit(i % 50)
			}
			time.Sleep(time.Millisecond)
		}
		if h.mask.Load() != nobody {
			t.Fatal("it listens still")
		}
		synctest.Wait()
		h.works = nil
		got := recorded(t, h, t.Context(), 500)
		for i := range uint32(500) {
			h.hit(i)
		}
		if all := <-got; len(all) != 500 {
			t.Errorf("got %d requests, want 500", len(all))
		}
		if h.mask.Load() != nobody {
			t.Error("it listens once the recording has ended")
		}
	})
}
