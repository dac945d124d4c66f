// dash_test.go asks the handler, without a browser.

package dash_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/stats"
)

func TestTheReportSaysWhatThePartsSay(t *testing.T) {
	part := users()
	h := handler(t, dash.Options{Version: "v1"}, part, others()[2])
	r := get[dash.Report](t, h, "/debug/cache?format=json")
	if len(r.Parts) != 2 || r.Version != "v1" || r.AllowsActions || time.Since(r.Taken) > time.Minute {
		t.Fatalf("report: %+v", r)
	}
	p := r.Parts[0]
	if want := part.Snapshot(); !reflect.DeepEqual(p.Snapshot, want) {
		t.Errorf("snapshot:\n%+v, want\n%+v", p.Snapshot, want)
	}
	ratio, _ := part.Snapshot().HitRatio()
	if p.HitRatio == nil || *p.HitRatio != ratio || p.HitRatio1m != nil || p.RequestsPerSecond != nil {
		t.Errorf("ratios: %v %v, want %v and none", p.HitRatio, p.HitRatio1m, ratio)
	}
	d := part.Snapshot().Durations
	if p.LoadP50 != d.Quantile(0.5) || p.LoadP99 != d.Quantile(0.99) || p.LoadMean != d.Mean() ||
		p.Saved != part.Snapshot().Saved() {
		t.Errorf("loads: %v %v %v, saved %v", p.LoadP50, p.LoadP99, p.LoadMean, p.Saved)
	}
	if !p.Inspectable || !p.Curved || !reflect.DeepEqual(p.Curve, part.curve) {
		t.Errorf("curve: %+v, want %+v", p.Curve, part.curve)
	}
	if q := r.Parts[1]; q.Inspectable || q.Curved || q.Curve != nil {
		t.Errorf("a part that says only numbers: %+v", q)
	}
}

func TestTheNamesInTheJSONArePromised(t *testing.T) {
	h := handler(t, dash.Options{}, users())
	r := get[map[string]any](t, h, "/?format=json")
	part := r["parts"].([]any)[0].(map[string]any)
	for _, name := range strings.Fields(`name kind policy samples load_durations hit_ratio hit_ratio_1m
		hit_ratio_10m requests_per_second loads_per_second saved_ns load_p50_ns load_p99_ns load_mean_ns
		history curve advice inspectable curved`) {
		if _, ok := part[name]; !ok {
			t.Errorf("a part has no %q", name)
		}
	}
	for _, name := range []string{"history", "advice"} {
		if _, ok := part[name].([]any); !ok {
			t.Errorf("%s is %v, want a list", name, part[name])
		}
	}
	d := get[map[string]any](t, h, "/?format=json&cache=users")
	if top := d["top"].(map[string]any); top["hits"] == nil || top["lost"] == nil || top["weight"] == nil ||
		d["slowest"] == nil || d["part"] == nil {
		t.Errorf("detail: %v", d)
	}
}

func TestPartsOfOneNameAreToldApart(t *testing.T) {
	first, second, third := users(), users(), users()
	third.shot.Kind = stats.HTTP
	second.keys.top[stats.ByHits][0].Key = "of the second"
	h := handler(t, dash.Options{}, first, second, third)
	d := get[dash.Detail](t, h, "/?format=json&cache=users%232")
	if d.Part.Name != "users#2" || d.Top.Hits[0].Key != "of the second" {
		t.Errorf("the second: %q %+v", d.Part.Name, d.Top.Hits[0])
	}
	if d := get[dash.Detail](t, h, "/?format=json&cache=users&kind=http"); d.Part.Kind != stats.HTTP {
		t.Errorf("by kind: %s", d.Part.Kind)
	}
}

func TestTheKeysOfAPartAreAskedForOnceInSomeSeconds(t *testing.T) {
	part := users()
	h := handler(t, dash.Options{Actions: true, Token: "t"}, part)
	for range 5 {
		d := get[dash.Detail](t, h, "/?format=json&cache=users")
		if !reflect.DeepEqual(d.Top.Hits, part.keys.top[stats.ByHits]) || len(d.Slowest) != 12 {
			t.Fatalf("keys: %+v", d.Keys)
		}
	}
	if calls := part.keys.heard(); len(calls) != 3 {
		t.Errorf("asked: %q, want each order once", calls)
	}
	do(h, form("cache", "users", "key", "k", "do", "delete", "token", "t"))
	get[dash.Detail](t, h, "/?format=json&cache=users")
	if calls := part.keys.heard(); len(calls) != 7 {
		t.Errorf("asked: %q, want each order again after a deletion", calls)
	}
}

func TestTheLifeOfAKeyIsTold(t *testing.T) {
	part := users()
	h := handler(t, dash.Options{}, part)
	l := get[stats.Life](t, h, "/?format=json&cache=users&key=user:2678")
	if want := part.keys.lives["user:2678"]; l.Hits != want.Hits || l.TTL != want.TTL || !*l.InStore {
		t.Errorf("life: %+v, want %+v", l, want)
	}
	if l := get[stats.Life](t, h, "/?format=json&cache=users&key=x"); l.State != "absent" {
		t.Errorf("a key that is not there: %+v", l)
	}
}

func TestErrorsAreOneLineOfTheFormThatWasAskedFor(t *testing.T) {
	part := users()
	part.keys.err = errOrigin
	h := handler(t, dash.Options{Actions: true, Token: "t"}, part, others()[2])
	for target, want := range map[string]int{
		"/?format=json&cache=none":                                      404,
		"/?format=json&cache=sessions&key=k":                            404,
		"/?format=json&cache=users&key=!":                               404,
		"/?format=json&cache=users&key=":                                400,
		"/?format=json&cache=users&key=" + strings.Repeat("k", 4097):    400,
		"/?format=json&cache=" + strings.Repeat("n", 10_000):            404,
		"/?format=json&record=10s&cache=none":                           404,
		"/?format=json&record=10s&cache=sessions":                       404,
		"/?format=json&record=1h&cache=users":                           400,
		"/?format=json&record=-1s&cache=users":                          400,
		"/?format=json&record=soon&cache=users":                         400,
		"/?format=json&record=1s&most=0&cache=users":                    400,
		"/?format=json&record=1s&most=5000001&cache=users":              400,
		"/?format=json&record=1s&most=99999999999999999999&cache=users": 400,
	} {
		w := do(h, from("GET", target))
		var said struct{ Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != want || said.Error == "" ||
			len(said.Error) > 1010 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%.60s: %d %v %q, want %d", target, w.Code, err, w.Body, want)
		}
	}
	w := do(h, form("cache", "users", "key", "k", "do", "refresh", "token", "t"))
	if w.Code != http.StatusBadGateway || w.Body.String() != "the origin is down\n" {
		t.Errorf("a refresh that fails: %d %q", w.Code, w.Body)
	}
	if w := do(h, from("GET", "/?format=xml")); w.Code != http.StatusBadRequest {
		t.Errorf("another format: %d, want 400", w.Code)
	}
	if w := do(h, from("GET", "/?file=..%2Fdash.go")); w.Code != http.StatusNotFound {
		t.Errorf("another file: %d, want 404", w.Code)
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	h := handler(t, dash.Options{}, users())
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		w := do(h, from(method, "/"))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: %d, allowed %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestEveryAnswerIsProtected(t *testing.T) {
	h := handler(t, dash.Options{}, users())
	for _, target := range []string{"/", "/dash.css", "/?format=json", "/?format=json&cache=none"} {
		header := do(h, from("GET", target)).Header()
		policy := header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'self';") || strings.Contains(policy, "unsafe") ||
			header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", target, header)
		}
	}
}

func TestThePageIsServedBehindAnyPrefix(t *testing.T) {
	h := handler(t, dash.Options{}, users())
	mux := http.NewServeMux()
	mux.Handle("/exact", h)
	mux.Handle("/debug/cache", h)
	mux.Handle("/debug/cache/", h)
	mux.Handle("/a/b/", http.StripPrefix("/a/b", h))
	mux.Handle("/c/d", http.StripPrefix("/c/d", h))
	for _, path := range []string{"/exact", "/debug/cache", "/debug/cache/", "/a/b/", "/c/d"} {
		page := do(mux, from("GET", path)).Body.String()
		if !strings.Contains(page, `src="?file=dash.js"`) || strings.Contains(page, `="/`) {
			t.Errorf("%s: no page with relative links", path)
		}
		if js := do(mux, from("GET", path+"?file=dash.js")).Header().Get("Content-Type"); js !=
			"text/javascript; charset=utf-8" {
			t.Errorf("%s: the script is %q", path, js)
		}
		get[dash.Report](t, mux, path+"?format=json")
	}
	for _, path := range []string{"/debug/cache/dash.css", "/a/b/dash.css"} {
		if css := do(mux, from("GET", path)).Header().Get("Content-Type"); css != "text/css; charset=utf-8" {
			t.Errorf("%s: %q", path, css)
		}
	}
}

// TestThePageIsSmall is the promise of 60 KiB for all that a browser loads.
func TestThePageIsSmall(t *testing.T) {
	h := handler(t, dash.Options{})
	total := 0
	for _, file := range []string{"", "dash.js", "dash.css", "icon.svg", "metrics.json"} {
		r := from("GET", "/?file="+file)
		plain := do(h, r)
		r.Header.Set("Accept-Encoding", "br, gzip;q=0.5")
		packed := do(h, r)
		total += packed.Body.Len()
		z, err := gzip.NewReader(bytes.NewReader(packed.Body.Bytes()))
		if err != nil || packed.Header().Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s is not compressed: %v", file, err)
		}
		unpacked, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) || len(unpacked) == 0 {
			t.Errorf("%s is another file when it is compressed: %v", file, err)
		}
	}
	t.Logf("%d bytes", total)
	if total > 60<<10 {
		t.Errorf("%d bytes, want at most 60 KiB", total)
	}
}

func TestNumbersThatAreNoneDoNotBreakTheReport(t *testing.T) {
	part := users()
	part.count(stats.Waiting, "", math.NaN())
	part.count(stats.Lost, "", math.Inf(1))
	part.shot.Durations.Sum = math.NaN()
	part.curve.Points[3].Ratio = math.NaN()
	r := get[dash.Report](t, handler(t, dash.Options{}, part), "/?format=json")
	if p := r.Parts[0]; p.Curve != nil || p.Durations != nil || len(p.Samples) != len(part.shot.Samples)-2 {
		t.Errorf("part: %+v", p)
	}
}

func TestManyPartsAreLeftOut(t *testing.T) {
	set := stats.NewSet()
	for i := range 300 {
		set.Add(&plain{shot: stats.Snapshot{Name: fmt.Sprint(i), Kind: stats.Memory}})
	}
	h := dash.New(set, dash.Options{})
	t.Cleanup(func() { _ = h.Close() })
	r := get[dash.Report](t, h, "/?format=json")
	if len(r.Parts) != 256 || r.LeftOut != 44 {
		t.Errorf("%d parts, %d left out, want 256 and 44", len(r.Parts), r.LeftOut)
	}
}

func TestAnEmptySetIsNoError(t *testing.T) {
	h := handler(t, dash.Options{})
	if body := do(h, from("GET", "/?format=json")).Body.String(); !strings.Contains(body, `"parts":[]`) {
		t.Errorf("%s, want no parts", body)
	}
}

func TestActionsWithoutATokenAreASlip(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	dash.New(stats.NewSet(), dash.Options{Actions: true})
}
