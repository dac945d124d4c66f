// history_test.go lets time pass.

package dash_test

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/stats"
)

// counted is a part that counts how often it is asked, and is hit at a steady pace.
type counted struct {
	asked  atomic.Int64
	broken atomic.Bool

	mu    sync.Mutex // guards the fields below
	began time.Time
	hits  float64 // per second
	miss  float64
}

// begin begins anew at another pace, as if that had been so for some time.
func (c *counted) begin(ago time.Duration, hits, miss float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began, c.hits, c.miss = time.Now().Add(-ago), hits, miss
}

func (c *counted) Snapshot() stats.Snapshot {
	c.asked.Add(1)
	if c.broken.Load() {
		panic("the part is broken")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := time.Since(c.began).Seconds()
	return stats.Snapshot{Name: "c", Kind: stats.Memory, Samples: []stats.Sample{
		stats.Requests.Of(stats.Hit, math.Floor(c.hits*s)), stats.Requests.Of(stats.Miss, math.Floor(c.miss*s)),
		stats.Loads.Of(stats.LoadOK, math.Floor(c.miss*s))}}
}

func TestNothingRunsWhileNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := &counted{began: time.Now()}
		h := dash.New(stats.NewSet(part), dash.Options{})
		time.Sleep(time.Hour)
		if n := part.asked.Load(); n != 0 {
			t.Errorf("asked %d times before anybody looked", n)
		}
		get[dash.Report](t, h, "/?format=json")
		time.Sleep(time.Hour)
		n := part.asked.Load()
		if n < 180 || n > 183 {
			t.Errorf("asked %d times in 15 minutes after the last look, want every 5 s", n)
		}
		get[dash.Report](t, h, "/?format=json")
		time.Sleep(time.Minute)
		if more := part.asked.Load() - n; more < 12 {
			t.Errorf("asked %d times after another look, want every 5 s again", more)
		}
		synctest.Wait()
		_ = h.Close()
		n = part.asked.Load()
		time.Sleep(time.Hour)
		if part.asked.Load() != n {
			t.Error("it was asked after Close")
		}
		get[dash.Report](t, h, "/?format=json")
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestRatiosAndRatesAreOfTheTimeTheySay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := &counted{began: time.Now(), hits: 90, miss: 10}
		h := dash.New(stats.NewSet(part), dash.Options{})
		defer h.Close()
		get[dash.Report](t, h, "/?format=json")
		time.Sleep(20 * time.Second)
		p := get[dash.Report](t, h, "/?format=json").Parts[0]
		if p.HitRatio1m != nil || p.HitRatio10m != nil {
			t.Errorf("after 20 s: %v %v, want nothing", p.HitRatio1m, p.HitRatio10m)
		}
		time.Sleep(20 * time.Second)
		p = get[dash.Report](t, h, "/?format=json").Parts[0]
		near(t, "1 min", p.HitRatio1m, 0.9)
		near(t, "requests/s", p.RequestsPerSecond, 100)
		near(t, "loads/s", p.LoadsPerSecond, 10)
		time.Sleep(9 * time.Minute)
		ago := time.Since(part.began) / 2
		part.begin(ago, 100, 100) // as many requests, but half of them hits
		time.Sleep(2 * time.Minute)
		p = get[dash.Report](t, h, "/?format=json").Parts[0]
		near(t, "1 min", p.HitRatio1m, 0.5)
		if len(p.History) != 120 {
			t.Errorf("%d intervals, want 120: ten minutes", len(p.History))
		}
	})
}

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > want/20 {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestAPartThatBeganAnewHasNoPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := &counted{began: time.Now(), hits: 10}
		h := dash.New(stats.NewSet(part), dash.Options{})
		defer h.Close()
		get[dash.Report](t, h, "/?format=json")
		time.Sleep(time.Minute)
		part.begin(0, 10, 0)
		time.Sleep(7 * time.Second)
		p := get[dash.Report](t, h, "/?format=json").Parts[0]
		if p.HitRatio1m != nil || len(p.History) > 1 {
			t.Errorf("past: %v, %d intervals", p.HitRatio1m, len(p.History))
		}
		for _, i := range p.History {
			if i.Requests < 0 || i.Hits < 0 {
				t.Errorf("interval %+v", i)
			}
		}
	})
}

func TestAPartThatPanicsDoesNotEndTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := &counted{began: time.Now()}
		h := dash.New(stats.NewSet(part), dash.Options{})
		defer h.Close()
		get[dash.Report](t, h, "/?format=json")
		part.broken.Store(true)
		time.Sleep(time.Minute) // the timer asks it
		if n := part.asked.Load(); n != 2 {
			t.Errorf("asked %d times, want that it is not asked again", n)
		}
	})
}
