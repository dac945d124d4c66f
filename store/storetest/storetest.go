// storetest.go runs the acceptance suite; the cases stand in the other files.

// Package storetest tests that a store keeps the promises of package store.
//
//	func TestMine(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return open(t) })
//	}
//
// Optional abilities (streams, tags, lists, leases) are tested where the store has them.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
)

// Run tests a store. open returns an empty one; the suite closes it. The store must be able to hold
// 4 MiB, and values of 256 KiB.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { s.Close() })
			c.run(t, s)
		})
	}
}

// RunShared tests what two handles of one store know of each other, as two processes have them:
// what one sets the other gets, leases, events. open returns two on the same empty store; the suite
// closes them.
func RunShared(t *testing.T, open func(t *testing.T) (a, b store.Store)) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, a, b store.Store)
	}{
		{"WhatOneSetsTheOtherGets", shared},
		{"LeaseIsAwaited", leaseAwaited},
		{"LeaseIsVoidAfterAChange", leaseVoid},
		{"Watch", watch},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := open(t)
			t.Cleanup(func() { a.Close(); b.Close() })
			c.run(t, a, b)
		})
	}
}

// alone runs a test for two handles on one.
func alone(run func(t *testing.T, a, b store.Store)) func(*testing.T, store.Store) {
	return func(t *testing.T, s store.Store) { run(t, s, s) }
}

type testCase struct {
	name string
	run  func(t *testing.T, s store.Store)
}

var cases = []testCase{
	{"AbsentIsNotFound", absent},
	{"SetThenGet", setThenGet},
	{"SetReplaces", setReplaces},
	{"DeleteRemoves", deleteRemoves},
	{"KeysAreBytes", keysAreBytes},
	{"BadKeysAreRefused", badKeys},
	{"TimesTagsAndValidatorsAreKept", attributes},
	{"CreatedIsNowByDefault", createdByDefault},
	{"ExpiredIsNotFound", expired},
	{"FutureIsNotFound", future},
	{"ValuesOfAllSizes", sizes},
	{"BytesBelongToTheCaller", ownership},
	{"CancelledContext", cancelled},
	{"CloseTwiceThenErrClosed", closing},
	{"ManyGoroutines", goroutines},
	{"RandomAgainstMap", randomOperations},
	{"List", list},
	{"DeleteTag", deleteTag},
	{"Clear", clearAll},
	{"Stream", stream},
	{"StreamWithoutCommitLeavesNothing", streamDropped},
	{"StreamOutlivesItsItem", streamOutlives},
	{"Lease", lease},
	{"LeaseIsAwaited", alone(leaseAwaited)},
	{"LeaseIsVoidAfterAChange", alone(leaseVoid)},
	{"Many", many},
}

func get(t *testing.T, s store.Store, key string) store.Item {
	t.Helper()
	item, err := s.Get(context.Background(), key)
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	return item
}

func set(t *testing.T, s store.Store, key string, item store.Item) {
	t.Helper()
	if err := s.Set(context.Background(), key, item); err != nil {
		t.Fatalf("Set(%q): %v", key, err)
	}
}

func wantAbsent(t *testing.T, s store.Store, key string) {
	t.Helper()
	item, err := s.Get(context.Background(), key)
	if !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get(%q) = %d bytes, %v; want ErrNotFound", key, len(item.Value), err)
	}
}

func wantValue(t *testing.T, s store.Store, key string, want []byte) {
	t.Helper()
	if got := get(t, s, key).Value; !bytes.Equal(got, want) {
		t.Fatalf("Get(%q) = %.40q (%d bytes), want %.40q (%d bytes)",
			key, got, len(got), want, len(want))
	}
}

// pattern is n bytes that differ for each seed and at each place.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	x := uint64(seed)*0x9e3779b97f4a7c15 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

func absent(t *testing.T, s store.Store) { wantAbsent(t, s, "never set") }

func setThenGet(t *testing.T, s store.Store) {
	for i := range 100 {
		set(t, s, fmt.Sprint("key", i), store.Item{Value: pattern(i, i)})
	}
	for i := range 100 {
		wantValue(t, s, fmt.Sprint("key", i), pattern(i, i))
	}
}

func shared(t *testing.T, a, b store.Store) {
	set(t, a, "k", store.Item{Value: []byte("1"), Tags: []string{"t"}})
	wantValue(t, b, "k", []byte("1"))
	set(t, b, "k", store.Item{Value: []byte("2"), Tags: []string{"t"}})
	wantValue(t, a, "k", []byte("2"))
	if err := store.DeleteTag(context.Background(), b, "t"); err == nil {
		wantAbsent(t, a, "k")
	}
	set(t, a, "k", store.Item{Value: []byte("3")})
	if err := b.Delete(context.Background(), "k"); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, a, "k")
}

func setReplaces(t *testing.T, s store.Store) {
	for i := range 10 {
		set(t, s, "k", store.Item{Value: pattern(i, 100*(10-i)), Tags: []string{fmt.Sprint(i)}})
		wantValue(t, s, "k", pattern(i, 100*(10-i)))
	}
	if tags := get(t, s, "k").Tags; len(tags) != 1 || tags[0] != "9" {
		t.Errorf("tags = %q, want those of the last Set", tags)
	}
}

func deleteRemoves(t *testing.T, s store.Store) {
	set(t, s, "a", store.Item{Value: []byte("1")})
	set(t, s, "b", store.Item{Value: []byte("2")})
	for range 2 { // the second time it is absent
		if err := s.Delete(context.Background(), "a"); err != nil {
			t.Fatalf("Delete: %v", err)
		}
	}
	wantAbsent(t, s, "a")
	wantValue(t, s, "b", []byte("2"))
	set(t, s, "a", store.Item{Value: []byte("3")})
	wantValue(t, s, "a", []byte("3"))
}

func keysAreBytes(t *testing.T, s store.Store) {
	keys := []string{"a", "A", "a ", "a/b", "../a", "\x00", "\x00a", "\xff\xfe", "ä", "a\nb",
		"a%2fb", string(pattern(1, store.MaxKey-64))} // a view may need some for a prefix
	for i, k := range keys {
		set(t, s, k, store.Item{Value: pattern(i, 20)})
	}
	for i, k := range keys {
		wantValue(t, s, k, pattern(i, 20))
	}
}

func badKeys(t *testing.T, s store.Store) {
	ctx := context.Background()
	for _, k := range []string{"", string(pattern(1, store.MaxKey+1))} {
		_, err := s.Get(ctx, k)
		for _, err := range []error{err, s.Set(ctx, k, store.Item{}), s.Delete(ctx, k)} {
			if !errors.Is(err, store.ErrInvalidKey) {
				t.Errorf("key of %d bytes: %v, want ErrInvalidKey", len(k), err)
			}
		}
	}
}

func attributes(t *testing.T, s store.Store) {
	now := time.Now()
	want := store.Item{
		Value: []byte("v"), Created: now.Add(-time.Minute), FreshUntil: now.Add(time.Minute),
		GoneAfter: now.Add(time.Hour), Tags: []string{"team:7", "", "ü"},
		Validators: store.Validators{ETag: `W/"x"`, LastModified: "Mon, 02 Jan 2006 15:04:05 GMT"},
	}
	set(t, s, "k", want)
	got := get(t, s, "k")
	if !got.Created.Equal(want.Created) || !got.FreshUntil.Equal(want.FreshUntil) ||
		!got.GoneAfter.Equal(want.GoneAfter) {
		t.Errorf("times = %v %v %v, want %v %v %v", got.Created, got.FreshUntil, got.GoneAfter,
			want.Created, want.FreshUntil, want.GoneAfter)
	}
	if fmt.Sprint(got.Tags) != fmt.Sprint(want.Tags) || got.Validators != want.Validators {
		t.Errorf("got %q %q, want %q %q", got.Tags, got.Validators, want.Tags, want.Validators)
	}
	set(t, s, "k", store.Item{Value: []byte("w")})
	got = get(t, s, "k")
	if !got.FreshUntil.IsZero() || !got.GoneAfter.IsZero() || len(got.Tags) != 0 {
		t.Errorf("attributes outlived their item: %+v", got)
	}
}

func createdByDefault(t *testing.T, s store.Store) {
	before := time.Now()
	set(t, s, "k", store.Item{})
	if at := get(t, s, "k").Created; at.Before(before.Add(-time.Second)) || at.After(time.Now()) {
		t.Errorf("Created = %v, want now", at)
	}
}

func expired(t *testing.T, s store.Store) {
	now := time.Now()
	set(t, s, "gone", store.Item{GoneAfter: now.Add(-time.Nanosecond)})
	set(t, s, "stale", store.Item{FreshUntil: now.Add(-time.Hour), GoneAfter: now.Add(time.Hour)})
	wantAbsent(t, s, "gone")
	get(t, s, "stale") // stale is the caller's business
	set(t, s, "gone", store.Item{GoneAfter: now.Add(time.Hour)})
	get(t, s, "gone")
}

// future is the clock that jumped back: what was created in the future has an unknown age.
func future(t *testing.T, s store.Store) {
	now := time.Now()
	set(t, s, "far", store.Item{Created: now.Add(time.Hour), GoneAfter: now.Add(2 * time.Hour)})
	set(t, s, "near", store.Item{Created: now.Add(time.Second), GoneAfter: now.Add(time.Hour)})
	set(t, s, "forever", store.Item{Created: now.Add(time.Hour)})
	wantAbsent(t, s, "far")
	get(t, s, "near")
	get(t, s, "forever")
}

func sizes(t *testing.T, s store.Store) {
	for i, n := range []int{0, 1, 15, 16, 17, 4095, 4096, 65535, 65536, 65537, 256 << 10} {
		set(t, s, fmt.Sprint(n), store.Item{Value: pattern(i, n)})
		wantValue(t, s, fmt.Sprint(n), pattern(i, n))
	}
	for _, n := range []int{10, 256 << 10, 20} { // the kinds of storage change places
		set(t, s, "k", store.Item{Value: pattern(n, n)})
		wantValue(t, s, "k", pattern(n, n))
	}
}

func ownership(t *testing.T, s store.Store) {
	value, tags := []byte("value"), []string{"tag"}
	set(t, s, "k", store.Item{Value: value, Tags: tags})
	value[0], tags[0] = 'X', "other"
	got := get(t, s, "k")
	if string(got.Value) != "value" || got.Tags[0] != "tag" {
		t.Fatalf("the store kept the caller's memory: %q %q", got.Value, got.Tags)
	}
	got.Value[0], got.Tags[0] = 'Y', "mine"
	if again := get(t, s, "k"); string(again.Value) != "value" || again.Tags[0] != "tag" {
		t.Fatalf("the store gave out its own memory: %q %q", again.Value, again.Tags)
	}
}

func cancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Get(ctx, "k")
	for _, err := range []error{err, s.Set(ctx, "k", store.Item{}), s.Delete(ctx, "k")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	}
}

func closing(t *testing.T, s store.Store) {
	set(t, s, "k", store.Item{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	ctx := context.Background()
	_, err := s.Get(ctx, "k")
	for _, err := range []error{err, s.Set(ctx, "k", store.Item{}), s.Delete(ctx, "k")} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("after Close: %v, want ErrClosed", err)
		}
	}
}
