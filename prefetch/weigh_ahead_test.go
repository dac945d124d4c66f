// weigh_ahead_test.go loads what says beforehand how much it weighs, and changes the bound.

package prefetch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/prefetch"
)

// uneven weighs mostly little, and every seventh and all late ones much.
func uneven(key int) int64 {
	if key%7 == 3 || key > 100 {
		return 400
	}
	return 20
}

// parcels is a prefetcher of what uneven weighs. there is what is kept, held or on its way.
func parcels(
	t *testing.T, s *share, o pages,
) (p *prefetch.Prefetcher[int, string], there *atomic.Int64) {
	there = new(atomic.Int64)
	o.Weigh = func(key int, _ string) int64 { return uneven(key) }
	o.WeighAhead = func(_ context.Context, key int) (int64, error) {
		time.Sleep(5 * ms) // it takes some time to look
		return uneven(key), nil
	}
	o.OnEvict = func(key int, _ string) { there.Add(-uneven(key)) }
	p = prefetch.New(func(ctx context.Context, key int) (string, error) {
		there.Add(uneven(key))
		v, err := s.load(ctx, key)
		if err != nil {
			there.Add(-uneven(key))
		}
		return v, err
	}, prefetch.Range(0, 1000), o)
	t.Cleanup(func() { p.Close() })
	return p, there
}

func TestWhatIsOnItsWayCountsWithItsKnownWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(50*ms, 20*ms)
		p, there := parcels(t, s, pages{MaxWeight: 1500, MaxWidth: 16, Keep: 3})
		r := rand.New(rand.NewPCG(5, 6))
		for key := range 300 {
			if r.IntN(20) == 0 { // an ask that nobody has foreseen, and what is on its way waits
				get(t, p, 500+key)
			}
			get(t, p, key)
			for range 5 {
				time.Sleep(time.Duration(r.IntN(30)) * ms)
				synctest.Wait()
				if w := there.Load(); w > 1500 {
					t.Fatalf("at %d, %d is there or on its way, at most 1500 may be", key, w)
				}
			}
		}
		for key := range 300 {
			if n := s.loaded(key); n > 3 {
				t.Errorf("%d was loaded %d times", key, n)
			}
		}
		if s := p.Stats(); s.Used < 200 {
			t.Errorf("only %d were loaded ahead: %+v", s.Used, s)
		}
		p.Close()
		if w := there.Load(); w != 0 {
			t.Errorf("after Close there is still %d", w)
		}
	})
}

func TestWhatIsAskedForIsLoadedThoughAllRoomIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := parcels(t, newShare(50*ms, 20*ms), pages{MaxWeight: 1500})
		for key := range 5 {
			_, release, err := p.Hold(t.Context(), 200+key)
			if err != nil {
				t.Fatal(err)
			}
			defer release()
		}
	})
}

func TestAWeightThatCannotBeToldIsTheErrorOfTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("not there")
		p := prefetch.New(func(context.Context, int) (string, error) {
			t.Error("loaded")
			return "", nil
		}, prefetch.Range(0, 10), pages{
			MaxWeight: 10, Weigh: func(int, string) int64 { return 1 },
			WeighAhead: func(context.Context, int) (int64, error) { return 0, bad },
		})
		defer p.Close()
		if _, err := p.Get(t.Context(), 3); !errors.Is(err, bad) {
			t.Errorf("got %v, want %v", err, bad)
		}
	})
}

func TestALowerLimitHoldsAtOnceButForWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, there := parcels(t, newShare(50*ms, 20*ms), pages{MaxWeight: 5000})
		_, release, err := p.Hold(t.Context(), 200)
		if err != nil {
			t.Fatal(err)
		}
		for key := range 20 {
			get(t, p, key)
			time.Sleep(100 * ms)
		}
		for _, limit := range []int64{1000, 700, 0} {
			p.Limit(limit)
			if w := p.Stats().Weight; w > max(limit, 400) {
				t.Errorf("with a limit of %d, %d is kept", limit, w)
			}
			synctest.Wait() // loads that were cancelled end
			if w := there.Load(); w > max(limit, 400) {
				t.Errorf("with a limit of %d, %d is there", limit, w)
			}
		}
		if _, ok := p.Peek(200); !ok {
			t.Error("what was held has left")
		}
		release()
		p.Limit(5000)
		get(t, p, 20)
		time.Sleep(time.Second)
		if w := p.Stats().Weight; w < 800 {
			t.Errorf("with a limit of 5000, only %d is kept", w)
		}
	})
}
