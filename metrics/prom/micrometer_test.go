// micrometer_test.go looks at the names of Micrometer.

package prom_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// changing is a part whose report a test changes.
type changing struct{ samples []stats.Sample }

func (c *changing) Snapshot() stats.Snapshot {
	return stats.Snapshot{Name: "users", Kind: stats.Memory, Samples: c.samples}
}

func TestMicrometerHasTheNamesOfBoardsForJava(t *testing.T) {
	set := stats.NewSet(of("users",
		stats.Requests.Of(stats.Hit, 4), stats.Requests.Of(stats.Stale, 2),
		stats.Requests.Of(stats.Negative, 2), stats.Requests.Of(stats.Revalidated, 1),
		stats.Requests.Of(stats.Miss, 4), stats.Requests.Of(stats.Coalesced, 1),
		stats.Departures.Of(stats.LeftRoom, 3), stats.Departures.Of(stats.LeftExpired, 2),
		stats.Departures.Of(stats.LeftDeleted, 1), stats.Entries.Is(10)),
		of("a guard", stats.StoreCalls.Of("ok", 5)))
	labels := `cache="users",kind="memory",name="users"`
	wantLines(t, prom.Micrometer(set),
		`cache_evictions_total{`+labels+`} 5`,
		`cache_gets_total{`+labels+`,result="hit"} 9`,
		`cache_gets_total{`+labels+`,result="miss"} 5`,
		`cache_puts_total{`+labels+`} 16`,
		`cache_size{`+labels+`} 10`)
}

func TestPutsNeverFallWhileEntriesLeave(t *testing.T) {
	users := &changing{}
	c := prom.Micrometer(stats.NewSet(users))
	for _, step := range []struct{ left, there, want float64 }{
		{0, 5, 5}, {3, 5, 8}, {3, 4, 8}, {4, 4, 8}, {4, 6, 10}, // an entry left between two reads
		{1, 2, 3}, // another cache of that name
	} {
		users.samples = []stats.Sample{stats.Requests.Of(stats.Hit, 1),
			stats.Departures.Of(stats.LeftRoom, step.left), stats.Entries.Is(step.there)}
		families := gather(t, c)
		got := families["cache_puts_total"].Metric[0].GetCounter().GetValue()
		if got != step.want {
			t.Errorf("%v left, %v there: %v puts, want %v", step.left, step.there, got, step.want)
		}
	}
}

func TestMicrometerLeavesOutWhatAPartDoesNotReport(t *testing.T) {
	labels := `cache="api",kind="memory",name="api"`
	wantLines(t, prom.Micrometer(stats.NewSet(of("api", stats.Requests.Of(stats.Miss, 2)))),
		`cache_gets_total{`+labels+`,result="hit"} 0`,
		`cache_gets_total{`+labels+`,result="miss"} 2`)
}

func TestBothNamesFitIntoOneRegistryUnderTwoNamespaces(t *testing.T) {
	set, registry := stats.NewSet(&busy{name: "users"}), prometheus.NewRegistry()
	registry.MustRegister(prom.Micrometer(set), prom.New(set, prom.Options{Namespace: "larder"}))
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
	if err := registry.Register(prom.New(set, prom.Options{})); err == nil {
		t.Error("cache_evictions_total was taken with two meanings")
	}
}
