// shop_test.go tests a program with a cache in memory. All tests run in a bubble of
// testing/synctest, whose clock stands still while anybody works, and jumps when all wait: an hour
// costs nothing.

package shop_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	shop "github.com/larder-go/larder/examples/test-your-cache"
	"github.com/larder-go/larder/store"
)

// merchant is an origin that counts, takes a second, and fails on demand. Each answer is another
// price: 1, 2, 3, ..., so a test sees whether it got an old one.
type merchant struct {
	asked atomic.Int64
	down  atomic.Bool
}

var errClosed = errors.New("the merchant has closed")

func (m *merchant) ask(_ context.Context, tea string) (int, error) {
	n := m.asked.Add(1)
	time.Sleep(time.Second)
	if m.down.Load() {
		return 0, errClosed
	}
	return int(n), nil
}

// inBubble runs a test with prices that only the merchant knows.
func inBubble(t *testing.T, test func(t *testing.T, p *shop.Prices, m *merchant)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := &merchant{}
		p := open(t, m, nil)
		test(t, p, m)
	})
}

// open returns prices that are closed at the end: nothing may outlive a bubble.
func open(t *testing.T, m *merchant, shared store.Store) *shop.Prices {
	t.Helper()
	p := shop.Open(m.ask, shared)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// wantPrice asks for a price, which has to be want, and to be there after so long, to the
// nanosecond.
func wantPrice(t *testing.T, p *shop.Prices, tea string, want int, after time.Duration) {
	t.Helper()
	begun := time.Now()
	got, err := p.Of(t.Context(), tea)
	if err != nil || got != want || time.Since(begun) != after {
		t.Errorf("%s costs %d (%v) after %v, want %d after %v", tea, got, err, time.Since(begun),
			want, after)
	}
}

func TestASecondAskIsAHit(t *testing.T) {
	inBubble(t, func(t *testing.T, p *shop.Prices, m *merchant) {
		wantPrice(t, p, "sencha", 1, time.Second)
		wantPrice(t, p, "sencha", 1, 0)
		wantPrice(t, p, "assam", 2, time.Second)
		if s := p.Stats(); s.Hits != 1 || s.Misses != 2 || s.Loads != 2 {
			t.Errorf("%v, want 1 hit and 2 misses", s)
		}
	})
}

// often uses a price so often that the policy hears of it. The cache tells it of hits some at a
// time, which is why they are quick: a test cannot rely on a single one.
func often(t *testing.T, p *shop.Prices, tea string, price int) {
	t.Helper()
	for range 20 {
		wantPrice(t, p, tea, price, 0)
	}
}

func TestTheLeastRecentlyUsedIsEvicted(t *testing.T) {
	inBubble(t, func(t *testing.T, p *shop.Prices, m *merchant) {
		wantPrice(t, p, "sencha", 1, time.Second)
		wantPrice(t, p, "assam", 2, time.Second)
		wantPrice(t, p, "oolong", 3, time.Second)
		often(t, p, "sencha", 1)                  // now assam was used least recently
		wantPrice(t, p, "pu-erh", 4, time.Second) // and has to leave for this
		wantPrice(t, p, "sencha", 1, 0)
		wantPrice(t, p, "oolong", 3, 0)
		wantPrice(t, p, "pu-erh", 4, 0)
		if s := p.Stats(); s.Evicted != 1 || s.Entries != 3 {
			t.Errorf("%v, want 1 evicted and 3 there", s)
		}
		wantPrice(t, p, "assam", 5, time.Second)
	})
}

func TestAPriceExpiresAfterAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, p *shop.Prices, m *merchant) {
		wantPrice(t, p, "sencha", 1, time.Second)
		time.Sleep(time.Minute - 1)
		wantPrice(t, p, "sencha", 1, 0)
		time.Sleep(time.Nanosecond) // a nanosecond
		wantPrice(t, p, "sencha", 2, time.Second)
	})
}

func TestAChangedPriceIsAskedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, p *shop.Prices, m *merchant) {
		wantPrice(t, p, "sencha", 1, time.Second)
		wantPrice(t, p, "assam", 2, time.Second)
		if err := p.Changed(t.Context(), "sencha"); err != nil {
			t.Fatal(err)
		}
		wantPrice(t, p, "sencha", 3, time.Second)
		wantPrice(t, p, "assam", 2, 0)
	})
}

// TestAPriceThatChangesWhileItIsAskedForIsNotKept deletes in the middle of a load: what the load
// brings may be of before.
func TestAPriceThatChangesWhileItIsAskedForIsNotKept(t *testing.T) {
	inBubble(t, func(t *testing.T, p *shop.Prices, m *merchant) {
		var asking sync.WaitGroup
		asking.Go(func() { wantPrice(t, p, "sencha", 1, time.Second) })
		synctest.Wait() // until the merchant is busy with it
		if err := p.Changed(t.Context(), "sencha"); err != nil {
			t.Fatal(err)
		}
		asking.Wait()
		wantPrice(t, p, "sencha", 2, time.Second)
	})
}

func TestManyAtOnceAskOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, p *shop.Prices, m *merchant) {
		var crowd sync.WaitGroup
		for range 100 {
			crowd.Go(func() { wantPrice(t, p, "sencha", 1, time.Second) })
		}
		crowd.Wait()
		if n := m.asked.Load(); n != 1 {
			t.Errorf("the merchant was asked %d times", n)
		}
	})
}

func TestAnOldPriceHasToDoWhileTheMerchantIsClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, p *shop.Prices, m *merchant) {
		wantPrice(t, p, "sencha", 1, time.Second)
		m.down.Store(true)
		time.Sleep(30 * time.Minute)
		wantPrice(t, p, "sencha", 1, time.Second) // asked in vain
		time.Sleep(time.Hour)
		if got, err := p.Of(t.Context(), "sencha"); !errors.Is(err, errClosed) {
			t.Errorf("a price of long ago: %d, %v", got, err)
		}
	})
}
