// snapshot_test.go compares what a store reports with what was done to it.

package redis_test

import (
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, redis.Options{
		Addrs: []string{server.Addr}, Name: "sessions", Timeout: 10 * time.Second,
	})
	if got := statstest.Of(t, s); got.Name != "sessions" || got.Kind != stats.Redis {
		t.Errorf("it is %s %q", got.Kind, got.Name)
	} else if _, ok := got.Value(stats.Linked, ""); ok {
		t.Error("nobody watches, and it reports a link")
	}
	if err := s.Set(t.Context(), "k", store.Item{Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Get(t.Context(), "absent")
	_, _ = s.GetMany(t.Context(), []string{"k", "absent", "none"})
	do(t, at(t, server.Addr), "SET", "larder:v:{damaged}", "no item")
	_, _ = s.Get(t.Context(), "damaged")
	linked := make(chan struct{}, 1)
	defer s.Watch(func(e store.Event) {
		if e.Kind == store.Linked {
			linked <- struct{}{}
		}
	})()
	<-linked
	before := wantEachOnce(t, s, statstest.Numbers{
		"requests hit": 2, "requests miss": 1 + 2 + 1, "requests failed": 0, "damaged": 1,
		"linked": 1,
	})
	server.Kill()
	_, _ = s.Get(t.Context(), "k")
	_, _ = s.GetMany(t.Context(), []string{"k", "absent"})
	after := wantEachOnce(t, s, statstest.Numbers{
		"requests hit": 2, "requests miss": 4, "requests failed": 3,
	})
	statstest.CheckGrowth(t, before, after)
}

// wantEachOnce compares a snapshot with what is wanted, and with what Stats says.
func wantEachOnce(t *testing.T, s *redis.Store, want statstest.Numbers) stats.Snapshot {
	t.Helper()
	got, n := statstest.Of(t, s), s.Stats()
	statstest.Expect(t, got, want)
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": float64(n.Hits), "requests miss": float64(n.Misses),
		"damaged": float64(n.Damaged), "voided": float64(n.Voids),
	})
	if sum := got.Sum(stats.Requests); sum != float64(n.Gets) {
		t.Errorf("the requests add up to %v, want the gets of %+v", sum, n)
	}
	return got
}
