//go:build unix

// snapshot_test.go compares what a folder reports with what was done to it.

package disk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// wantStats compares a snapshot with what Stats says.
func wantStats(t *testing.T, got stats.Snapshot, s *disk.Store) {
	t.Helper()
	n, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": float64(n.Hits), "requests miss": float64(n.Misses),
		"evictions room": float64(n.Evicted), "entries": float64(n.Entries),
		"used": float64(n.Bytes), "limit": float64(n.MaxBytes), "damaged": float64(n.Damaged),
	})
}

func TestSnapshotHasTheCountersOfTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pages")
	s := open(t, dir, disk.Options{MaxBytes: disk.MinMaxBytes})
	set(t, s, "k", "v")
	for range 3 {
		want(t, s, "k", "v")
	}
	want(t, s, "absent", "")
	got := statstest.Of(t, s)
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": 3, "requests miss": 1, "entries": 1, "evictions room": 0,
	})
	wantStats(t, got, s)
	if got.Name != "pages" || got.Kind != stats.Disk || got.Note != "" {
		t.Errorf("it is %s %q with the note %q", got.Kind, got.Name, got.Note)
	}
	value := bytes.Repeat([]byte("v"), 1000)
	for i := range 2000 {
		if err := s.Set(t.Context(), key(i), store.Item{Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	after := statstest.Of(t, s)
	statstest.CheckGrowth(t, got, after)
	wantStats(t, after, s)
	if n, _ := after.Value(stats.Departures, stats.LeftRoom); n == 0 {
		t.Error("nothing has left")
	}
}

func TestSnapshotSaysThatAFolderIsReadOnly(t *testing.T) {
	dir := t.TempDir()
	set(t, open(t, dir, disk.Options{}), "k", "v")
	s := open(t, dir, disk.Options{ReadOnly: true, Name: "copies"})
	want(t, s, "k", "v")
	want(t, s, "absent", "")
	got := statstest.Of(t, s)
	statstest.Expect(t, got, statstest.Numbers{"requests hit": 1, "requests miss": 1})
	wantStats(t, got, s)
	if got.Name != "copies" || got.Note == "" {
		t.Errorf("%q has the note %q", got.Name, got.Note)
	}
}

func TestSnapshotRepeatsItselfWhereTheFolderIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pages")
	s := open(t, dir, disk.Options{})
	set(t, s, "k", "v")
	want(t, s, "k", "v")
	before := statstest.Of(t, s)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	got := statstest.Of(t, s)
	statstest.Expect(t, got, statstest.Numbers{"requests hit": 1, "entries": 1})
	if statstest.CheckGrowth(t, before, got); got.Note == "" {
		t.Error("it does not say why")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a snapshot has made the folder again")
	}
	for late := time.Now().Add(10 * time.Second); s.Snapshot().Note != ""; {
		set(t, s, "k", "v") // one of them opens the folder again, after a second at most
		if time.Now().After(late) {
			t.Fatalf("the folder is not opened again: %q", s.Snapshot().Note)
		}
	}
	statstest.Expect(t, statstest.Of(t, s), statstest.Numbers{"entries": 1})
	s.Close()
	if got := statstest.Of(t, s); got.Note == "" {
		t.Error("it does not say that it was closed")
	}
}

func TestSnapshotNeverFallsWhileTheFolderIsInUse(t *testing.T) {
	s := open(t, t.TempDir(), disk.Options{})
	set(t, s, "k", "v")
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for range 2000 {
				want(t, s, "k", "v")
			}
		})
	}
	before := s.Snapshot()
	for range 200 {
		after := s.Snapshot()
		statstest.CheckGrowth(t, before, after)
		before = after
	}
	users.Wait()
	statstest.Expect(t, statstest.Of(t, s), statstest.Numbers{"requests hit": 4 * 2000})
}
