// life_test.go reads the life of a key in sentences.

package stats_test

import (
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/stats"
)

func TestSentencesSayWhetherAKeyIsThere(t *testing.T) {
	for _, c := range []struct{ state, missed, want string }{
		{"fresh", "", "It is in memory and fresh."},
		{"due", "", "It is in memory and fresh; the next hit refreshes it behind."},
		{"stale", "", "It is in memory and stale: it is served while it is refreshed behind."},
		{"kept", "", "It is in memory and too old to be served, unless the origin fails."},
		{"negative", "", "It is remembered that the origin has no such thing."},
		{"absent", "", "It is not in memory."},
		{"absent", stats.MissNew,
			"It is not in memory: it was never there, or so long ago that nobody remembers."},
		{"absent", stats.MissEvicted, "It is not in memory: it had to leave to make room for others." +
			" A larger cache would still have it."},
		{"absent", stats.MissExpired,
			"It is not in memory: its time was up. A longer TTL would have kept it."},
		{"absent", stats.MissDeleted,
			"It is not in memory: somebody deleted it, by its key, its tag or with everything."},
		{"absent", stats.MissFailed, "It is not in memory: its last load failed."},
		{"absent", "a word of a later version", "It is not in memory."},
	} {
		got := stats.Life{State: c.state, Missed: c.missed}.Sentences()
		if !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s, %s: got %q, want %q", c.state, c.missed, got, c.want)
		}
	}
}

func TestSentencesSayForHowLong(t *testing.T) {
	const fresh = "It is in memory and fresh."
	checkSentences(t, []sentences{
		{stats.Life{State: "fresh", Forever: true, Age: 90 * time.Second},
			[]string{fresh, "It was loaded 1m30s ago.", "It does not expire."}},
		{stats.Life{State: "fresh", TTL: 2500 * time.Millisecond},
			[]string{fresh, "It expires in 2.5s."}},
		{stats.Life{State: "fresh", TTL: 5 * time.Second, Leaves: 5 * time.Second},
			[]string{fresh, "It expires in 5s."}},
		{stats.Life{State: "fresh", TTL: 5 * time.Second, Leaves: time.Hour + 29*time.Minute},
			[]string{fresh, "It is fresh for 5s more, and leaves in 1h29m."}},
		{stats.Life{State: "stale", TTL: -1234 * time.Millisecond, Leaves: 31 * time.Second},
			[]string{"It is in memory and stale: it is served while it is refreshed behind.",
				"It was fresh until 1.2s ago, and leaves in 31s."}},
		{stats.Life{State: "kept", TTL: -time.Second},
			[]string{"It is in memory and too old to be served, unless the origin fails."}},
		{stats.Life{State: "fresh", Tags: []string{"users", "7"}, Hits: 12},
			[]string{fresh, "Its tags: users, 7.", "Hits, about: 12."}},
		{stats.Life{State: "absent", TTL: time.Second, Age: time.Second, Hits: 1, Forever: true,
			Tags: []string{"x"}}, []string{"It is not in memory."}},
	})
}

func TestSentencesSayWhatLoadsCost(t *testing.T) {
	last := &stats.Load{Took: 12345 * time.Microsecond}
	failed := &stats.Load{Took: 2 * time.Second, Err: "no route to host"}
	const absent = "It is not in memory."
	checkSentences(t, []sentences{
		{stats.Life{State: "absent", Loads: 1}, []string{absent}},
		{stats.Life{State: "absent", LastLoad: last}, []string{absent}},
		{stats.Life{State: "absent", Loads: 1, LastLoad: last}, []string{absent,
			"As far as is remembered it was loaded once; the last load took 12ms."}},
		{stats.Life{State: "absent", Loads: 3, LastLoad: failed}, []string{absent,
			"As far as is remembered it was loaded 3 times; the last load took 2s and failed: no route to" +
				" host."}},
	})
}

func TestSentencesSayWhatTheSecondLevelHas(t *testing.T) {
	yes, no := true, false
	const absent = "It is not in memory."
	checkSentences(t, []sentences{
		{stats.Life{State: "absent", InStore: &no}, []string{absent,
			"The second level does not have it."}},
		{stats.Life{State: "absent", InStore: &yes}, []string{absent, "The second level has it."}},
		{stats.Life{State: "absent", InStore: &yes, StoreTTL: 50 * time.Minute}, []string{absent,
			"The second level has it for 50m more."}},
	})
}

func TestSentencesRoundDurations(t *testing.T) {
	for _, c := range []struct {
		age  time.Duration
		want string
	}{
		{1, "1ns"}, {999, "999ns"}, {1250, "1.3µs"}, {12_345, "12µs"},
		{999_600 * time.Microsecond, "1s"}, {59_960 * time.Millisecond, "1m"},
		{61 * time.Second, "1m1s"}, {200 * time.Second, "3m20s"}, {930 * time.Second, "16m"},
		{time.Hour, "1h"}, {time.Hour + 10*time.Minute, "1h10m"}, {20 * time.Hour, "20h"},
		{100*time.Hour + 29*time.Minute, "100h"},
	} {
		got := stats.Life{State: "fresh", Age: c.age}.Sentences()
		if want := "It was loaded " + c.want + " ago."; len(got) != 2 || got[1] != want {
			t.Errorf("%d: got %q, want %q", c.age, got, want)
		}
	}
}

// sentences are what a life says.
type sentences struct {
	life stats.Life
	want []string
}

func checkSentences(t *testing.T, all []sentences) {
	t.Helper()
	for _, c := range all {
		if got := c.life.Sentences(); !slices.Equal(got, c.want) {
			t.Errorf("%+v:\ngot  %q\nwant %q", c.life, got, c.want)
		}
	}
}
