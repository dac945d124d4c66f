//go:build unix

// room_test.go tests the limit, who leaves when it is reached, and how room comes back.

package disk_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

func TestLimitHoldsAtEveryMoment(t *testing.T) {
	for _, limit := range []int64{disk.MinMaxBytes, 3 << 20, 20 << 20} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, disk.Options{MaxBytes: limit})
			r := rand.New(rand.NewPCG(1, 1))
			for i := range 3000 {
				size := r.IntN(1 << (4 + r.IntN(12)))
				if i%100 == 0 {
					size = int(limit) / 8
				}
				item := store.Item{Value: filler(uint32(i), size)}
				if err := s.Set(t.Context(), key(r.IntN(2000)), item); err != nil {
					t.Fatal(err)
				}
				if i%10 != 0 {
					continue
				}
				if n := files(t, dir); n > limit {
					t.Fatalf("after %d sets the files have %d bytes, the limit is %d", i, n, limit)
				}
			}
			stats, err := s.Stats()
			if n := files(t, dir); err != nil || stats.Bytes != n {
				t.Errorf("Stats say %d bytes, the files have %d, %v", stats.Bytes, n, err)
			}
			if stats.Bytes < limit/2 {
				t.Errorf("only %d of %d bytes are used", stats.Bytes, limit)
			}
			wantClean(t, dir)
		})
	}
}

func TestTooLargeIsRefusedAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 8 << 20})
	before := files(t, dir)
	err := s.Set(t.Context(), "k", store.Item{Value: make([]byte, 2<<20)})
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Set: %v, want ErrTooLarge", err)
	}
	w, err := s.Create(t.Context(), "k", store.Item{})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = w.Write(make([]byte, 100_000))
	}
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Write: %v, want ErrTooLarge", err)
	}
	if err := w.Commit(); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Commit after the error: %v", err)
	}
	w.Close()
	if after := files(t, dir); after != before {
		t.Errorf("%d bytes are left behind", after-before)
	}
	tags := []string{strings.Repeat("t", 70_000)}
	if err := s.Set(t.Context(), "k", store.Item{Tags: tags}); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("70 kB of tags: %v", err)
	}
}

// TestUsedItemsOutliveTheirSegment reads some items again and again while others pour in.
func TestUsedItemsOutliveTheirSegment(t *testing.T) {
	s := open(t, t.TempDir(), disk.Options{MaxBytes: 4 << 20})
	set := func(k string) {
		if err := s.Set(t.Context(), k, store.Item{Value: make([]byte, 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		set(fmt.Sprint("hot", i))
	}
	for i := range 50_000 { // more than ten times what fits
		set(fmt.Sprint("cold", i))
		if _, err := s.Get(t.Context(), fmt.Sprint("hot", i%40)); err != nil {
			t.Fatalf("hot%d left after %d sets: %v", i%40, i, err)
		}
	}
	if _, err := s.Get(t.Context(), "cold100"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what was never read stayed: %v", err)
	}
	if stats, _ := s.Stats(); stats.Evicted < 40_000 {
		t.Errorf("%d evicted", stats.Evicted)
	}
}

// TestDeletedTagStaysDeleted fills the folder several times after a tag was deleted: items of the
// tag that were read often move to new segments, unless the tag says otherwise.
func TestDeletedTagStaysDeleted(t *testing.T) {
	s := open(t, t.TempDir(), disk.Options{MaxBytes: 2 << 20})
	tagged := store.Item{Value: make([]byte, 1000), Tags: []string{"team:7"}}
	for i := range 20 {
		if err := s.Set(t.Context(), fmt.Sprint("tagged", i), tagged); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), fmt.Sprint("tagged", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteTag(t.Context(), "team:7"); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(t.Context(), "later", tagged); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		if err := s.Set(t.Context(), fmt.Sprint(i), store.Item{Value: make([]byte, 1000)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), fmt.Sprint("tagged", i%20)); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("tagged%d came back after %d sets: %v", i%20, i, err)
		}
		if _, err := s.Get(t.Context(), "later"); err != nil {
			t.Fatalf("an item of the tag that was set later left after %d sets: %v", i, err)
		}
	}
}

// TestDeletedTagsNeverComeBack deletes tags at any moment of a folder that is always making room.
func TestDeletedTagsNeverComeBack(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	s := open(t, t.TempDir(), disk.Options{MaxBytes: 2<<20 + r.Int64N(1<<20)})
	var deleted [5]int // the version at which a tag was deleted last
	for version := 1; version < 60_000; version++ {
		k := r.IntN(400)
		tag := k % len(deleted)
		switch op := r.IntN(2000); {
		case op == 0:
			if err := s.DeleteTag(t.Context(), fmt.Sprint("tag", tag)); err != nil {
				t.Fatal(err)
			}
			deleted[tag] = version
		case op < 700:
			value := append(fmt.Appendf(nil, "%08d", version), make([]byte, r.IntN(2000))...)
			item := store.Item{Value: value, Tags: []string{fmt.Sprint("tag", tag)}}
			if err := s.Set(t.Context(), key(k), item); err != nil {
				t.Fatal(err)
			}
		default:
			item, err := s.Get(t.Context(), key(k))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			made, _ := strconv.Atoi(string(item.Value[:8]))
			if made < deleted[tag] {
				t.Fatalf("at %d: version %d of %s, whose tag was deleted at %d",
					version, made, key(k), deleted[tag])
			}
		}
	}
}

func TestLoweredLimitShrinksTheFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 512 << 20})
	fillFolder(t, s, 5000, 20_000)
	for _, limit := range []int64{30 << 20, 4 << 20} {
		small := open(t, dir, disk.Options{MaxBytes: limit})
		if n := files(t, dir); n > limit {
			t.Errorf("%d bytes, the limit is %d", n, limit)
		}
		fillFolder(t, s, 500, 20_000) // the process that had it open knows
		if n := files(t, dir); n > limit {
			t.Errorf("%d bytes after more sets, the limit is %d", n, limit)
		}
		small.Close()
	}
	if stats, err := s.Stats(); err != nil || stats.MaxBytes != 4<<20 {
		t.Errorf("limit %d, %v", stats.MaxBytes, err)
	}
	wantClean(t, dir)
}

func TestGCFreesWhatNobodyCanFind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 64 << 20})
	soon := time.Now().Add(time.Hour)
	for i := range 1000 {
		item := store.Item{Value: filler(uint32(i), 20_000), GoneAfter: soon}
		switch i % 4 {
		case 0:
			item.Created, item.GoneAfter = soon.Add(-3*time.Hour), soon.Add(-2*time.Hour)
		case 1:
			item.Tags = []string{"t"}
		case 2:
			item.Value = filler(uint32(i), 200_000) // a file of its own
			item.Created, item.GoneAfter = soon.Add(-3*time.Hour), soon.Add(-2*time.Hour)
			if i > 200 {
				continue
			}
		}
		if err := s.Set(t.Context(), key(i), item); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteTag(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	freed, err := s.GC(t.Context())
	after := files(t, dir)
	if err != nil || freed != before-after || freed < before/2 {
		t.Errorf("GC freed %d, %v; the files went from %d to %d", freed, err, before, after)
	}
	stats, err := s.Stats()
	if err != nil || stats.Entries != 250 || stats.Large != 0 || stats.Bytes != after {
		t.Errorf("stats = %+v, %v; want 250 entries in %d bytes", stats, err, after)
	}
	for i := 3; i < 1000; i += 4 {
		if _, err := s.Get(t.Context(), key(i)); err != nil {
			t.Fatalf("%s: %v", key(i), err)
		}
	}
	wantClean(t, dir)
}

func TestClearFreesAll(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir, disk.Options{}), open(t, dir, disk.Options{})
	empty := files(t, dir)
	fillFolder(t, s, 30_000, 100)
	fillFolder(t, other, 10, 3<<20)
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := files(t, dir); n != empty {
		t.Errorf("%d bytes are left, an empty folder has %d", n, empty)
	}
	for _, s := range []*disk.Store{other, s} {
		if found := sound(t, s, 100, 100); found != 0 {
			t.Errorf("%d items are left", found)
		}
	}
	for _, s := range []*disk.Store{other, s} {
		fillFolder(t, s, 100, 100)
		if found := sound(t, s, 100, 100); found != 100 {
			t.Errorf("%d of 100 after Clear", found)
		}
	}
	stats, err := other.Stats()
	if err != nil || stats.Entries != 100 || stats.Bytes != files(t, dir) {
		t.Errorf("stats = %+v, %v", stats, err)
	}
}

func TestManyGoroutinesOnASmallFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 4 << 20})
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 4))
			for range 200 {
				if err := soakStep(s, r); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := files(t, dir); n > 4<<20 {
		t.Errorf("%d bytes", n)
	}
	wantClean(t, dir)
}

// TestOpeningAndStatsTakeNoTime has bounds with room for a busy machine; docs/bench.md has figures.
func TestOpeningAndStatsTakeNoTime(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	for k := range 200_000 {
		if err := s.Set(t.Context(), key(k), store.Item{Value: make([]byte, 20)}); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	begin := time.Now()
	s = open(t, dir, disk.Options{})
	opened := time.Since(begin)
	if _, err := s.Get(t.Context(), key(100_000)); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	stats, err := s.Stats()
	if err != nil || stats.Entries != 200_000 {
		t.Errorf("stats = %+v, %v", stats, err)
	}
	if took := time.Since(begin); opened > 100*time.Millisecond || took > 50*time.Millisecond {
		t.Errorf("opening took %v, stats %v", opened, took)
	}
}
