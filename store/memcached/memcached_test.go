// memcached_test.go runs the acceptance suites on a real server, and what they do not say.

package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"go.uber.org/goleak"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
	"github.com/larder-go/larder/store/memcached"
	"github.com/larder-go/larder/store/storetest"
)

// open returns a store on addr that is closed at the end.
func open(t testing.TB, addr string, o memcached.Options) *memcached.Store {
	t.Helper()
	o.Addr = addr
	s, err := memcached.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fresh returns a prefix that no other test on the server has.
func fresh() func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("test%d:", n)
	}
}

func TestMemcached(t *testing.T) {
	server, prefix := servers.Memcached(t), fresh()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, server.Addr, memcached.Options{Prefix: prefix()})
	})
}

func TestMemcachedShared(t *testing.T) {
	server, prefix := servers.Memcached(t), fresh()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	storetest.RunShared(t, func(t *testing.T) (a, b store.Store) {
		o := memcached.Options{Prefix: prefix()}
		return open(t, server.Addr, o), open(t, server.Addr, o)
	})
}

func TestRingOfThree(t *testing.T) {
	var addrs []string
	for range 3 {
		addrs = append(addrs, servers.Memcached(t).Addr)
	}
	prefix := fresh()
	storetest.Run(t, func(t *testing.T) store.Store {
		r, err := memcached.OpenRing(addrs, memcached.Options{Prefix: prefix()})
		if err != nil {
			t.Fatal(err)
		}
		return r
	})
}

func TestDiskInFrontOfMemcached(t *testing.T) {
	server, prefix := servers.Memcached(t), fresh()
	storetest.Run(t, func(t *testing.T) store.Store {
		near, err := disk.Open(t.TempDir(), disk.Options{MaxBytes: 64 << 20})
		if err != nil {
			t.Fatal(err)
		}
		far := open(t, server.Addr, memcached.Options{Prefix: prefix()})
		return store.NewTiered(near, store.NewGuard(far, store.GuardOptions{Timeout: time.Second}))
	})
}

func set(t testing.TB, s store.Store, key string, item store.Item) {
	t.Helper()
	if err := s.Set(context.Background(), key, item); err != nil {
		t.Fatalf("Set(%q): %v", key, err)
	}
}

func wantValue(t testing.TB, s store.Store, key, want string) {
	t.Helper()
	item, err := s.Get(context.Background(), key)
	if err != nil || string(item.Value) != want {
		t.Fatalf("Get(%q) = %.40q, %v; want %.40q", key, item.Value, err, want)
	}
}

func wantAbsent(t testing.TB, s store.Store, key string) {
	t.Helper()
	if _, err := s.Get(context.Background(), key); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get(%q): %v, want ErrNotFound", key, err)
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestOpenRefusesBadOptions(t *testing.T) {
	for _, o := range []memcached.Options{
		{Prefix: "with space"}, {Prefix: strings.Repeat("x", 181)}, {Prefix: "ä"},
		{Timeout: -1}, {MaxIdle: -1}, {MaxValue: -1}, {LeaseLimit: -1}, {LeaseLimit: 1},
	} {
		if s, err := memcached.Open(o); err == nil {
			s.Close()
			t.Errorf("Open(%+v) worked", o)
		}
	}
	for _, addrs := range [][]string{{"a:1", "a:1"}, {""}} {
		if _, err := memcached.OpenRing(addrs, memcached.Options{}); err == nil {
			t.Errorf("OpenRing(%q) worked", addrs)
		}
	}
}

func TestKeysThatMemcachedDoesNotTake(t *testing.T) {
	s := open(t, servers.Memcached(t).Addr, memcached.Options{Prefix: strings.Repeat("p", 180)})
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := []string{"a", "A", "a b", "a\r\nb", "ä", "\x00", "\x7f", strings.Repeat("k", 69),
		strings.Repeat("k", 70), strings.Repeat("k", 250), strings.Repeat("k", store.MaxKey)}
	for _, key := range keys {
		set(t, s, key, store.Item{Value: []byte(key), Tags: []string{key}})
	}
	got, err := s.GetMany(t.Context(), keys)
	if err != nil || len(got) != len(keys) {
		t.Errorf("GetMany: %d items, %v", len(got), err)
	}
	for _, key := range keys {
		wantValue(t, s, key, key)
		if err := s.DeleteTag(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		wantAbsent(t, s, key)
	}
}

func TestLargestValues(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{})
	const limit = 1<<20 - 1<<10 // as Options say
	long := strings.Repeat("k", 249)
	for _, n := range []int{limit - 100, limit - 50, limit - 24, limit - 23, limit, limit + 1} {
		err := s.Set(t.Context(), long, store.Item{Value: make([]byte, n)})
		if err != nil && !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("Set of %d bytes: %v", n, err)
		}
		if err != nil && n < limit-50 {
			t.Errorf("Set of %d bytes, of %d: %v", n, limit, err)
		}
		item, got := s.Get(t.Context(), long)
		if err == nil && (got != nil || len(item.Value) != n) {
			t.Errorf("Get of %d bytes = %d, %v", n, len(item.Value), got)
		}
	}
	careless := open(t, server.Addr, memcached.Options{MaxValue: 4 << 20})
	set(t, careless, "k", store.Item{Value: []byte("old")})
	err := careless.Set(t.Context(), "k", store.Item{Value: make([]byte, 2<<20)})
	if !errors.Is(err, store.ErrTooLarge) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("what only the server finds too large: %v", err)
	}
	if item, err := careless.Get(t.Context(), "k"); err == nil && string(item.Value) != "old" {
		t.Errorf("after it: %d bytes", len(item.Value))
	}
}

func TestFullServerThatMayNotEvictRefuses(t *testing.T) {
	server := servers.Memcached(t, "-M", "-m", "2")
	s := open(t, server.Addr, memcached.Options{})
	var refused error
	for i := range 200 {
		err := s.Set(t.Context(), fmt.Sprint(i), store.Item{Value: make([]byte, 100_000)})
		if err != nil {
			refused = err
		}
	}
	if !errors.Is(refused, store.ErrRefused) || errors.Is(refused, store.ErrUnavailable) {
		t.Errorf("a server that is full and may not evict: %v, want ErrRefused", refused)
	}
}

func TestItemsExpireToTheNanosecond(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{})
	for _, ttl := range []time.Duration{
		50 * time.Millisecond, time.Second, 1500 * time.Millisecond,
	} {
		key, gone := ttl.String(), time.Now().Add(ttl)
		set(t, s, key, store.Item{GoneAfter: gone})
		for {
			before := time.Now()
			_, err := s.Get(t.Context(), key)
			if err != nil {
				if !time.Now().After(gone) {
					t.Errorf("%v: gone %v early: %v", ttl, gone.Sub(before), err)
				}
				break
			}
			if before.After(gone) {
				t.Errorf("%v: served after it was gone", ttl)
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	for _, ttl := range []time.Duration{ // relative, absolute, more than the client can say
		29 * 24 * time.Hour, 31 * 24 * time.Hour, 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour,
	} {
		set(t, s, ttl.String(), store.Item{Value: []byte("v"), GoneAfter: time.Now().Add(ttl)})
		wantValue(t, s, ttl.String(), "v")
	}
}

// raw is a client that does what it likes to the server.
func raw(addr string) *memcache.Client { return memcache.New(addr) }

func TestDamageIsAMissAndCounted(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{})
	set(t, s, "k", store.Item{Value: []byte("value"), Tags: []string{"t"}})
	set(t, s, "other", store.Item{Value: []byte("value")})
	client := raw(server.Addr)
	whole, err := client.Get("ik")
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	spoil := func(what string, value []byte) {
		t.Helper()
		if err := client.Set(&memcache.Item{Key: "ik", Value: value}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Get(t.Context(), "k")
		if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: Get: %v, want ErrNotFound and ErrDamaged", what, err)
		}
		items, err := s.GetMany(t.Context(), []string{"k", "other"})
		if len(items) != 1 || err != nil {
			t.Errorf("%s: GetMany: %d items, %v", what, len(items), err)
		}
		if n += 2; s.Stats().Damaged != n {
			t.Errorf("%s: Damaged = %d, want %d", what, s.Stats().Damaged, n)
		}
	}
	spoil("nothing", nil)
	spoil("text", []byte("somebody else's value"))
	for i := range whole.Value {
		bad := slices.Clone(whole.Value)
		bad[i] ^= 1 << (i % 8)
		spoil(fmt.Sprint("byte ", i), bad)
		spoil(fmt.Sprint("cut at ", i), whole.Value[:i])
	}
	other, err := client.Get("iother")
	if err != nil {
		t.Fatal(err)
	}
	spoil("another key's item", other.Value)
	l, err := s.TryLease(t.Context(), "k") // damage does not keep a key from being loaded
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Set(t.Context(), store.Item{Value: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s, "k", "new")
}

func TestDamagedMarkIsAMissUntilTheTagIsUsedAgain(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{})
	set(t, s, "k", store.Item{Tags: []string{"t"}})
	for what, spoil := range map[string]func(c *memcache.Client) error{
		"evicted": func(c *memcache.Client) error { return c.Delete("tt") },
		"damaged": func(c *memcache.Client) error {
			return c.Set(&memcache.Item{Key: "tt", Value: []byte("x")})
		},
		"no counter": func(c *memcache.Client) error {
			return errors.Join(c.Delete("tt"), c.Delete("n"))
		},
	} {
		if err := spoil(raw(server.Addr)); err != nil {
			t.Fatal(err)
		}
		wantAbsent(t, s, "k")
		set(t, s, "k", store.Item{Value: []byte(what), Tags: []string{"t"}})
		wantValue(t, s, "k", what)
	}
}

// TestTagsUnderAStorm has many set and delete by tag. What was set before a DeleteTag began must
// not be seen after it.
func TestTagsUnderAStorm(t *testing.T) {
	s := open(t, servers.Memcached(t).Addr, memcached.Options{})
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			ctx, tag := context.Background(), fmt.Sprint("t", g%2)
			for i := range 100 {
				key := fmt.Sprint(g, "-", i)
				err := errors.Join(
					s.Set(ctx, key, store.Item{Tags: []string{tag, "all"}}),
					s.DeleteTag(ctx, []string{tag, "all"}[i%2]),
				)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := s.Get(ctx, key); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s outlived its tag: %v", key, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCallersLeaveAServerThatHangs(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{Timeout: 2 * time.Second})
	set(t, s, "k", store.Item{})
	stop(t, server, s)
	defer server.Continue()
	for name, ask := range map[string]func(ctx context.Context) error{
		"Get":    func(ctx context.Context) error { _, err := s.Get(ctx, "k"); return err },
		"Set":    func(ctx context.Context) error { return s.Set(ctx, "k", store.Item{}) },
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, "k") },
		"GetMany": func(ctx context.Context) error {
			_, err := s.GetMany(ctx, []string{"k"})
			return err
		},
		"TryLease": func(ctx context.Context) error {
			_, err := s.TryLease(ctx, "k")
			return err
		},
		"DeleteTag":  func(ctx context.Context) error { return s.DeleteTag(ctx, "t") },
		"AwaitLease": func(ctx context.Context) error { return s.AwaitLease(ctx, "k") },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		start := time.Now()
		err := ask(ctx)
		cancel()
		took := time.Since(start)
		if !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
}

func TestServerThatHangsDiesAndComesBack(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{Timeout: 100 * time.Millisecond})
	var wg sync.WaitGroup
	for i := range 20 { // many idle connections
		wg.Go(func() { set(t, s, fmt.Sprint(i), store.Item{Value: []byte("v")}) })
	}
	wg.Wait()
	stop(t, server, s)
	wantUnavailable(t, s)
	server.Continue()
	eventually(t, "it goes on", func() bool {
		_, err := s.Get(t.Context(), "0")
		return err == nil
	})
	server.Kill()
	wantUnavailable(t, s)
	server.Start()
	for i := range 20 { // no idle connection of before is met
		wantAbsent(t, s, fmt.Sprint(i))
		set(t, s, fmt.Sprint(i), store.Item{Value: []byte("v")})
	}
	server.Kill() // unseen, while connections idle
	server.Start()
	for i := range 20 {
		wantAbsent(t, s, fmt.Sprint(i))
	}
	if s.Stats().Retried == 0 {
		t.Error("nothing was tried again")
	}
}

// stop lets the server hang, and waits until all its threads do: the signal takes its time.
func stop(t *testing.T, server *servers.Server, s *memcached.Store) {
	t.Helper()
	server.Stop()
	eventually(t, "it hangs", func() bool {
		for range 8 { // threads, between which connections are shared out
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			err := s.Ping(ctx)
			cancel()
			if err == nil {
				return false
			}
		}
		return true
	})
}

func wantUnavailable(t *testing.T, s *memcached.Store) {
	t.Helper()
	ctx := t.Context()
	_, getErr := s.Get(ctx, "k")
	_, manyErr := s.GetMany(ctx, []string{"k"})
	_, leaseErr := s.TryLease(ctx, "k")
	for name, err := range map[string]error{
		"Get": getErr, "GetMany": manyErr, "TryLease": leaseErr, "Ping": s.Ping(ctx),
		"Set": s.Set(ctx, "k", store.Item{}), "Delete": s.Delete(ctx, "k"),
		"DeleteTag": s.DeleteTag(ctx, "t"), "AwaitLease": s.AwaitLease(ctx, "k"),
	} {
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
}

func TestRingLosesAServerAndGetsItBack(t *testing.T) {
	all := map[string]*servers.Server{}
	var addrs, keys []string
	for range 3 {
		s := servers.Memcached(t)
		all[s.Addr] = s
		addrs = append(addrs, s.Addr)
	}
	r, err := memcached.OpenRing(addrs, memcached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	on := map[string]int{}
	for i := range 300 {
		key := fmt.Sprint("key:", i)
		set(t, r, key, store.Item{Value: []byte(key)})
		keys = append(keys, key)
		on[r.Node(key)]++
	}
	dead := addrs[0]
	all[dead].Kill()
	for _, key := range keys {
		_, err := r.Get(t.Context(), key)
		if down := errors.Is(err, store.ErrUnavailable); down != (r.Node(key) == dead) ||
			down && !errors.Is(err, store.ErrNotFound) || !down && err != nil {
			t.Fatalf("Get(%q) of node %s: %v", key, r.Node(key), err)
		}
	}
	items, err := r.GetMany(t.Context(), keys)
	if err != nil || len(items) != len(keys)-on[dead] {
		t.Errorf("GetMany: %d items, %v; want %d", len(items), err, len(keys)-on[dead])
	}
	wantQuickMisses(t, r, keys, dead)
	all[dead].Start()
	eventually(t, "the node is used again", func() bool {
		done := true
		for _, key := range keys {
			done = r.Set(t.Context(), key, store.Item{Value: []byte(key)}) == nil && done
		}
		return done
	})
	for _, key := range keys {
		wantValue(t, r, key, key)
	}
}

// wantQuickMisses measures what a key of a dead node costs.
func wantQuickMisses(t *testing.T, r *store.Ring, keys []string, dead string) {
	t.Helper()
	var took []time.Duration
	for _, key := range keys {
		if r.Node(key) != dead {
			continue
		}
		start := time.Now()
		_, _ = r.Get(t.Context(), key)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	median := took[len(took)/2]
	t.Logf("a miss of a node that is down: %v", median)
	if median > 50*time.Microsecond {
		t.Errorf("a miss of a node that is down takes %v, want less than 50 µs", median)
	}
}

func BenchmarkGet(b *testing.B) {
	s := open(b, servers.Memcached(b).Addr, memcached.Options{})
	value := make([]byte, 1000)
	set(b, s, "plain", store.Item{Value: value})
	set(b, s, "tagged", store.Item{Value: value, Tags: []string{"t"}})
	ring := store.NewRing([]store.Node{{Name: "a", Store: s}}, store.RingOptions{})
	for _, c := range []struct {
		name  string
		store store.Store
		key   string
		ctx   context.Context
	}{
		{"background", s, "plain", context.Background()},
		{"deadline", s, "plain", b.Context()},
		{"tagged", s, "tagged", b.Context()},
		{"ring", ring, "plain", b.Context()},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.store.Get(c.ctx, c.key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
