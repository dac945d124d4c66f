// top_program_test.go is a program that shows its caches, with names and keys that mean no good.

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/store"
)

// hostile is text that would steer a terminal: the title, the screen, the direction, C1, a line.
const hostile = "\x1b]0;owned\a\x1b[2J\u202e\u009b31m\r\n"

// users is a cache with numbers that never change.
type users struct{ name string }

func (u users) Snapshot() stats.Snapshot {
	var took stats.Durations
	for i := range 100 {
		took.Add(time.Duration(i+1) * time.Millisecond)
	}
	return stats.Snapshot{
		Name: u.name, Kind: stats.Memory, Policy: "LRU", Durations: took.Histogram(),
		Samples: []stats.Sample{
			stats.Requests.Of(stats.Hit, 900), stats.Requests.Of(stats.Miss, 100),
			stats.Misses.Of(stats.MissEvicted, 75), stats.Misses.Of(stats.MissNew, 25),
			stats.Loads.Of(stats.LoadOK, 98), stats.Loads.Of(stats.LoadError, 2),
			stats.Departures.Of(stats.LeftRoom, 60),
			stats.Entries.Is(12345), stats.Weight.Is(12345), stats.WeightLimit.Is(20000),
		},
	}
}

// Curve implements stats.Curver.
func (u users) Curve() (stats.Curve, bool) {
	return stats.Curve{
		Policy: "LRU", Size: 20000, Ratio: 0.9, Seen: 1000, Rate: 1,
		Points: []stats.Point{
			{Size: 10000, Factor: 0.5, Ratio: 0.8}, {Size: 20000, Factor: 1, Ratio: 0.9},
			{Size: 40000, Factor: 2, Ratio: 0.95},
		},
		Policies: []stats.PolicyPoint{{Policy: "SIEVE", Ratio: 0.93}, {Policy: "LRU", Ratio: 0.9}},
	}, true
}

func (u users) Inspector() stats.Inspector { return keysOf{} }

// keysOf knows a few keys.
type keysOf struct{}

func (keysOf) Top(by stats.Order, n int) []stats.Key {
	return []stats.Key{
		{Key: "user:42", Hits: 400, Share: 0.44, Loads: 3, Lost: 1200 * time.Millisecond, Weight: 1},
		{Key: hostile, Hits: 10, Share: 0.01, Loads: 1, Lost: time.Millisecond, Weight: 1},
	}
}

func (keysOf) Slowest() []stats.Load {
	return []stats.Load{{Key: "user:7", Took: 2 * time.Second, At: time.Now(), Err: hostile + "no"}}
}

func (keysOf) Find(_ context.Context, key string) (stats.Life, error) {
	inStore := true
	switch key {
	case "42":
		return stats.Life{
			Key: key, State: "fresh", Age: 28 * time.Second, TTL: 32 * time.Second,
			Leaves: 5 * time.Minute, Took: 12 * time.Millisecond, Hits: 1204, Loads: 3, Weight: 1,
			Tags: []string{"team:1", hostile}, InStore: &inStore, StoreTTL: time.Minute,
			Why: []string{"The hits are fewer than they seem."},
		}, nil
	case "gone":
		return stats.Life{
			Key: key, State: "absent", Missed: stats.MissEvicted,
			LastLoad: &stats.Load{Key: key, Took: time.Second, At: time.Unix(1e9, 0)},
		}, nil
	case hostile:
		return stats.Life{Key: key, State: "absent"}, nil
	}
	return stats.Life{}, fmt.Errorf("%q is no number: %w", key, stats.ErrNoKey)
}

func (keysOf) Refresh(context.Context, string) error { return nil }
func (keysOf) Delete(context.Context, string) error  { return nil }
func (keysOf) Record(context.Context, int, func(stats.Access)) error {
	return nil
}

// newOrders returns a cache that was asked for 100 keys twice, and has room for 10.
func newOrders() *larder.Cache[int, string] {
	orders := larder.New(larder.Options[int, string]{
		Name: "orders", MaxEntries: 10, Policy: policy.LRU, Observe: true,
		Load: func(_ context.Context, id int) (string, error) { return fmt.Sprint("order ", id), nil },
	})
	for i := range 200 {
		_, _ = orders.Get(context.Background(), i%100) // which cannot fail
	}
	return orders
}

// newProgram serves a few caches at /debug/cache, and under /locked to those that have the token.
func newProgram() *httptest.Server {
	set := stats.NewSet(
		users{"users"}, httpcache.New(httpcache.Options{Name: "pages", Memory: 1 << 20}),
		users{hostile + "x"}, newOrders(),
		store.NewGuard(store.NewMemory(store.MemoryOptions{}), store.GuardOptions{Name: "shared"}),
	)
	page := dash.New(set, dash.Options{})
	mux := http.NewServeMux()
	mux.Handle("/debug/cache/", page)
	mux.HandleFunc("/locked", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		page.ServeHTTP(w, r)
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, hostile, http.StatusInternalServerError)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/debug/cache", http.StatusFound)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for chunk := strings.Repeat(" ", 1<<20); ; {
			if _, err := fmt.Fprint(w, chunk); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/stuck", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return httptest.NewServer(mux)
}

// startProgram starts a program that shows its caches, and sets $AT to its host:port.
func startProgram(ts *testscript.TestScript, _ bool, _ []string) {
	s := newProgram()
	ts.Defer(func() { s.CloseClientConnections(); s.Close() })
	ts.Setenv("AT", strings.TrimPrefix(s.URL, "http://"))
}

// noControls fails if text would steer a terminal, but for what allowed takes out of it.
func noControls(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && isControl(r) {
			t.Errorf("%q has %U", text, r)
			return
		}
	}
}

// sampleView is a view of such a program.
func sampleView(n int) *view {
	v := &view{address: "http://127.0.0.1:6060/debug/cache", overview: overview{Taken: time.Now()}}
	half := 0.5
	for i := range n {
		name := fmt.Sprintf("cache %d", i)
		if i == 1 {
			name = hostile + strings.Repeat("字", 40)
		}
		v.overview.Parts = append(v.overview.Parts, observed{
			Snapshot: users{name}.Snapshot(), HitRatio: &half, HitRatio1: &half,
			Requests: &half, Slow: time.Duration(i) * time.Second,
			Advice: []stats.Advice{{Level: stats.Warn, Text: strings.Repeat("much ", 30)}},
		})
	}
	return v
}
