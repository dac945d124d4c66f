// snapshot.go counts what a Fetcher asks for, and reports it.

package scrape

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/stats"
)

// Snapshot implements [stats.Source]. Requests are addresses that the cache was asked for, one for
// each redirect of a page. Those that failed include what robots.txt or a guard refuses, and what
// nobody waited for. Loads are requests that were sent to the network, for robots.txt too, each try
// for itself; one is an error if its host was busy or failed.
func (f *Fetcher) Snapshot() stats.Snapshot {
	s := stats.Snapshot{
		Name: f.o.Name, Kind: stats.Scrape, Durations: f.wire.loads.took.Histogram(),
		Samples: append(f.count.samples(), f.wire.loads.samples()...),
	}
	s.Samples = append(s.Samples, stats.InFlight.Is(float64(len(f.wire.jobs))),
		stats.TimeSaved.Is(s.Saved().Seconds()))
	return s
}

// requests counts requests to the cache, each in one number.
type requests struct{ hits, stale, revalidated, misses, failed atomic.Uint64 }

func (r *requests) answer(o httpcache.Outcome, err error) {
	switch {
	case err != nil:
		r.failed.Add(1)
	case o == httpcache.Hit:
		r.hits.Add(1)
	case o == httpcache.Stale:
		r.stale.Add(1)
	case o == httpcache.Revalidated:
		r.revalidated.Add(1)
	default:
		r.misses.Add(1)
	}
}

func (r *requests) samples() []stats.Sample {
	return []stats.Sample{
		stats.Requests.Of(stats.Hit, float64(r.hits.Load())),
		stats.Requests.Of(stats.Stale, float64(r.stale.Load())),
		stats.Requests.Of(stats.Revalidated, float64(r.revalidated.Load())),
		stats.Requests.Of(stats.Miss, float64(r.misses.Load())),
		stats.Requests.Of(stats.Failed, float64(r.failed.Load())),
	}
}

// loads counts requests to the network, each in one number.
type loads struct {
	ok, absent, failed atomic.Uint64
	took               stats.Durations
}

func (l *loads) end(took time.Duration, res *http.Response, err error) {
	l.took.Add(took)
	switch {
	case err != nil || isBusy(res.StatusCode) || res.StatusCode >= http.StatusInternalServerError:
		l.failed.Add(1)
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		l.absent.Add(1)
	default:
		l.ok.Add(1)
	}
}

func (l *loads) samples() []stats.Sample {
	return []stats.Sample{
		stats.Loads.Of(stats.LoadOK, float64(l.ok.Load())),
		stats.Loads.Of(stats.LoadAbsent, float64(l.absent.Load())),
		stats.Loads.Of(stats.LoadError, float64(l.failed.Load())),
	}
}
