// vars_test.go reads /debug/vars.

package vars_test

import (
	"encoding/json"
	"expvar"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder/metrics/vars"
	"github.com/larder-go/larder/stats"
)

// fixed is a part that always reports the same.
type fixed stats.Snapshot

func (f fixed) Snapshot() stats.Snapshot { return stats.Snapshot(f) }

// users is a part that reports most kinds of things.
func users() fixed {
	durations := &stats.Durations{}
	durations.Add(time.Second)
	return fixed{Name: "users", Kind: stats.Memory, Policy: "S3-FIFO", Note: "well",
		Samples:   []stats.Sample{stats.Requests.Of(stats.Hit, 3), stats.Entries.Is(2)},
		Durations: durations.Histogram()}
}

func TestDebugVarsHasTheSnapshots(t *testing.T) {
	set := stats.NewSet(users())
	vars.Publish("TestDebugVarsHasTheSnapshots", set)
	set.Add(users()) // also what comes later
	answer := httptest.NewRecorder()
	expvar.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/vars", nil))
	var got struct {
		All []stats.Snapshot `json:"TestDebugVarsHasTheSnapshots"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, answer.Body)
	}
	if want := set.Snapshots(); !reflect.DeepEqual(got.All, want) {
		t.Errorf("got %+v, want %+v", got.All, want)
	}
}

func TestNumbersThatJSONDoesNotHaveAreLeftOut(t *testing.T) {
	odd := users()
	odd.Samples = append(odd.Samples, stats.Weight.Is(math.Inf(1)), stats.Lost.Is(math.NaN()))
	worse := fixed{Durations: &stats.Histogram{Sum: math.NaN()}}
	var got []stats.Snapshot
	text := vars.Func(stats.NewSet(odd, worse)).String()
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	if !reflect.DeepEqual(got[0], stats.Snapshot(users())) || got[1].Durations != nil {
		t.Errorf("got %+v", got)
	}
}

func TestAnEmptySetIsAnEmptyList(t *testing.T) {
	if got := vars.Func(stats.NewSet()).String(); got != "[]" {
		t.Errorf("got %s, want []", got)
	}
}

func TestASetMayStandInAMapOfOnesOwn(t *testing.T) {
	m := new(expvar.Map).Init()
	m.Set("caches", vars.Func(stats.NewSet(users())))
	if !json.Valid([]byte(m.String())) {
		t.Errorf("%s is no JSON", m)
	}
}
