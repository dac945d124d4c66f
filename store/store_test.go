// store_test.go runs the acceptance suite on the stores and views of this package.

package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

func newMemory(*testing.T) store.Store { return store.NewMemory(store.MemoryOptions{}) }

func TestMemory(t *testing.T) { storetest.Run(t, newMemory) }

func TestMemoryIsShared(t *testing.T) {
	storetest.RunShared(t, func(*testing.T) (a, b store.Store) {
		m := store.NewMemory(store.MemoryOptions{})
		return m, m.Share()
	})
	storetest.RunShared(t, func(*testing.T) (a, b store.Store) {
		m := store.NewMemory(store.MemoryOptions{})
		return store.NewPrefix(m, "p:"), store.NewPrefix(m.Share(), "p:")
	})
}

// In a bubble the clock stands still: it does not tell what came first.
func TestMemoryTellsWhichOfALeaseAndADeletedTagCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory(store.MemoryOptions{})
		item := store.Item{Value: []byte("x"), Tags: []string{"t"}}
		for _, c := range []struct {
			key, deletes string
			want         error
		}{
			{"before", "t", store.ErrVoid},
			{"after", "", nil},
			{"of another", "other", nil},
			{"before again", "t", store.ErrVoid},
		} {
			l, err := m.TryLease(t.Context(), c.key)
			if err != nil {
				t.Fatal(err)
			}
			if c.deletes != "" {
				m.Share().DeleteTag(t.Context(), c.deletes)
			}
			if err := l.Set(t.Context(), item); !errors.Is(err, c.want) {
				t.Errorf("%s: Set by the lease: %v, want %v", c.key, err, c.want)
			}
			_, err = m.Get(t.Context(), c.key)
			if there := err == nil; there != (c.want == nil) {
				t.Errorf("%s: after a Set by the lease the item is there: %v", c.key, there)
			}
		}
	})
}

func TestPrefix(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s := newMemory(t)
		other := store.NewPrefix(s, "other:")
		if err := other.Set(t.Context(), "a", store.Item{Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		return store.NewPrefix(s, "mine:")
	})
}

// plain hides what a store can do besides the interface.
type plain struct{ store.Store }

func TestStoreWithoutAbilities(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return plain{newMemory(t)} })
	storetest.Run(t, func(t *testing.T) store.Store {
		return store.NewPrefix(plain{newMemory(t)}, "p:")
	})
}

func TestMemoryNeverPassesItsBound(t *testing.T) {
	const entry = 256 + 4 + 1000 // as MemoryOptions says
	m := store.NewMemory(store.MemoryOptions{MaxBytes: 10 * entry})
	for i := range 20 {
		set(t, m, fmt.Sprintf("%04d", i), make([]byte, 1000))
		if i > 0 {
			if _, err := m.Get(t.Context(), "0000"); err != nil {
				t.Fatalf("after %d sets the most recently used item left: %v", i, err)
			}
		}
	}
	n := 0
	for range m.List(t.Context(), "") {
		n++
	}
	if n != 10 {
		t.Errorf("%d items of %d bytes in %d, want 10", n, entry, 10*entry)
	}
	err := m.Set(t.Context(), "0000", store.Item{Value: make([]byte, 10*entry)})
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("too large an item: %v", err)
	}
	if _, err := m.Get(t.Context(), "0000"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a failed Set left the old item: %v", err)
	}
}

func set(t *testing.T, s store.Store, key string, value []byte) {
	t.Helper()
	if err := s.Set(t.Context(), key, store.Item{Value: value}); err != nil {
		t.Fatal(err)
	}
}

func TestItemFreshness(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	for _, c := range []struct {
		name           string
		item           store.Item
		fresh, expired bool
	}{
		{"no limits", store.Item{}, true, false},
		{"fresh", store.Item{Created: at(-1), FreshUntil: at(1), GoneAfter: at(2)}, true, false},
		{"stale at the moment", store.Item{FreshUntil: now, GoneAfter: at(1)}, false, false},
		{"gone at the moment", store.Item{FreshUntil: at(5), GoneAfter: now}, false, true},
		{"made in the future", store.Item{Created: at(2 * store.Skew), FreshUntil: at(1e12)}, false, false},
		{"made in the future, dies", store.Item{Created: at(2 * store.Skew), GoneAfter: at(1e12)}, false, true},
		{"made a little later", store.Item{Created: at(store.Skew), FreshUntil: at(1e12)}, true, false},
	} {
		if f, e := c.item.Fresh(now), c.item.Expired(now); f != c.fresh || e != c.expired {
			t.Errorf("%s: fresh %v, expired %v; want %v, %v", c.name, f, e, c.fresh, c.expired)
		}
	}
}

func ExampleNewPrefix() {
	ctx := context.Background()
	s := store.NewMemory(store.MemoryOptions{})
	defer s.Close()
	users, pages := store.NewPrefix(s, "users:"), store.NewPrefix(s, "pages:")
	_ = users.Set(ctx, "1", store.Item{Value: []byte("Ada")})
	_ = pages.Set(ctx, "1", store.Item{Value: []byte("<h1>")})
	_ = pages.Clear(ctx)
	item, err := users.Get(ctx, "1")
	fmt.Println(string(item.Value), err)
	// Output: Ada <nil>
}
