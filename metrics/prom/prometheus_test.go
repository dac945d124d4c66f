//go:build unix

// prometheus_test.go lets a real Prometheus scrape a cache at work, and asks it all that the
// dashboard and the alerts ask.

package prom_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// monitor is a running Prometheus.
type monitor struct {
	t   *testing.T
	url string
	out *bytes.Buffer // read it after the end
}

// patience is how long a Prometheus may take for anything.
const patience = 60 * time.Second

// startMonitor starts a Prometheus that scrapes a set again and again, with args besides. It ends
// with its test, even if that ends badly: a shell watches the pipe between both.
func startMonitor(t *testing.T, set *stats.Set, args ...string) *monitor {
	t.Helper()
	program, addr := servers.Program(t, "prometheus", "prometheus"), servers.FreeAddr(t)
	target := httptest.NewServer(prom.Handler(set))
	t.Cleanup(target.Close)
	dir, text := t.TempDir(), configOf(t, target.Listener.Addr().String())
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const watch = `"$@" & server=$!; cat >/dev/null; kill -9 $server; wait $server`
	args = append([]string{"-c", watch, "sh", program, "--config.file=" + config,
		"--storage.tsdb.path=" + dir, "--web.listen-address=" + addr, "--log.level=error"}, args...)
	m := &monitor{t: t, url: "http://" + addr, out: &bytes.Buffer{}}
	m.run(exec.Command("sh", args...))
	m.await(`up`, 1)
	return m
}

// configOf returns the configuration of a Prometheus for one program.
func configOf(t *testing.T, target string) string {
	t.Helper()
	alerts, err := filepath.Abs("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
global: {scrape_interval: 400ms, scrape_timeout: 400ms, evaluation_interval: 400ms}
rule_files: [%q]
scrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]
`, alerts, target)
}

func (m *monitor) run(cmd *exec.Cmd) {
	m.t.Helper()
	cmd.Stdout, cmd.Stderr = m.out, m.out
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		in.Close()
		cmd.Wait()
		if m.t.Failed() {
			m.t.Logf("Prometheus said:\n%s", m.out)
		}
	})
}

// answer is what the API of Prometheus says.
type answer struct {
	Status, Error string
	Data          json.RawMessage
}

// ask asks the API, and decodes the data of the answer.
func (m *monitor) ask(path string, values url.Values, data any) error {
	response, err := http.Get(m.url + path + "?" + values.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("%s: %.200s", response.Status, text)
	}
	if a.Status != "success" {
		return errors.New(a.Error)
	}
	return json.Unmarshal(a.Data, data)
}

// query returns the values of the series of a query.
func (m *monitor) query(query string) (values []float64, err error) {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if err := m.ask("/api/v1/query", url.Values{"query": {query}}, &data); err != nil {
		return nil, err
	}
	for _, r := range data.Result {
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// await waits until a query has one value, which is at least that.
func (m *monitor) await(query string, atLeast float64) {
	m.t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		values, err := m.query(query)
		if err == nil && len(values) == 1 && values[0] >= atLeast {
			return
		}
		if time.Now().After(late) {
			m.t.Fatalf("%s: %v, %v, want %v", query, values, err, atLeast)
		}
	}
}

// worked returns a cache that is asked all the time, until stop.
func worked(t *testing.T) (pages *larder.Cache[int, string], stop func()) {
	t.Helper()
	pages = larder.New(larder.Options[int, string]{
		Name: "pages", MaxEntries: 50, Observe: true,
		Load: func(_ context.Context, id int) (string, error) {
			if id%10 == 9 {
				return "", larder.ErrNotFound
			}
			time.Sleep(time.Millisecond) // an origin takes its time
			return fmt.Sprint("page ", id), nil
		},
	})
	done, working := make(chan struct{}), sync.WaitGroup{}
	working.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-time.After(200 * time.Microsecond):
				pages.Get(context.Background(), n*n%97)
			}
		}
	})
	stop = sync.OnceFunc(func() { close(done); working.Wait() })
	t.Cleanup(func() { stop(); pages.Close() })
	return pages, stop
}

// grafana puts values into the variables of a query.
var grafana = strings.NewReplacer("$__rate_interval", "1m", "$__range", "1m", "$job", ".*",
	"$instance", ".*", "$kind", ".*", "$cache", ".*")

func TestPrometheusAnswersTheDashboardAndTheAlerts(t *testing.T) {
	t.Parallel()
	pages, stop := worked(t)
	m := startMonitor(t, stats.NewSet(pages, &busy{name: "api"}))
	m.await(`count_over_time(cache_entries{cache="pages"}[1m])`, 5)
	m.await(`count(ALERTS{alertname="CacheWritesLost",alertstate="firing"})`, 1) // of busy
	for title, queries := range readDashboard(t).queries() {
		for _, query := range queries {
			values, err := m.query(grafana.Replace(query))
			if err != nil || len(values) == 0 {
				t.Errorf("panel %s: %s: %d series, %v", title, query, len(values), err)
			}
		}
	}
	checkVariables(t, m)
	checkAlerts(t, m)
	stop()
	s := pages.Snapshot()
	for _, sample := range s.Samples {
		m.equals(s.Name, sample)
	}
	m.await(fmt.Sprintf(`cache_load_duration_seconds_sum{cache="pages"} == %v`, s.Durations.Sum), 0)
}

// equals waits until Prometheus has a number of a part.
func (m *monitor) equals(name string, s stats.Sample) {
	m.t.Helper()
	for _, metric := range stats.Metrics() {
		if metric.Name != s.Metric {
			continue
		}
		query := fmt.Sprintf(`{__name__=~"cache_%s(_seconds|_bytes|_ratio)?(_total)?",cache=%q`,
			s.Metric, name)
		if metric.Label != "" {
			query += fmt.Sprintf(`,%s=%q`, metric.Label, s.Label)
		}
		m.await(fmt.Sprintf("%s} == %v", query, s.Value), s.Value)
	}
}

// labelValues is how a variable of Grafana asks for the values of a label.
var labelValues = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

// checkVariables asks for the values of the variables of the dashboard.
func checkVariables(t *testing.T, m *monitor) {
	t.Helper()
	for _, v := range readDashboard(t).Templating.List {
		if v.Type != "query" {
			continue
		}
		found := labelValues.FindStringSubmatch(grafana.Replace(v.Definition))
		if found == nil {
			t.Errorf("variable %s: %s", v.Name, v.Definition)
			continue
		}
		var values []string
		query := url.Values{"match[]": {found[1]}}
		err := m.ask("/api/v1/label/"+found[2]+"/values", query, &values)
		if err != nil || len(values) == 0 {
			t.Errorf("variable %s: %q, %v", v.Name, values, err)
		}
	}
}

// checkAlerts asks all that the alerts ask.
func checkAlerts(t *testing.T, m *monitor) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Query, Health, LastError string }
		}
	}
	if err := m.ask("/api/v1/rules", nil, &data); err != nil {
		t.Fatal(err)
	}
	rules := data.Groups[0].Rules
	if want := strings.Count(string(readFile(t, "alerts.yml")), "- alert:"); len(rules) != want {
		t.Errorf("Prometheus has %d alerts, want %d", len(rules), want)
	}
	for _, r := range rules {
		if _, err := m.query(r.Query); err != nil || r.Health != "ok" {
			t.Errorf("alert %s: %s: %v %s", r.Name, r.Health, err, r.LastError)
		}
	}
}

// slow is a part whose loads took 1 to 1000 ms.
func slow() fixed {
	durations := &stats.Durations{}
	for i := range 1000 {
		durations.Add(time.Duration(i+1) * time.Millisecond)
	}
	return fixed{Name: "slow", Kind: stats.Memory, Durations: durations.Histogram()}
}

func TestQuantilesAreRightInBothKindsOfHistograms(t *testing.T) {
	for metric, args := range map[string][]string{
		"cache_load_duration_seconds":        {"--enable-feature=native-histograms"},
		"cache_load_duration_seconds_bucket": nil,
	} {
		t.Run(metric, func(t *testing.T) {
			t.Parallel()
			m := startMonitor(t, stats.NewSet(slow()), args...)
			for q, want := range map[float64]float64{0.5: 0.5, 0.9: 0.9} {
				query := fmt.Sprintf("histogram_quantile(%v, %s)", q, metric)
				got, err := m.query(query)
				if err != nil || len(got) != 1 || math.Abs(got[0]-want) > 0.1*want {
					t.Errorf("%s: %v, %v, want %v", query, got, err, want)
				}
			}
		})
	}
}

func TestPromtoolTakesTheAlerts(t *testing.T) {
	t.Parallel()
	promtool := servers.Program(t, "promtool", "prometheus")
	for _, args := range [][]string{
		{"check", "rules", "alerts.yml"}, {"test", "rules", "testdata/alerts_test.yml"},
	} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
