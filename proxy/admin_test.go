// admin_test.go asks the admin address, with and without the right to.

package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/proxy"
)

const token = "correct horse battery"

// governed has an admin address.
func governed(to string) proxy.Config {
	c := config(to)
	c.Admin = proxy.Admin{Listen: loopback, Token: token}
	return c
}

// order sends a request with the token to the admin address.
func order(t *testing.T, s *served, method, path string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	r := request(t, method, "http://"+s.Addrs().Admin.String()+path, "")
	r.Header.Set("Authorization", "Bearer "+token)
	for _, f := range change {
		f(r)
	}
	resp, text := do(t, client(t), r)
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s: other pages may read the answer", path)
	}
	return resp.StatusCode, text
}

func TestAdminWantsTheToken(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	for _, given := range []string{
		"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + token, token, "Bearer " + token + "x",
		"Bearer " + strings.ToUpper(token),
	} {
		for _, path := range []string{"/purge?all=1", "/reload", "/stats", "/health", "/version", "/x"} {
			code, _ := order(t, s, http.MethodPost, path, func(r *http.Request) {
				r.Header.Set("Authorization", given)
			})
			if code != 401 {
				t.Errorf("%s with %q: %d, want 401", path, given, code)
			}
		}
	}
}

func TestAdminRefusesBrowsersOfStrangers(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	rebound := func(r *http.Request) { r.Host = "evil.example" }
	if code, _ := order(t, s, http.MethodGet, "/stats", rebound); code != 403 {
		t.Errorf("a rebound name: %d, want 403", code)
	}
	foreign := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if code, _ := order(t, s, http.MethodPost, "/purge?all=1", foreign); code != 403 {
		t.Errorf("another site's page: %d, want 403", code)
	}
	local := func(r *http.Request) { r.Host = "localhost:1" }
	if code, _ := order(t, s, http.MethodGet, "/stats", local); code != 200 {
		t.Errorf("localhost: %d", code)
	}
}

func TestAdminIsNotPublic(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "origin") })
	s := serve(t, governed(to))
	for _, path := range []string{"/stats", "/purge?all=1", "/reload"} {
		r := request(t, http.MethodPost, s.url(path), "")
		r.Header.Set("Authorization", "Bearer "+token)
		if _, text := do(t, client(t), r); text != "origin" {
			t.Errorf("%s: %q", path, text)
		}
	}
}

func TestAdminNeedsATokenOrASocket(t *testing.T) {
	c := governed("http://127.0.0.1:1")
	c.Admin.Token = ""
	if _, err := proxy.New(c, proxy.Options{}); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("New without a token: %v", err)
	}
	t.Setenv("LARDER_ADMIN_TOKEN", "too short")
	if _, err := proxy.New(c, proxy.Options{}); err == nil || !strings.Contains(err.Error(), "short") {
		t.Errorf("New with a short token: %v", err)
	}
	t.Setenv("LARDER_ADMIN_TOKEN", token)
	if code, _ := order(t, serve(t, c), http.MethodGet, "/version"); code != 200 {
		t.Errorf("with the token of the environment: %d", code)
	}
}

func TestAdminOnASocketIsForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	c := config("http://127.0.0.1:1")
	c.Admin.Listen = "unix:" + path
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close() // a server that died
	serve(t, c)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the socket has %v, %v", info, err)
	}
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", path)
	}}
	defer transport.CloseIdleConnections()
	_, text := get(t, &http.Client{Transport: transport}, "http://larder/version")
	if text != `{"version":"test"}`+"\n" {
		t.Errorf("got %q", text)
	}
	if _, err := proxy.New(c, proxy.Options{}); err == nil {
		t.Error("a second server took the socket of the first")
	}
}

func TestPurges(t *testing.T) {
	asked := 0
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Cache-Control", "max-age=60, stale-while-revalidate=60")
		w.Header().Set("Surrogate-Key", "blue")
		fmt.Fprint(w, asked)
	})
	s, browser := serve(t, governed(to)), client(t)
	for i, what := range []string{"url", "prefix", "tag", "all"} {
		value := map[string]string{
			"url": s.url("/a"), "prefix": s.url("/"), "tag": "blue", "all": "1",
		}[what]
		get(t, browser, s.url("/a"))
		awaitEntries(t, s, 1)
		code, text := order(t, s, http.MethodPost, "/purge?"+what+"="+url.QueryEscape(value))
		if code != 200 || text != `{"purged":1}`+"\n" {
			t.Errorf("purge %s=%s: %d %s", what, value, code, text)
		}
		if _, text := get(t, browser, s.url("/a")); text != fmt.Sprint(i+2) {
			t.Errorf("after purge %s: got answer %s, want %d", what, text, i+2)
		}
	}
	if code, _ := order(t, s, http.MethodPost, "/purge?tag=blue&soft=1"); code != 200 {
		t.Errorf("soft purge: %d", code)
	}
	if resp, _ := get(t, browser, s.url("/a")); !strings.Contains(resp.Header.Get("Cache-Status"), "hit") {
		t.Errorf("after a soft purge: Cache-Status %q", resp.Header.Get("Cache-Status"))
	}
}

// awaitEntries waits until as many responses are in memory.
func awaitEntries(t *testing.T, s *served, want int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s.Stats().Cache.Entries == want {
			return
		}
	}
	t.Fatalf("%d responses in memory, want %d", s.Stats().Cache.Entries, want)
}

// TestPurgesWhatIsStillComing purges as soon as a client has its answer, which the cache may not
// have put away yet: nobody may get it any more.
func TestPurgesWhatIsStillComing(t *testing.T) {
	asked := 0
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, asked)
	})
	s, browser := serve(t, governed(to)), client(t)
	for i := range 200 {
		if _, text := get(t, browser, s.url("/a")); text != fmt.Sprint(i+1) {
			t.Fatalf("got answer %s, want %d", text, i+1)
		}
		order(t, s, http.MethodPost, "/purge?url="+url.QueryEscape(s.url("/a")))
	}
}

func TestPurgeRefusesWhatIsUnclear(t *testing.T) {
	s := serve(t, governed("http://127.0.0.1:1"))
	for _, query := range []string{
		"", "?soft=1", "?tag=a&url=http://b", "?all=yes", "?tag=a&soft=2", "?tagg=a", "?tag=a&tag=b",
		"?tag=", "?all=0", "?url=nowhere", "?prefix=/a", "?tag=%zz",
	} {
		if code, text := order(t, s, http.MethodPost, "/purge"+query); code != 400 {
			t.Errorf("%q: %d %s, want 400", query, code, text)
		}
	}
	if code, _ := order(t, s, http.MethodGet, "/purge?all=1"); code != 405 {
		t.Errorf("GET: %d, want 405", code)
	}
}

func TestTellsItsStats(t *testing.T) {
	c := governed("http://127.0.0.1:1")
	c.Cache.Disk = t.TempDir()
	s := serve(t, c)
	_, text := order(t, s, http.MethodGet, "/stats")
	var n proxy.Stats
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	if n.Version != "test" || len(n.Origins) != 1 || n.Origins[0].Origin != "http://127.0.0.1:1" ||
		n.Disk == nil || n.Redis != nil {
		t.Errorf("got %s", text)
	}
	if _, text := order(t, s, http.MethodGet, "/health"); !strings.Contains(text, `"status":"ok"`) {
		t.Errorf("health is %s", text)
	}
}
