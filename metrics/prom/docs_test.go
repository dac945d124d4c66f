// docs_test.go holds the table of metrics in docs/metrics.md to what is reported.

package prom_test

import (
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// metricRow is a row of the table: name, type, label, and the rest of the cell of the label.
var metricRow = regexp.MustCompile(
	"(?m)^\\| `(cache_[a-z_]+)` \\| ([a-z]+) \\| (?:`([a-z]+)`: )?([^|]*)\\|")

func TestTheTableOfMetricsIsWhole(t *testing.T) {
	rows := metricRow.FindAllStringSubmatch(string(readFile(t, "../../docs/metrics.md")), -1)
	families := gather(t, prom.New(stats.NewSet(&busy{name: "users"}), prom.Options{}))
	if len(rows) != len(stats.Metrics()) {
		t.Fatalf("the table has %d metrics, want %d", len(rows), len(stats.Metrics()))
	}
	for i, m := range stats.Metrics() {
		name, kind, label, values := rows[i][1], rows[i][2], rows[i][3], rows[i][4]
		f := families[name]
		if f == nil || !strings.HasPrefix(name, "cache_"+m.Name) {
			t.Errorf("row %d is %s, want %s", i+1, name, m.Name)
			continue
		}
		if want := strings.ToLower(f.GetType().String()); kind != want {
			t.Errorf("%s: type %s, want %s", name, kind, want)
		}
		if want := labelOf(f); label != want {
			t.Errorf("%s: label %q, want %q", name, label, want)
		}
		if want := "`" + strings.Join(m.Labels, "`, `") + "`"; m.Labels != nil &&
			strings.TrimSpace(values) != want {
			t.Errorf("%s: values %s, want %s", name, values, want)
		}
	}
}

// labelOf returns the label of a metric besides those that all have.
func labelOf(f *dto.MetricFamily) string {
	for _, l := range f.Metric[0].Label {
		if l.GetName() != "cache" && l.GetName() != "kind" {
			return l.GetName()
		}
	}
	return ""
}

// alertRow is a row of the table of alerts.
var alertRow = regexp.MustCompile("(?m)^\\| `(Cache[A-Za-z]+)` \\|")

func TestTheTableOfAlertsIsWhole(t *testing.T) {
	rows := alertRow.FindAllStringSubmatch(string(readFile(t, "../../docs/metrics.md")), -1)
	alerts := regexp.MustCompile(`(?m)- alert: (\w+)$`).
		FindAllStringSubmatch(string(readFile(t, "alerts.yml")), -1)
	if len(rows) != len(alerts) {
		t.Fatalf("the table has %d alerts, want %d", len(rows), len(alerts))
	}
	for i, alert := range alerts {
		if rows[i][1] != alert[1] {
			t.Errorf("row %d is %s, want %s", i+1, rows[i][1], alert[1])
		}
	}
}
