// trouble_test.go does to server and network what bad days do.

package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// rueidis sleeps for up to a second before it looks at a Cluster again.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"),
		// toxiproxy leaves a link behind whose reader is gone before it has passed something on.
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))
}

// quick are options with which trouble is noticed soon.
func quick(addrs ...string) redis.Options {
	return redis.Options{
		Addrs: addrs, Timeout: 300 * time.Millisecond, DialTimeout: 300 * time.Millisecond,
		Heartbeat: 200 * time.Millisecond, LeaseTime: time.Second,
	}
}

// calm are options with which a machine that is busy is not taken for a server in trouble.
func calm(addrs ...string) redis.Options {
	return redis.Options{
		Addrs: addrs, Timeout: patience, DialTimeout: patience, Heartbeat: patience,
	}
}

// patience is how long a test waits for what must come. Nothing takes as long.
const patience = 30 * time.Second

// eventually waits until something is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("after %v it is still not so that %s", patience, what)
		}
	}
}

// works reports whether an item can be set and got.
func works(s *redis.Store) bool {
	want := fmt.Sprint(time.Now().UnixNano())
	if s.Set(context.Background(), "works", store.Item{Value: []byte(want)}) != nil {
		return false
	}
	item, err := s.Get(context.Background(), "works")
	return err == nil && string(item.Value) == want
}

// listener hears events and lets a test wait for some.
type listener struct {
	t      *testing.T
	events chan store.Event
}

func listen(t *testing.T, s *redis.Store) listener {
	l := listener{t, make(chan store.Event, 100_000)}
	t.Cleanup(s.Watch(func(e store.Event) { l.events <- e }))
	return l
}

// wait returns how long it took until an event came.
func (l listener) wait(want store.Event) time.Duration {
	l.t.Helper()
	began := time.Now()
	late := time.After(patience)
	for {
		select {
		case e := <-l.events:
			if e == want {
				return time.Since(began)
			}
		case <-late:
			l.t.Fatalf("never heard %v %q%q", want.Kind, want.Key, want.Tag)
		}
	}
}

func (l listener) waitKind(k store.EventKind) time.Duration {
	l.t.Helper()
	return l.wait(store.Event{Kind: k})
}

func TestTroubleIsToldAndPasses(t *testing.T) {
	for name, trouble := range map[string]struct {
		begin, end func(*servers.Server, *servers.Proxy)
	}{
		"killed": {
			func(s *servers.Server, _ *servers.Proxy) { s.Kill() },
			func(s *servers.Server, _ *servers.Proxy) { s.Start() },
		},
		"hung": {
			func(s *servers.Server, _ *servers.Proxy) { s.Stop() },
			func(s *servers.Server, _ *servers.Proxy) { s.Continue() },
		},
		"cut":        {func(_ *servers.Server, p *servers.Proxy) { p.Cut() }, restore},
		"black hole": {func(_ *servers.Server, p *servers.Proxy) { p.BlackHole() }, restore},
		"late": {
			func(_ *servers.Server, p *servers.Proxy) { p.Delay(2 * time.Second) }, restore,
		},
		"cut in the middle of an answer": {
			func(_ *servers.Server, p *servers.Proxy) { p.CutAfter(2000) }, restore,
		},
	} {
		for mode, invalidation := range map[string]redis.Invalidation{
			"tracking": redis.Tracking, "channel": redis.Channel,
		} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				server := servers.Redis(t)
				proxy := servers.NewProxy(t, server.Addr)
				o := quick(proxy.Addr)
				o.Invalidation = invalidation
				checkTrouble(t, open(t, o), func() { trouble.begin(server, proxy) },
					func() { trouble.end(server, proxy) })
			})
		}
	}
}

func restore(_ *servers.Server, p *servers.Proxy) { p.Restore() }

func checkTrouble(t *testing.T, s *redis.Store, begin, end func()) {
	heard := listen(t, s)
	heard.waitKind(store.Linked)
	for n := 1; ; n++ {
		took := troubled(t, s, begin)
		heard.waitKind(store.Lost)
		end()
		eventually(t, "the store works again", func() bool { return works(s) })
		heard.waitKind(store.Linked)
		if took <= 3*time.Second {
			return
		}
		if n == attempts {
			t.Fatalf("three calls took %v", took)
		}
	}
}

// troubled returns how long three calls take in trouble.
func troubled(t *testing.T, s *redis.Store, begin func()) time.Duration {
	t.Helper()
	ctx := context.Background()
	big := store.Item{Value: make([]byte, 4000)}
	eventually(t, "an item is set", func() bool { return s.Set(ctx, "k", big) == nil })
	began := time.Now()
	begin()
	for _, err := range []error{getErr(s, "k"), getErr(s, "k"), s.Set(ctx, "k2", big)} {
		if err == nil && strings.Contains(t.Name(), "middle") {
			continue // some answers are so short that they come whole
		}
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("in trouble: %v, want ErrUnavailable", err)
		}
	}
	return time.Since(began)
}

func getErr(s *redis.Store, key string) error {
	_, err := s.Get(context.Background(), key)
	return err
}

func TestAHungLinkIsLostWithinTwoHeartbeats(t *testing.T) {
	for name, mode := range map[string]redis.Invalidation{
		"tracking": redis.Tracking, "channel": redis.Channel,
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.Redis(t)
			o := redis.Options{
				Addrs: []string{server.Addr}, Heartbeat: 500 * time.Millisecond, Invalidation: mode,
			}
			heard := listen(t, open(t, o))
			for n := 1; ; n++ {
				heard.waitKind(store.Linked)
				server.Stop()
				took := heard.waitKind(store.Lost)
				server.Continue()
				if took <= 2*o.Heartbeat+200*time.Millisecond {
					break
				}
				if n == attempts {
					t.Fatalf("it took %v", took)
				}
			}
			heard.waitKind(store.Linked)
		})
	}
}

func TestOpenDoesNotNeedTheServer(t *testing.T) {
	server := servers.Redis(t)
	server.Kill()
	best := patience
	for range attempts {
		began := time.Now()
		open(t, quick(server.Addr))
		best = min(best, time.Since(began))
	}
	if best > 100*time.Millisecond {
		t.Errorf("Open took %v", best)
	}
	s := open(t, quick(server.Addr))
	heard := listen(t, s)
	if err := getErr(s, "k"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a server: %v, want ErrUnavailable", err)
	}
	server.Start()
	eventually(t, "the store works", func() bool { return works(s) })
	heard.waitKind(store.Linked)
}

func TestCallsHeedTheirContextWhileTheServerHangs(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, calm(server.Addr))
	if !works(s) {
		t.Fatal("it does not work")
	}
	server.Stop()
	defer server.Continue()
	best := patience
	for range attempts {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		began := time.Now()
		_, err := s.Get(ctx, "works")
		best = min(best, time.Since(began))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%v, want the error of the context: that was the caller's time", err)
		}
	}
	if best > time.Second {
		t.Errorf("a call with 50 ms took %v", best)
	}
}

func TestAServerThatRefusesSaysSo(t *testing.T) {
	server := servers.Redis(t)
	c := at(t, server.Addr)
	s := open(t, calm(server.Addr))
	ctx := context.Background()
	if !works(s) {
		t.Fatal("it does not work")
	}
	lease, err := s.TryLease(ctx, "leased")
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrRefused) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrRefused", what, err)
		}
	}
	do(t, c, "CONFIG", "SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction")
	check("out of memory", s.Set(ctx, "works", store.Item{Value: []byte("new")}))
	check("out of memory, tagged", s.Set(ctx, "k", store.Item{Tags: []string{"t"}}))
	check("out of memory, by a lease", lease.Set(ctx, store.Item{Value: []byte("new")}))
	if item, err := s.Get(ctx, "works"); err == nil && string(item.Value) == "new" {
		t.Error("what was refused is there")
	}
	do(t, c, "CONFIG", "SET", "maxmemory", "0")
	if !works(s) {
		t.Error("it does not work when there is memory")
	}
	do(t, c, "CONFIG", "SET", "proto-max-bulk-len", "1mb")
	err = s.Set(ctx, "k", store.Item{Value: make([]byte, 2<<20)})
	if err == nil {
		t.Error("a value over the server's limit was set")
	}
	eventually(t, "it works after a value over the limit", func() bool { return works(s) })
	master := servers.Redis(t)
	do(t, c, append([]string{"REPLICAOF"}, strings.Split(master.Addr, ":")...)...)
	check("read-only", s.Set(ctx, "k", store.Item{}))
	check("read-only, Delete", s.Delete(ctx, "works"))
	_, err = s.TryLease(ctx, "k")
	check("read-only, TryLease", err)
}

func TestTooLargeIsToldBeforeSending(t *testing.T) {
	o := calm(servers.Redis(t).Addr)
	o.MaxValue = 10_000
	s := open(t, o)
	ctx := context.Background()
	if err := s.Set(ctx, "k", store.Item{Value: make([]byte, 9_000)}); err != nil {
		t.Error(err)
	}
	for _, item := range []store.Item{
		{Value: make([]byte, 10_001)}, {Tags: []string{strings.Repeat("x", 70_000)}},
		{Validators: store.Validators{ETag: strings.Repeat("x", 10_000)}},
	} {
		if err := s.Set(ctx, "k", item); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("Set: %v, want ErrTooLarge", err)
		}
	}
}

func TestFlushAllIsHeardAsCleared(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, calm(server.Addr))
	heard := listen(t, s)
	heard.waitKind(store.Linked)
	do(t, at(t, server.Addr), "FLUSHALL")
	heard.waitKind(store.Cleared)
	if got := s.Stats(); !got.Linked || got.Losses != 0 {
		t.Errorf("a flush is no loss: %+v", got)
	}
}

func TestWhatExpiresIsHeard(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, calm(server.Addr))
	heard := listen(t, s)
	heard.waitKind(store.Linked)
	soon := store.Item{GoneAfter: time.Now().Add(100 * time.Millisecond)}
	if err := s.Set(context.Background(), "soon", soon); err != nil {
		t.Fatal(err)
	}
	heard.wait(store.Event{Kind: store.Changed, Key: "soon"})
	if n := number(t, at(t, server.Addr), "DBSIZE"); n != 0 {
		t.Errorf("the server still has %d keys", n)
	}
}

func TestSentinelFailsOver(t *testing.T) {
	master, _, sentinel := servers.RedisSentinel(t)
	o := quick(sentinel.Addr)
	o.Master = "main"
	s := open(t, o)
	heard := listen(t, s)
	heard.waitKind(store.Linked)
	eventually(t, "it works", func() bool { return works(s) })
	master.Kill()
	heard.waitKind(store.Lost)
	// The Sentinel has to notice, and to persuade itself.
	eventually(t, "it works after the failover", func() bool { return works(s) })
	heard.waitKind(store.Linked)
}

func TestAMasterOfAClusterGoesAndComesBack(t *testing.T) {
	nodes := servers.RedisCluster(t, 3)
	s := open(t, quick(nodes[0].Addr))
	heard := listen(t, s)
	heard.waitKind(store.Linked)
	nodes[1].Kill()
	heard.waitKind(store.Lost)
	failed := 0
	for i := range 30 {
		err := s.Set(context.Background(), fmt.Sprint(i), store.Item{})
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("a master is gone: %v, want ErrUnavailable", err)
		}
		if err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("nothing failed")
	}
	nodes[1].Start()
	eventually(t, "all slots work", func() bool {
		for i := range 30 {
			if s.Set(context.Background(), fmt.Sprint(i), store.Item{}) != nil {
				return false
			}
		}
		return true
	})
	heard.waitKind(store.Linked)
}
