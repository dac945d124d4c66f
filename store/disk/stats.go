// stats.go says what the folder holds, from counters: it takes no longer for a larger one.

package disk

import (
	"context"
	"runtime/debug"
	"time"
)

// Stats describes a folder, as all processes left it.
type Stats struct {
	Dir      string    `json:"dir"`
	ReadOnly bool      `json:"read_only"`
	Entries  int64     `json:"entries"`   // items, with expired ones whose room was not yet needed
	Live     int64     `json:"live"`      // bytes of these items with their keys
	Bytes    int64     `json:"bytes"`     // of all files
	MaxBytes int64     `json:"max_bytes"` // which Bytes never exceeds
	Segments int       `json:"segments"`
	Large    int64     `json:"large"`           // values in files of their own
	Oldest   time.Time `json:"oldest,omitzero"` // when the oldest segment was made
	Hits     uint64    `json:"hits"`            // these four since the folder was made; other
	Misses   uint64    `json:"misses"`          // processes add theirs when they close it
	Evicted  uint64    `json:"evicted"`         // items that left for room
	Damaged  uint64    `json:"damaged"`         // reads that met a damaged record
}

// Stats returns the counters of the folder.
func (s *Store) Stats() (stats Stats, err error) {
	c, err := s.enter(context.Background(), time.Now().UnixNano())
	if err != nil {
		return Stats{}, err
	}
	defer s.leave(c)
	defer s.guard(debug.SetPanicOnFault(true), &err)
	s.flushCounters()
	x := s.ix
	stats = Stats{
		Dir: s.dir, ReadOnly: s.readOnly,
		Entries: max(0, x.entries.Load()), Live: max(0, x.live.Load()),
		Bytes: x.bytes.Load(), MaxBytes: x.limit.Load(), Large: max(0, x.large.Load()),
		Hits: x.hits.Load() + s.hits.Load(), Misses: x.misses.Load() + s.misses.Load(),
		Evicted: x.evicted.Load(), Damaged: x.damaged.Load(),
	}
	oldest := int64(0)
	for i := range x.segments {
		if x.segments[i].id.Load() == 0 {
			continue
		}
		stats.Segments++
		if at := x.segments[i].created.Load(); oldest == 0 || at < oldest {
			oldest = at
		}
	}
	stats.Oldest = clock(oldest)
	return stats, nil
}
