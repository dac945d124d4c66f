// down_test.go is about origins and stores that are down.

package proxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/proxy"
)

// deadAddress is one where nobody listens.
func deadAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestLeavesAnOriginAloneThatIsDown(t *testing.T) {
	s := serve(t, config("http://"+deadAddress(t)))
	want := []int{502, 502, 502, 503, 503}
	for i, code := range want {
		resp, _ := get(t, client(t), s.url("/"))
		if resp.StatusCode != code {
			t.Errorf("request %d: %s, want %d", i+1, resp.Status, code)
		}
		if code == 503 && resp.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	if n := s.Stats(); !n.Origins[0].Down {
		t.Errorf("stats say that the origin is up: %+v", n.Origins)
	}
}

func TestAnswersFiveOhFourForAnOriginThatHangs(t *testing.T) {
	release := make(chan struct{})
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	c := config(to)
	c.Cache.FillTimeout = proxy.Duration(100 * time.Millisecond)
	s := serve(t, c)
	for method, want := range map[string]int{http.MethodGet: 504, http.MethodPost: 504} {
		if resp, _ := do(t, client(t), request(t, method, s.url("/"), "")); resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", method, resp.Status, want)
		}
	}
}

func TestServesStaleWhileAnOriginIsDown(t *testing.T) {
	var down atomic.Bool
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Cache-Control", "max-age=0")
		w.Header().Set("Etag", `"1"`)
		io.WriteString(w, "old")
	})
	s := serve(t, config(to))
	get(t, client(t), s.url("/"))
	awaitEntries(t, s, 1)
	down.Store(true)
	for range 10 {
		resp, text := get(t, client(t), s.url("/"))
		if resp.StatusCode != 200 || text != "old" {
			t.Errorf("got %s %q", resp.Status, text)
		}
	}
	if !s.Stats().Origins[0].Down {
		t.Error("the origin was asked ten times")
	}
}

func TestChecksTheHealthOfOrigins(t *testing.T) {
	var sick atomic.Bool
	var asked atomic.Int64
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/healthz":
			asked.Add(1)
		case r.Host != "example.com":
			t.Errorf("the check is for %s", r.Host)
		case sick.Load():
			w.WriteHeader(500)
		}
	}))
	defer origin.Close()
	c := config(origin.URL)
	c.Sites[0].Health, c.Sites[0].SendHost = "/healthz", "example.com"
	c.Sites[0].HealthInterval = proxy.Duration(2 * time.Second) // a check may take as long
	s := serve(t, c)
	if resp, _ := get(t, client(t), s.url("/")); resp.StatusCode != 200 {
		t.Errorf("got %s", resp.Status)
	}
	sick.Store(true)
	s.await(t, "is down")
	if resp, _ := get(t, client(t), s.url("/2")); resp.StatusCode != 503 {
		t.Errorf("got %s, want 503", resp.Status)
	}
	sick.Store(false)
	s.await(t, "is back")
	if resp, _ := get(t, client(t), s.url("/3")); resp.StatusCode != 200 {
		t.Errorf("got %s", resp.Status)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("the origin was asked %d times, want 2", n)
	}
}

// TestSlipsOfClientsSayNothingOfOrigins sends bad bodies, which must not open the circuit.
func TestSlipsOfClientsSayNothingOfOrigins(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	s := serve(t, config(to))
	for range 5 {
		raw(t, s.Addrs().Plain[0], "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
	}
	if s.Stats().Origins[0].Down {
		t.Error("clients opened the circuit of an origin")
	}
}

func TestKeepsWhatIsOnDiskAndInRedis(t *testing.T) {
	server := servers.Redis(t)
	for name, levels := range map[string]proxy.Cache{
		"disk":  {Disk: t.TempDir()},
		"redis": {Redis: "redis://" + server.Addr},
		"both":  {Disk: t.TempDir(), Redis: "redis://" + server.Addr + "/1"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				w.Header().Set("Cache-Control", "max-age=600")
				fmt.Fprint(w, "kept")
			})
			c := config(to)
			c.Cache.Disk, c.Cache.Redis = levels.Disk, levels.Redis
			for calls := uint64(2); calls > 0; calls-- { // a look and a Set; then a look
				s := serve(t, c)
				r := request(t, http.MethodGet, s.url("/"), "")
				r.Host = "example.com"
				if _, text := do(t, client(t), r); text != "kept" {
					t.Errorf("got %q", text)
				}
				awaitStored(t, s, calls)
				s.stop()
				if err := <-s.ended; err != nil {
					t.Error(err)
				}
				close(s.ended)
			}
			if n := asked.Load(); n != 1 {
				t.Errorf("the origin was asked %d times, want once", n)
			}
		})
	}
}

// awaitStored waits until the stores were called as often.
func awaitStored(t *testing.T, s *served, calls uint64) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		n := s.Stats()
		if (n.Disk == nil || n.Disk.Calls >= calls) && (n.Redis == nil || n.Redis.Calls >= calls) {
			return
		}
	}
	t.Fatalf("the stores were not asked: %+v", s.Stats())
}

func TestRedisThatIsDownFailsNoRequest(t *testing.T) {
	c := config(newOrigin(t, hello))
	c.Cache.Redis = "redis://" + deadAddress(t)
	s := serve(t, c)
	for i := range 20 {
		began := time.Now()
		if resp, text := get(t, client(t), s.url(fmt.Sprint("/", i))); text != "hello" {
			t.Errorf("got %s %q", resp.Status, text)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	s.await(t, "is left alone")
}
