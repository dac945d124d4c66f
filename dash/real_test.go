// real_test.go shows real caches, and compares what the page says with what others say.

package dash_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/internal/browser"
	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// queried returns a cache that observes itself, and was asked so many times, and more until it has
// seen enough for a curve: it takes little time to look.
func queried(t *testing.T, requests int) *larder.Cache[int, string] {
	t.Helper()
	c := larder.New(larder.Options[int, string]{Name: "users", MaxEntries: 1000, Observe: true,
		TTL: time.Hour, NegativeTTL: time.Minute, Load: loadUser})
	t.Cleanup(func() { _ = c.Close() })
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.05, 1, 20_000)
	late := time.Now().Add(time.Minute)
	for i := 0; i < requests || i%100 != 0 || !curved(c); i++ {
		_, err := c.Get(t.Context(), int(zipf.Uint64()))
		if err != nil && !errors.Is(err, larder.ErrNotFound) {
			t.Fatal(err)
		}
		if i > requests && time.Now().After(late) {
			t.Fatalf("no curve after %d requests", i)
		}
	}
	return c
}

func curved(c *larder.Cache[int, string]) bool {
	_, ok := c.Curve()
	return ok
}

func loadUser(_ context.Context, key int) (string, error) {
	if key%97 == 0 {
		return "", larder.ErrNotFound
	}
	return fmt.Sprint("user ", key), nil
}

func TestEveryNumberIsTheSameOnThePageInPrometheusAndInTheSnapshot(t *testing.T) {
	t.Parallel()
	c := queried(t, 20_000)
	set := stats.NewSet(c)
	h := dash.New(set, dash.Options{})
	t.Cleanup(func() { _ = h.Close() })
	p, _ := visit(t, h, "/#/memory/users")
	p.Await(`document.querySelectorAll("#numbers-rows tr").length > 5`)
	type row struct{ Metric, Label, Value string }
	page := map[[2]string]float64{}
	for _, r := range browser.Eval[[]row](p, `[...document.querySelectorAll("#numbers-rows tr")].map((r) => ({
		Metric: r.dataset.metric, Label: r.dataset.label, Value: r.cells[2].dataset.value }))`) {
		v, err := strconv.ParseFloat(r.Value, 64)
		if err != nil {
			t.Fatal(err)
		}
		page[[2]string{r.Metric, r.Label}] = v
	}
	scraped := scrape(t, set)
	s := c.Snapshot()
	for _, sample := range s.Samples {
		id := [2]string{sample.Metric, sample.Label}
		if page[id] != sample.Value || scraped[id] != sample.Value {
			t.Errorf("%q: %v in the snapshot, %v on the page, %v in Prometheus",
				id, sample.Value, page[id], scraped[id])
		}
	}
	if n, ok := page[[2]string{"load_duration", "count"}]; !ok || n != float64(s.Durations.Count) {
		t.Errorf("%v loads on the page, want %v", n, s.Durations.Count)
	}
	if len(s.Samples)+2 != len(page) {
		t.Errorf("%d numbers on the page, want %d", len(page), len(s.Samples)+2)
	}
	p.DemandSilence()
}

// scrape returns what Prometheus gets of a set: by metric and series.
func scrape(t *testing.T, set *stats.Set) map[[2]string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(prom.New(set, prom.Options{}))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[[2]string]float64{}
	for _, m := range stats.Metrics() {
		for _, f := range families {
			if !isNameOf(f.GetName(), m) {
				continue
			}
			for _, series := range f.GetMetric() {
				all[[2]string{m.Name, labelOf(series, m.Label)}] = numberOf(series)
			}
		}
	}
	return all
}

// isNameOf tells whether Prometheus calls a metric so: with a prefix, its unit, and _total.
func isNameOf(name string, m stats.Metric) bool {
	base := "cache_" + m.Name
	if m.Unit != "" {
		base += "_" + m.Unit
	}
	return name == base || name == base+"_total"
}

func labelOf(m *dto.Metric, label string) string {
	for _, pair := range m.GetLabel() {
		if label != "" && pair.GetName() == label {
			return pair.GetValue()
		}
	}
	return ""
}

func numberOf(m *dto.Metric) float64 {
	if m.GetCounter() != nil {
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

func TestThePageShowsARealCache(t *testing.T) {
	t.Parallel()
	c := queried(t, 30_000)
	h := handler(t, dash.Options{Actions: true, Token: "t"}, c)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	p := browser.Open(t).Page(1280, 1300)
	p.Visit(s.URL + "/#/memory/users")
	p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
	p.Await(`!document.querySelector("#size-box").hidden && !document.querySelector("#policy").hidden`)
	p.Await(`document.querySelector("#policy .own") !== null`) // its own policy is among them
	p.Run(`document.querySelector("#hits-table button").click()`)
	p.Await(`["fresh", "negative"].includes(document.querySelector("#life-state").textContent)`)
	p.Run(`document.querySelector("#key").value = "777777";
		document.querySelector("#lookup").requestSubmit()`)
	p.Await(`document.querySelector("#life-state").textContent === "absent"`)
	if dir := os.Getenv("LARDER_SCREENSHOTS"); dir != "" {
		p.Run(`scrollTo(0, 0)`)
		p.Screenshot(filepath.Join(dir, "real.png"))
	}
	p.DemandSilence()
}
