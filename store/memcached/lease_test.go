// lease_test.go races for leases, and loses them.

package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/memcached"
)

// take returns the lease of key.
func take(t *testing.T, s store.Leaser, key string) store.Lease {
	t.Helper()
	l, err := s.TryLease(t.Context(), key)
	if err != nil {
		t.Fatalf("TryLease(%q): %v", key, err)
	}
	return l
}

func TestOldItemIsServedDuringALease(t *testing.T) {
	s := open(t, servers.Memcached(t).Addr, memcached.Options{})
	set(t, s, "k", store.Item{Value: []byte("old"), Tags: []string{"t"}})
	l := take(t, s, "k")
	wantValue(t, s, "k", "old")
	if items, err := s.GetMany(t.Context(), []string{"k"}); len(items) != 1 || err != nil {
		t.Errorf("GetMany: %v, %v", items, err)
	}
	if err := l.Set(t.Context(), store.Item{Value: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s, "k", "new")
	take(t, s, "k").Release()
	wantValue(t, s, "k", "new")
	take(t, s, "absent").Release()
	wantAbsent(t, s, "absent")
}

func TestLeaseOfAnItemWhoseTagIsDeletedIsVoid(t *testing.T) {
	s := open(t, servers.Memcached(t).Addr, memcached.Options{})
	set(t, s, "k", store.Item{Value: []byte("old"), Tags: []string{"t"}})
	l := take(t, s, "k")
	if err := s.DeleteTag(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, s, "k")
	err := l.Set(t.Context(), store.Item{Value: []byte("new")}) // without the tag
	if !errors.Is(err, store.ErrVoid) {
		t.Errorf("Set: %v, want ErrVoid", err)
	}
	wantAbsent(t, s, "k")
	take(t, s, "k").Release()
}

func TestTagThatWasDeletedBeforeTheLeaseDoesNotVoidIt(t *testing.T) {
	s := open(t, servers.Memcached(t).Addr, memcached.Options{})
	if err := s.DeleteTag(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	l := take(t, s, "k")
	item := store.Item{Value: []byte("v"), Tags: []string{"t", "never used"}}
	if err := l.Set(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s, "k", "v")
}

// silent takes a lease by a store that is closed at once, as if its process had died.
func silent(t *testing.T, addr, key string, limit time.Duration) store.Lease {
	t.Helper()
	s := open(t, addr, memcached.Options{LeaseLimit: limit})
	l := take(t, s, key)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLeaseEndsAtItsLimitWithItsProcess(t *testing.T) {
	const limit = 300 * time.Millisecond
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{})
	set(t, s, "stale", store.Item{Value: []byte("old")})
	for _, key := range []string{"absent", "stale"} {
		start := time.Now()
		silent(t, server.Addr, key, limit)
		if _, err := s.TryLease(t.Context(), key); !errors.Is(err, store.ErrLeased) {
			t.Errorf("%s: TryLease: %v, want ErrLeased", key, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		l, err := store.TakeLease(ctx, s, key)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < limit-50*time.Millisecond {
			t.Errorf("%s: the lease of the dead ended after %v, want %v", key, took, limit)
		}
		if err := l.Set(t.Context(), store.Item{Value: []byte("new")}); err != nil {
			t.Fatal(err)
		}
		wantValue(t, s, key, "new")
	}
}

func TestLeaseIsRenewedWhileItsProcessLives(t *testing.T) {
	const limit = 300 * time.Millisecond
	server := servers.Memcached(t)
	a := open(t, server.Addr, memcached.Options{LeaseLimit: limit})
	b := open(t, server.Addr, memcached.Options{LeaseLimit: limit})
	set(t, a, "stale", store.Item{Value: []byte("old")})
	leases := []store.Lease{take(t, a, "absent"), take(t, a, "stale")}
	ctx, cancel := context.WithTimeout(t.Context(), 4*limit)
	defer cancel()
	for _, key := range []string{"absent", "stale"} {
		if _, err := store.TakeLease(ctx, b, key); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: taken from its holder: %v", key, err)
		}
	}
	wantValue(t, b, "stale", "old")
	for _, l := range leases {
		if err := l.Set(t.Context(), store.Item{Value: []byte("new")}); err != nil {
			t.Error(err)
		}
	}
	wantValue(t, b, "stale", "new")
}

func TestLeaseThatWasOvertakenIsVoid(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{LeaseLimit: 300 * time.Millisecond})
	first := take(t, s, "k")
	if err := s.Delete(t.Context(), "k"); err != nil { // which frees it
		t.Fatal(err)
	}
	second := take(t, s, "k")
	if second.Token() <= first.Token() {
		t.Errorf("tokens %d, then %d", first.Token(), second.Token())
	}
	if err := first.Set(t.Context(), store.Item{}); !errors.Is(err, store.ErrVoid) {
		t.Errorf("Set by who was overtaken: %v, want ErrVoid", err)
	}
	first.Release()
	if _, err := s.TryLease(t.Context(), "k"); !errors.Is(err, store.ErrLeased) {
		t.Errorf("who was overtaken has released the other's lease: %v", err)
	}
	if err := second.Set(t.Context(), store.Item{Value: []byte("v")}); err != nil {
		t.Error(err)
	}
	if err := second.Set(t.Context(), store.Item{}); !errors.Is(err, store.ErrVoid) {
		t.Errorf("Set a second time: %v, want ErrVoid", err)
	}
	wantValue(t, s, "k", "v")
}

func TestTokensGrowOverARestart(t *testing.T) {
	server := servers.Memcached(t)
	s := open(t, server.Addr, memcached.Options{})
	last := take(t, s, "k").Token()
	for range 3 {
		server.Kill()
		server.Start()
		l := take(t, s, "k")
		if l.Token() <= last {
			t.Errorf("tokens %d, then %d", last, l.Token())
		}
		last = l.Token()
		l.Release()
	}
}

func TestLeaseSetThatIsTooLargeFreesTheKey(t *testing.T) {
	s := open(t, servers.Memcached(t).Addr, memcached.Options{MaxValue: 1000})
	full := store.Item{Value: make([]byte, 960)} // fits, but not together with a lease
	set(t, s, "k", full)
	l := take(t, s, "k")
	err := l.Set(t.Context(), store.Item{Value: make([]byte, 1001)})
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Set: %v, want ErrTooLarge", err)
	}
	l = take(t, s, "k")
	if err := l.Set(t.Context(), full); err != nil {
		t.Error(err)
	}
}

// TestLeasesAdmitOneAtATime has many increment a number, each under the lease. A Set that is not
// void has seen the number before it.
func TestLeasesAdmitOneAtATime(t *testing.T) {
	server := servers.Memcached(t)
	stores := []*memcached.Store{
		open(t, server.Addr, memcached.Options{}), open(t, server.Addr, memcached.Options{}),
	}
	var wg sync.WaitGroup
	var inside, sets atomic.Int64
	for g := range 8 {
		s := stores[g%2]
		wg.Go(func() {
			for range 10 {
				l, err := store.TakeLease(context.Background(), s, "k")
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two have the lease")
				}
				n := 0
				if item, err := s.Get(context.Background(), "k"); err == nil {
					_, _ = fmt.Sscan(string(item.Value), &n)
				}
				inside.Add(-1)
				err = l.Set(context.Background(), store.Item{Value: fmt.Append(nil, n+1)})
				if err != nil {
					t.Error(err)
				}
				sets.Add(1)
			}
		})
	}
	wg.Wait()
	wantValue(t, stores[0], "k", fmt.Sprint(sets.Load()))
}
