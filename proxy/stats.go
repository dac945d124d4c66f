// stats.go is what a server can tell of itself.

package proxy

import (
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/store"
)

// Stats is what a server counted since it began.
type Stats struct {
	Version     string            `json:"version"`
	Seconds     int64             `json:"seconds"`     // since New
	Connections int               `json:"connections"` // open now, over TCP
	Cache       httpcache.Stats   `json:"cache"`
	Origins     []OriginState     `json:"origins"`
	Disk        *store.GuardStats `json:"disk,omitempty"`
	Redis       *store.GuardStats `json:"redis,omitempty"`
	LinesLost   int64             `json:"lines_lost"` // of the access log
}

// OriginState says whether an origin is left alone since it failed.
type OriginState struct {
	Origin string `json:"origin"`
	Down   bool   `json:"down"`
}

// Stats returns the numbers so far.
func (s *Server) Stats() Stats {
	st := s.now.Load()
	n := Stats{
		Version: s.options.Version, Seconds: int64(time.Since(s.began).Seconds()),
		Connections: s.gate.len(), Cache: s.cache.Stats(), Origins: st.originStates(),
		Disk: guardStats(s.levels.disk), Redis: guardStats(s.levels.redis),
	}
	if st.log != nil {
		n.LinesLost = st.log.losses()
	}
	return n
}

// Parts returns all that reports of the server: the cache, the levels behind it, and each origin
// that is in force, also after a reload. The admin address shows them at /debug/cache and /metrics;
// what a program adds, it shows as well.
func (s *Server) Parts() *stats.Set { return &s.parts }

// report adds what is there until the server ends.
func (s *Server) report() {
	s.parts.Add(s.cache)
	for _, level := range s.levels.parts {
		s.parts.Add(level)
	}
}

// tally counts what an origin was asked.
type tally struct {
	worked, failed atomic.Uint64
	running        atomic.Int64
	took           stats.Durations
}

// begin counts a request that begins; the caller says how and when it ended. A client that left is
// no failure of the origin, and says nothing of how long it takes.
func (t *tally) begin(at time.Time) (end func(time.Time, result)) {
	t.running.Add(1)
	return func(now time.Time, how result) {
		t.running.Add(-1)
		switch how {
		case worked:
			t.worked.Add(1)
		case failed:
			t.failed.Add(1)
		default:
			return
		}
		t.took.Add(now.Sub(at))
	}
}

// Snapshot implements [stats.Source]. Loads are requests up to the header of their response, of
// whatever status: also those that no cache may keep. Those that were refused since the origin is
// left alone are none.
func (o *origin) Snapshot() stats.Snapshot {
	s := stats.Snapshot{
		Name: o.name, Kind: stats.Proxy, Durations: o.tally.took.Histogram(),
		Samples: []stats.Sample{
			stats.Loads.Of(stats.LoadOK, float64(o.tally.worked.Load())),
			stats.Loads.Of(stats.LoadError, float64(o.tally.failed.Load())),
			stats.InFlight.Is(float64(o.tally.running.Load())),
			stats.Up.Is(stats.Truth(!o.circuit.opened.Load())),
		},
	}
	if o.circuit.opened.Load() {
		s.Note = "down: left alone, but for a look from time to time; stale answers go on"
	}
	return s
}

func guardStats(g *store.Guard) *store.GuardStats {
	if g == nil {
		return nil
	}
	n := g.Stats()
	return &n
}
