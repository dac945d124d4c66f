// admin_look_test.go looks at a server through its admin address: the page, JSON and Prometheus.

package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/proxy"
	"github.com/larder-go/larder/stats"
)

// namesOf returns kind and name of all parts.
func namesOf(s *proxy.Server) (names []string) {
	for _, p := range s.Parts().Snapshots() {
		names = append(names, p.Kind+" "+p.Name)
	}
	return names
}

// partOf returns what a part reports.
func partOf(t *testing.T, s *proxy.Server, kind, name string) stats.Snapshot {
	t.Helper()
	for _, p := range s.Parts().Snapshots() {
		if p.Kind == kind && p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no %s %s among %v", kind, name, namesOf(s))
	return stats.Snapshot{}
}

func TestAdminShowsAllParts(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "page")
	})
	c := governed(to)
	c.Cache.Disk = t.TempDir()
	s := serve(t, c)
	for range 3 {
		get(t, client(t), s.url("/a"))
	}
	code, text := order(t, s, http.MethodGet, "/debug/cache?format=json")
	var report dash.Report
	if err := json.Unmarshal([]byte(text), &report); err != nil || code != 200 {
		t.Fatalf("%d %s: %v", code, text, err)
	}
	var kinds []string
	for _, p := range report.Parts {
		kinds = append(kinds, p.Kind)
	}
	if want := []string{"http", "disk", "guard", "proxy"}; !slices.Equal(kinds, want) {
		t.Errorf("the page shows %v, want %v", kinds, want)
	}
	if n, _ := report.Parts[3].Value(stats.Loads, stats.LoadOK); n != 1 {
		t.Errorf("the origin was asked %v times, want once", n)
	}
	if report.AllowsActions || report.Version != "test" {
		t.Errorf("actions %v, version %q", report.AllowsActions, report.Version)
	}
	for _, path := range []string{"/debug/cache", "/debug/cache/"} {
		if code, text := order(t, s, http.MethodGet, path); code != 200 || !strings.Contains(text, "<html") {
			t.Errorf("%s: %d %.100s", path, code, text)
		}
	}
}

func TestAdminHasNumbersForPrometheus(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	get(t, client(t), s.url("/a"))
	code, text := order(t, s, http.MethodGet, "/metrics")
	for _, line := range []string{
		`cache_up{cache="http://127.0.0.1:1",kind="proxy"} 1`,
		`cache_loads_total{cache="http://127.0.0.1:1",kind="proxy",result="error"} 1`,
		`cache_requests_total{cache="larder",kind="http",result="failed"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%d: no line %s in\n%s", code, line, text)
		}
	}
}

func TestLookingWantsTheToken(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	as := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	foreign := func(r *http.Request) {
		r.SetBasicAuth("", token)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	rebound := func(r *http.Request) { r.Host = "evil.example" }
	for _, c := range []struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		{"GET", "/debug/cache", as("", ""), 401},
		{"GET", "/debug/cache", as(token, ""), 401},
		{"GET", "/debug/cache", as("any", token), 200}, // a browser
		{"GET", "/debug/cache/dash.js", as("any", token), 200},
		{"GET", "/debug/cache?format=json", as("any", token+"x"), 401},
		{"POST", "/debug/cache", as("any", token), 401}, // which sends it again by itself
		{"POST", "/purge?all=1", as("any", token), 401},
		{"GET", "/metrics", as("any", token), 401},
		{"GET", "/stats", as("any", token), 401},
		{"GET", "/debug/cached", as("any", token), 401},
		{"GET", "/metrics", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"GET", "/debug/cache?format=json", foreign, 403},
		{"GET", "/debug/cache", rebound, 403},
		{"POST", "/debug/cache?cache=larder&key=a&do=delete", func(*http.Request) {}, 403},
	} {
		if code, text := order(t, s, c.method, c.path, c.change); code != c.want {
			t.Errorf("%s %s: %d %.100s, want %d", c.method, c.path, code, text, c.want)
		}
	}
}

func TestBrowsersAreAskedForThePassword(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	for path, want := range map[string]bool{"/debug/cache": true, "/stats": false} {
		resp, _ := get(t, client(t), "http://"+s.Addrs().Admin.String()+path)
		all := strings.Join(resp.Header.Values("WWW-Authenticate"), ", ")
		if got := strings.Contains(all, "Basic"); got != want || !strings.Contains(all, "Bearer") {
			t.Errorf("%s: asks for %q", path, all)
		}
	}
}

func TestPartsFollowReloads(t *testing.T) {
	c := governed("http://127.0.0.1:1")
	s := serve(t, c, func(o *proxy.Options) {
		o.Load = func() (proxy.Config, error) { return c, nil }
	})
	c.Sites = []proxy.Site{{To: "http://127.0.0.1:3"}, {To: "http://127.0.0.1:2", Path: "/b"}}
	if _, err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	want := []string{"http larder", "proxy http://127.0.0.1:2", "proxy http://127.0.0.1:3"}
	if got := namesOf(s.Server); !slices.Equal(got, want) {
		t.Errorf("after a reload: %v, want %v", got, want)
	}
	if _, err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := namesOf(s.Server); !slices.Equal(got, want) {
		t.Errorf("after another that changed nothing: %v", got)
	}
}

func TestAnOriginThatIsDownSaysSo(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	for range 4 { // three open the circuit
		get(t, client(t), s.url("/a"))
	}
	p := partOf(t, s.Server, stats.Proxy, "http://127.0.0.1:1")
	up, known := p.Value(stats.Up, "")
	failed, _ := p.Value(stats.Loads, stats.LoadError)
	if !known || up != 0 || failed != 3 || !strings.HasPrefix(p.Note, "down") {
		t.Errorf("up %v, %v failed, %q", up, failed, p.Note)
	}
	if running, _ := p.Value(stats.InFlight, ""); running != 0 {
		t.Errorf("%v requests run", running)
	}
}

func TestAClientThatLeftIsNoFailureOfTheOrigin(t *testing.T) {
	entered := make(chan struct{})
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	s := serve(t, governed(to))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-entered; cancel() }()
	r := request(t, http.MethodPost, s.url("/a"), "").WithContext(ctx) // it is for this client alone
	if resp, err := client(t).Do(r); err == nil {
		resp.Body.Close()
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		p := partOf(t, s.Server, stats.Proxy, to)
		if running, _ := p.Value(stats.InFlight, ""); running == 0 {
			if p.Sum(stats.Loads) != 0 || p.Durations.Count != 0 {
				t.Errorf("it counts as a load: %+v", p)
			}
			return
		}
	}
	t.Error("the request never ends")
}

// TestLookingTellsNoSecrets reads all that can be read.
func TestLookingTellsNoSecrets(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	secret := regexp.MustCompile(regexp.QuoteMeta(token))
	for _, path := range []string{"/debug/cache", "/debug/cache?format=json", "/metrics", "/stats"} {
		if _, text := order(t, s, http.MethodGet, path); secret.MatchString(text) {
			t.Errorf("%s has the token", path)
		}
	}
}
