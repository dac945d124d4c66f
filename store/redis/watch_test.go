// watch_test.go tests what is heard, and what is not.

package redis_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

var modes = map[string]redis.Invalidation{"tracking": redis.Tracking, "channel": redis.Channel}

func TestWhatAStoreDoesItselfIsNotHeard(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			o := calm(servers.Redis(t).Addr)
			o.Invalidation = mode
			s, other := open(t, o), open(t, o)
			heard := listen(t, s)
			heard.waitKind(store.Linked)
			ctx := context.Background()
			for i := range 50 {
				key := fmt.Sprint("mine", i)
				item := store.Item{Value: []byte("v"), GoneAfter: time.Now().Add(time.Hour)}
				if err := s.Set(ctx, key, item); err != nil {
					t.Fatal(err)
				}
				l, err := s.TryLease(ctx, key)
				if err != nil {
					t.Fatal(err)
				}
				if err := l.Set(ctx, item); err != nil {
					t.Fatal(err)
				}
				if i%2 == 0 {
					if err := s.Delete(ctx, key); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := other.Set(ctx, "theirs", store.Item{}); err != nil {
				t.Fatal(err)
			}
			for {
				e := <-heard.events
				if e.Key == "theirs" {
					break
				}
				t.Errorf("heard %v %q", e.Kind, e.Key)
			}
		})
	}
}

// TestOfTwoWhoWriteOneKeyTheFirstHears has each remember what it wrote last, until it hears that
// the key was changed. In the end nobody may remember anything else than what is there.
func TestOfTwoWhoWriteOneKeyTheFirstHears(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			o := calm(servers.Redis(t).Addr)
			o.Invalidation = mode
			var all []*rememberer
			for i := range 3 {
				all = append(all, newRememberer(t, open(t, o), fmt.Sprint(i)))
			}
			for round := range 60 {
				var wg sync.WaitGroup
				for _, r := range all {
					wg.Go(func() { r.write(t, round) })
				}
				wg.Wait()
				for _, r := range all {
					r.settle(t, all, round)
				}
				for _, r := range all {
					r.check(t, round)
				}
			}
		})
	}
}

type rememberer struct {
	s    *redis.Store
	name string

	mu   sync.Mutex
	what map[string]string
	seen map[string]bool
	wake chan struct{}
}

const fewKeys = 5

func newRememberer(t *testing.T, s *redis.Store, name string) *rememberer {
	r := &rememberer{
		s: s, name: name, what: map[string]string{}, seen: map[string]bool{},
		wake: make(chan struct{}, 1),
	}
	linked := make(chan struct{}, 1)
	t.Cleanup(s.Watch(func(e store.Event) {
		if e.Kind == store.Linked {
			linked <- struct{}{}
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.what, e.Key)
		r.seen[e.Key] = true
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}))
	<-linked
	return r
}

func (r *rememberer) write(t *testing.T, round int) {
	for i := range fewKeys * 4 {
		key, value := fmt.Sprint("key", i%fewKeys), fmt.Sprint(r.name, "-", round, "-", i)
		r.mu.Lock()
		r.what[key] = value
		r.mu.Unlock()
		if err := r.s.Set(context.Background(), key, store.Item{Value: []byte(value)}); err != nil {
			t.Error(err)
		}
	}
}

// settle waits until what all have written was told: each sets one more key of its own.
func (r *rememberer) settle(t *testing.T, all []*rememberer, round int) {
	t.Helper()
	mark := fmt.Sprint("mark", r.name, "-", round)
	if err := r.s.Set(context.Background(), mark, store.Item{}); err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if o != r {
			o.waitSeen(t, mark)
		}
	}
}

func (r *rememberer) waitSeen(t *testing.T, key string) {
	t.Helper()
	for late := time.After(patience); ; {
		r.mu.Lock()
		seen := r.seen[key]
		r.mu.Unlock()
		if seen {
			return
		}
		select {
		case <-r.wake:
		case <-late:
			t.Fatalf("%s never heard of %q", r.name, key)
		}
	}
}

func (r *rememberer) check(t *testing.T, round int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range fewKeys {
		key := fmt.Sprint("key", i)
		item, err := r.s.Get(context.Background(), key)
		if err != nil {
			t.Fatal(err)
		}
		if what, ok := r.what[key]; ok && what != string(item.Value) {
			t.Fatalf("round %d: %s remembers %q, there is %q", round, r.name, what, item.Value)
		}
	}
}

func TestOnlyDeletedTagsAreHeard(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			o := calm(servers.Redis(t).Addr)
			o.Invalidation = mode
			s, other := open(t, o), open(t, o)
			heard := listen(t, s)
			heard.waitKind(store.Linked)
			ctx := context.Background()
			for i := range 5 {
				item := tagged("v", time.Time{}, "tag")
				item.GoneAfter = time.Now().Add(time.Duration(i+1) * 100 * time.Hour)
				if err := other.Set(ctx, fmt.Sprint(i), item); err != nil {
					t.Fatal(err)
				}
				if e := <-heard.events; e.Kind != store.Changed {
					t.Errorf("heard %v %q of a Set", e.Kind, e.Tag)
				}
			}
			if err := other.DeleteTag(ctx, "tag"); err != nil {
				t.Fatal(err)
			}
			if e := <-heard.events; e != (store.Event{Kind: store.TagDeleted, Tag: "tag"}) {
				t.Errorf("heard %v %q", e.Kind, e.Tag)
			}
		})
	}
}

func TestKeysOfAnyBytesAreHeard(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			o := calm(servers.Redis(t).Addr)
			o.Invalidation = mode
			s, other := open(t, o), open(t, o)
			heard := listen(t, s)
			heard.waitKind(store.Linked)
			for _, key := range []string{
				"}", "}}{{", `\`, `\}`, "{", "{}", "\x00\r\n", "\xff",
				strings.Repeat("x", store.MaxKey),
			} {
				if err := other.Set(context.Background(), key, store.Item{}); err != nil {
					t.Fatal(err)
				}
				heard.wait(store.Event{Kind: store.Changed, Key: key})
			}
		})
	}
}

func TestASlowWatcherHearsClearedInsteadOfTooMuch(t *testing.T) {
	o := calm(servers.Redis(t).Addr)
	s, other := open(t, o), open(t, o)
	quickOne := listen(t, s)
	quickOne.waitKind(store.Linked)
	goOn, cleared := make(chan struct{}), make(chan struct{}, 1)
	stop := s.Watch(func(e store.Event) {
		<-goOn
		if e.Kind == store.Cleared {
			select {
			case cleared <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	items := map[string]store.Item{}
	for i := range 70_000 {
		items[fmt.Sprint(i)] = store.Item{}
	}
	if err := other.SetMany(context.Background(), items); err != nil {
		t.Fatal(err)
	}
	if err := other.Set(context.Background(), "last", store.Item{}); err != nil {
		t.Fatal(err)
	}
	quickOne.wait(store.Event{Kind: store.Changed, Key: "last"})
	close(goOn)
	select {
	case <-cleared:
	case <-time.After(patience):
		t.Error("it never heard Cleared")
	}
}
