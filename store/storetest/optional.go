// optional.go tests what only some stores can do.

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
)

// keys returns what s lists under prefix, sorted. It skips the test where s cannot list.
func keys(t *testing.T, s store.Store, prefix string) (all []string) {
	t.Helper()
	for info, err := range store.List(context.Background(), s, prefix) {
		skipUnsupported(t, err)
		if err != nil {
			t.Fatalf("List(%q): %v", prefix, err)
		}
		all = append(all, info.Key)
	}
	slices.Sort(all)
	return all
}

// skipUnsupported ends the test where the store does not have the ability.
func skipUnsupported(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the store says that it cannot do this: ", err)
	}
}

func list(t *testing.T, s store.Store) {
	now := time.Now()
	set(t, s, "a/1", store.Item{Value: pattern(1, 10), Tags: []string{"x"}})
	set(t, s, "a/2", store.Item{Value: pattern(2, 200<<10), FreshUntil: now.Add(time.Minute)})
	set(t, s, "b/1", store.Item{Value: pattern(3, 30)})
	set(t, s, "a/gone", store.Item{GoneAfter: now.Add(-time.Second)})
	for _, c := range []struct{ prefix, want string }{
		{"", "[a/1 a/2 b/1]"}, {"a/", "[a/1 a/2]"}, {"c", "[]"},
	} {
		if got := fmt.Sprint(keys(t, s, c.prefix)); got != c.want {
			t.Errorf("List(%q) = %s, want %s", c.prefix, got, c.want)
		}
	}
	for info := range store.List(context.Background(), s, "a/1") {
		if info.Size < 10 || fmt.Sprint(info.Tags) != "[x]" || info.Created.IsZero() {
			t.Errorf("info = %+v", info)
		}
	}
	for range store.List(context.Background(), s, "") { // a store may be changed meanwhile
		set(t, s, "c", store.Item{})
		break
	}
	if n, err := store.DeletePrefix(context.Background(), s, "a/"); n < 2 || n > 3 || err != nil {
		t.Errorf("DeletePrefix = %d, %v; want 2, or 3 with the expired one", n, err)
	}
	if got := fmt.Sprint(keys(t, s, "")); got != "[b/1 c]" {
		t.Errorf("after DeletePrefix: %s", got)
	}
}

func deleteTag(t *testing.T, s store.Store) {
	ctx := context.Background()
	skipUnsupported(t, store.DeleteTag(ctx, s, "nobody has it"))
	set(t, s, "both", store.Item{Value: []byte("1"), Tags: []string{"x", "y"}})
	set(t, s, "y", store.Item{Value: []byte("2"), Tags: []string{"y"}})
	set(t, s, "none", store.Item{Value: []byte("3")})
	set(t, s, "x", store.Item{Value: []byte("4"), Tags: []string{"xx"}}) // a key is not a tag
	if err := store.DeleteTag(ctx, s, "x"); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, s, "both")
	wantValue(t, s, "y", []byte("2"))
	wantValue(t, s, "none", []byte("3"))
	wantValue(t, s, "x", []byte("4"))
	set(t, s, "both", store.Item{Value: []byte("5"), Tags: []string{"x"}})
	wantValue(t, s, "both", []byte("5")) // set after the tag was deleted
	if err := store.DeleteTag(ctx, s, "x"); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, s, "both")
	if got := fmt.Sprint(keys(t, s, "")); got != "[none x y]" {
		t.Errorf("List = %s", got)
	}
}

func clearAll(t *testing.T, s store.Store) {
	for i := range 50 {
		set(t, s, fmt.Sprint(i), store.Item{Value: pattern(i, i*1000), Tags: []string{"t"}})
	}
	err := store.Clear(context.Background(), s)
	skipUnsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		wantAbsent(t, s, fmt.Sprint(i))
	}
	set(t, s, "k", store.Item{Value: []byte("v")})
	wantValue(t, s, "k", []byte("v"))
}

const streamLimit = 1 << 20

func stream(t *testing.T, s store.Store) {
	ctx := context.Background()
	for i, n := range []int{0, 1, 1000, 64 << 10, 64<<10 + 1, 200_000} {
		key, want := fmt.Sprint(n), pattern(i, n)
		w, err := store.Create(ctx, s, key, store.Item{Tags: []string{"t"}}, streamLimit)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range [][]byte{want[:n/3], want[n/3:]} {
			if _, err := w.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		wantAbsent(t, s, key)
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatalf("Close after Commit: %v", err)
		}
		wantValue(t, s, key, want)
		wantStream(t, s, key, want)
		set(t, s, key, store.Item{Value: []byte("short")})
		wantStream(t, s, key, []byte("short"))
	}
	if _, _, err := store.Open(ctx, s, "absent"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Open of an absent key: %v", err)
	}
}

func wantStream(t *testing.T, s store.Store, key string, want []byte) {
	t.Helper()
	item, r, err := store.Open(context.Background(), s, key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) || r.Size() != int64(len(want)) || item.Value != nil {
		t.Fatalf("Open(%q): %d bytes, size %d, %v; want %d bytes",
			key, len(got), r.Size(), err, len(want))
	}
}

func streamDropped(t *testing.T, s store.Store) {
	ctx := context.Background()
	for _, n := range []int{10, 200_000} {
		set(t, s, "k", store.Item{Value: []byte("old")})
		w, err := store.Create(ctx, s, "k", store.Item{}, streamLimit)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(pattern(n, n)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(); err == nil {
			t.Error("Commit after Close worked")
		}
		if _, err := w.Write([]byte("x")); err == nil {
			t.Error("Write after Close worked")
		}
		wantValue(t, s, "k", []byte("old"))
	}
}

func streamOutlives(t *testing.T, s store.Store) {
	ctx := context.Background()
	for _, n := range []int{100, 200_000} {
		want := pattern(n, n)
		set(t, s, "k", store.Item{Value: want})
		_, r, err := store.Open(ctx, s, "k")
		if err != nil {
			t.Fatal(err)
		}
		set(t, s, "k", store.Item{Value: []byte("new")})
		if err := s.Delete(ctx, "k"); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("after Delete an opened value of %d bytes gave %d, %v", n, len(got), err)
		}
		r.Close()
	}
}

func lease(t *testing.T, s store.Store) {
	ctx := context.Background()
	l, err := store.TryLease(ctx, s, "k")
	skipUnsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.TryLease(ctx, s, "k"); !errors.Is(err, store.ErrLeased) {
		t.Fatalf("second TryLease: %v, want ErrLeased", err)
	}
	other, err := store.TryLease(ctx, s, "other")
	if err != nil {
		t.Fatalf("another key: %v", err)
	}
	other.Release()
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := store.TakeLease(short, s, "k"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("TakeLease under a deadline: %v", err)
	}
	l.Release()
	l.Release()
	again, err := store.TryLease(ctx, s, strings.Clone("k"))
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if l.Token() != 0 && again.Token() <= l.Token() {
		t.Errorf("fencing tokens: %d, then %d", l.Token(), again.Token())
	}
	if err := again.Set(ctx, store.Item{Value: []byte("v")}); err != nil {
		t.Fatalf("Set by the lease: %v", err)
	}
	wantValue(t, s, "k", []byte("v"))
	last, err := store.TryLease(ctx, s, "k") // Set has ended the one before
	if err != nil {
		t.Fatalf("after Set by the lease: %v", err)
	}
	last.Release()
}

// leaseAwaited lets another wait until the lease is free.
func leaseAwaited(t *testing.T, s, by store.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l, err := store.TryLease(ctx, s, "k")
	skipUnsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan error, 1)
	go func() {
		l, err := store.TakeLease(ctx, by, "k")
		if err == nil {
			l.Release()
		}
		taken <- err
	}()
	l.Release()
	if err := <-taken; err != nil {
		t.Fatalf("TakeLease: %v", err)
	}
}

// leaseVoid has another change the key, or a tag of the item, while it is leased.
func leaseVoid(t *testing.T, s, by store.Store) {
	ctx := context.Background()
	l, err := store.TryLease(ctx, s, "k")
	skipUnsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	token := l.Token()
	l.Release()
	if token == 0 {
		t.Skip("the store has no fencing tokens: it cannot tell")
	}
	changes := map[string]func() error{
		"set":        func() error { return by.Set(ctx, "k", store.Item{Value: []byte("new")}) },
		"delete":     func() error { return by.Delete(ctx, "k") },
		"delete tag": func() error { return store.DeleteTag(ctx, by, "t") },
		"clear":      func() error { return store.Clear(ctx, by) },
	}
	for name, change := range changes {
		l, err := store.TryLease(ctx, s, "k")
		if err != nil {
			t.Fatal(err)
		}
		if err := change(); errors.Is(err, errors.ErrUnsupported) {
			l.Release()
			continue
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err = l.Set(ctx, store.Item{Value: []byte("old"), Tags: []string{"t"}})
		if !errors.Is(err, store.ErrVoid) {
			t.Errorf("Set by the lease after %s: %v, want ErrVoid", name, err)
		}
		if item, err := s.Get(ctx, "k"); err == nil && string(item.Value) == "old" {
			t.Errorf("after %s the old value is there", name)
		}
		l.Release()
	}
	wantFree(t, by, "k")
}

func wantFree(t *testing.T, s store.Store, key string) {
	t.Helper()
	l, err := store.TryLease(context.Background(), s, key)
	if err != nil {
		t.Fatalf("TryLease(%q): %v", key, err)
	}
	l.Release()
}

func many(t *testing.T, s store.Store) {
	ctx := context.Background()
	items, keys := map[string]store.Item{}, []string{"absent", "0"}
	for i := range 300 {
		key := fmt.Sprint(i)
		items[key] = store.Item{Value: pattern(i, i), Tags: []string{"t" + fmt.Sprint(i%3)}}
		keys = append(keys, key)
	}
	if err := store.SetMany(ctx, s, items); err != nil {
		t.Fatalf("SetMany: %v", err)
	}
	set(t, s, "7", store.Item{GoneAfter: time.Now().Add(-time.Second)})
	got, err := store.GetMany(ctx, s, keys)
	if err != nil || len(got) != 299 {
		t.Fatalf("GetMany: %d items, %v; want 299", len(got), err)
	}
	for key, item := range got {
		if !bytes.Equal(item.Value, items[key].Value) || !slices.Equal(item.Tags, items[key].Tags) {
			t.Fatalf("GetMany: %q has another item: %d bytes, tags %q",
				key, len(item.Value), item.Tags)
		}
	}
	if got, err := store.GetMany(ctx, s, nil); len(got) != 0 || err != nil {
		t.Errorf("GetMany of nothing: %v, %v", got, err)
	}
	if _, err := store.GetMany(ctx, s, []string{"0", ""}); !errors.Is(err, store.ErrInvalidKey) {
		t.Errorf("GetMany with an empty key: %v", err)
	}
}

// watch hears of what another changes. A store may tell more than it has to.
func watch(t *testing.T, s, by store.Store) {
	w, ok := s.(store.Watcher)
	if !ok {
		t.Skip("the store tells nothing")
	}
	ctx := context.Background()
	heard := make(chan store.Event, 1000)
	stop := w.Watch(func(e store.Event) { heard <- e })
	defer stop()
	wait := func(what string, is func(store.Event) bool) {
		t.Helper()
		for late := time.After(10 * time.Second); ; {
			select {
			case e := <-heard:
				if is(e) {
					return
				}
			case <-late:
				t.Fatalf("never heard that %s", what)
			}
		}
	}
	wait("it is linked", func(e store.Event) bool { return e.Kind == store.Linked })
	changed := func(key string) func(store.Event) bool {
		return func(e store.Event) bool {
			return e.Kind == store.Cleared || e.Kind == store.Changed && e.Key == key
		}
	}
	set(t, by, "a key", store.Item{Value: []byte("1"), Tags: []string{"a tag"}})
	wait("a key was set", changed("a key"))
	if err := by.Delete(ctx, "a key"); err != nil {
		t.Fatal(err)
	}
	wait("a key was deleted", changed("a key"))
	set(t, by, "tagged", store.Item{Value: []byte("2"), Tags: []string{"a tag"}})
	wait("it was set", changed("tagged"))
	err := store.DeleteTag(ctx, by, "a tag")
	if !errors.Is(err, errors.ErrUnsupported) {
		wait("a tag was deleted", func(e store.Event) bool {
			return changed("tagged")(e) || e.Kind == store.TagDeleted && e.Tag == "a tag"
		})
	}
	stop()
	stop()
}
