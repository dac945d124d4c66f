// snapshot.go reports what the folder has counted, without waiting for anybody.

package disk

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"

	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/store"
)

// Snapshot implements [stats.Source]: what all processes did since the folder was made, as
// [Store.Stats] tells it. It waits for nobody. While the folder cannot be read, or is not there any
// more, it repeats what it reported last, and its Note says why.
func (s *Store) Snapshot() stats.Snapshot {
	n, err := s.counts()
	return stats.Snapshot{
		Name: s.name(), Kind: stats.Disk, Samples: n.samples(), Note: s.note(n, err),
	}
}

func (s *Store) name() string {
	if s.o.Name != "" {
		return s.o.Name
	}
	return filepath.Base(s.dir)
}

func (s *Store) note(n counts, err error) string {
	switch {
	case err != nil:
		return fmt.Sprintf("%v: the numbers are older", err)
	case n.readOnly:
		return "the folder can only be read"
	}
	return ""
}

// counts are the numbers of a Snapshot.
type counts struct {
	readOnly                       bool
	hits, misses, evicted, damaged uint64
	entries, bytes, limit          int64
}

func (n counts) samples() []stats.Sample {
	return []stats.Sample{
		stats.Requests.Of(stats.Hit, float64(n.hits)),
		stats.Requests.Of(stats.Miss, float64(n.misses)),
		stats.Departures.Of(stats.LeftRoom, float64(n.evicted)),
		stats.Entries.Is(float64(n.entries)),
		stats.Bytes.Is(float64(n.bytes)),
		stats.BytesLimit.Is(float64(n.limit)),
		stats.StoreDamaged.Is(float64(n.damaged)),
	}
}

var (
	errBusy    = errors.New("disk: the folder is being opened again")
	errMissing = errors.New("disk: the folder was removed or replaced")
)

// counts reads the counters; with an error it returns those that it read last.
func (s *Store) counts() (counts, error) {
	n, err := s.readCounts()
	if err == nil {
		s.reported.Store(&n)
		return n, nil
	}
	if last := s.reported.Load(); last != nil {
		return *last, err
	}
	return counts{}, err
}

// readCounts reads the counters. Unlike other calls it does not open a folder again that was
// replaced, since that takes the time to read all of it: the next call does.
func (s *Store) readCounts() (n counts, err error) {
	if !s.mu.TryRLock() {
		return counts{}, errBusy
	}
	if s.ix == nil {
		s.mu.RUnlock()
		return counts{}, store.ErrClosed
	}
	defer s.leave(s.begin())
	defer s.guard(debug.SetPanicOnFault(true), &err)
	if !s.intact() {
		return counts{}, errMissing
	}
	return s.countsNow(), nil
}

// countsNow returns the numbers of this moment. What is not yet added to the counters of a folder
// is added: in the sum of both, a number that another call is just adding would be missing.
func (s *Store) countsNow() counts {
	s.flushCounters()
	x := s.ix
	n := counts{
		readOnly: s.readOnly, hits: x.hits.Load(), misses: x.misses.Load(),
		evicted: x.evicted.Load(), damaged: x.damaged.Load(),
		entries: max(0, x.entries.Load()), bytes: x.bytes.Load(), limit: x.limit.Load(),
	}
	if s.readOnly {
		n.hits += s.hits.Load()
		n.misses += s.misses.Load()
	}
	return n
}
