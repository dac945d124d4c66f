// stats.go is what a server can tell of itself.

package proxy

import (
	"time"

	"github.com/larder-go/larder/httpcache"
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

func guardStats(g *store.Guard) *store.GuardStats {
	if g == nil {
		return nil
	}
	n := g.Stats()
	return &n
}
