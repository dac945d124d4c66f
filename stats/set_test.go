// set_test.go looks at sets of parts that come, go and share names.

package stats_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/larder-go/larder/stats"
)

// part is a Source that says what it is told.
type part stats.Snapshot

func (p part) Snapshot() stats.Snapshot { return stats.Snapshot(p) }

func called(kind, name string) stats.Source { return part{Kind: kind, Name: name} }

func namesOf(all []stats.Snapshot) (names []string) {
	for _, s := range all {
		names = append(names, s.Kind+" "+s.Name)
	}
	return names
}

func TestSetKeepsTheOrderOfItsParts(t *testing.T) {
	s := stats.NewSet(called("memory", "b"), called("memory", "a"))
	s.Add(called("disk", "a"))
	want := []string{"memory b", "memory a", "disk a"}
	if got := namesOf(s.Snapshots()); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRemoveTakesOutItsOwnPartAlone adds one part twice: it is there twice until both are removed.
func TestRemoveTakesOutItsOwnPartAlone(t *testing.T) {
	var s stats.Set
	source := &part{Kind: "memory", Name: "a"}
	first := s.Add(source)
	second := s.Add(source)
	s.Add(called("memory", "b"))
	for i, remove := range []func(){first, first, second} {
		remove()
		if got, want := len(s.Sources()), []int{2, 2, 1}[i]; got != want {
			t.Errorf("after %d calls there are %d parts, want %d", i+1, got, want)
		}
	}
	if got := namesOf(s.Snapshots()); !slices.Equal(got, []string{"memory b"}) {
		t.Errorf("got %q, want b alone", got)
	}
}

func TestSourcesAreTheCallers(t *testing.T) {
	s := stats.NewSet(called("memory", "a"), called("memory", "b"))
	s.Sources()[0] = nil
	if s.Sources()[0] == nil {
		t.Error("a change of what Sources returned has changed the set")
	}
}

func TestDistinctNumbersWhatHasOneName(t *testing.T) {
	for _, c := range []struct{ names, want []string }{
		{nil, nil},
		{[]string{"a", "b"}, []string{"a", "b"}},
		{[]string{"a", "a", "a"}, []string{"a", "a#2", "a#3"}},
		{[]string{"", ""}, []string{"", "#2"}},
		{[]string{"a", "b", "a", "b"}, []string{"a", "b", "a#2", "b#2"}},
		{[]string{"a", "a", "a#2"}, []string{"a", "a#2", "a#2#2"}},
		{[]string{"a#2", "a", "a", "a"}, []string{"a#2", "a", "a#3", "a#4"}},
	} {
		var sources []stats.Source
		for _, name := range c.names {
			sources = append(sources, called("memory", name))
		}
		var got []string
		for _, s := range stats.Distinct(sources) {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.names, got, c.want)
		}
	}
}

func TestDistinctLeavesOtherKindsTheirName(t *testing.T) {
	got := namesOf(stats.Distinct([]stats.Source{called("memory", "a"), called("disk", "a")}))
	if want := []string{"memory a", "disk a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSetsMayBeChangedByMany(t *testing.T) {
	var s stats.Set
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 50 {
				remove := s.Add(called("memory", fmt.Sprint(i, j%2)))
				s.Snapshots()
				if j%2 == 0 {
					remove()
				}
			}
		})
	}
	all.Wait()
	names := namesOf(s.Snapshots())
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != 16*25 {
		t.Errorf("%d different names, want %d", n, 16*25)
	}
}
