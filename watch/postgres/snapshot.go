// snapshot.go reports how a watcher is doing.

package postgres

import (
	"fmt"
	"strings"

	"github.com/larder-go/larder/stats"
)

// Snapshot implements [stats.Source]. Whether the link stands is reported once somebody has
// watched. The Note says why there is no link, or that notifications were not understood.
func (w *Watcher) Snapshot() stats.Snapshot {
	w.mu.Lock()
	n, needed := w.stats, w.link != nil || w.stats.Links > 0
	w.mu.Unlock()
	s := stats.Snapshot{Name: w.name, Kind: stats.Watch, Samples: []stats.Sample{
		stats.Heard.Is(float64(n.Heard)),
	}}
	if needed {
		s.Samples = append(s.Samples, stats.Linked.Is(stats.Truth(n.Linked)))
	}
	switch {
	case n.Err != nil:
		s.Note = strings.Join(strings.Fields(n.Err.Error()), " ") // it may have several lines
	case n.Unknown > 0:
		s.Note = fmt.Sprintf("%d notifications were not understood", n.Unknown)
	}
	return s
}
