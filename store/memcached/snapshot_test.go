// snapshot_test.go compares what a store reports with what was done to it.

package memcached_test

import (
	"testing"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/memcached"
)

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{Prefix: "p:"})
	if err := s.Set(t.Context(), "k", store.Item{Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Get(t.Context(), "absent")
	_, _ = s.GetMany(t.Context(), []string{"k", "absent", "none"})
	spoiled := &memcache.Item{Key: "p:ik", Value: []byte("somebody else's value")}
	if err := raw(server.Addr).Set(spoiled); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Get(t.Context(), "k")
	before := statstest.Of(t, s)
	statstest.Expect(t, before, statstest.Numbers{
		"requests hit": 2, "requests miss": 1 + 2 + 1, "requests failed": 0, "damaged": 1,
	})
	server.Kill()
	_, _ = s.Get(t.Context(), "k")
	_, _ = s.GetMany(t.Context(), []string{"k", "absent"})
	after, n := statstest.Of(t, s), s.Stats()
	statstest.CheckGrowth(t, before, after)
	statstest.Expect(t, after, statstest.Numbers{
		"requests hit": float64(n.Hits), "requests miss": float64(n.Misses),
		"requests failed": 3, "damaged": float64(n.Damaged),
	})
	if after.Name != "memcached" || after.Kind != stats.Memcache || n.Failed != 3 {
		t.Errorf("it is %s %q with %+v", after.Kind, after.Name, n)
	}
}
