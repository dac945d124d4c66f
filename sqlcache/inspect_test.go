// inspect_test.go asks a cache about single results.

package sqlcache_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/stats"
)

func TestInspectorKnowsResultsByTheirStatements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache, db := openScripted(t, manners(), sqlcache.Options{Observe: true, TTL: time.Minute})
		i := cache.Inspector()
		all(db.Query("\n\tSELECT slow"))
		all(db.Query("SELECT broken"))
		all(db.Query("SELECT ?", 1))
		all(db.Query("SELECT ?", 2))
		all(db.Query("SELECT ?", 2))
		dear, slow := i.Top(stats.ByLost, 1), i.Slowest()
		if len(dear) != 1 || !strings.HasSuffix(dear[0].Key, " SELECT slow") ||
			dear[0].Lost != time.Second {
			t.Fatalf("the dearest: %+v", dear)
		}
		if len(slow) != 4 || slow[0].Key != dear[0].Key {
			t.Errorf("the slowest: %+v", slow)
		}
		heavy := i.Top(stats.ByWeight, 10)
		if len(heavy) != 3 {
			t.Errorf("the heaviest: %+v", heavy)
		}
		for _, k := range heavy {
			life, err := i.Find(t.Context(), k.Key)
			if err != nil || life.State != "fresh" || life.Key != k.Key || life.Loads != 1 {
				t.Errorf("%s: %+v, %v", k.Key, life, err)
			}
		}
		for _, l := range slow {
			life, err := i.Find(t.Context(), l.Key)
			broken := strings.HasSuffix(l.Key, "broken")
			if err != nil || (life.State == "absent") != broken ||
				(life.LastLoad.Err != "") != broken {
				t.Errorf("%s: %+v, %v", l.Key, life, err)
			}
		}
		if s := cache.Stats(); s.Hits+s.Misses+s.Failed != 5 {
			t.Errorf("questions are counted as queries: %+v", s)
		}
	})
}

func TestInspectorDeletesAResultAndRefreshesNone(t *testing.T) {
	cache, db := openScripted(t, manners(), sqlcache.Options{})
	i := cache.Inspector()
	all(db.Query("SELECT 1"))
	heavy := i.Top(stats.ByWeight, 10)
	if len(heavy) != 1 || strings.Contains(heavy[0].Key, "SELECT") {
		t.Fatalf("without Observe: %+v", heavy)
	}
	if err := i.Refresh(t.Context(), heavy[0].Key); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Refresh: %v", err)
	}
	if err := i.Delete(t.Context(), heavy[0].Key); err != nil || cache.Stats().Results != 0 {
		t.Errorf("Delete: %v", err)
	}
	for _, text := range []string{"", "SELECT 1", "12", heavy[0].Key, strings.Repeat("ab", 99)} {
		if _, err := i.Find(t.Context(), text); !errors.Is(err, stats.ErrNoKey) {
			t.Errorf("Find(%q): %v", text, err)
		}
	}
}

func TestInspectorRemembersNoMoreThanTheBeginningOfAStatement(t *testing.T) {
	cache, db := openScripted(t, manners(), sqlcache.Options{Observe: true})
	all(db.Query("SELECT '\xff" + strings.Repeat("é", 100_000) + "'"))
	for _, k := range cache.Inspector().Top(stats.ByWeight, 1) {
		if len(k.Key) > 300 || !strings.Contains(k.Key, " SELECT 'éé") {
			t.Errorf("%q", k.Key)
		}
	}
	if n := cache.Stats().Bytes; n > 2000 {
		t.Errorf("the result takes %d bytes", n)
	}
}

func TestACacheThatObservesItselfHasACurve(t *testing.T) {
	cache, db := openScripted(t, manners(), sqlcache.Options{Observe: true, MaxBytes: 200 << 10})
	random := uint64(1)
	for range 20_000 {
		random = random*6364136223846793005 + 1442695040888963407
		x := float64(random>>40) / (1 << 24)
		all(db.Query(fmt.Sprintf("SELECT %d", int(4000*x*x*x))))
	}
	curve, ok := cache.Curve()
	if !ok || curve.Size != 200<<10 || len(curve.Policies) == 0 {
		t.Fatalf("%+v, %v", curve, ok)
	}
	if s := cache.Snapshot(); s.Policy != curve.Policy || s.Sum(stats.Observed) == 0 {
		t.Errorf("%+v", s)
	}
}
