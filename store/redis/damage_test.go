// damage_test.go puts into the server what no store would.

package redis_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
	"github.com/redis/rueidis"
)

func TestDamageIsCountedAsAMiss(t *testing.T) {
	server := servers.Redis(t)
	s := open(t, calm(server.Addr))
	c := at(t, server.Addr)
	good := string(store.AppendItem(nil, "k", store.Item{Value: []byte("value")}))
	elsewhere := string(store.AppendItem(nil, "other", store.Item{Value: []byte("value")}))
	noGeneration := string(store.AppendItem(nil, "k", store.Item{Tags: []string{"short"}}))
	for i, spoil := range [][]string{
		{"SET", "larder:v:{k}", ""}, {"SET", "larder:v:{k}", "hello"},
		{"SET", "larder:v:{k}", good[:len(good)-1]}, {"SET", "larder:v:{k}", good + "x"},
		{"SET", "larder:v:{k}", elsewhere}, {"SET", "larder:v:{k}", noGeneration},
		{"LPUSH", "larder:v:{k}", "a list"},
	} {
		do(t, c, "DEL", "larder:v:{k}")
		do(t, c, spoil...)
		before := s.Stats().Damaged
		_, err := s.Get(context.Background(), "k")
		if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%d: Get: %v, want ErrNotFound and ErrDamaged", i, err)
		}
		if n := s.Stats().Damaged - before; n != 1 {
			t.Errorf("%d: %d counted as damaged, want 1", i, n)
		}
		items, err := s.GetMany(context.Background(), []string{"k"})
		if len(items) != 0 || err != nil {
			t.Errorf("%d: GetMany: %d items, %v", i, len(items), err)
		}
		for info, err := range s.List(context.Background(), "") {
			t.Errorf("%d: List: %q, %v", i, info.Key, err)
		}
		if !works(s) {
			t.Fatalf("%d: it does not work any more", i)
		}
		if err := s.Delete(context.Background(), "works"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set(context.Background(), "k", store.Item{}); err != nil {
		t.Errorf("Set over a list: %v", err)
	}
}

func TestClearTouchesItsPrefixAlone(t *testing.T) {
	server := servers.Redis(t)
	c := at(t, server.Addr)
	o := calm(server.Addr)
	s := open(t, o)
	o.Prefix = "larder:v:" // as near as one can come
	near := open(t, o)
	o.Prefix = "*" // a pattern, if one does not look
	star := open(t, o)
	do(t, c, "SET", "foreign", "1")
	for _, each := range []*redis.Store{s, near, star} {
		if err := each.Set(context.Background(), "k", store.Item{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := star.Clear(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := number(t, c, "DBSIZE"); n != 3 {
		t.Errorf("%d keys are left, want 3", n)
	}
	if _, err := s.Get(context.Background(), "k"); err != nil {
		t.Errorf("the item of another prefix: %v", err)
	}
}

// FuzzGet has any bytes stand in the server. Whatever they are, an item that is found is one that
// could have been set.
func FuzzGet(f *testing.F) {
	server := servers.Redis(f)
	s := open(f, redis.Options{Addrs: []string{server.Addr}})
	c := at(f, server.Addr)
	now := time.Now()
	for _, item := range []store.Item{
		{}, {Value: []byte("v"), Tags: []string{"tag" + "12345678"}},
		{Created: now, GoneAfter: now.Add(time.Hour), Validators: store.Validators{ETag: "x"}},
	} {
		f.Add(store.AppendItem(nil, "k", item), []byte("123456781"))
	}
	f.Add([]byte("LDR"), []byte(nil))
	f.Fuzz(func(t *testing.T, raw, mark []byte) {
		do(t, c, "SET", "larder:v:{k}", rueidis.BinaryString(slices.Clone(raw)))
		do(t, c, "SET", "larder:t:{tag}", rueidis.BinaryString(slices.Clone(mark)))
		item, err := s.Get(context.Background(), "k")
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("Get: %v", err)
			}
			return
		}
		want, err := store.ParseItem(raw, "k")
		if err != nil || len(want.Value) != len(item.Value) {
			t.Fatalf("got an item that is none: %v", err)
		}
		err = s.Set(context.Background(), "k", store.Item{Tags: []string{"tag"}})
		if err != nil {
			t.Fatalf("Set: %v", err)
		}
	})
}
