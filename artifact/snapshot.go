// snapshot.go counts what the cache does, and reports it.

package artifact

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/store"
)

// Snapshot implements [stats.Source]. Requests are calls of Open and Path, counted when they end:
// those that found the artifact kept are hits, those that waited for the work of another goroutine
// are coalesced, all others misses, also those that gave up, and those that waited for another
// process. A load is a call of work; one that returned [larder.ErrNotFound] is absent.
func (c *Cache) Snapshot() stats.Snapshot {
	s := stats.Snapshot{
		Name: c.o.Name, Kind: stats.Artifact, Samples: c.tally.samples(),
		Durations: c.tally.took.Histogram(),
	}
	s.Samples = append(s.Samples, stats.TimeSaved.Is(s.Saved().Seconds()))
	return s
}

// role is what somebody was in a flight.
type role uint8

const (
	bystander role = iota // in none
	follower              // it was there before
	leader                // it began for them
)

// Why an artifact was not kept.
const (
	changed   = "an input file changed"
	tooLarge  = "too large for the store"
	storeDown = "the store failed"
)

// tally counts. Each request and each load is in one number.
type tally struct {
	hits, coalesced, misses, failed atomic.Uint64 // requests
	made, absent, broken            atomic.Uint64 // loads
	changed, tooLarge, storeDown    atomic.Uint64 // artifacts that were not kept
	damaged                         atomic.Uint64
	running                         atomic.Int64
	took                            stats.Durations
}

// ask counts a request that has ended.
func (t *tally) ask(ctx context.Context, r role, err error) {
	switch {
	case err != nil && ctx.Err() == nil:
		t.failed.Add(1)
	case err != nil || r == leader:
		t.misses.Add(1)
	case r == follower:
		t.coalesced.Add(1)
	default:
		t.hits.Add(1)
	}
}

// load does work and counts it, even if it panics.
func (t *tally) load(
	ctx context.Context, work func(context.Context) (*made, error),
) (m *made, err error) {
	began := time.Now()
	t.running.Add(1)
	err = errExited
	defer func() {
		t.running.Add(-1)
		t.took.Add(time.Since(began))
		switch {
		case err == nil:
			t.made.Add(1)
		case errors.Is(err, larder.ErrNotFound):
			t.absent.Add(1)
		default:
			t.broken.Add(1)
		}
	}()
	m, err = work(ctx)
	return m, err
}

// unkept counts an artifact that was made and not kept.
func (t *tally) unkept(err error) {
	switch {
	case errors.Is(err, ErrChanged):
		t.changed.Add(1)
	case errors.Is(err, store.ErrTooLarge):
		t.tooLarge.Add(1)
	default:
		t.storeDown.Add(1)
	}
}

func (t *tally) samples() []stats.Sample {
	of := func(m stats.Metric, label string, n *atomic.Uint64) stats.Sample {
		return m.Of(label, float64(n.Load()))
	}
	return []stats.Sample{
		of(stats.Requests, stats.Hit, &t.hits),
		of(stats.Requests, stats.Coalesced, &t.coalesced),
		of(stats.Requests, stats.Miss, &t.misses),
		of(stats.Requests, stats.Failed, &t.failed),
		of(stats.Loads, stats.LoadOK, &t.made),
		of(stats.Loads, stats.LoadAbsent, &t.absent),
		of(stats.Loads, stats.LoadError, &t.broken),
		stats.InFlight.Is(float64(t.running.Load())),
		stats.StoreDamaged.Is(float64(t.damaged.Load())),
		of(stats.NotKept, changed, &t.changed),
		of(stats.NotKept, storeDown, &t.storeDown),
		of(stats.NotKept, tooLarge, &t.tooLarge),
	}
}
