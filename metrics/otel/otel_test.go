// otel_test.go collects as a reader of the SDK does.

package otel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/larder-go/larder/metrics/otel"
	"github.com/larder-go/larder/stats"
)

// fixed is a part that always reports the same.
type fixed stats.Snapshot

func (f fixed) Snapshot() stats.Snapshot { return stats.Snapshot(f) }

// of returns a part that reports some samples.
func of(name string, samples ...stats.Sample) fixed {
	return fixed{Name: name, Kind: stats.Memory, Samples: samples}
}

// registered returns a reader of a meter at which a set is registered.
func registered(t *testing.T, set *stats.Set) (reader *sdk.ManualReader, unregister func() error) {
	t.Helper()
	reader = sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	t.Cleanup(func() { provider.Shutdown(context.Background()) })
	unregister, err := otel.Register(set, provider.Meter("larder"))
	if err != nil {
		t.Fatal(err)
	}
	return reader, unregister
}

// collect returns what a reader gets, by metric.
func collect(t *testing.T, reader *sdk.ManualReader) []metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var metrics []metricdata.Metrics
	for _, scope := range all.ScopeMetrics {
		metrics = append(metrics, scope.Metrics...)
	}
	return metrics
}

// linesOf returns series in lines.
func linesOf(t *testing.T, metrics []metricdata.Metrics) (lines []string) {
	t.Helper()
	for _, m := range metrics {
		var points []metricdata.DataPoint[float64]
		switch data := m.Data.(type) {
		case metricdata.Sum[float64]:
			points = data.DataPoints
			if !data.IsMonotonic || data.Temporality != metricdata.CumulativeTemporality {
				t.Errorf("%s is no counter", m.Name)
			}
		case metricdata.Gauge[float64]:
			points = data.DataPoints
		default:
			t.Errorf("%s is a %T", m.Name, m.Data)
		}
		for _, p := range points {
			lines = append(lines, fmt.Sprintf("%s{%s} %v", m.Name, attributesOf(p), p.Value))
		}
	}
	slices.Sort(lines)
	return lines
}

func attributesOf(p metricdata.DataPoint[float64]) string {
	var pairs []string
	for _, a := range p.Attributes.ToSlice() {
		pairs = append(pairs, fmt.Sprintf("%s=%q", a.Key, a.Value.AsString()))
	}
	return strings.Join(pairs, ",")
}

func wantLines(t *testing.T, reader *sdk.ManualReader, want ...string) {
	t.Helper()
	got := linesOf(t, collect(t, reader))
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAReaderGetsWhatTheSetReports(t *testing.T) {
	reader, _ := registered(t, stats.NewSet(of("users", stats.Requests.Of(stats.Hit, 3),
		stats.Loads.Of(stats.LoadError, 2), stats.Entries.Is(7), stats.Bytes.Is(512))))
	labels := `cache.kind="memory",cache.name="users"`
	wantLines(t, reader,
		`cache.entries{`+labels+`} 7`,
		`cache.loads{`+labels+`,cache.result="absent"} 0`,
		`cache.loads{`+labels+`,cache.result="error"} 2`,
		`cache.loads{`+labels+`,cache.result="ok"} 0`,
		`cache.requests{`+labels+`,cache.result="hit"} 3`,
		`cache.used{`+labels+`} 512`)
}

func TestDurationsAreTheirCountSumAndQuantiles(t *testing.T) {
	users, durations := of("users"), &stats.Durations{}
	for range 99 {
		durations.Add(time.Second)
	}
	durations.Add(time.Minute)
	users.Durations = durations.Histogram()
	quiet := of("quiet")
	quiet.Durations = &stats.Histogram{}
	reader, _ := registered(t, stats.NewSet(users, quiet))
	about := durations.Histogram().Quantile(0.5).Seconds() // for p50 and p99
	if about < 0.91 || about > 1.09 {
		t.Errorf("half of the loads took %v s, want about 1", about)
	}
	labels := `{cache.kind="memory",cache.name="users"}`
	none := `{cache.kind="memory",cache.name="quiet"}` // has no quantiles
	wantLines(t, reader,
		"cache.load_duration.count"+none+" 0", "cache.load_duration.count"+labels+" 100",
		fmt.Sprint("cache.load_duration.p50", labels, " ", about),
		fmt.Sprint("cache.load_duration.p99", labels, " ", about),
		"cache.load_duration.sum"+none+" 0", "cache.load_duration.sum"+labels+" 159")
}

func TestEveryMetricHasAnInstrumentWithAUnit(t *testing.T) {
	part, gauges := fixed{Name: "all", Kind: stats.HTTP}, map[string]bool{}
	for _, m := range stats.Metrics() {
		gauges["cache."+m.Name] = m.Gauge
		label := ""
		if m.Label != "" {
			label = "x"
		}
		part.Samples = append(part.Samples, m.Of(label, 1))
	}
	reader, _ := registered(t, stats.NewSet(part))
	metrics := collect(t, reader)
	if got, want := len(metrics), len(stats.Metrics())-1; got != want { // but for the histogram
		t.Errorf("got %d metrics, want %d", got, want)
	}
	units := map[string]string{"cache.stall": "s", "cache.used": "By", "cache.predicted_hit": "1",
		"cache.entries": ""}
	for _, m := range metrics {
		if _, counter := m.Data.(metricdata.Sum[float64]); counter == gauges[m.Name] {
			t.Errorf("%s is a %T", m.Name, m.Data)
		}
		if want, ok := units[m.Name]; m.Description == "" || ok && m.Unit != want {
			t.Errorf("%s: unit %q, want %q; %q", m.Name, m.Unit, want, m.Description)
		}
	}
}

func TestOddSamplesHarmNobody(t *testing.T) {
	odd := of("a\xff", stats.Entries.Is(1), stats.Entries.Is(2), stats.Sample{Metric: "unknown"},
		stats.Entries.Of("label", 1), stats.Loads.Is(1), stats.LoadDuration.Is(1),
		stats.Heard.Is(-1), stats.Lost.Is(math.NaN()), stats.Weight.Is(math.Inf(-1)))
	odd.Durations = &stats.Histogram{Count: 1, Sum: math.NaN()}
	reader, _ := registered(t, stats.NewSet(odd))
	labels := `cache.kind="memory",cache.name="a�"`
	all := odd.Durations.Quantile(1).Seconds()
	wantLines(t, reader,
		`cache.entries{`+labels+`} 1`,
		`cache.load_duration.count{`+labels+`} 1`,
		fmt.Sprint(`cache.load_duration.p50{`, labels, `} `, all),
		fmt.Sprint(`cache.load_duration.p99{`, labels, `} `, all),
		`cache.loads{`+labels+`,cache.result="absent"} 0`,
		`cache.loads{`+labels+`,cache.result="error"} 0`,
		`cache.loads{`+labels+`,cache.result="ok"} 0`)
}

func TestUnregisterEndsItAndPartsMayGo(t *testing.T) {
	set := stats.NewSet()
	reader, unregister := registered(t, set)
	wantLines(t, reader)
	remove := set.Add(of("users", stats.Entries.Is(1)))
	line := `cache.entries{cache.kind="memory",cache.name="users"} 1`
	wantLines(t, reader, line)
	remove()
	wantLines(t, reader)
	set.Add(of("users", stats.Entries.Is(1)))
	wantLines(t, reader, line)
	for range 2 {
		if err := unregister(); err != nil {
			t.Fatal(err)
		}
		wantLines(t, reader)
	}
}

// broken is a part that panics.
type broken struct{}

func (broken) Snapshot() stats.Snapshot { panic("no more") }

func TestAPartThatPanicsFailsTheCollectionAlone(t *testing.T) {
	reader, _ := registered(t, stats.NewSet(broken{}))
	var all metricdata.ResourceMetrics
	err := reader.Collect(t.Context(), &all)
	if err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("got %v", err)
	}
}

// errRefused is what a meter says that makes no gauges, or registers nothing.
var errRefused = errors.New("refused")

type noGauges struct{ noop.Meter }

func (noGauges) Float64ObservableGauge(
	string, ...metric.Float64ObservableGaugeOption,
) (metric.Float64ObservableGauge, error) {
	return nil, errRefused
}

type noCallbacks struct{ noop.Meter }

func (noCallbacks) RegisterCallback(
	metric.Callback, ...metric.Observable,
) (metric.Registration, error) {
	return nil, errRefused
}

func TestAMeterThatRefusesIsAnError(t *testing.T) {
	for _, meter := range []metric.Meter{noGauges{}, noCallbacks{}} {
		if _, err := otel.Register(stats.NewSet(), meter); !errors.Is(err, errRefused) {
			t.Errorf("%T: got %v, want %v", meter, err, errRefused)
		}
	}
}
