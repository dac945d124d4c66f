// fleet_test.go has several processes share one Redis: one load, coherence, bad days.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

// nodeRole is the environment variable that makes the test's program a node of a fleet: the address
// of Redis and the URL of the origin.
const nodeRole = "LARDER_TEST_NODE"

func TestMain(m *testing.M) {
	if role := os.Getenv(nodeRole); role != "" {
		addr, url, _ := strings.Cut(role, " ")
		os.Exit(node(addr, url))
	}
	os.Exit(m.Run())
}

// leaseTime is how long a lease outlives a node that died. A busy machine renews it in time.
const leaseTime = 4 * time.Second

const (
	// fleetPatience is how long a test waits for what must come. Nothing takes as long.
	fleetPatience = 30 * time.Second
	// fleetAttempts is how often a time is measured that must not be longer than something: a busy
	// machine can only make it longer, so one good attempt is enough.
	fleetAttempts = 3
)

// node asks for one key a hundred times at once, and writes what it got.
func node(addr, url string) int {
	s, err := redis.Open(redis.Options{
		Addrs: []string{addr}, LeaseTime: leaseTime, Timeout: fleetPatience, Heartbeat: fleetPatience,
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer s.Close()
	c := larder.New(larder.Options[string, string]{Name: "fleet", Store: patient(s),
		Load: func(_ context.Context, key string) (string, error) {
			r, err := http.Get(fmt.Sprint(url, "/", key, "?", os.Getpid()))
			if err != nil {
				return "", err
			}
			defer r.Body.Close()
			b, err := io.ReadAll(r.Body)
			return string(b), err
		}})
	defer c.Close()
	start := time.Now()
	got := make([]string, 100)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			v, err := c.Get(context.Background(), "key")
			got[i] = fmt.Sprint(v, " ", err)
		})
	}
	wg.Wait()
	slices.Sort(got)
	fmt.Println(slices.Compact(got), time.Since(start).Milliseconds())
	return 0
}

// startNodes starts n nodes, and returns them and what each of them will have written.
func startNodes(t *testing.T, n int, addr, url string) (nodes []*exec.Cmd, out []*strings.Builder) {
	t.Helper()
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), nodeRole+"="+addr+" "+url)
		b := &strings.Builder{}
		cmd.Stdout, cmd.Stderr = b, b
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		nodes, out = append(nodes, cmd), append(out, b)
	}
	return nodes, out
}

func TestFourProcessesLoadOnce(t *testing.T) {
	r := servers.Redis(t)
	var calls atomic.Int64
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := calls.Add(1)
		time.Sleep(time.Second) // the other processes have started by then
		fmt.Fprint(w, "value", n)
	}))
	defer origin.Close()
	nodes, out := startNodes(t, 4, r.Addr, origin.URL)
	for i, cmd := range nodes {
		if err := cmd.Wait(); err != nil || !strings.HasPrefix(out[i].String(), "[value1 <nil>]") {
			t.Errorf("node %d: %v: %s", i, err, out[i])
		}
	}
	if calls.Load() != 1 {
		t.Errorf("%d loads by 4 processes with 100 goroutines each", calls.Load())
	}
}

func TestAnotherProcessTakesOverFromOneThatWasKilled(t *testing.T) {
	for n := 1; ; n++ {
		took := takeOver(t)
		if took <= leaseTime+time.Second/2 {
			return
		}
		if n == fleetAttempts {
			t.Fatalf("another process loads only after %v", took)
		}
	}
}

// takeOver kills the process that loads, and returns how long it took until another one did.
func takeOver(t *testing.T) (took time.Duration) {
	t.Helper()
	r := servers.Redis(t)
	pids := make(chan int, 10)
	var calls atomic.Int64
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n := calls.Add(1)
		pid, _ := strconv.Atoi(req.URL.RawQuery)
		pids <- pid
		if n == 1 {
			<-req.Context().Done() // until the process is killed
			return
		}
		fmt.Fprint(w, "value", n)
	}))
	defer origin.Close()
	nodes, out := startNodes(t, 4, r.Addr, origin.URL)
	first := <-pids
	time.Sleep(leaseTime) // it is renewed meanwhile
	if calls.Load() != 1 {
		t.Fatal("another process loads while the first one does")
	}
	killed := time.Now()
	for _, cmd := range nodes {
		if cmd.Process.Pid == first {
			cmd.Process.Kill()
		}
	}
	<-pids
	took = time.Since(killed)
	for i, cmd := range nodes {
		err := cmd.Wait()
		got := out[i].String()
		if cmd.Process.Pid != first && (err != nil || !strings.HasPrefix(got, "[value2 <nil>]")) {
			t.Errorf("node %d: %v: %s", i, err, got)
		}
	}
	if calls.Load() != 2 {
		t.Errorf("%d loads, want 2", calls.Load())
	}
	return took
}

// patient guards a store that is not skipped when a machine is busy.
func patient(s store.Store) store.Store {
	return store.NewGuard(s, store.GuardOptions{Timeout: fleetPatience})
}

// redisNode is a cache in front of a Redis, which it skips as a cache does.
func redisNode(
	t testing.TB, addr string, o larder.Options[string, string],
) *larder.Cache[string, string] {
	t.Helper()
	s := openRedis(t, redis.Options{Addrs: []string{addr}, Heartbeat: 200 * time.Millisecond})
	return nodeOf(t, s, o)
}

// patientNode is redisNode that skips nothing, nor takes a machine that is busy for a lost link.
func patientNode(
	t testing.TB, addr string, o larder.Options[string, string],
) *larder.Cache[string, string] {
	t.Helper()
	s := openRedis(t, redis.Options{
		Addrs: []string{addr}, Timeout: fleetPatience, Heartbeat: fleetPatience,
	})
	return nodeOf(t, patient(s), o)
}

// openRedis opens a store that ends with the test.
func openRedis(t testing.TB, o redis.Options) store.Store {
	t.Helper()
	s, err := redis.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// nodeOf is a cache in front of a store, and ends before it.
func nodeOf(
	t testing.TB, s store.Store, o larder.Options[string, string],
) *larder.Cache[string, string] {
	t.Helper()
	o.Name, o.Store = "fleet", s
	c := larder.New(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// within waits until is returns true.
func within(t testing.TB, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(fleetPatience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("after %v: not %s", fleetPatience, what)
		}
	}
}

// linked waits until what one node sets the other one forgets, both ways.
func linked(t testing.TB, a, b *larder.Cache[string, string]) {
	t.Helper()
	for i, way := range [][2]*larder.Cache[string, string]{{a, b}, {b, a}} {
		key := fmt.Sprint("link", i)
		within(t, "linked", func() bool {
			from, to := way[0], way[1]
			if from.Set(ctx, key, "1") != nil {
				return false
			}
			if v, err := to.Get(ctx, key); v != "1" || err != nil {
				return false
			}
			from.Set(ctx, key, "2")
			late := time.Now().Add(100 * time.Millisecond)
			for time.Now().Before(late) {
				if v, _ := to.Get(ctx, key); v == "2" {
					return true
				}
			}
			return false
		})
	}
}

func TestOtherNodesForgetWithinMilliseconds(t *testing.T) {
	r := servers.Redis(t)
	a := patientNode(t, r.Addr, larder.Options[string, string]{})
	b := patientNode(t, r.Addr, larder.Options[string, string]{})
	linked(t, a, b)
	for n := 1; ; n++ {
		p99, set := forgetting(t, a, b)
		if p99 <= max(50*time.Millisecond, 2*set) {
			return
		}
		if n == fleetAttempts {
			t.Fatalf("p99 %v, and of a Set %v", p99, set)
		}
	}
}

// forgetting returns for how long, at the 99th percentile, node b serves what a has changed, and how
// long the change itself takes: where it takes long, so may what is told of it.
func forgetting(t *testing.T, a, b *larder.Cache[string, string]) (p99, set time.Duration) {
	t.Helper()
	const rounds = 1000
	a.Delete(ctx, "k")
	var took, sets []time.Duration
	for i := range rounds {
		old, want := fmt.Sprint(i-1), fmt.Sprint(i)
		if v, err := b.Get(ctx, "k"); i > 0 && (v != old || err != nil) {
			t.Fatalf("round %d: %q, %v", i, v, err)
		}
		began := time.Now()
		if err := a.Set(ctx, "k", want); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for v, err := b.Get(ctx, "k"); v != want || err != nil; v, err = b.Get(ctx, "k") {
			time.Sleep(50 * time.Microsecond) // lets others have the processor
		}
		took, sets = append(took, time.Since(start)), append(sets, start.Sub(began))
	}
	slices.Sort(took)
	slices.Sort(sets)
	p99, most := took[rounds*99/100], took[rounds-1]
	t.Logf("the old value was served for %v (median), %v (p99), %v (most)", took[rounds/2], p99, most)
	return p99, sets[rounds*99/100]
}

// TestNoLoadOvertakesAChangeInRedis changes keys while slow loaders load them, ten thousand times:
// what is served in the end is the last change, on every node.
func TestNoLoadOvertakesAChangeInRedis(t *testing.T) {
	r := servers.Redis(t)
	const keys, rounds = 100, 100
	var truth [keys]atomic.Int64
	var nodes [2]*larder.Cache[string, string]
	for i := range nodes {
		nodes[i] = patientNode(t, r.Addr, larder.Options[string, string]{
			Load: func(_ context.Context, key string) (string, error) {
				n, _ := strconv.Atoi(key)
				v := truth[n].Load()
				time.Sleep(time.Duration(v%4) * time.Millisecond)
				return fmt.Sprint(v), nil
			}})
	}
	linked(t, nodes[0], nodes[1])
	var wg sync.WaitGroup
	for n := range keys {
		wg.Go(func() {
			for range rounds {
				changeOnce(t, nodes, strconv.Itoa(n), &truth[n])
			}
		})
	}
	wg.Wait()
	a, b := nodes[0].Stats(), nodes[1].Stats()
	t.Logf("%d loads, %d of them void", a.Loads+b.Loads, a.StoreVoided+b.StoreVoided)
	if a.StoreVoided+b.StoreVoided < rounds {
		t.Error("next to no load was overtaken: this tests nothing")
	}
}

// changeOnce has both nodes load a key while it changes, and checks what they serve afterwards.
func changeOnce(
	t *testing.T, nodes [2]*larder.Cache[string, string], key string, truth *atomic.Int64,
) {
	var wg sync.WaitGroup
	for _, c := range nodes {
		wg.Go(func() { c.Refresh(ctx, key) })
	}
	time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond) // so that it changes at any moment
	now := truth.Add(1)
	want, by := fmt.Sprint(now), nodes[now/2%2]
	var err error
	if now%2 == 0 {
		err = by.Delete(ctx, key)
	} else {
		err = by.Set(ctx, key, want)
	}
	if err != nil {
		t.Error(err)
	}
	wg.Wait()
	for i, c := range nodes {
		late := time.Now().Add(fleetPatience)
		for {
			v, err := c.Get(ctx, key)
			if v == want && err == nil {
				break
			}
			if time.Now().After(late) {
				t.Errorf("%s: node %d has %q, %v; want %q", key, i, v, err, want)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// TestBadDays does to Redis what happens to it, while goroutines ask for keys.
func TestBadDays(t *testing.T) {
	for _, day := range []struct {
		name       string
		begin, end func(r *servers.Server, p *servers.Proxy)
		down       bool // nothing of it can be used meanwhile
	}{
		{"hung", func(r *servers.Server, _ *servers.Proxy) { r.Stop() },
			func(r *servers.Server, _ *servers.Proxy) { r.Continue() }, true},
		{"killed", func(r *servers.Server, _ *servers.Proxy) { r.Kill() },
			func(r *servers.Server, _ *servers.Proxy) { r.Start() }, true},
		{"cut off", func(_ *servers.Server, p *servers.Proxy) { p.Cut() },
			func(_ *servers.Server, p *servers.Proxy) { p.Restore() }, true},
		{"a black hole", func(_ *servers.Server, p *servers.Proxy) { p.BlackHole() },
			func(_ *servers.Server, p *servers.Proxy) { p.Restore() }, true},
		{"cut in the middle of answers", func(_ *servers.Server, p *servers.Proxy) { p.CutAfter(50) },
			func(_ *servers.Server, p *servers.Proxy) { p.Restore() }, false},
		{"two seconds late", func(_ *servers.Server, p *servers.Proxy) { p.Delay(2 * time.Second) },
			func(_ *servers.Server, p *servers.Proxy) { p.Restore() }, true},
		{"out of memory", say("CONFIG SET maxmemory 1"), say("CONFIG SET maxmemory 0"), false},
		{"read-only", say("REPLICAOF 127.0.0.1 1"), say("REPLICAOF NO ONE"), false},
		{"flushed", say("FLUSHALL"), func(*servers.Server, *servers.Proxy) {}, false},
	} {
		t.Run(day.name, func(t *testing.T) {
			defer wantNoGoroutines(t)
			r := servers.Redis(t, "--maxmemory-policy", "noeviction")
			p := servers.NewProxy(t, r.Addr)
			t.Run("day", func(t *testing.T) { // so that its nodes are closed before leaks are looked for
				badDay(t, p.Addr, func() { day.begin(r, p) }, func() { day.end(r, p) }, day.down)
			})
		})
	}
}

// wantNoGoroutines waits until nothing of larder or its client runs.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	var left []string
	within(t, "all goroutines ended", func() bool {
		left = left[:0]
		buf := make([]byte, 1<<20)
		for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")[1:] {
			if strings.Contains(stack, "redis/rueidis") || strings.Contains(stack, "larder-go/larder.(") ||
				strings.Contains(stack, "larder-go/larder/store") {
				left = append(left, stack)
			}
		}
		return len(left) == 0
	})
}

// say returns what sends a command to the server itself.
func say(command string) func(*servers.Server, *servers.Proxy) {
	return func(r *servers.Server, _ *servers.Proxy) {
		host, port, _ := strings.Cut(r.Addr, ":")
		args := append([]string{"-h", host, "-p", port}, strings.Fields(command)...)
		if out, err := exec.Command("redis-cli", args...).CombinedOutput(); err != nil {
			panic(fmt.Sprintf("%s: %s", command, out))
		}
	}
}

func badDay(t *testing.T, addr string, begin, end func(), down bool) {
	var version atomic.Int64
	o := larder.Options[string, string]{MaxEntries: 100_000, TTL: time.Hour,
		Load: func(_ context.Context, key string) (string, error) {
			return fmt.Sprint(key, "@", version.Load()), nil
		}}
	a, b := redisNode(t, addr, o), redisNode(t, addr, o)
	linked(t, a, b)
	for i := range 100 {
		a.Get(ctx, fmt.Sprint("old", i))
		b.Get(ctx, fmt.Sprint("old", i))
	}
	begin()
	version.Add(1)
	for i := range 100 { // some of it the store will not do
		if err := a.Delete(ctx, fmt.Sprint("old", i)); err == nil && down {
			t.Fatal("a Delete that the store cannot have done is no error")
		}
	}
	askAll(t, a, "during")
	if down {
		costsLittle(t, a)
	}
	end()
	linked(t, a, b)
	errors := a.Stats().StoreErrors
	within(t, "back to normal", func() bool {
		hits := a.Stats().StoreHits
		b.Set(ctx, "back", "x")
		a.Get(ctx, "back")
		b.Set(ctx, "back", "y")
		a.Get(ctx, "back")
		was := errors
		errors = a.Stats().StoreErrors
		return a.Stats().StoreHits > hits && errors == was
	})
	for _, c := range []*larder.Cache[string, string]{a, b} {
		within(t, "rid of the old values", func() bool {
			for i := range 100 {
				key := fmt.Sprint("old", i)
				if v, err := c.Get(ctx, key); v != key+"@1" || err != nil {
					return false
				}
			}
			return true
		})
	}
}

// askAll has many goroutines ask for keys that are there and that are not: none may fail.
func askAll(t *testing.T, c *larder.Cache[string, string], when string) {
	t.Helper()
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 30 {
				key := fmt.Sprint(when, g%8, "-", i)
				v, err := c.Get(ctx, key)
				if !strings.HasPrefix(v, key+"@") || err != nil {
					t.Errorf("Get(%s) = %q, %v", key, v, err)
				}
				if got, err := c.GetMany(ctx, []string{key, key + "b"}); len(got) != 2 || err != nil {
					t.Errorf("GetMany: %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

// costsLittle compares a Get behind an open breaker to one without a store: a hit, and one that has
// to load.
func costsLittle(t *testing.T, c *larder.Cache[string, string]) {
	t.Helper()
	plain := larder.New(larder.Options[string, string]{MaxEntries: 100_000, TTL: time.Hour,
		Load: func(_ context.Context, key string) (string, error) { return key, nil }})
	defer plain.Close()
	c.Set(ctx, "hit", "x")
	plain.Set(ctx, "hit", "x")
	comparedTo(t, "a hit in memory", c, plain, hitTime,
		func(without time.Duration) time.Duration { return without * 3 / 2 })
	comparedTo(t, "a load", c, plain, loadTime,
		func(without time.Duration) time.Duration { return without + 50*time.Microsecond })
}

// comparedTo measures something in turns with the store down and without a store, until what is
// the least so far is within a limit: others use the machine.
func comparedTo(
	t *testing.T, what string, c, plain *larder.Cache[string, string],
	measure func(*larder.Cache[string, string]) time.Duration,
	limit func(without time.Duration) time.Duration,
) {
	t.Helper()
	with, without := measure(c), measure(plain)
	for n := 1; n < 20 && with > limit(without); n++ {
		with, without = min(with, measure(c)), min(without, measure(plain))
	}
	text := fmt.Sprintf("%s takes %v with the store down, %v without a store", what, with, without)
	if with > limit(without) {
		t.Error(text)
	} else {
		t.Log(text)
	}
}

// hitTime is what a hit takes at least.
func hitTime(c *larder.Cache[string, string]) time.Duration {
	best := time.Duration(math.MaxInt64)
	for range 200 {
		start := time.Now()
		for range 200 {
			c.Get(ctx, "hit")
		}
		best = min(best, time.Since(start))
	}
	return best / 200
}

// loadTime is what a load takes in the median.
func loadTime(c *larder.Cache[string, string]) time.Duration {
	took := make([]time.Duration, 2001)
	for i := range took {
		key := fmt.Sprint("cost", rand.Int())
		start := time.Now()
		c.Get(ctx, key)
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func TestAValueThatRedisRefusesIsInMemory(t *testing.T) {
	r := servers.Redis(t, "--proto-max-bulk-len", "1048576")
	a := patientNode(t, r.Addr, larder.Options[string, string]{})
	b := patientNode(t, r.Addr, larder.Options[string, string]{})
	linked(t, a, b)
	a.Set(ctx, "k", "small")
	large := strings.Repeat("x", 2<<20)
	if err := a.Set(ctx, "k", large); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Set: %v, want ErrTooLarge", err)
	}
	if v, ok := a.Lookup("k"); v != large || !ok {
		t.Errorf("memory has %d bytes, %v", len(v), ok)
	}
	within(t, "rid of the old value", func() bool {
		_, err := b.Get(ctx, "k")
		return errors.Is(err, larder.ErrNotFound)
	})
}

// TestNothingOlderThanItsLimitIsServed asks for a value that is the time of its load, while loads
// fail and Redis comes and goes.
func TestNothingOlderThanItsLimitIsServed(t *testing.T) {
	r := servers.Redis(t)
	p := servers.NewProxy(t, r.Addr)
	const ttl, onError, slack = 100 * time.Millisecond, 900 * time.Millisecond, 200 * time.Millisecond
	o := larder.Options[string, string]{TTL: ttl, Stale: 300 * time.Millisecond, StaleOnError: onError,
		RetryAfter: 20 * time.Millisecond, RefreshAhead: 0.9, Early: 1,
		Load: func(context.Context, string) (string, error) {
			if rand.IntN(4) > 0 {
				return "", errOrigin
			}
			return strconv.FormatInt(time.Now().UnixNano(), 10), nil
		}}
	nodes := []*larder.Cache[string, string]{redisNode(t, p.Addr, o), redisNode(t, p.Addr, o)}
	began, stop := time.Now(), make(chan struct{})
	var wg sync.WaitGroup
	var served atomic.Int64
	for g := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				asked := time.Now() // nobody can be blamed for what comes between that and the answer
				v, err := nodes[g%2].Get(ctx, strconv.Itoa(i%20))
				if err != nil {
					continue
				}
				served.Add(1)
				loaded, _ := strconv.ParseInt(v, 10, 64)
				if age := asked.Sub(time.Unix(0, loaded)); age > ttl+onError+slack {
					t.Errorf("a value of %v ago is served", age)
				}
			}
		})
	}
	troubles := []func(){r.Stop, r.Continue, p.Cut, p.Restore, p.BlackHole, p.Restore}
	for n := 0; n < 3 || served.Load() < 1000 && time.Since(began) < fleetPatience; n++ {
		for _, trouble := range troubles {
			trouble()
			time.Sleep(150 * time.Millisecond)
		}
	}
	close(stop)
	wg.Wait()
	if served.Load() < 1000 {
		t.Errorf("only %d Gets were answered", served.Load())
	}
}

// TestANodeThatIsCutOffServesNothingOld has a black hole between one node and Redis, while another
// node changes a key: the first one serves the old value no longer than is promised.
func TestANodeThatIsCutOffServesNothingOld(t *testing.T) {
	const bound = 2*200*time.Millisecond + time.Second // two heartbeats of redisNode, and LostTTL
	for n := 1; ; n++ {
		served := servedCutOff(t, 2*bound)
		if served <= bound {
			return
		}
		if n == fleetAttempts {
			t.Fatalf("the old value is served %v after the change", served)
		}
	}
}

// servedCutOff looks on for a time, and returns for how long after a change a node that is cut off
// served the old value.
func servedCutOff(t *testing.T, lookOn time.Duration) (served time.Duration) {
	t.Helper()
	r := servers.Redis(t)
	p := servers.NewProxy(t, r.Addr)
	var truth atomic.Value
	truth.Store("old")
	load := func(context.Context, string) (string, error) { return truth.Load().(string), nil }
	a := patientNode(t, r.Addr, larder.Options[string, string]{Load: load})
	b := redisNode(t, p.Addr, larder.Options[string, string]{Load: load})
	linked(t, a, b)
	if v, err := b.Get(ctx, "k"); v != "old" || err != nil {
		t.Fatalf("Get = %q, %v", v, err)
	}
	p.BlackHole()
	truth.Store("new")
	if err := a.Set(ctx, "k", "new"); err != nil {
		t.Fatal(err)
	}
	for changed := time.Now(); time.Since(changed) < lookOn; time.Sleep(time.Millisecond) {
		asked := time.Now()
		switch v, err := b.Get(ctx, "k"); {
		case err != nil:
			t.Fatal(err)
		case v == "old":
			served = asked.Sub(changed)
		}
	}
	p.Restore()
	linked(t, a, b)
	if v, err := b.Get(ctx, "k"); v != "new" || err != nil {
		t.Errorf("Get = %q, %v", v, err)
	}
	return served
}
