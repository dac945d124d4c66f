package prefetch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/prefetch"
)

const ms = time.Millisecond

// pages are the options of most tests.
type pages = prefetch.Options[int, string]

// over returns a prefetcher over the first 1000 keys of a share.
func over(t *testing.T, s *share, o pages) *prefetch.Prefetcher[int, string] {
	p := prefetch.New(s.load, prefetch.Range(0, 1000), o)
	t.Cleanup(func() { p.Close() })
	return p
}

func get(t *testing.T, p *prefetch.Prefetcher[int, string], key int) (waited time.Duration) {
	t.Helper()
	began := time.Now()
	if v, err := p.Get(t.Context(), key); err != nil || v != value(key) {
		t.Errorf("Get(%d) = %q, %v", key, v, err)
	}
	return time.Since(began)
}

func TestManyAskersMakeOneLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{})
		var askers sync.WaitGroup
		for range 30 {
			askers.Go(func() { get(t, p, 5) })
		}
		askers.Wait()
		if n := s.loaded(5); n != 1 {
			t.Errorf("5 was loaded %d times", n)
		}
	})
}

func TestKeptItemNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(50*ms, 100*ms), pages{})
		get(t, p, 5)
		go p.Get(t.Context(), 500)
		synctest.Wait()
		if d := get(t, p, 5); d != 0 {
			t.Errorf("waited %v", d)
		}
	})
}

func TestNextItemIsThereBeforeItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(50*ms, 100*ms), pages{})
		get(t, p, 5)
		for key := 6; key < 40; key++ {
			time.Sleep(time.Second)
			if d := get(t, p, key); d != 0 {
				t.Errorf("waited %v for %d", d, key)
			}
		}
	})
}

func TestGivingUpTakesTheItemFromNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{})
		var other sync.WaitGroup
		other.Go(func() { get(t, p, 5) })
		ctx, cancel := context.WithTimeout(t.Context(), 20*ms)
		defer cancel()
		began := time.Now()
		if _, err := p.Get(ctx, 5); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
		if d := time.Since(began); d != 20*ms {
			t.Errorf("gave up after %v, want 20ms", d)
		}
		other.Wait()
		if n := s.loaded(5); n != 1 {
			t.Errorf("5 was loaded %d times", n)
		}
	})
}

func TestCancelledContextLoadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Get(ctx, 5); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
		if n := s.loaded(5); n != 0 {
			t.Errorf("5 was loaded %d times", n)
		}
		get(t, p, 5)
		if _, err := p.Get(ctx, 5); err != nil {
			t.Errorf("5 is kept, but got %v", err)
		}
	})
}

// TestAbandonedLoadIsCancelledAndBegunAgain asks for what was just cancelled: there is never more
// than one load of a key, even if the loader takes its time to heed its context.
func TestAbandonedLoadIsCancelledAndBegunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most, begun atomic.Int32
		p := prefetch.New(func(ctx context.Context, key int) (string, error) {
			if key != 7 {
				return value(key), rest(ctx, 10*ms)
			}
			begun.Add(1)
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			err := rest(ctx, time.Second)
			time.Sleep(300 * ms) // heedless
			return value(key), err
		}, prefetch.Range(0, 1000), pages{})
		defer p.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
		defer cancel()
		if _, err := p.Get(ctx, 7); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		get(t, p, 500) // nobody needs 7 any more
		get(t, p, 7)
		if begun.Load() != 2 || most.Load() != 1 {
			t.Errorf("7 was loaded %d times, up to %d at once; want 2, 1", begun.Load(), most.Load())
		}
		if n := p.Stats().Cancelled; n == 0 {
			t.Error("nothing was cancelled")
		}
	})
}

func TestErrorsArePassedOnAndNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("share went away")
		s := newShare(50*ms, 100*ms)
		fails := 1
		p := prefetch.New(func(ctx context.Context, key int) (string, error) {
			if key == 5 && fails > 0 {
				fails--
				return "", broken
			}
			return s.load(ctx, key)
		}, prefetch.Range(0, 10), pages{})
		defer p.Close()
		if _, err := p.Get(t.Context(), 5); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
		get(t, p, 5)
	})
}

// TestFailingPrefetchIsNotTriedForEver loads ahead from an origin that is down.
func TestFailingPrefetchIsNotTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries, heard atomic.Int32
		p := prefetch.New(func(_ context.Context, key int) (string, error) {
			time.Sleep(50 * ms)
			if key > 3 {
				tries.Add(1)
				return "", errors.New("no")
			}
			return value(key), nil
		}, prefetch.Range(0, 1000), pages{OnError: func(int, error) { heard.Add(1) }})
		defer p.Close()
		for key := range 4 {
			get(t, p, key)
			time.Sleep(time.Second)
		}
		if n := tries.Load(); n == 0 || n > 64 {
			t.Errorf("tried %d times, want 1 to 64", n)
		}
		if heard.Load() != tries.Load() {
			t.Errorf("OnError heard of %d of %d", heard.Load(), tries.Load())
		}
	})
}

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
		}{{3, 12, 3}, {8, 12, 8}, {100, 12, 8}, {-1, 12, 0}} {
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

// TestWeightStaysBelowItsBound walks, jumps and holds on, and looks at the weight at every landing.
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
			t.Errorf("weight is %d, but what was loaded and did not leave weighs %d", w, kept.Load())
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

func TestPanicReachesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := prefetch.New(func(context.Context, int) (string, error) {
			time.Sleep(100 * ms)
			panic(fmt.Errorf("bad page: %w", errors.ErrUnsupported))
		}, prefetch.Range(0, 10), pages{})
		defer p.Close()
		var askers sync.WaitGroup
		for range 5 {
			askers.Go(func() {
				_, err := p.Get(t.Context(), 5)
				var panicked *prefetch.PanicError
				if !errors.As(err, &panicked) || !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("got %v, want a PanicError", err)
				}
			})
		}
		askers.Wait()
	})
}

func TestLoaderThatExitsLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := prefetch.New(func(context.Context, int) (string, error) {
			runtime.Goexit()
			return "", nil
		}, prefetch.Range(0, 10), pages{})
		defer p.Close()
		if _, err := p.Get(t.Context(), 5); err == nil {
			t.Error("got no error")
		}
	})
}

func TestLoadTimeoutEndsALoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(time.Hour, 0), pages{LoadTimeout: time.Minute})
		if _, err := p.Get(t.Context(), 5); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		var left atomic.Int32
		p := over(t, s, pages{OnEvict: func(int, string) { left.Add(1) }})
		for key := range 5 {
			get(t, p, key)
			time.Sleep(300 * ms)
		}
		var asker sync.WaitGroup
		asker.Go(func() {
			if _, err := p.Get(t.Context(), 500); !errors.Is(err, prefetch.ErrClosed) {
				t.Errorf("who waited got %v, want ErrClosed", err)
			}
		})
		synctest.Wait()
		kept := p.Stats().Items
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		asker.Wait()
		if int(left.Load()) != kept || p.Stats().Items != 0 {
			t.Errorf("OnEvict heard of %d of %d, %d are kept", left.Load(), kept, p.Stats().Items)
		}
		if _, err := p.Get(t.Context(), 1); !errors.Is(err, prefetch.ErrClosed) {
			t.Errorf("afterwards got %v, want ErrClosed", err)
		}
		p.Show(1, 5)
		p.Expect(1, 2, 3)
		p.Forget(1)
		if p.Stats().InFlight != 0 {
			t.Error("something is loaded after Close")
		}
	})
}

func TestForgottenItemIsLoadedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{})
		get(t, p, 5)
		p.Forget(5)
		if _, ok := p.Peek(5); ok {
			t.Error("5 is kept")
		}
		get(t, p, 5)
		if n := s.loaded(5); n != 2 {
			t.Errorf("5 was loaded %d times, want 2", n)
		}
	})
}

func TestForgetMakesARunningLoadVoid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var version atomic.Int32
		version.Store(1)
		p := prefetch.New(func(context.Context, int) (string, error) {
			v := version.Load()
			time.Sleep(100 * ms) // heeds no context
			return fmt.Sprint("version ", v), nil
		}, prefetch.Range(0, 1), pages{})
		defer p.Close()
		var asker sync.WaitGroup
		asker.Go(func() {
			if v, err := p.Get(t.Context(), 0); err != nil || v != "version 2" {
				t.Errorf("got %q, %v, want version 2", v, err)
			}
		})
		time.Sleep(50 * ms)
		version.Store(2)
		p.Forget(0)
		asker.Wait()
	})
}

func TestPeekLoadsAndPredictsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{})
		get(t, p, 5)
		time.Sleep(time.Second)
		before := p.Stats()
		for key := range 50 {
			p.Peek(key)
		}
		time.Sleep(time.Second)
		if after := p.Stats(); after != before {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
}

func TestLookupSparesLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 100*ms)
		p := over(t, s, pages{Lookup: func(key int) (string, bool) { return value(key), key < 50 }})
		for key := range 50 {
			if d := get(t, p, key); d != 0 {
				t.Errorf("waited %v for %d", d, key)
			}
			time.Sleep(10 * ms)
		}
		for key := range 50 {
			if n := s.loaded(key); n != 0 {
				t.Errorf("%d was loaded %d times", key, n)
			}
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

func TestMaxWidthBoundsLoadsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(100*ms, 0)
		p := over(t, s, pages{MaxWidth: 3})
		for key := range 60 {
			get(t, p, key)
			time.Sleep(20 * ms)
		}
		if s.most > 4 {
			t.Errorf("%d loads ran at once, want at most 3 ahead and the one that is asked for", s.most)
		}
	})
}

// shown collects what OnReady hears.
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

func TestKeyOutsideOfTheSequenceIsLoadedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(10*ms, 10*ms), pages{})
		get(t, p, 5000)
		if d := get(t, p, 5000); d != 0 {
			t.Errorf("waited %v for what is kept", d)
		}
		p.Show(5000, 6000)
	})
}

func TestStatsAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := over(t, newShare(50*ms, 100*ms), pages{MaxWeight: 24})
		var stall time.Duration
		for _, key := range append(row(0, 1, 50), leaps(5, 3)...) {
			stall += get(t, p, key)
			time.Sleep(200 * ms)
		}
		time.Sleep(time.Second)
		s := p.Stats()
		if s.Asks != 65 || s.Stall != stall || s.InFlight != 0 || s.Hits == 0 || s.Used == 0 {
			t.Errorf("%+v, want 65 asks, a stall of %v, nothing in flight, hits, used", s, stall)
		}
		if s.Used+s.Wasted > s.Prefetches || s.Prefetches > s.Loads || s.Failed != 0 {
			t.Errorf("%+v does not add up", s)
		}
	})
}

func TestNewRefusesWhatMakesNoSense(t *testing.T) {
	load := newShare(0, 0).load
	for i, o := range []pages{
		{MaxWeight: -1}, {MaxWidth: -1}, {MaxAhead: -1}, {LoadTimeout: -1},
		{Weigh: func(int, string) int64 { return 1 }},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("options %d were taken", i)
				}
			}()
			prefetch.New(load, prefetch.Range(0, 1), o)
		}()
	}
}

// TestManyGoroutinesDoAsTheyLike runs everything at once, in real time.
func TestManyGoroutinesDoAsTheyLike(t *testing.T) {
	var mu sync.Mutex
	loading := map[int]int{}
	var in, out atomic.Int64
	p := prefetch.New(func(ctx context.Context, key int) (string, error) {
		mu.Lock()
		if loading[key]++; loading[key] > 1 {
			t.Errorf("%d is loaded twice at once", key)
		}
		mu.Unlock()
		defer func() {
			mu.Lock()
			loading[key]--
			mu.Unlock()
		}()
		runtime.Gosched()
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if key%31 == 7 {
			return "", errors.New("broken page")
		}
		in.Add(1)
		return value(key), nil
	}, prefetch.Range(0, 300), pages{
		MaxWeight: 40, Keep: 5,
		OnEvict: func(int, string) { out.Add(1) },
		OnReady: func(key int, v string) {
			if v != value(key) {
				t.Errorf("ready: %d, %q", key, v)
			}
		},
	})
	var all sync.WaitGroup
	for n := range 32 {
		all.Go(func() { roam(t, p, rand.New(rand.NewPCG(uint64(n), 1)), 400) })
	}
	all.Wait()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if in.Load() != out.Load() {
		t.Errorf("%d values came, %d left", in.Load(), out.Load())
	}
	if s := p.Stats(); s.InFlight != 0 || s.Items != 0 || s.Weight != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

// roam does many things in no order.
func roam(t *testing.T, p *prefetch.Prefetcher[int, string], r *rand.Rand, times int) {
	at := r.IntN(300)
	for range times {
		at = (at + 1) % 300
		switch r.IntN(12) {
		case 0:
			at = r.IntN(300)
		case 1:
			p.Forget(at)
		case 2:
			p.Show(at, min(at+9, 299))
		case 3:
			p.Hide()
		case 4:
			p.Expect(row(at, 1, 5)...)
		case 5:
			p.Peek(at)
		case 6:
			if v, release, err := p.Hold(t.Context(), at); err == nil && v != value(at) {
				t.Errorf("Hold(%d) = %q", at, v)
				release()
			} else {
				release()
			}
		case 7:
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(50))*time.Microsecond)
			p.Get(ctx, at)
			cancel()
		default:
			if v, err := p.Get(t.Context(), at); err == nil && v != value(at) {
				t.Errorf("Get(%d) = %q", at, v)
			}
		}
		if w := p.Stats().Weight; w > 40 {
			t.Errorf("weight %d, want at most 40", w)
		}
	}
}

func BenchmarkGetOfTheSameItem(b *testing.B) {
	p := prefetch.New(func(_ context.Context, key int) (int, error) { return key, nil },
		prefetch.Range(0, 1000), prefetch.Options[int, int]{})
	defer p.Close()
	b.ReportAllocs()
	for b.Loop() {
		p.Get(b.Context(), 5)
	}
}

func BenchmarkGetOfKeptItems(b *testing.B) {
	p := prefetch.New(func(_ context.Context, key int) (int, error) { return key, nil },
		prefetch.Range(0, 12), prefetch.Options[int, int]{})
	defer p.Close()
	walk := swing(0, 11, 1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Get(b.Context(), walk[i%len(walk)])
	}
}
