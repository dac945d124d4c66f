// set.go holds the parts of a program that report.

package stats

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Set is the parts that a program wants to see. The zero value is empty and ready; any number of
// goroutines may use it.
type Set struct {
	mu      sync.Mutex // guards the field below
	sources []*Source
}

// NewSet makes a set of some parts.
func NewSet(sources ...Source) *Set {
	s := &Set{}
	for _, source := range sources {
		s.Add(source)
	}
	return s
}

// Add adds a part, and returns what takes it out again.
func (s *Set) Add(source Source) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := &source
	s.sources = append(s.sources, place)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sources = slices.DeleteFunc(s.sources, func(p *Source) bool { return p == place })
	}
}

// Sources returns the parts in the order in which they were added.
func (s *Set) Sources() []Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Source, len(s.sources))
	for i, p := range s.sources {
		all[i] = *p
	}
	return all
}

// Snapshots asks each part. Where two of one kind have one name, the second is called name#2, and
// so on, so that no two series are the same.
func (s *Set) Snapshots() []Snapshot {
	return Distinct(s.Sources())
}

// Distinct asks each source for its snapshot, and tells apart those of one kind and one name.
func Distinct(sources []Source) []Snapshot {
	type name struct{ kind, name string }
	taken := map[name]bool{}
	all := make([]Snapshot, len(sources))
	for i, source := range sources {
		all[i] = source.Snapshot()
		first := strings.ToValidUTF8(all[i].Name, "\uFFFD")
		n := name{all[i].Kind, first}
		for number := 2; taken[n]; number++ {
			n.name = fmt.Sprintf("%s#%d", first, number)
		}
		taken[n] = true
		all[i].Name = n.name
	}
	return all
}
