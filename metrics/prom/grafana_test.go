// grafana_test.go looks over the dashboard and the alerts without a Prometheus.

package prom_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// dashboard is what the tests look at in grafana.json.
type dashboard struct {
	Panels      []panel
	Annotations struct{ List []target }
	Templating  struct {
		List []struct{ Name, Type, Definition string }
	}
}

type panel struct {
	ID                       int
	Title, Type, Description string
	GridPos                  struct{ H, W, X, Y int }
	Targets                  []target
}

type target struct{ Expr string }

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, "grafana.json"), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// queries returns all queries of a dashboard, by the title of their panel.
func (d dashboard) queries() map[string][]string {
	all := map[string][]string{}
	for _, p := range append(d.Panels, panel{Title: "annotations", Targets: d.Annotations.List}) {
		for _, query := range p.Targets {
			all[p.Title] = append(all[p.Title], query.Expr)
		}
	}
	return all
}

// names returns the names that our metrics have in Prometheus.
func names(t *testing.T) map[string]bool {
	all := map[string]bool{}
	for name := range gather(t, prom.New(stats.NewSet(&busy{name: "users"}), prom.Options{})) {
		all[name] = true
	}
	return all
}

// metricName is what looks like one of our names in a query.
var metricName = regexp.MustCompile(`\bcache_[a-z_]+\b`)

func TestQueriesAskForMetricsThatAreThere(t *testing.T) {
	known := names(t)
	texts := map[string]string{"alerts.yml": string(readFile(t, "alerts.yml"))}
	for title, queries := range readDashboard(t).queries() {
		texts["panel "+title] = strings.Join(queries, "\n")
	}
	for where, text := range texts {
		for _, name := range metricName.FindAllString(text, -1) {
			if !known[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("%s asks for %s, which nobody reports", where, name)
			}
		}
	}
}

func TestTheDashboardShowsEveryMetric(t *testing.T) {
	all := slices.Collect(maps.Values(readDashboard(t).queries()))
	shown := strings.Join(slices.Concat(all...), "\n")
	for name := range names(t) {
		if !regexp.MustCompile(`\b` + name + `(_bucket)?\b`).MatchString(shown) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

func TestPanelsHaveTheirPlaceAndSayWhatTheyShow(t *testing.T) {
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range readDashboard(t).Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Title == "" || p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("panel %d %q says nothing", p.ID, p.Title)
		}
		if at := p.GridPos; at.X < 0 || at.X+at.W > 24 || at.W == 0 || at.H == 0 {
			t.Errorf("%s: at %+v of 24 columns", p.Title, at)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] != "" {
					t.Fatalf("%s lies over %s", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
	}
}

// variable is one of Grafana in a query; those of its own begin with __.
var variable = regexp.MustCompile(`\$\{?([a-z][a-z_]*)`)

func TestVariablesOfQueriesAreDefined(t *testing.T) {
	d := readDashboard(t)
	var defined []string
	for _, v := range d.Templating.List {
		defined = append(defined, v.Name)
	}
	for title, queries := range d.queries() {
		for _, found := range variable.FindAllStringSubmatch(strings.Join(queries, "\n"), -1) {
			if !slices.Contains(defined, found[1]) {
				t.Errorf("%s: there is no variable %s", title, found[1])
			}
		}
	}
}
