// inspect_test.go asks a cache about single URLs.

package httpcache_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/stats"
)

const quick = "http://example.com/quick"

// find asks about a URL.
func find(t *testing.T, c *httpcache.Cache, url string) stats.Life {
	t.Helper()
	life, err := c.Inspector().Find(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return life
}

func TestInspectorTellsTheLifeOfAURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, httpcache.Options{Observe: true, Store: memoryStore(t)})
		v := viewOf(t, c, httpcache.View{Tags: []string{"shop"}}, manners)
		if life := find(t, c, quick); life.State != "absent" || *life.InStore {
			t.Errorf("before: %+v", life)
		}
		v.ask("GET", "/quick")
		for _, step := range []struct {
			after time.Duration
			state string
		}{
			{0, "fresh"}, {9 * time.Second, "fresh"}, {5 * time.Second, "stale"},
			{20 * time.Second, "absent"},
		} {
			time.Sleep(step.after)
			if life := find(t, c, quick); life.State != step.state || len(life.Why) == 0 {
				t.Errorf("after %v more: %+v", step.after, life)
			}
		}
		life := find(t, c, quick)
		if life.Loads != 1 || life.LastLoad == nil || life.LastLoad.Key != quick {
			t.Errorf("its loads: %+v", life)
		}
		if s := c.Stats(); s.Hits+s.Misses != 1 {
			t.Errorf("questions are counted as requests: %+v", s)
		}
	})
}

func TestInspectorTellsOfAResponseThatHasToBeValidated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newView(t, httpcache.View{Tags: []string{"shop"}}, manners)
		v.ask("GET", "/checked")
		time.Sleep(time.Minute)
		life := find(t, v.cache, "http://EXAMPLE.com:80/checked")
		if life.State != "kept" || life.TTL != -50*time.Second || life.Age != time.Minute ||
			life.Leaves < time.Hour || !slices.Equal(life.Tags, []string{"shop"}) {
			t.Errorf("%+v", life)
		}
	})
}

func TestInspectorDeletesAndRefreshesURLs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, httpcache.Options{Store: memoryStore(t)})
		v := viewOf(t, c, httpcache.View{}, manners)
		i := c.Inspector()
		v.ask("GET", "/quick")
		if err := i.Delete(t.Context(), quick); err != nil {
			t.Fatal(err)
		}
		if life := find(t, c, quick); life.State != "absent" || *life.InStore {
			t.Errorf("deleted: %+v", life)
		}
		if err := i.Refresh(t.Context(), quick); !errors.Is(err, stats.ErrNoKey) {
			t.Errorf("Refresh of what is not there: %v", err)
		}
		time.Sleep(time.Second) // what was asked for before a purge is not kept
		v.ask("GET", "/quick")
		if err := i.Refresh(t.Context(), quick); err != nil {
			t.Fatal(err)
		}
		v.wantAsked(2)
		time.Sleep(time.Second)
		v.ask("GET", "/quick") // stale, and loaded behind
		synctest.Wait()
		v.wantAsked(1)
		if life := find(t, c, quick); life.State != "fresh" {
			t.Errorf("loaded anew: %+v", life)
		}
	})
}

func TestInspectorTellsResponsesOfAURLApart(t *testing.T) {
	c := openCache(t, httpcache.Options{})
	v := viewOf(t, c, httpcache.View{
		Scope: func(r *http.Request) string { return r.Header.Get("X-User") },
	}, manners)
	for _, user := range []string{"", "ann", "bob"} {
		v.ask("GET", "/quick", "X-User: "+user)
	}
	life := find(t, c, quick)
	if life.State != "fresh" || !strings.Contains(life.Why[len(life.Why)-1], "2 more") {
		t.Errorf("%+v", life)
	}
	for _, key := range c.Inspector().Top(stats.ByWeight, 10) {
		if life := find(t, c, key.Key); life.State != "fresh" || life.Key != key.Key {
			t.Errorf("%q: %+v", key.Key, life)
		}
	}
	if err := c.Inspector().Delete(t.Context(), quick+"#scope=ann"); err != nil {
		t.Fatal(err)
	}
	if n := c.Stats().Entries; n != 2 {
		t.Errorf("%d entries are left, want two", n)
	}
}

func TestInspectorRefusesWhatIsNoURL(t *testing.T) {
	i := newView(t, httpcache.View{}, manners).cache.Inspector()
	for _, text := range []string{"", "page", "ftp://example.com/", "#", "http://"} {
		_, err := i.Find(t.Context(), text)
		for _, err := range []error{
			err, i.Delete(t.Context(), text), i.Refresh(t.Context(), text),
		} {
			if !errors.Is(err, stats.ErrNoKey) {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestInspectorKnowsTheLoadsThatHurt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, httpcache.Options{Observe: true})
		v := viewOf(t, c, httpcache.View{}, manners)
		for _, path := range []string{"/quick", "/slow", "/broken"} {
			v.ask("GET", path)
		}
		dear, slow := c.Inspector().Top(stats.ByLost, 1), c.Inspector().Slowest()
		if len(dear) != 1 || dear[0].Key != "http://example.com/slow" ||
			dear[0].Lost != time.Second {
			t.Errorf("the dearest: %+v", dear)
		}
		if len(slow) != 3 || slow[0].Key != "http://example.com/slow" {
			t.Errorf("the slowest: %+v", slow)
		}
		if life := find(t, c, "http://example.com/broken"); life.LastLoad.Err != "status 500" {
			t.Errorf("%+v", life)
		}
	})
}

func TestACacheThatObservesItselfHasACurve(t *testing.T) {
	c := openCache(t, httpcache.Options{Observe: true, Memory: 2 << 20, Name: "curve"})
	v := viewOf(t, c, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		io.WriteString(w, strings.Repeat("x", 1000))
	})
	if curve, ok := newView(t, httpcache.View{}, manners).cache.Curve(); ok {
		t.Errorf("without Observe: %+v", curve)
	}
	random, ok := uint64(1), false
	ask := func() {
		random = random*6364136223846793005 + 1442695040888963407
		x := float64(random>>40) / (1 << 24)
		v.ask("GET", fmt.Sprintf("/%d", int(4000*x*x*x)))
	}
	var curve stats.Curve
	for tries := 0; !ok && tries < 20; tries++ { // a busy machine sees little
		for range 40_000 {
			ask()
		}
		curve, ok = c.Curve()
	}
	if !ok || !curve.Weighed || curve.Size != 2<<20 {
		t.Fatalf("%+v, %v", curve, ok)
	}
	s := c.Stats()
	own, ok := curve.At(1)
	if actual := float64(s.Hits) / float64(s.Hits+s.Misses); !ok || math.Abs(own-actual) > 0.05 {
		t.Errorf("the curve says %.3f of its own size, requests say %.3f", own, actual)
	}
	if got := c.Snapshot(); got.Policy != curve.Policy {
		t.Errorf("policy %q, in the curve %q", got.Policy, curve.Policy)
	}
}
