// report_test.go compares what a cache reports of itself with what was done to it.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
)

// shows checks series of a snapshot, written as metric or metric/label.
func shows(t *testing.T, s stats.Snapshot, want map[string]float64) {
	t.Helper()
	statstest.Check(t, s)
	got := map[string]float64{}
	for _, sample := range s.Samples {
		got[strings.TrimSuffix(sample.Metric+"/"+sample.Label, "/")] = sample.Value
	}
	for name, value := range want {
		if v, ok := got[name]; !ok || v != value {
			t.Errorf("%s is %v (reported: %v), want %v", name, v, ok, value)
		}
	}
}

var errIll = errors.New("the origin is ill")

// shop loads keys: none for "none", an error for "ill".
func shop(_ context.Context, key string) (string, error) {
	time.Sleep(time.Second)
	switch key {
	case "none":
		return "", larder.ErrNotFound
	case "ill":
		return "", errIll
	}
	return strings.ToUpper(key), nil
}

func TestEachRequestIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, string]{
			Load: shop, TTL: time.Minute, Stale: time.Minute, NegativeTTL: time.Minute,
		})
		defer c.Close()
		var all sync.WaitGroup
		for range 5 { // one load, and four that wait for it
			all.Go(func() { c.Get(ctx, "a") })
		}
		all.Wait()
		for _, key := range []string{"a", "a", "none", "none", "ill"} {
			c.Get(ctx, key)
		}
		time.Sleep(90 * time.Second)
		c.Get(ctx, "a") // stale
		synctest.Wait()
		time.Sleep(2 * time.Second)
		c.GetMany(ctx, []string{"a", "b"})
		c.Lookup("nothing")
		shows(t, c.Snapshot(), map[string]float64{
			"requests/hit": 3, "requests/stale": 1, "requests/negative": 1,
			"requests/coalesced": 4, "requests/miss": 5,
			"loads/ok": 3, "loads/absent": 1, "loads/error": 1, "refreshes": 1, "stale_served": 1,
			"evictions/expired": 1,
		})
		if ratio, ok := c.Snapshot().HitRatio(); !ok || ratio != 5./14 {
			t.Errorf("the hit ratio is %v, want 5/14", ratio)
		}
		if saved := c.Snapshot().Saved().Round(time.Millisecond); saved != 5*time.Second {
			t.Errorf("5 hits have saved %v of loads that take a second each", saved)
		}
		if p50 := c.Snapshot().Durations.Quantile(0.5); p50 < 900*time.Millisecond ||
			p50 > 1100*time.Millisecond {
			t.Errorf("half of the loads took %v, want a second", p50)
		}
	})
}

func TestEachDepartureIsCountedByItsCause(t *testing.T) {
	c := larder.New(larder.Options[string, string]{
		MaxWeight: 10, Weigh: func(_, v string) int { return len(v) },
	})
	defer c.Close()
	set := func(key, value string, tags ...string) {
		c.SetEntry(ctx, key, larder.Entry[string]{Value: value, Tags: tags})
	}
	set("a", "12345")
	set("a", "1234")
	set("b", "12345")
	set("c", "12345") // one has to leave
	set("large", "12345678901")
	set("d", "1", "t")
	set("e", "1", "t")
	c.DeleteTag(ctx, "t")
	set("f", "1")
	c.Delete(ctx, "f")
	c.Clear(ctx)
	s := c.Snapshot()
	shows(t, s, map[string]float64{
		"evictions/replaced": 1, "evictions/tag": 2, "evictions/deleted": 1, "refused": 1,
		"entries": 0, "weight": 0, "weight_limit": 10,
	})
	room, _ := s.Value(stats.Departures, stats.LeftRoom)
	cleared, _ := s.Value(stats.Departures, stats.LeftCleared)
	if room == 0 || cleared == 0 || room+cleared != 3 {
		t.Errorf("%v left for room and %v when it was cleared, of three", room, cleared)
	}
}

func TestReplacementsAreCountedInEveryKindOfCache(t *testing.T) {
	for name, o := range map[string]larder.Options[int, int]{
		"plain": {}, "TTL": {TTL: time.Hour}, "stale": {TTL: time.Hour, Stale: time.Hour},
		"told": {OnEvict: func(int, int, larder.Cause) {}},
	} {
		c := larder.New(o)
		for i := range 10 {
			c.Set(ctx, 1, i)
		}
		if n := c.Stats().Replaced; n != 9 {
			t.Errorf("%s: %d values were replaced, want 9", name, n)
		}
		c.Close()
	}
}

func TestMissesAreToldApartByTheirReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, string]{
			MaxEntries: 100, Load: shop, TTL: time.Minute, Observe: true,
		})
		defer c.Close()
		c.Get(ctx, "a")
		c.Get(ctx, "ill")
		c.Get(ctx, "ill") // failed
		c.Delete(ctx, "a")
		c.Get(ctx, "a") // deleted
		time.Sleep(2 * time.Minute)
		c.Get(ctx, "a") // expired
		shows(t, c.Snapshot(), map[string]float64{
			"misses/new": 2, "misses/failed": 1, "misses/deleted": 1, "misses/expired": 1,
			"misses/evicted": 0,
		})
		for i := range 300 {
			c.Set(ctx, fmt.Sprint(i), "")
		}
		for i := range 300 {
			c.Lookup(fmt.Sprint(i))
		}
		evicted, _ := c.Snapshot().Value(stats.Misses, stats.MissEvicted)
		if evicted < 150 || evicted > 200 { // of 200; few are forgotten
			t.Errorf("of 200 evicted keys %v are known to be", evicted)
		}
	})
}

func TestExplainTellsTheLifeOfAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, string]{
			Load: shop, TTL: time.Minute, Stale: time.Minute, StaleOnError: 5 * time.Minute,
			NegativeTTL: time.Hour, Observe: true,
		})
		defer c.Close()
		is := func(key, state, sentence string) {
			t.Helper()
			l := c.Explain(ctx, key)
			if l.State != state || !strings.Contains(strings.Join(l.Why, " "), sentence) {
				t.Errorf("%s is %s: %q; want %s: %q", key, l.State, l.Why, state, sentence)
			}
		}
		is("a", "absent", "never there")
		c.Get(ctx, "a")
		is("a", "fresh", "It was loaded 1s ago. It is fresh for 1m more")
		time.Sleep(time.Minute)
		is("a", "stale", "refreshed behind")
		time.Sleep(2 * time.Minute)
		is("a", "kept", "unless the origin fails")
		c.Get(ctx, "none")
		is("none", "negative", "no such thing")
		c.Get(ctx, "ill")
		is("ill", "absent", "the last load took 1s and failed: the origin is ill.")
		c.Get(ctx, "a")
		c.Delete(ctx, "a")
		is("a", "absent", "somebody deleted it")
		if before, after := c.Stats(), c.Stats(); before != after {
			t.Errorf("asking has changed %v to %v", before, after)
		}
	})
}

func TestInspectorKnowsKeysByTheirText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type point struct{ X, Y int }
		c := larder.New(larder.Options[point, string]{
			MaxWeight: 1000, Weigh: func(_ point, v string) int { return len(v) }, Observe: true,
			Load: func(_ context.Context, p point) (string, error) {
				time.Sleep(time.Duration(p.X) * time.Millisecond)
				return strings.Repeat("x", 10*p.X), nil
			},
		})
		defer c.Close()
		for x := 1; x <= 5; x++ {
			for range 100 * x {
				c.Get(ctx, point{x, 0})
			}
		}
		c.Curve() // what was noted is looked at
		i := c.Inspector()
		for by, want := range map[stats.Order]string{
			stats.ByHits: "{5 0}", stats.ByLost: "{5 0}", stats.ByWeight: "{5 0}",
		} {
			if top := i.Top(by, 3); len(top) != 3 || top[0].Key != want {
				t.Errorf("first by %s: %+v, want %s", by, top, want)
			}
		}
		if slowest := i.Slowest(); len(slowest) != 5 || slowest[0].Key != "{5 0}" ||
			slowest[0].Took != 5*time.Millisecond {
			t.Errorf("the slowest loads are %+v", slowest)
		}
		if l, err := i.Find(ctx, "{4 0}"); err != nil || l.State != "fresh" || l.Weight != 40 {
			t.Errorf("{4 0}: %+v, %v", l, err)
		}
		if _, err := i.Find(ctx, "{9 9}"); !errors.Is(err, stats.ErrNoKey) {
			t.Errorf("{9 9}: %v, want ErrNoKey", err)
		}
		if err := errors.Join(i.Refresh(ctx, "{4 0}"), i.Delete(ctx, "{5 0}")); err != nil {
			t.Error(err)
		}
		if _, ok := c.Lookup(point{5, 0}); ok || c.Stats().Loads != 6 {
			t.Errorf("{5 0} is there: %v; %d loads, want 6", ok, c.Stats().Loads)
		}
	})
}

func TestARecordingHasTheRequests(t *testing.T) {
	c := larder.New(larder.Options[int, int]{Observe: true})
	defer c.Close()
	var got []stats.Access
	recorded := make(chan error, 1)
	begun, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		recorded <- c.Inspector().Record(begun, 100, func(a stats.Access) { got = append(got, a) })
	}()
	asked := 0
	for ; len(recorded) == 0; asked++ { // until it has what it wants
		if _, ok := c.Lookup(asked % 7); !ok {
			c.Set(ctx, asked%7, 0)
		}
	}
	if err := <-recorded; err != nil || len(got) != 100 {
		t.Fatalf("%d requests, %v", len(got), err)
	}
	asks, misses := map[uint64]int{}, 0
	for _, a := range got {
		asks[a.Key]++
		if !a.Hit {
			misses++
		}
	}
	if len(asks) != 7 || misses > 7 {
		t.Errorf("of 7 keys %d are recorded, with %d misses", len(asks), misses)
	}
}

func TestWithoutObserveThereIsNoCurve(t *testing.T) {
	c := larder.New(larder.Options[int, int]{})
	defer c.Close()
	if _, ok := c.Curve(); ok {
		t.Error("there is a curve")
	}
	if err := c.Inspector().Record(ctx, 1, nil); err == nil {
		t.Error("something is recorded")
	}
	if top := c.Inspector().Top(stats.ByHits, 1); top != nil {
		t.Errorf("first by hits: %v", top)
	}
}
