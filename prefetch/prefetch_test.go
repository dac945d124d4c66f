// prefetch_test.go holds Get and its kin against their promises.

package prefetch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
			t.Errorf("%d loads of 7, up to %d at once; want 2, 1", begun.Load(), most.Load())
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
		lookup := func(key int) (string, bool) { return value(key), key < 50 }
		p := over(t, s, pages{Lookup: lookup})
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

func TestMaxWidthBoundsLoadsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(100*ms, 0)
		p := over(t, s, pages{MaxWidth: 3})
		for key := range 60 {
			get(t, p, key)
			time.Sleep(20 * ms)
		}
		p.Close()
		if s.most > 4 {
			t.Errorf("%d loads ran at once, want 3 ahead and the one that is asked for", s.most)
		}
	})
}

// TestHeedlessLoaderIsNotOverrun cancels loads that go on all the same.
func TestHeedlessLoaderIsNotOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		p := prefetch.New(func(_ context.Context, key int) (string, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Minute)
			return value(key), nil
		}, prefetch.Range(0, 1000), pages{MaxWidth: 4})
		defer p.Close()
		for page := range 50 {
			p.Show(page*20, page*20+9)
			time.Sleep(time.Second)
		}
		if n := most.Load(); n > 8 {
			t.Errorf("%d loads ran at once, want at most 8", n)
		}
	})
}

// shown collects what OnReady hears.

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
