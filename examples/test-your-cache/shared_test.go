// shared_test.go tests a program whose cache has a shared store behind it, on good days and on bad
// ones. The store is one in memory: its handles stand for processes, and storetest.Faulty fails
// when it is told to. That the real one keeps its promises is tested where it is written.

package shop_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	shop "github.com/larder-go/larder/examples/test-your-cache"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// fleet is two processes that share a store.
type fleet struct {
	m           *merchant
	here, there *shop.Prices
	link        *storetest.Faulty // by which there reaches the store
}

func inFleet(t *testing.T, test func(t *testing.T, f fleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		shared := store.NewMemory(store.MemoryOptions{})
		f := fleet{m: &merchant{}, link: storetest.NewFaulty(shared.Share())}
		t.Cleanup(func() { f.link.Close(); shared.Close() }) // after the caches
		f.here = open(t, f.m, shared)
		f.there = open(t, f.m, f.link)
		test(t, f)
	})
}

func TestWhatOneProcessAskedTheOtherKnows(t *testing.T) {
	inFleet(t, func(t *testing.T, f fleet) {
		wantPrice(t, f.here, "sencha", 1, time.Second)
		wantPrice(t, f.there, "sencha", 1, 0)
		if s := f.there.Stats(); s.StoreHits != 1 || s.Loads != 0 {
			t.Errorf("%v, want it from the store", s)
		}
	})
}

func TestAPriceThatChangedHereIsForgottenThere(t *testing.T) {
	inFleet(t, func(t *testing.T, f fleet) {
		wantPrice(t, f.here, "sencha", 1, time.Second)
		wantPrice(t, f.there, "sencha", 1, 0) // is in the memory of both
		if err := f.here.Changed(t.Context(), "sencha"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // until there has heard of it
		wantPrice(t, f.there, "sencha", 2, time.Second)
		wantPrice(t, f.here, "sencha", 2, 0)
	})
}

// TestNobodyNoticesAStoreThatFails has a store that says so at once.
func TestNobodyNoticesAStoreThatFails(t *testing.T) {
	inFleet(t, func(t *testing.T, f fleet) {
		wantPrice(t, f.here, "sencha", 1, time.Second)
		f.link.Fail(errors.New("connection refused"))
		wantPrice(t, f.there, "sencha", 2, time.Second) // from the merchant
		wantPrice(t, f.there, "sencha", 2, 0)
		if f.there.Stats().StoreErrors == 0 {
			t.Error("nobody counted that the store failed")
		}
	})
}

// TestAStoreThatHangsIsGivenUp has the worst kind of failure: no answer at all.
func TestAStoreThatHangsIsGivenUp(t *testing.T) {
	inFleet(t, func(t *testing.T, f fleet) {
		f.link.Hang()
		begun := time.Now()
		if got, err := f.there.Of(t.Context(), "sencha"); err != nil || got != 1 {
			t.Errorf("sencha costs %d (%v)", got, err)
		}
		if waited := time.Since(begun); waited > 10*time.Second {
			t.Errorf("waited %v for a store that hangs", waited)
		}
		f.link.Heal()
	})
}

// TestAStoreThatIsBackIsUsedAgain lets it fail until it is left alone, and heals it.
func TestAStoreThatIsBackIsUsedAgain(t *testing.T) {
	inFleet(t, func(t *testing.T, f fleet) {
		f.link.Fail(errors.New("connection refused"))
		for _, tea := range []string{"sencha", "assam", "oolong", "pu-erh"} {
			if _, err := f.there.Of(t.Context(), tea); err != nil {
				t.Error(err)
			}
		}
		f.link.Heal()
		time.Sleep(2 * time.Minute)
		wantPrice(t, f.there, "oolong", 5, time.Second) // asked the store again, which had nothing
		wantPrice(t, f.here, "sencha", 6, time.Second)
		wantPrice(t, f.there, "sencha", 6, 0)
	})
}

// TestWhatTheStoreMadeUpIsNotBelieved has bytes come back that nobody has set.
func TestWhatTheStoreMadeUpIsNotBelieved(t *testing.T) {
	inFleet(t, func(t *testing.T, f fleet) {
		wantPrice(t, f.here, "sencha", 1, time.Second)
		f.link.Garble()
		wantPrice(t, f.there, "sencha", 2, time.Second)
		if s := f.there.Stats(); s.StoreDamaged == 0 {
			t.Errorf("%v, want damage to be counted", s)
		}
	})
}

// TestOnlyWritingFails chooses the operations that fail.
func TestOnlyWritingFails(t *testing.T) {
	inFleet(t, func(t *testing.T, f fleet) {
		writes := func(op, _ string) bool { return strings.HasSuffix(op, "Set") } // also Lease.Set
		f.link.Where(writes)
		f.link.Fail(errors.New("read only"))
		wantPrice(t, f.there, "sencha", 1, time.Second)
		wantPrice(t, f.here, "sencha", 2, time.Second) // the store does not have it
	})
}
