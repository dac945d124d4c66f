// tier_test.go tests the second level and the other nodes. The store is one in memory whose handles
// stand for processes; package store/redis does the same with real ones.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// fleet is nodes over one store and one origin.
type fleet struct {
	store *store.Memory
	nodes []*larder.Cache[string, string]
	slow  slow
}

// inFleet runs a test with n nodes in a bubble.
func inFleet(
	t *testing.T, n int, o larder.Options[string, string], test func(t *testing.T, f *fleet),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{store: store.NewMemory(store.MemoryOptions{})}
		f.slow.takes.Store(int64(time.Second))
		for range n {
			o.Name, o.Load, o.Store = "fleet", f.slow.load, f.store.Share()
			f.nodes = append(f.nodes, larder.New(o))
		}
		defer func() {
			for _, c := range f.nodes {
				c.Close()
			}
		}()
		test(t, f)
	})
}

// stored returns what the store has, by key.
func (f *fleet) stored() map[string]store.Item {
	items := map[string]store.Item{}
	for info := range f.store.List(ctx, "") {
		items[info.Key], _ = f.store.Get(ctx, info.Key)
	}
	return items
}

func TestAnotherNodeGetsWhatOneHasLoaded(t *testing.T) {
	inFleet(t, 2, larder.Options[string, string]{TTL: time.Minute}, func(t *testing.T, f *fleet) {
		wantGet(t, f.nodes[0], "k1", time.Second)
		wantGet(t, f.nodes[1], "k1", 0)
		for range 3 {
			wantGet(t, f.nodes[1], "k1", 0)
		}
		if s := f.nodes[1].Stats(); s.StoreHits != 1 || s.Hits != 3 || s.Loads != 0 {
			t.Errorf("%+v", s)
		}
		time.Sleep(time.Minute - time.Second)
		wantGet(t, f.nodes[1], "k1", 0)
		time.Sleep(time.Second)
		wantGet(t, f.nodes[1], "k2", time.Second) // the TTL counts from the load
	})
}

func TestOneLoadInTheFleet(t *testing.T) {
	inFleet(t, 4, larder.Options[string, string]{}, func(t *testing.T, f *fleet) {
		start := time.Now()
		var wg sync.WaitGroup
		for _, c := range f.nodes {
			for range 100 {
				wg.Go(func() { wantGet(t, c, "k1", time.Second) })
			}
		}
		wg.Wait()
		if f.slow.calls.Load() != 1 || time.Since(start) != time.Second {
			t.Errorf("%d loads in %v", f.slow.calls.Load(), time.Since(start))
		}
	})
}

func TestWhenALoadFailsAnotherNodeTries(t *testing.T) {
	inFleet(t, 2, larder.Options[string, string]{}, func(t *testing.T, f *fleet) {
		f.slow.fail(errOrigin)
		go func() {
			if _, err := f.nodes[0].Get(ctx, "k"); !errors.Is(err, errOrigin) {
				t.Errorf("the first: %v", err)
			}
			time.Sleep(time.Second / 2)
			f.slow.fail(nil) // before the second load ends
		}()
		time.Sleep(time.Second / 2)
		wantGet(t, f.nodes[1], "k2", time.Second*3/2)
	})
}

func TestWhatOneNodeChangesTheOthersForget(t *testing.T) {
	changes := map[string]func(c *larder.Cache[string, string]) (want string){
		"set": func(c *larder.Cache[string, string]) string { c.Set(ctx, "k", "new"); return "new" },
		"compute": func(c *larder.Cache[string, string]) string {
			c.Compute(ctx, "k", func(old string, _ bool) (string, larder.Op) { return old + "!", larder.Put })
			return "k1!"
		},
		"remove": func(c *larder.Cache[string, string]) string {
			c.Compute(ctx, "k", func(string, bool) (string, larder.Op) { return "", larder.Remove })
			return "k2"
		},
		"delete": func(c *larder.Cache[string, string]) string { c.Delete(ctx, "k"); return "k2" },
		"prefix": func(c *larder.Cache[string, string]) string { c.DeletePrefix(ctx, "k"); return "k2" },
		"clear":  func(c *larder.Cache[string, string]) string { c.Clear(ctx); return "k2" },
	}
	for name, change := range changes {
		inFleet(t, 3, larder.Options[string, string]{}, func(t *testing.T, f *fleet) {
			f.slow.takes.Store(0)
			for _, c := range f.nodes {
				wantGet(t, c, "k1", 0)
			}
			want := change(f.nodes[0])
			for _, c := range []int{1, 2, 0} {
				if v, err := f.nodes[c].Get(ctx, "k"); v != want || err != nil {
					t.Errorf("%s: node %d has %q, %v; want %q", name, c, v, err, want)
				}
			}
			if v, ok := f.nodes[0].Lookup("k"); v != want || !ok {
				t.Errorf("%s: the node itself has %q, %v in memory", name, v, ok)
			}
		})
	}
}

func TestTagsReachAllLevels(t *testing.T) {
	inFleet(t, 2, larder.Options[string, string]{}, func(t *testing.T, f *fleet) {
		a, b := f.nodes[0], f.nodes[1]
		if err := a.SetEntry(ctx, "k", larder.Entry[string]{Value: "v", Tags: []string{"t"}}); err != nil {
			t.Fatal(err)
		}
		wantGet(t, b, "v", 0)
		if err := b.DeleteTag(ctx, "t"); err != nil {
			t.Fatal(err)
		}
		if n := len(f.stored()); n != 0 || a.Len() != 0 || b.Len() != 0 {
			t.Errorf("%d in the store, %d and %d in memory", n, a.Len(), b.Len())
		}
	})
}

// TestALoadThatWasOvertakenIsNeverStored has one node load while another one changes the key.
func TestALoadThatWasOvertakenIsNeverStored(t *testing.T) {
	for name, change := range map[string]func(c *larder.Cache[string, string]){
		"set":    func(c *larder.Cache[string, string]) { c.Set(ctx, "k", "new") },
		"delete": func(c *larder.Cache[string, string]) { c.Delete(ctx, "k") },
	} {
		inFleet(t, 2, larder.Options[string, string]{}, func(t *testing.T, f *fleet) {
			go wantGet(t, f.nodes[0], "k1", time.Second)
			synctest.Wait()
			change(f.nodes[1])
			time.Sleep(time.Second)
			synctest.Wait()
			for key, item := range f.stored() {
				if strings.Contains(string(item.Value), "k1") {
					t.Errorf("%s: the store has %q: %q", name, key, item.Value)
				}
			}
			if v, ok := f.nodes[0].Lookup("k"); ok {
				t.Errorf("%s: memory has %q", name, v)
			}
		})
	}
}

// lean hides what a store can do besides the interface.
type lean struct{ store.Store }

// TestASetDuringALoadWinsInAStoreWithoutLeases has nothing but this process to know of it.
func TestASetDuringALoadWinsInAStoreWithoutLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory(store.MemoryOptions{})
		s := &slow{}
		s.takes.Store(int64(time.Second))
		c := larder.New(larder.Options[string, string]{Name: "lean", Store: lean{m}, Load: s.load})
		defer c.Close()
		go c.Get(ctx, "k")
		time.Sleep(time.Second / 2)
		c.Set(ctx, "k", "set")
		time.Sleep(time.Second)
		synctest.Wait()
		if item, _ := m.Get(ctx, keyIn(m)); !strings.HasSuffix(string(item.Value), "set") {
			t.Errorf("the store has %q", item.Value)
		}
		c.Delete(ctx, "k")
		wantGet(t, c, "k2", time.Second)
		if item, _ := m.Get(ctx, keyIn(m)); !strings.HasSuffix(string(item.Value), "k2") {
			t.Errorf("the store has %q", item.Value)
		}
	})
}

// TestLeasesOfOthersVoidNothingLess has others give the leases, as Redlock does.
func TestLeasesOfOthersVoidNothingLess(t *testing.T) {
	leases := store.NewMemory(store.MemoryOptions{})
	o := larder.Options[string, string]{Leases: leases}
	inFleet(t, 2, o, func(t *testing.T, f *fleet) {
		go f.nodes[0].Get(ctx, "k")
		time.Sleep(time.Second / 2)
		f.nodes[1].Delete(ctx, "k")
		time.Sleep(time.Second)
		synctest.Wait()
		if _, ok := f.nodes[0].Lookup("k"); ok || len(f.stored()) > 0 {
			t.Errorf("kept in memory: %v, in the store: %d", ok, len(f.stored()))
		}
		wantGet(t, f.nodes[0], "k2", time.Second)
		wantGet(t, f.nodes[1], "k2", 0)
	})
}

// TestADeadNodeOfARingLeavesTheOthersAlone has the cache's own guard around a ring.
func TestADeadNodeOfARingLeavesTheOthersAlone(t *testing.T) {
	dead := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{}))
	ring := store.NewRing([]store.Node{
		{Name: "a", Store: store.NewMemory(store.MemoryOptions{})},
		{Name: "b", Store: dead},
	}, store.RingOptions{})
	defer ring.Close()
	c := larder.New(larder.Options[int, string]{Name: "ring", Store: ring})
	defer c.Close()
	dead.Fail(fmt.Errorf("%w: on demand", store.ErrUnavailable))
	failed := 0
	for i := range 1000 {
		if c.Set(ctx, i, "v") != nil {
			failed++
		}
	}
	if failed < 400 || failed > 600 {
		t.Errorf("%d of 1000 Sets failed, half of the keys are on the node that is down", failed)
	}
}

// TestNoLoadOvertakesAnInvalidation changes a key at random moments of loads, ten thousand times: what
// is kept anywhere afterwards was loaded after the last change.
func TestNoLoadOvertakesAnInvalidation(t *testing.T) {
	const rounds = 10_000
	synctest.Test(t, func(t *testing.T) {
		var truth atomic.Int64
		shared := store.NewMemory(store.MemoryOptions{})
		var nodes [3]*larder.Cache[string, int64]
		for i := range nodes {
			nodes[i] = larder.New(larder.Options[string, int64]{
				Name: "n", Store: shared.Share(), MaxEntries: 64,
				Load: func(context.Context, string) (int64, error) {
					v := truth.Load()
					time.Sleep(time.Duration(v%7) * time.Millisecond)
					return v, nil
				}})
			defer nodes[i].Close()
		}
		for i := range rounds {
			var wg sync.WaitGroup
			for j, c := range nodes {
				wg.Go(func() {
					time.Sleep(time.Duration((i*j)%5) * time.Millisecond)
					c.Refresh(ctx, "k")
				})
			}
			time.Sleep(time.Duration(i%9) * time.Millisecond)
			now := truth.Add(1)
			if by := nodes[i%len(nodes)]; i%2 == 0 {
				by.Delete(ctx, "k")
			} else {
				by.Set(ctx, "k", now)
			}
			wg.Wait()
			for j, c := range nodes {
				if v, err := c.Get(ctx, "k"); v != now || err != nil {
					t.Fatalf("round %d: node %d has %d, %v; want %d", i, j, v, err, now)
				}
			}
		}
	})
}

func TestStaleFromTheStoreIsServedAndRefreshed(t *testing.T) {
	o := larder.Options[string, string]{TTL: time.Minute, Stale: time.Hour, StaleOnError: 2 * time.Hour}
	inFleet(t, 3, o, func(t *testing.T, f *fleet) {
		wantGet(t, f.nodes[0], "k1", time.Second)
		time.Sleep(time.Minute)
		wantGet(t, f.nodes[1], "k1", 0) // stale, from the store
		wantGet(t, f.nodes[1], "k1", 0) // from memory: refreshes behind
		wantGet(t, f.nodes[0], "k1", 0) // somebody else refreshes: nothing to do
		time.Sleep(time.Second)
		synctest.Wait()
		wantGet(t, f.nodes[0], "k2", 0)
		wantGet(t, f.nodes[1], "k2", 0)
		if got := f.slow.calls.Load(); got != 2 {
			t.Errorf("%d loads, want 2", got)
		}
		f.slow.fail(errOrigin)
		time.Sleep(time.Hour + time.Minute)
		wantGet(t, f.nodes[2], "k2", time.Second) // the store has it for errors
		wantGet(t, f.nodes[2], "k2", 0)
		time.Sleep(time.Hour)
		if v, err := f.nodes[2].Get(ctx, "k"); !errors.Is(err, errOrigin) {
			t.Errorf("after StaleOnError: %q, %v", v, err)
		}
	})
}

func TestNegativeAnswersAreShared(t *testing.T) {
	o := larder.Options[string, string]{NegativeTTL: time.Minute}
	inFleet(t, 2, o, func(t *testing.T, f *fleet) {
		f.slow.fail(larder.ErrNotFound)
		for _, c := range f.nodes {
			if v, err := c.Get(ctx, "k"); !errors.Is(err, larder.ErrNotFound) {
				t.Errorf("%q, %v", v, err)
			}
		}
		if got := f.slow.calls.Load(); got != 1 {
			t.Errorf("%d loads, want 1", got)
		}
		f.slow.fail(nil)
		time.Sleep(time.Minute)
		wantGet(t, f.nodes[1], "k2", time.Second)
	})
}

func TestGetManyReadsAllLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := store.NewMemory(store.MemoryOptions{})
		var asked []string
		o := larder.Options[int, string]{Name: "many", TTL: time.Hour, NegativeTTL: time.Hour,
			LoadMany: func(_ context.Context, keys []int) (map[int]string, error) {
				asked = append(asked, fmt.Sprint(keys))
				got := map[int]string{}
				for _, k := range keys {
					if k < 100 {
						got[k] = fmt.Sprint("v", k)
					}
				}
				return got, nil
			}}
		var nodes [2]*larder.Cache[int, string]
		for i := range nodes {
			o.Store = shared.Share()
			nodes[i] = larder.New(o)
			defer nodes[i].Close()
		}
		nodes[0].GetMany(ctx, []int{1, 2, 100})
		nodes[1].Get(ctx, 3)
		got, err := nodes[1].GetMany(ctx, []int{1, 2, 3, 4, 4, 5, 100, 101})
		want := map[int]string{1: "v1", 2: "v2", 3: "v3", 4: "v4", 5: "v5"}
		if !maps.Equal(got, want) || err != nil {
			t.Errorf("GetMany = %v, %v; want %v", got, err, want)
		}
		if got, want := strings.Join(asked, ""), "[1 2 100][3][4 5 101]"; got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
		if s := nodes[1].Stats(); s.StoreHits != 3 || s.StoreMisses != 4 {
			t.Errorf("%d hits and %d misses of the store, want 3, 4", s.StoreHits, s.StoreMisses)
		}
		got, _ = nodes[0].GetMany(ctx, []int{1, 2, 3, 4, 5, 100, 101})
		if !maps.Equal(got, want) || len(asked) != 3 {
			t.Errorf("GetMany = %v after %d loads", got, len(asked))
		}
	})
}

type user struct{ Name string }

type userWithAge struct {
	Name string
	Age  int
}

func TestAChangedStructIsAMiss(t *testing.T) {
	shared := store.NewMemory(store.MemoryOptions{})
	old := larder.New(larder.Options[int, user]{Name: "users", Store: shared.Share()})
	defer old.Close()
	old.Set(ctx, 1, user{"Ada"})
	same := larder.New(larder.Options[int, user]{Name: "users", Store: shared.Share()})
	defer same.Close()
	if u, err := same.Get(ctx, 1); u.Name != "Ada" || err != nil {
		t.Errorf("Get = %v, %v", u, err)
	}
	changed := larder.New(larder.Options[int, userWithAge]{Name: "users", Store: shared.Share()})
	defer changed.Close()
	version := larder.New(larder.Options[int, user]{Name: "users", Store: shared.Share(), Version: "2"})
	defer version.Close()
	if u, err := changed.Get(ctx, 1); !errors.Is(err, larder.ErrNotFound) {
		t.Errorf("a changed struct: %v, %v", u, err)
	}
	if u, err := version.Get(ctx, 1); !errors.Is(err, larder.ErrNotFound) {
		t.Errorf("another version: %v, %v", u, err)
	}
}

func TestDamagedBytesAreCountedMisses(t *testing.T) {
	inFleet(t, 1, larder.Options[string, string]{}, func(t *testing.T, f *fleet) {
		f.slow.takes.Store(0)
		wantGet(t, f.nodes[0], "k1", 0)
		var name string
		var good store.Item
		for name, good = range f.stored() {
		}
		damages := map[string][]byte{
			"nothing": {}, "a byte": {1}, "another version": append([]byte{9}, good.Value[1:]...),
			"another codec": []byte("\x01\x00\x00\x04jsonk1"), "a length": []byte("\x01\x00\x00\xff\xff\x01k1"),
		}
		for what, bytes := range damages {
			before := f.nodes[0].Stats()
			f.store.Set(ctx, name, store.Item{Value: bytes})
			calls := f.slow.calls.Load()
			if v, err := f.nodes[0].Get(ctx, "k"); v != fmt.Sprint("k", calls+1) || err != nil {
				t.Errorf("%s: Get = %q, %v", what, v, err)
			}
			if got := f.nodes[0].Stats().StoreDamaged; got == before.StoreDamaged {
				t.Errorf("%s: not counted", what)
			}
		}
	})
}

func TestKeysOfAllKinds(t *testing.T) {
	type pair struct {
		A string
		B int
	}
	type id uint16
	kinds(t, "a string", "another")
	kinds(t, -5, 17)
	kinds(t, id(7), id(8))
	kinds(t, pair{"a", 1}, pair{"a", 2})
	kinds(t, [2]int{1, 2}, [2]int{2, 1})
	kinds(t, 1.5, 2.5)
	kinds(t, time.Unix(1, 0).UTC(), time.Unix(2, 0).UTC())
	kinds(t, larder.Key{1}, larder.Key{2})
}

// kinds has two nodes share two keys and hear of changes.
func kinds[K comparable](t *testing.T, a, b K) {
	t.Helper()
	shared := store.NewMemory(store.MemoryOptions{})
	one := larder.New(larder.Options[K, string]{Name: "kinds", Store: shared.Share()})
	defer one.Close()
	two := larder.New(larder.Options[K, string]{Name: "kinds", Store: shared.Share()})
	defer two.Close()
	one.Set(ctx, a, "a")
	one.Set(ctx, b, "b")
	for k, want := range map[K]string{a: "a", b: "b"} {
		if v, err := two.Get(ctx, k); v != want || err != nil {
			t.Errorf("%T: Get(%v) = %q, %v; want %q", k, k, v, err, want)
		}
	}
	one.Set(ctx, a, "changed")
	if v, _ := two.Get(ctx, a); v != "changed" {
		t.Errorf("%T: a change of %v was not heard of: %q", a, a, v)
	}
	if v, ok := two.Lookup(b); v != "b" || !ok {
		t.Errorf("%T: %v was forgotten: %q", b, b, v)
	}
}

// link is a store whose events are sent by hand.
type link struct {
	*store.Memory
	hear func(store.Event)
}

func (l *link) Watch(hear func(store.Event)) (stop func()) {
	l.hear = hear
	return func() {}
}

func TestWhatWasKeptIsDistrustedWhenALinkIsLost(t *testing.T) {
	for _, onError := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			l := &link{Memory: store.NewMemory(store.MemoryOptions{})}
			s := &slow{}
			c := larder.New(larder.Options[string, string]{Name: "link", Store: l, Load: s.load,
				StaleOnError: onError, Stale: onError})
			defer c.Close()
			wantGet(t, c, "k1", 0)
			time.Sleep(time.Second) // nothing is heard yet: LostTTL
			if _, ok := c.Lookup("k"); ok {
				t.Error("kept for long before the link stood")
			}
			l.hear(store.Event{Kind: store.Linked})
			wantGet(t, c, "k1", 0) // from the store
			time.Sleep(time.Hour)
			if _, ok := c.Lookup("k"); !ok {
				t.Error("not kept while the link stands")
			}
			l.hear(store.Event{Kind: store.Lost})
			if v, ok := c.Lookup("k"); ok {
				t.Errorf("%q is served after the link was lost", v)
			}
			l.Memory.Delete(ctx, keyIn(l.Memory))
			s.fail(errOrigin)
			if v, err := c.Get(ctx, "k"); (err == nil) != (onError > 0) {
				t.Errorf("StaleOnError %v: %q, %v", onError, v, err)
			}
			s.fail(nil)
			time.Sleep(time.Second)
			if v, err := c.Get(ctx, "k"); v == "k1" || err != nil {
				t.Errorf("Get = %q, %v", v, err)
			}
			if _, ok := c.Lookup("k"); !ok {
				t.Error("nothing is kept while the link is lost")
			}
			l.hear(store.Event{Kind: store.Linked})
			if v, ok := c.Lookup("k"); ok {
				t.Errorf("%q of before the link came back is served", v)
			}
		})
	}
}

// keyIn returns the only key of a store.
func keyIn(s *store.Memory) (key string) {
	for info := range s.List(ctx, "") {
		key = info.Key
	}
	return key
}

func TestWhatChangesAtTheOriginIsForgottenInAllLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory(store.MemoryOptions{})
		origin := &link{}
		s := &slow{}
		reload := func(
			ctx context.Context, key string, _ larder.Entry[string],
		) (larder.Entry[string], error) {
			v, err := s.load(ctx, key)
			return larder.Entry[string]{Value: v, Tags: []string{"t"}}, err
		}
		c := larder.New(larder.Options[string, string]{
			Name: "origin", Store: m, Watch: origin, Reload: reload})
		defer c.Close()
		origin.hear(store.Event{Kind: store.Linked})
		for i, e := range []store.Event{
			{Kind: store.Changed, Key: "other"}, {Kind: store.Changed, Key: "k"},
			{Kind: store.TagDeleted, Tag: "t"}, {Kind: store.Cleared},
		} {
			before, _ := c.Get(ctx, "k")
			time.Sleep(time.Second) // a deletion of a tag counts for what is older
			origin.hear(e)
			synctest.Wait()
			if left := keyIn(m); (left == "") != (i > 0) {
				t.Errorf("%v: the store has %q", e, left)
			}
			if after, err := c.Get(ctx, "k"); (after == before) != (i == 0) || err != nil {
				t.Errorf("%v: Get = %q, %v; it was %q", e, after, err, before)
			}
		}
	})
}

// TestAStoreThatIsDownFailsNoGet also checks that what could not be deleted there is never read.
func TestAStoreThatIsDownFailsNoGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory(store.MemoryOptions{})
		b := storetest.NewFaulty(m)
		s := &slow{}
		c := larder.New(larder.Options[string, string]{Name: "down", Store: b, Load: s.load})
		defer c.Close()
		wantGet(t, c, "k1", 0)
		b.Fail(fmt.Errorf("%w: on demand", store.ErrUnavailable))
		wantGet(t, c, "k1", 0)
		if err := c.Delete(ctx, "k"); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Delete: %v", err)
		}
		wantGet(t, c, "k2", 0)
		c.Delete(ctx, "k")
		for range 20 {
			if _, err := c.GetMany(ctx, []string{"a", "b"}); err != nil {
				t.Error(err)
			}
			c.Delete(ctx, "a")
		}
		b.Heal()
		if v, _ := c.Get(ctx, "k"); v == "k1" {
			t.Error("what was deleted is back")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if items := (&fleet{store: m}).stored(); len(items) > 1 {
			t.Errorf("the store still has %v", items)
		}
		c.Delete(ctx, "k")
		calls := s.calls.Load()
		c.Get(ctx, "k")
		if got := len((&fleet{store: m}).stored()); got != 1 || s.calls.Load() != calls+1 {
			t.Errorf("%d items after %d loads: the store is not used again", got, s.calls.Load()-calls)
		}
	})
}

func TestACacheWithoutALoaderReadsItsStore(t *testing.T) {
	shared := store.NewMemory(store.MemoryOptions{})
	a := larder.New(larder.Options[int, []byte]{Name: "bytes", Store: shared.Share()})
	defer a.Close()
	b := larder.New(larder.Options[int, []byte]{Name: "bytes", Store: shared.Share()})
	defer b.Close()
	if _, err := b.Get(ctx, 1); !errors.Is(err, larder.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	a.Set(ctx, 1, []byte("one"))
	if v, err := b.Get(ctx, 1); string(v) != "one" || err != nil {
		t.Errorf("Get = %q, %v", v, err)
	}
	if got, err := b.GetMany(ctx, []int{1, 2}); string(got[1]) != "one" || len(got) != 1 || err != nil {
		t.Errorf("GetMany = %v, %v", got, err)
	}
}

func TestTheFencingTokenGrows(t *testing.T) {
	var tokens []uint64
	c := larder.New(larder.Options[int, int]{Name: "fence", TTL: time.Nanosecond,
		Store: store.NewMemory(store.MemoryOptions{}),
		Load: func(ctx context.Context, k int) (int, error) {
			tokens = append(tokens, larder.Fence(ctx))
			return k, nil
		}})
	defer c.Close()
	for range 3 {
		c.Get(ctx, 1)
		c.Delete(ctx, 1)
	}
	for i, token := range tokens {
		if token == 0 || i > 0 && token <= tokens[i-1] {
			t.Fatalf("tokens: %v", tokens)
		}
	}
}

func TestASetThatTheStoreRefusesIsInMemory(t *testing.T) {
	s := store.NewMemory(store.MemoryOptions{MaxBytes: 2000})
	c := larder.New(larder.Options[int, string]{Name: "large", Store: s})
	defer c.Close()
	c.Set(ctx, 1, "small")
	large := strings.Repeat("x", 4000)
	if err := c.Set(ctx, 1, large); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Set: %v, want ErrTooLarge", err)
	}
	if v, ok := c.Lookup(1); v != large || !ok {
		t.Errorf("memory has %d bytes, %v", len(v), ok)
	}
	if key := keyIn(s); key != "" {
		t.Errorf("the store still has %s", key)
	}
}
