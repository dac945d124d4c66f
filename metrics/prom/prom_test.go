// prom_test.go asks the collector as Prometheus does.

package prom_test

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// fixed is a part that always reports the same.
type fixed stats.Snapshot

func (f fixed) Snapshot() stats.Snapshot { return stats.Snapshot(f) }

// of returns a part that reports some samples.
func of(name string, samples ...stats.Sample) fixed {
	return fixed{Name: name, Kind: stats.Memory, Samples: samples}
}

// busy is a part that reports all metrics. Each time it is asked more has happened.
type busy struct {
	name  string
	turns atomic.Int64
}

// labelsOf are values of labels where the metric leaves them to the part.
var labelsOf = map[string][]string{
	stats.Requests.Name: {stats.Hit, stats.Stale, stats.Negative, stats.Revalidated,
		stats.Coalesced, stats.Miss, stats.Bypass, stats.Failed},
	stats.Departures.Name: {stats.LeftRoom, stats.LeftExpired, stats.LeftReplaced,
		stats.LeftDeleted, stats.LeftTag, stats.LeftCleared},
	stats.NotKept.Name:         {"error", "too_large"},
	stats.Predicted.Name:       {"0.5x", "2x"},
	stats.PredictedPolicy.Name: {"LRU", "S3-FIFO"},
}

func (b *busy) Snapshot() stats.Snapshot {
	turn, durations := float64(b.turns.Add(1)), &stats.Durations{}
	for i := range int(turn) {
		durations.Add(1 << (10 + i%20))
	}
	s := stats.Snapshot{Name: b.name, Kind: stats.HTTP, Durations: durations.Histogram()}
	for _, m := range stats.Metrics() {
		labels := slices.Concat(m.Labels, labelsOf[m.Name])
		if len(labels) == 0 && m.Name != stats.LoadDuration.Name {
			labels = []string{""}
		}
		for i, label := range labels {
			s.Samples = append(s.Samples, m.Of(label, turn*float64(i+1)))
		}
	}
	return s
}

// page returns what a handler serves to a client that accepts a format.
func page(t *testing.T, handler http.Handler, accept string) *http.Response {
	t.Helper()
	request, answer := httptest.NewRequest(http.MethodGet, "/metrics", nil), httptest.NewRecorder()
	request.Header.Set("Accept", accept)
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Fatalf("%d: %s", answer.Code, answer.Body)
	}
	return answer.Result()
}

// gather returns what a registry gathers of a set.
func gather(t *testing.T, c prometheus.Collector) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return byName
}

// linesOf returns the series of counters and gauges, as in the text format.
func linesOf(families map[string]*dto.MetricFamily) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(families)) {
		for _, m := range families[name].Metric {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			lines = append(lines, fmt.Sprintf("%s{%s} %v", name, labelsIn(m), value))
		}
	}
	return lines
}

func labelsIn(m *dto.Metric) string {
	var pairs []string
	for _, l := range m.Label {
		pairs = append(pairs, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	return strings.Join(pairs, ",")
}

func wantLines(t *testing.T, c prometheus.Collector, want ...string) {
	t.Helper()
	got := linesOf(gather(t, c))
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNumbersHaveTheNamesThatPrometheusWants(t *testing.T) {
	set := stats.NewSet(of("users",
		stats.Requests.Of(stats.Hit, 3), stats.Requests.Of(stats.Miss, 1), stats.Entries.Is(7),
		stats.Bytes.Is(512), stats.Stall.Is(1.5), stats.Predicted.Of("2x", 0.9)))
	wantLines(t, prom.New(set, prom.Options{}),
		`cache_entries{cache="users",kind="memory"} 7`,
		`cache_predicted_hit_ratio{cache="users",kind="memory",size="2x"} 0.9`,
		`cache_requests_total{cache="users",kind="memory",result="hit"} 3`,
		`cache_requests_total{cache="users",kind="memory",result="miss"} 1`,
		`cache_stall_seconds_total{cache="users",kind="memory"} 1.5`,
		`cache_used_bytes{cache="users",kind="memory"} 512`)
}

func TestSeriesOfAReportedMetricAreThereBeforeTheyGrow(t *testing.T) {
	set := stats.NewSet(of("users", stats.Loads.Of(stats.LoadError, 2)))
	wantLines(t, prom.New(set, prom.Options{}),
		`cache_loads_total{cache="users",kind="memory",result="absent"} 0`,
		`cache_loads_total{cache="users",kind="memory",result="error"} 2`,
		`cache_loads_total{cache="users",kind="memory",result="ok"} 0`)
}

func TestAnotherNamespaceBeginsEveryName(t *testing.T) {
	set := stats.NewSet(&busy{name: "users"})
	for name := range gather(t, prom.New(set, prom.Options{Namespace: "larder"})) {
		if !strings.HasPrefix(name, "larder_") {
			t.Errorf("%s does not begin with larder_", name)
		}
	}
}

func TestANamespaceThatIsNoWordIsAMistake(t *testing.T) {
	for _, namespace := range []string{"my-app", "1st", "a b", "é", "_"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New took the namespace %q", namespace)
				}
			}()
			prom.New(stats.NewSet(), prom.Options{Namespace: namespace})
		}()
	}
}

func TestLabelsOfTheWholeProgramAreAddedWhereItIsRegistered(t *testing.T) {
	registry := prometheus.NewRegistry()
	named := prometheus.WrapRegistererWith(prometheus.Labels{"app": "shop"}, registry)
	durations := &stats.Durations{}
	durations.Add(1)
	users := of("users", stats.Entries.Is(1))
	users.Durations = durations.Histogram()
	named.MustRegister(prom.New(stats.NewSet(users), prom.Options{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		want := `app="shop",cache="users",kind="memory"`
		if got := labelsIn(f.Metric[0]); got != want {
			t.Errorf("%s: labels %s, want %s", f.GetName(), got, want)
		}
	}
	if len(families) != 2 {
		t.Errorf("got %d metrics, want 2", len(families))
	}
}

// TestOddSamplesHarmNobody has what no part of ours reports.
func TestOddSamplesHarmNobody(t *testing.T) {
	odd := of("a\xff\"\n", stats.Entries.Is(1), stats.Entries.Is(2), // twice
		stats.Sample{Metric: "no_such_metric", Value: 1},
		stats.Entries.Of("label", 1), stats.Loads.Is(1), // a label too many, one too few
		stats.LoadDuration.Is(1),                      // is no number
		stats.Heard.Is(-1), stats.Lost.Is(math.NaN()), // no counters
		stats.Weight.Is(math.Inf(1)),                          //
		stats.NotKept.Of("\xc3\x28", 4),                       // no UTF-8
		stats.NotKept.Of("\xfe\x28", 5), stats.Requests.Is(1), // the same once it is
	)
	odd.Durations = &stats.Histogram{Count: 99, Sum: 1, Buckets: []stats.Bucket{
		{Index: math.MaxInt, Count: 1}, {Index: 3, Count: 1}, {Index: math.MinInt, Count: 1},
		{Index: 3, Count: 1}, {Index: 2}}}
	lost, less := fixed{Name: "lost"}, fixed{Name: "less"}
	lost.Durations = &stats.Histogram{Sum: math.NaN()}
	less.Durations = &stats.Histogram{Sum: -1}
	families := gather(t, prom.New(stats.NewSet(odd, lost, less), prom.Options{}))
	checkOddHistogram(t, families["cache_load_duration_seconds"].Metric)
	delete(families, "cache_load_duration_seconds")
	labels := `cache="a�\"\n",kind="memory"`
	want := []string{
		`cache_entries{` + labels + `} 1`,
		`cache_loads_total{` + labels + `,result="absent"} 0`,
		`cache_loads_total{` + labels + `,result="error"} 0`,
		`cache_loads_total{` + labels + `,result="ok"} 0`,
		`cache_not_kept_total{` + labels + `,reason="�("} 4`,
	}
	if got := linesOf(families); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// checkOddHistogram checks that there is one histogram, with all that was counted in its buckets.
func checkOddHistogram(t *testing.T, all []*dto.Metric) {
	t.Helper()
	h := all[0].Histogram
	if n, zeros := h.GetSampleCount(), h.GetZeroCount(); len(all) != 1 || n != 4 || zeros != 1 {
		t.Errorf("%d histograms; of %d values %d are 0", len(all), n, zeros)
	}
	if len(h.PositiveSpan) != 2 || len(h.PositiveDelta) != 2 {
		t.Fatalf("native buckets %v %v, want two", h.PositiveSpan, h.PositiveDelta)
	}
	if got, want := nativeOf(t, h), map[int32]int64{3: 2, 49: 1}; !maps.Equal(got, want) {
		t.Errorf("native buckets %v, want %v", got, want)
	}
}

func TestTheSamplesOfAPartAreLeftAsTheyAre(t *testing.T) {
	all := []stats.Sample{stats.Loads.Of(stats.LoadOK, 1), stats.Entries.Is(5)}
	gather(t, prom.New(stats.NewSet(of("users", all[:1]...)), prom.Options{}))
	if all[1] != stats.Entries.Is(5) {
		t.Errorf("behind what was reported stands %v", all[1])
	}
}

func TestPartsComeAndGoWhileTheCollectorStays(t *testing.T) {
	set := stats.NewSet()
	c := prom.New(set, prom.Options{})
	wantLines(t, c)
	remove := set.Add(of("users", stats.Entries.Is(1)))
	wantLines(t, c, `cache_entries{cache="users",kind="memory"} 1`)
	set.Add(of("users", stats.Entries.Is(2)))
	wantLines(t, c, `cache_entries{cache="users",kind="memory"} 1`,
		`cache_entries{cache="users#2",kind="memory"} 2`)
	remove()
	wantLines(t, c, `cache_entries{cache="users",kind="memory"} 2`)
}

func TestPromlintFindsNothing(t *testing.T) {
	handler := prom.Handler(stats.NewSet(&busy{name: "users"}))
	answer := page(t, handler, "text/plain")
	problems, err := promlint.New(answer.Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestEveryMetricIsInTheTextFormat(t *testing.T) {
	handler := prom.Handler(stats.NewSet(&busy{name: "users"}))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(page(t, handler, "text/plain").Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(families), len(stats.Metrics()); got != want {
		t.Errorf("got %d metrics, want %d: %v", got, want, slices.Sorted(maps.Keys(families)))
	}
	h := families["cache_load_duration_seconds"].Metric[0].Histogram
	if len(h.Bucket) != 17 || h.GetSampleCount() != 1 { // those of ours, and +Inf
		t.Errorf("the histogram has %d buckets and %d values", len(h.Bucket), h.GetSampleCount())
	}
}

func TestTheHandlerServesWhatTheClientAsksFor(t *testing.T) {
	handler := prom.Handler(stats.NewSet(&busy{name: "users"}))
	for accept, want := range map[string]string{
		"text/plain": "text/plain; version=0.0.4",
		"application/openmetrics-text;version=1.0.0": "application/openmetrics-text; version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;" +
			"encoding=delimited": "application/vnd.google.protobuf",
	} {
		got := page(t, handler, accept).Header.Get("Content-Type")
		if !strings.HasPrefix(got, want) {
			t.Errorf("who accepts %s gets %s", accept, got)
		}
	}
}

// broken is a part that panics.
type broken struct{}

func (broken) Snapshot() stats.Snapshot { panic("broken") }

func TestAPartThatPanicsFailsTheScrapeAlone(t *testing.T) {
	handler := prom.Handler(stats.NewSet(broken{}))
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusInternalServerError {
		t.Errorf("got %d: %s", answer.Code, answer.Body)
	}
}

// BenchmarkScrape is what a scrape of ten parts costs that report all there is.
func BenchmarkScrape(b *testing.B) {
	set := stats.NewSet()
	for i := range 10 {
		s := &busy{name: fmt.Sprint("cache", i)}
		s.turns.Store(100)
		set.Add(fixed(s.Snapshot()))
	}
	handler := prom.Handler(set)
	for b.Loop() {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
}
