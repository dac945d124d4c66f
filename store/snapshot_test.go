// snapshot_test.go compares what views of stores report with what was done to them.

package store_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

func TestGuardReportsEachCallOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *broken) {
		set(t, s.Guard, "k", []byte("k"))
		for range 2 {
			_, _ = s.get()
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Guard.Get(gone, "k"); err == nil {
			t.Error("Get of who has gone succeeds")
		}
		s.Hang()
		_, _ = s.get()
		s.open(t)
		_, _ = s.get()
		got := statstest.Of(t, s.Guard)
		statstest.Expect(t, got, statstest.Numbers{
			"store_calls ok": 4, "store_calls timeout": 1, "store_calls skipped": 2,
			"store_calls failed": guardFailures - 1, "breaker_open": 1, "breaker_opened": 1,
		})
		if got.Name != "store" || got.Kind != stats.Guard {
			t.Errorf("it is %s %q", got.Kind, got.Name)
		}
		wantGuardStats(t, got, s.Stats())
		time.Sleep(guardCooldown)
		s.Delay(guardTimeout / 2)
		_, _ = s.get()
		statstest.Expect(t, s.Guard.Snapshot(), statstest.Numbers{"breaker_open": 0.5})
		time.Sleep(guardTimeout)
		synctest.Wait()
		after := statstest.Of(t, s.Guard)
		statstest.Expect(t, after, statstest.Numbers{"breaker_open": 0, "store_calls ok": 5})
		statstest.CheckGrowth(t, got, after)
	})
}

// wantGuardStats compares a snapshot with what Stats says.
func wantGuardStats(t *testing.T, got stats.Snapshot, n store.GuardStats) {
	t.Helper()
	statstest.Expect(t, got, statstest.Numbers{
		"store_calls ok":      float64(n.Calls - n.Failures),
		"store_calls failed":  float64(n.Failures - n.Timeouts),
		"store_calls timeout": float64(n.Timeouts), "store_calls skipped": float64(n.Skipped),
		"breaker_opened": float64(n.Opened),
	})
	if sum := got.Sum(stats.StoreCalls); sum != float64(n.Calls+n.Skipped) {
		t.Errorf("the calls add up to %v, want those of %+v", sum, n)
	}
}

func TestGuardReportsTheNameItWasGiven(t *testing.T) {
	g := store.NewGuard(newMemory(t), store.GuardOptions{Name: "redis of shop"})
	if got := g.Snapshot().Name; got != "redis of shop" {
		t.Errorf("it is called %q", got)
	}
}

func TestRingReportsItsNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, faults, _ := faultyRing(2, store.RingOptions{})
		defer r.Close()
		keys, byNode := fill(t, r, 20)
		for _, key := range keys {
			wantHit(t, r, key)
		}
		if _, err := r.GetMany(t.Context(), append(keys, "absent")); err != nil {
			t.Fatal(err)
		}
		faults[0].Fail(errors.New("out of order"))
		wantMiss(t, r, byNode["node0"][0])
		absent, n := [2]float64{}, [2]float64{
			float64(len(byNode["node0"])), float64(len(byNode["node1"])),
		}
		if r.Node("absent") == "node0" {
			absent[0] = 1
		} else {
			absent[1] = 1
		}
		nodes := r.Sources()
		if len(nodes) != 2 {
			t.Fatalf("%d nodes", len(nodes))
		}
		for i, failed := range []float64{1, 0} {
			got := statstest.Of(t, nodes[i])
			statstest.Expect(t, got, statstest.Numbers{
				"requests hit": 2 * n[i], "requests miss": absent[i], "requests failed": failed,
				"store_calls failed": failed, "up": 1,
			})
			wantGuardStats(t, got, r.Stats()[i].Guard)
			if want := r.Stats()[i].Name; got.Name != want || got.Kind != stats.Ring {
				t.Errorf("it is %s %q, want %q", got.Kind, got.Name, want)
			}
		}
	})
}

func TestRingReportsANodeThatIsDown(t *testing.T) {
	down := storetest.NewFaulty(newMemory(t))
	r := store.NewRing([]store.Node{{Name: "a", Store: down}},
		store.RingOptions{Name: "sessions", Failures: 1})
	defer r.Close()
	down.Fail(errors.New("out of order"))
	wantMiss(t, r, "k")
	got := statstest.Of(t, r.Sources()[0])
	statstest.Expect(t, got, statstest.Numbers{"up": 0, "breaker_open": 1, "requests failed": 1})
	if got.Name != "sessions/a" {
		t.Errorf("it is called %q", got.Name)
	}
}

func TestTieredReportsEachRequestOnce(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		statstest.Expect(t, statstest.Of(t, s.Tiered), statstest.Numbers{"linked": 0})
		s.warm(t, "k") // it is forgotten for the event of its own Set, and found in the slow store
		set(t, s.hub, "other", []byte("other"))
		synctest.Wait()
		for range 2 { // from the slow store, then from the fast one
			wantHit(t, s, "other")
		}
		_, _ = s.Get(t.Context(), "absent")
		_, _ = s.GetMany(t.Context(), []string{"k", "absent", "none"})
		s.slow.Fail(store.ErrUnavailable)
		_, _ = s.Get(t.Context(), "absent")
		_, _ = s.GetMany(t.Context(), []string{"k", "absent", "none"})
		_, _, _ = s.Open(t.Context(), "absent")
		got, n := statstest.Of(t, s.Tiered), s.Stats()
		statstest.Expect(t, got, statstest.Numbers{
			"requests hit": 3, "requests miss": 2 + 3, "requests failed": 4, "linked": 1,
			"store_requests hit": 2, "store_requests miss": 3, "store_requests error": 4,
			"changes_heard": float64(n.Forgotten),
		})
		if sum := got.Sum(stats.Requests); sum != float64(n.FastHits+n.SlowHits+n.Misses+n.Failed) {
			t.Errorf("the requests add up to %v, want those of %+v", sum, n)
		}
	})
}

func TestTieredNotesThatTheFastStoreIsNotAsked(t *testing.T) {
	tieredBubble(t, func(t *testing.T, s *tiers) {
		s.warm(t, "k")
		s.fast.Fail(errors.New("out of order"))
		set(t, s, "k", []byte("k"))
		if got := s.Snapshot(); got.Note == "" || !s.Stats().Suspect {
			t.Errorf("note %q of %+v", got.Note, s.Stats())
		}
	})
}
