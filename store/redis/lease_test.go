// lease_test.go tests leases where the suite does not reach: holders that die, and races.

package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

func TestTheLeaseOfADeadHolderIsFreeInTime(t *testing.T) {
	const late = 300 * time.Millisecond
	var best time.Duration
	for range attempts {
		if best = freed(t); best <= late {
			return
		}
	}
	t.Errorf("the lease was free %v after its time, want at most %v", best, late)
}

// attempts is how often a time is measured that must not be longer than something: a busy machine
// can only make it longer, so one good attempt is enough.
const attempts = 3

// freed lets a holder lose its server, and returns how long after the lease's time another one has
// got the lease.
func freed(t *testing.T) time.Duration {
	t.Helper()
	server := servers.Redis(t)
	proxy := servers.NewProxy(t, server.Addr)
	near, far := calm(server.Addr), calm(proxy.Addr)
	near.LeaseTime, far.LeaseTime = time.Second, time.Second
	dies, waits := open(t, far), open(t, near)
	ctx := context.Background()
	began := time.Now()
	held, err := dies.TryLease(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	proxy.Cut() // it may have been renewed until then
	cut := time.Now()
	l, err := store.TakeLease(ctx, waits, "k")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Since(cut) - near.LeaseTime
	if took := time.Since(began); took < near.LeaseTime {
		t.Errorf("it was taken from its holder after %v", took)
	}
	proxy.Restore()
	eventually(t, "the dead one is back", func() bool { return works(dies) })
	if err := held.Set(ctx, store.Item{Value: []byte("old")}); !errors.Is(err, store.ErrVoid) {
		t.Errorf("Set by the lost lease: %v, want ErrVoid", err)
	}
	held.Release()
	if err := l.Set(ctx, store.Item{Value: []byte("new")}); err != nil {
		t.Errorf("Set by the one after it: %v", err)
	}
	return late
}

// TestALeaseIsRenewedWhileItIsHeld has a lease that is long enough for a busy machine to renew it,
// and waits for longer. Without a link, AwaitLease would not wait.
func TestALeaseIsRenewedWhileItIsHeld(t *testing.T) {
	o := calm(servers.Redis(t).Addr)
	o.LeaseTime = 4 * time.Second
	a, b := open(t, o), open(t, o)
	listen(t, b).waitKind(store.Linked)
	ctx := context.Background()
	l, err := a.TryLease(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, o.LeaseTime*5/4)
	defer cancel()
	if err := b.AwaitLease(short, "k"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("AwaitLease while another holds the lease: %v", err)
	}
	if _, err := b.TryLease(ctx, "k"); !errors.Is(err, store.ErrLeased) {
		t.Fatalf("TryLease while another holds the lease: %v", err)
	}
	if err := l.Set(ctx, store.Item{}); err != nil {
		t.Errorf("Set after more than the lease's time: %v", err)
	}
}

func TestWaitersAreWokenByEvents(t *testing.T) {
	for name, mode := range map[string]redis.Invalidation{
		"tracking": redis.Tracking, "channel": redis.Channel,
	} {
		t.Run(name, func(t *testing.T) {
			o := calm(servers.Redis(t).Addr)
			o.Invalidation, o.LeaseTime = mode, 2*patience // longer than what wakes may take
			a, b := open(t, o), open(t, o)
			heard := listen(t, b)
			heard.waitKind(store.Linked)
			ctx := context.Background()
			for what, end := range map[string]func(store.Lease) error{
				"release": func(l store.Lease) error { l.Release(); return nil },
				"set":     func(l store.Lease) error { return l.Set(ctx, store.Item{}) },
				"delete":  func(store.Lease) error { return a.Delete(ctx, "k") },
			} {
				l, err := a.TryLease(ctx, "k")
				if err != nil {
					t.Fatal(err)
				}
				woken := make(chan time.Time)
				go func() {
					b.AwaitLease(ctx, "k")
					woken <- time.Now()
				}()
				select {
				case <-woken:
					t.Fatalf("%s: woken too early", what)
				case <-time.After(100 * time.Millisecond):
				}
				began := time.Now()
				if err := end(l); err != nil {
					t.Fatal(err)
				}
				if took := (<-woken).Sub(began); took > patience {
					t.Errorf("%s: woken after %v", what, took)
				}
			}
		})
	}
}

func TestTokensGrow(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, calm(server.Addr))
	c := at(t, server.Addr)
	var last uint64
	check := func() {
		l, err := s.TryLease(context.Background(), "k")
		if err != nil {
			t.Fatal(err)
		}
		if l.Token() <= last {
			t.Fatalf("token %d after %d", l.Token(), last)
		}
		last = l.Token()
		l.Release()
	}
	for range 500 {
		check()
	}
	do(t, c, "SET", "larder:n:{k}", fmt.Sprint(last+3_000_000)) // as if the clock had been set back
	last += 3_000_000
	for range 10 {
		check()
	}
	do(t, c, "DEL", "larder:l:{k}") // what a lease's end leaves
	check()
	do(t, c, "DEL", "larder:n:{k}")
	do(t, c, "LPUSH", "larder:n:{k}", "somebody else's")
	last -= 3_000_000
	if _, err := s.TryLease(context.Background(), "k"); err != nil {
		t.Errorf("over a list: %v", err)
	}
}

// TestALeaseIsVoidAfterAnyChange plays 10,000 rounds: somebody changes the key in every way, or
// does not, or does it at the same moment.
func TestALeaseIsVoidAfterAnyChange(t *testing.T) {
	o := calm(servers.Redis(t).Addr)
	o.LeaseTime = patience
	a, b := open(t, o), open(t, o)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	for g := range 20 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for round := range 500 {
				err := voidRound(a, b, r, fmt.Sprint("key", g), fmt.Sprint("tag", g))
				if err != nil {
					t.Errorf("round %d: %v", round, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func voidRound(a, b *redis.Store, r *rand.Rand, key, tag string) error {
	ctx := context.Background()
	l, err := a.TryLease(ctx, key)
	if err != nil {
		return err
	}
	defer l.Release()
	newer := store.Item{Value: []byte("new"), Tags: []string{tag}}
	changes := []func() error{
		func() error { return b.Set(ctx, key, newer) },
		func() error { return b.Delete(ctx, key) },
		func() error { return b.DeleteTag(ctx, tag) },
		func() error { return b.SetMany(ctx, map[string]store.Item{key: newer}) },
		nil,
	}
	change := changes[r.IntN(len(changes))]
	set := func() error {
		return l.Set(ctx, store.Item{Value: []byte("old"), Tags: []string{tag}})
	}
	if change == nil {
		return set()
	}
	if r.IntN(2) == 0 {
		if err := change(); err != nil {
			return err
		}
		if err := set(); !errors.Is(err, store.ErrVoid) {
			return fmt.Errorf("Set after a change: %w, want ErrVoid", err)
		}
	} else {
		changed := make(chan error, 1)
		go func() { changed <- change() }()
		if err := set(); err != nil && !errors.Is(err, store.ErrVoid) {
			return err
		}
		if err := <-changed; err != nil {
			return err
		}
	}
	if item, err := b.Get(ctx, key); err == nil && string(item.Value) == "old" {
		return fmt.Errorf("the old value is there after a change that came later")
	}
	return nil
}

func TestRedlockNeedsMoreThanHalf(t *testing.T) {
	var all []*servers.Server
	var mine, theirs []*redis.Store
	for range 3 {
		server := servers.Redis(t)
		all = append(all, server)
		o := calm(server.Addr)
		o.LeaseTime = 3 * time.Second // after which it is not valid any more
		mine, theirs = append(mine, open(t, o)), append(theirs, open(t, o))
	}
	a := redis.NewRedlock(mine, redis.RedlockOptions{})
	b := redis.NewRedlock(theirs, redis.RedlockOptions{})
	ctx := context.Background()
	l := redlock(t, a)
	if _, err := b.TryLease(ctx, "k"); !errors.Is(err, store.ErrLeased) {
		t.Errorf("a second lease: %v, want ErrLeased", err)
	}
	if err := l.Set(ctx, store.Item{}); !errors.Is(err, errors.ErrUnsupported) || l.Token() != 0 {
		t.Errorf("Set: %v, want ErrUnsupported", err)
	}
	all[0].Kill()
	if !l.Valid() {
		t.Error("it is not valid with two of three servers")
	}
	taken := make(chan error, 1)
	go func() {
		next, err := store.TakeLease(ctx, leaserOnly{Leaser: b}, "k")
		if err == nil {
			next.Release()
		}
		taken <- err
	}()
	l.Release()
	if err := <-taken; err != nil || l.Valid() {
		t.Errorf("after Release: %v, valid %v", err, l.Valid())
	}
	l = redlock(t, a)
	all[1].Kill()
	eventually(t, "the lease is not valid", func() bool { return !l.Valid() })
	l.Release()
	if _, err := b.TryLease(ctx, "k"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("with one of three servers: %v, want ErrUnavailable", err)
	}
}

// leaserOnly makes a store of a Leaser.
type leaserOnly struct {
	store.Store
	store.Leaser
}

func redlock(t *testing.T, r *redis.Redlock) *redis.RedlockLease {
	t.Helper()
	l, err := r.TryLease(context.Background(), "k")
	if err != nil {
		t.Fatal(err)
	}
	held := l.(*redis.RedlockLease)
	if !held.Valid() {
		t.Fatal("a new lease is not valid")
	}
	return held
}
