// examples_test.go builds the programs and runs them on real parts.

package examples_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
)

// binaries is the folder of the programs. TestMain sets it.
var binaries string

func TestMain(m *testing.M) {
	var err error
	if binaries, err = os.MkdirTemp("", "larder-examples-*"); err == nil {
		var out []byte
		out, err = exec.Command("go", "build", "-o", binaries, "./...").CombinedOutput()
		os.Stderr.Write(out)
	}
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, "build the examples:", err)
	}
	os.RemoveAll(binaries)
	os.Exit(code)
}

// program is an example that runs.
type program struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd

	mu  sync.Mutex // guards the field below
	out bytes.Buffer
}

// start starts the example name. It ends with the test.
func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, name: name, cmd: exec.Command(filepath.Join(binaries, name), args...)}
	p.cmd.Env = append(os.Environ(), "ALLOW_PRIVATE=1")
	p.cmd.Stdout, p.cmd.Stderr = p, os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() }) // one that has ended does not mind
	return p
}

// Write keeps what the program prints.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// await waits until the program has printed text, at the end of what it has printed so far.
func (p *program) await(text string) {
	p.t.Helper()
	for late := time.Now().Add(20 * time.Second); !strings.HasSuffix(p.printed(), text); {
		if time.Now().After(late) {
			p.t.Fatalf("%s printed %q, want %q at its end", p.name, p.printed(), text)
		}
		time.Sleep(time.Millisecond)
	}
}

// longest is how long a program of an example may take, on a machine that is busy.
const longest = 2 * time.Minute

// ended waits for the end of the program and returns what it has printed.
func (p *program) ended() string {
	p.t.Helper()
	late := time.AfterFunc(longest, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return p.printed()
}

// run runs the example name and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return start(t, name, args...).ended()
}

// lines joins lines as they are printed.
func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

func wantOutput(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	wantOutput(t, run(t, "survives-restart", dir), "42 (loaded)\n")
	wantOutput(t, run(t, "survives-restart", dir), "42 (kept)\n")
}

// origin serves one page that may be kept for a minute.
func origin(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<h1>Larder &amp; co</h1><p>text</p><h2>Second</h2>")
	}))
	t.Cleanup(s.Close)
	return s
}

func TestHTTPClientCache(t *testing.T) {
	wantOutput(t, run(t, "http-client-cache", origin(t).URL),
		"miss, 50 bytes, 1 requests\nhit, 50 bytes, 0 requests\nhit, 50 bytes, 0 requests\n")
}

func TestPageTitles(t *testing.T) {
	dir, url := t.TempDir(), origin(t).URL
	const titles = "  Larder & co\n    Second\n"
	wantOutput(t, run(t, "page-titles", dir, url), url+" (miss)\n"+titles)
	wantOutput(t, run(t, "page-titles", dir, url), url+" (hit)\n"+titles)
}

func TestExpiry(t *testing.T) {
	wantOutput(t, run(t, "expiry"), lines(
		"at first: [usual longer forever]",
		"after its TTL: [longer forever]",
		"after Idle: [used]",
		"with Jitter, the first left before its TTL: true - the last after it: true"))
}

func TestInvalidate(t *testing.T) {
	wantOutput(t, run(t, "invalidate", "-redis", servers.Redis(t).Addr), lines(
		"set here, found there: [page/1 page/2 shop/tea shop/cup team/ann team/bob]",
		"deleted here: the key page/1; found there: [page/2 shop/tea shop/cup team/ann team/bob]",
		"deleted here: the prefix shop/; found there: [page/2 team/ann team/bob]",
		"deleted here: the tag red; found there: [page/2 team/bob]",
		"deleted here: everything; found there: []"))
}

func TestStaleWhileRefreshing(t *testing.T) {
	wantOutput(t, run(t, "stale-while-refreshing"), lines(
		"first: price 1 of tea",
		"stale, while the origin is slow: price 1 of tea",
		"when the refresh has ended: price 2 of tea",
		"stale, while the origin is down: price 2 of tea",
		"OnError heard: larder: prices: refresh of tea: the origin is down",
		"careful, first: price 3 of tea",
		"careful, after its TTL: price 4 of tea",
		"careful, while the origin is down: price 4 of tea",
		"careful, while the origin is slow: price 4 of tea",
		"served stale: 2"))
}

// TestOneLoad has one of three servers that is not there: two are enough for Redlock.
func TestOneLoad(t *testing.T) {
	addrs := []string{servers.Redis(t).Addr, servers.Redis(t).Addr, servers.FreeAddr(t)}
	wantOutput(t, run(t, "one-load", "-redis", strings.Join(addrs, ",")), lines(
		"1000 goroutines: 1 load",
		"1000 goroutines in 5 processes, leases by 1 Redis: 1 load",
		"1000 goroutines in 5 processes, leases by 3 Redis: 1 load",
		"refreshed early: 1 time, and 0 had to wait"))
}

func TestCacheAsideOrThrough(t *testing.T) {
	wantOutput(t, run(t, "cache-aside-or-through"), lines(
		"cache-aside: Ann - reads: 1",
		"cache-aside: Ann - reads: 1",
		"read-through: Ann - reads: 1",
		"read-through: Ann - reads: 1",
		"read-through, no such row: true",
		"write-through: table Anna, cache Anna, refused: larder: write of 1: an empty name",
		"write-behind: user 48 in the cache - writes: 0",
		"write-behind, closed: user 48 in the table - writes: 1"))
}

func TestGetMany(t *testing.T) {
	wantOutput(t, run(t, "get-many"), lines(
		"in one batch: got [7 12 30 44 50]",
		"in one batch: 1 calls, 1 at once",
		"in one batch, again: 1 calls",
		"in parallel: got [7 12 30 44 50]",
		"in parallel: 5 calls, 5 at once",
		"in parallel, again: 5 calls"))
}

func TestRedisThatDiesAndComesBack(t *testing.T) {
	server := servers.Redis(t)
	p := start(t, "redis", "-redis", server.Addr)
	p.await("users come from Redis\n")
	server.Kill()
	p.await("users come from the origin\n")
	server.Start()
	wantOutput(t, p.ended(), lines(
		"in Redis: one of users: 49 bytes, for 10m0s",
		"in Redis: one of points: 18 bytes, for 10m0s",
		"users come from Redis",
		"users come from the origin",
		"users come from Redis"))
}

func TestMemcachedRingOfWhichOneDies(t *testing.T) {
	all := []*servers.Server{servers.Memcached(t), servers.Memcached(t), servers.Memcached(t)}
	addrs := []string{all[0].Addr, all[1].Addr, all[2].Addr}
	p := start(t, "memcached-ring", "-memcached", strings.Join(addrs, ","))
	p.await("from the origin: 0\n")
	all[1].Kill()
	p.await("from the origin: 91\n")
	all[1].Start()
	wantOutput(t, p.ended(), lines(
		`down: "", from the ring: 300, from the origin: 0`,
		`down: "b", from the ring: 209, from the origin: 91`,
		`down: "", from the ring: 300, from the origin: 0`))
}

func TestTwoLevelsOfThreeProcesses(t *testing.T) {
	addr := servers.Redis(t).Addr
	first := start(t, "two-levels", "-redis", addr, "show")
	first.await("tea: 10\n")
	second := start(t, "two-levels", "-redis", addr, "show")
	second.await("tea: 10\n")
	for _, price := range []string{"12", "11", "gone"} {
		wantOutput(t, run(t, "two-levels", "-redis", addr, "set", price), "")
		first.await("tea: " + price + "\n")
		second.await("tea: " + price + "\n")
	}
	const changes = "tea: 10\ntea: 12\ntea: 11\ntea: gone\n"
	wantOutput(t, first.ended(), "the origin is asked\n"+changes)
	wantOutput(t, second.ended(), changes)
}

func TestWhichCodec(t *testing.T) {
	wantOutput(t, run(t, "which-codec"), lines(
		"json: 6109 bytes, compressed to less than a fifth: true",
		"msgpack: 3314 bytes, compressed to less than a fifth: true",
		"codec: refused: json: Session.token: unexported, would be lost",
		"got 100 orders by load 2, as the stored bytes are of no use: larder: orders: "+
			"store: not found: store: damaged: codec: msgpack: a length is more than there is"))
}

func TestWarmAtStart(t *testing.T) {
	wantOutput(t, run(t, "warm-at-start", filepath.Join(t.TempDir(), "snapshot")), lines(
		"from a list: {Keys:2 Loaded:2 NotFound:0 Failed:0}",
		"from a sitemap: {Keys:5 Loaded:4 NotFound:1 Failed:0}",
		"loads that anybody waited for: 0",
		"saved: 2",
		"restored: 2",
		"at once there: / true",
		"at once there: /news/2 true",
		"at once there: /jobs false",
		"loads: 0"))
}

func TestManyMachines(t *testing.T) {
	wantOutput(t, run(t, "many-machines"), lines(
		"nodes    keys  fullest  moved  1/(n+1)  moved elsewhere",
		"    3   30000    1.009 25.09%   25.00%                0",
		"   10   50000    1.025  9.09%    9.09%                0",
		"  100   50000    1.126  0.90%    0.99%                0",
		" 1000  150000    1.267  0.10%    0.10%                0"))
}

// TestProgramsSayWhatToStart starts those that need a server where none is.
func TestProgramsSayWhatToStart(t *testing.T) {
	addr := servers.FreeAddr(t)
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"invalidate", "start redis-server", []string{"-redis", addr}},
		{"one-load", "start redis-server", []string{"-redis", addr}},
		{"redis", "start redis-server", []string{"-redis", addr}},
		{"responses-in-redis", "start redis-server", []string{"-redis", addr}},
		{"two-levels", "start redis-server", []string{"-redis", addr, "show"}},
		{"memcached-ring", "start memcached", []string{"-memcached", addr}},
	} {
		said, err := exec.Command(filepath.Join(binaries, c.name), c.args...).CombinedOutput()
		want := "nobody answers at " + addr + ": " + c.want
		if err == nil || !strings.Contains(string(said), want) {
			t.Errorf("%s said %q (%v), want %q", c.name, said, err, want)
		}
	}
}
