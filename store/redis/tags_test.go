// tags_test.go tests that what a tag's deletion should reach does not come back.

package redis_test

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
)

func tagged(value string, created time.Time, tags ...string) store.Item {
	return store.Item{Value: []byte(value), Created: created, Tags: tags}
}

func TestWhatWasLoadedBeforeATagWasDeletedStaysGone(t *testing.T) {
	server := servers.Redis(t)
	a, b := open(t, calm(server.Addr)), open(t, calm(server.Addr))
	ctx := context.Background()
	for i := range 200 {
		key, tag := fmt.Sprint("key", i), fmt.Sprint("tag", i%7)
		began := time.Now()
		if err := b.DeleteTag(ctx, tag); err != nil {
			t.Fatal(err)
		}
		if err := a.Set(ctx, key, tagged("old", began, "other", tag)); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Get(ctx, key); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("round %d: loaded before, set after: %v", i, err)
		}
		if err := b.Set(ctx, key, tagged("new", time.Time{}, "other", tag)); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Get(ctx, key); err != nil {
			t.Fatalf("round %d: loaded after by the one who deleted: %v", i, err)
		}
	}
}

// TestATagDeletedAmongManyWritersIsGone has an origin whose value grows. Who sees an item whose
// value is older than the origin was when a finished DeleteTag began, sees what was deleted.
func TestATagDeletedAmongManyWritersIsGone(t *testing.T) {
	server := servers.Redis(t)
	var origin atomic.Int64
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range 8 {
		s := open(t, calm(server.Addr))
		wg.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				value := fmt.Sprint(origin.Load())
				s.Set(ctx, "k", tagged(value, began, "t"))
			}
		})
	}
	s := open(t, calm(server.Addr))
	rounds, hits := 0, 0
	for ctx.Err() == nil {
		want := origin.Add(1)
		if s.DeleteTag(ctx, "t") != nil {
			break
		}
		for range 5 {
			item, err := s.Get(ctx, "k")
			var got int64
			fmt.Sscan(string(item.Value), &got)
			if err == nil && got < want {
				t.Fatalf("round %d: got %d after the tag was deleted at %d", rounds, got, want)
			}
			if err == nil {
				hits++
			}
		}
		rounds++
	}
	wg.Wait()
	t.Logf("%d rounds, %d hits", rounds, hits)
}

func TestALostMarkIsADeletedTag(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, calm(server.Addr))
	c := at(t, server.Addr)
	ctx := context.Background()
	for _, spoil := range [][]string{
		{"DEL", "larder:t:{t}"}, {"SET", "larder:t:{t}", "x"}, {"SET", "larder:t:{t}", ""},
		{"SET", "larder:t:{t}", "12345678999999999999999999999999999"},
	} {
		if err := s.Set(ctx, "k", tagged("v", time.Time{}, "t")); err != nil {
			t.Fatalf("before %q: %v", spoil, err)
		}
		if _, err := s.Get(ctx, "k"); err != nil {
			t.Fatalf("before %q: %v", spoil, err)
		}
		do(t, c, spoil...)
		if _, err := s.Get(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after %q: %v, want ErrNotFound", spoil, err)
		}
		if err := s.Set(ctx, "other", tagged("v", time.Time{}, "t")); err != nil {
			t.Fatalf("after %q: %v", spoil, err)
		}
		if _, err := s.Get(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after %q and another Set: %v, want ErrNotFound", spoil, err)
		}
	}
	do(t, c, "DEL", "larder:t:{t}")
	do(t, c, "LPUSH", "larder:t:{t}", "a list")
	if err := s.DeleteTag(ctx, "t"); err != nil {
		t.Errorf("DeleteTag over a list: %v", err)
	}
}

func TestAMarkOutlivesItsItems(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, calm(server.Addr))
	c := at(t, server.Addr)
	ctx := context.Background()
	for _, life := range []time.Duration{time.Minute, 100 * time.Hour, 10 * time.Second} {
		item := tagged("v", time.Time{}, "t")
		item.GoneAfter = time.Now().Add(life)
		if err := s.Set(ctx, "k", item); err != nil {
			t.Fatal(err)
		}
		value := number(t, c, "PTTL", "larder:v:{k}")
		mark := number(t, c, "PTTL", "larder:t:{t}")
		if value <= 0 || mark <= value {
			t.Errorf("item for %v: %d ms, its mark %d ms", life, value, mark)
		}
	}
	if err := s.Set(ctx, "k", tagged("v", time.Time{}, "t")); err != nil {
		t.Fatal(err)
	}
	if mark := number(t, c, "PTTL", "larder:t:{t}"); mark != -1 {
		t.Errorf("the mark of an item for ever has %d ms", mark)
	}
	if err := s.DeleteTag(ctx, "t"); err != nil {
		t.Fatal(err)
	}
	if mark := number(t, c, "PTTL", "larder:t:{t}"); mark < 3600_000 {
		t.Errorf("a deleted mark has %d ms", mark)
	}
}
