//go:build unix

// change_test.go changes the folder under the feet of those who have it open.

package disk_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

func set(t *testing.T, s *disk.Store, key, value string) {
	t.Helper()
	if err := s.Set(t.Context(), key, store.Item{Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

// want checks the value of key; "" is absent.
func want(t *testing.T, s *disk.Store, key, value string) {
	t.Helper()
	item, err := s.Get(t.Context(), key)
	if value == "" && errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil || string(item.Value) != value {
		t.Errorf("Get(%q) = %q, %v; want %q", key, item.Value, err, value)
	}
}

// TestSetsDuringUpkeepAreKept lets the index grow while others count, clean and repair.
func TestSetsDuringUpkeepAreKept(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, disk.Options{}), open(t, dir, disk.Options{})
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !done.Load() {
			if _, err := b.Repair(context.Background()); err != nil {
				t.Error(err)
			}
			if _, err := b.GC(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	const n = 60_000
	for i := range n {
		set(t, a, key(i), key(i))
		if i%100 != 0 {
			continue
		}
		tag := fmt.Sprint("tag", i)
		if err := a.Set(t.Context(), tag, store.Item{Tags: []string{tag}}); err != nil {
			t.Fatal(err)
		}
		if err := a.DeleteTag(t.Context(), tag); err != nil {
			t.Fatal(err)
		}
		want(t, a, tag, "")
	}
	done.Store(true)
	wg.Wait()
	for i := range n {
		want(t, b, key(i), key(i))
	}
	wantClean(t, dir)
}

// TestWhatCannotBeOpenedIsNotAbsent has a folder in the place of a segment, which stands for too many
// open files.
func TestWhatCannotBeOpenedIsNotAbsent(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	set(t, s, "k", "v")
	s.Close()
	segment := glob(t, dir, "*.seg")[0]
	if err := os.Rename(segment, segment+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(segment, 0o700); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, disk.Options{})
	_, err := s.Get(t.Context(), "k")
	for what, err := range map[string]error{
		"Get": err, "Delete": s.Delete(t.Context(), "k"),
		"Set": s.Set(t.Context(), "k", store.Item{Value: []byte("w")}),
	} {
		if err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v, want why the segment cannot be opened", what, err)
		}
	}
	if _, err := s.Verify(t.Context()); err == nil {
		t.Error("Verify found nothing")
	}
	if err := os.Remove(segment); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(segment+".away", segment); err != nil {
		t.Fatal(err)
	}
	want(t, s, "k", "v")
}

func TestFolderMovedAwayAndBack(t *testing.T) {
	base := t.TempDir()
	dir, away := filepath.Join(base, "cache"), filepath.Join(base, "away")
	open(t, dir, disk.Options{}).Close()
	s := open(t, dir, disk.Options{ReadOnly: true})
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	var err error
	for begin := time.Now(); !errors.Is(err, fs.ErrNotExist); { // it is looked at once a second
		if _, err = s.Get(t.Context(), "k"); time.Since(begin) > 10*time.Second {
			t.Fatalf("Get from a folder that is gone: %v", err)
		}
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	want(t, s, "k", "")
}

func TestSegmentsRemovedByOthersGiveTheirRoomBack(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 4 << 20})
	fillFolder(t, s, 3000, 3000)
	for _, segment := range glob(t, dir, "*.seg") {
		os.Remove(segment)
	}
	for round := range 3 {
		fillFolder(t, s, 3000, 3000)
		if n := files(t, dir); n > 4<<20 {
			t.Errorf("round %d: %d bytes", round, n)
		}
	}
	if _, err := s.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stats, err := s.Stats(); err != nil || stats.Bytes != files(t, dir) {
		t.Errorf("Stats say %d bytes, the files have %d, %v", stats.Bytes, files(t, dir), err)
	}
	wantClean(t, dir)
}

// TestReadersDoNotWaitForAWriterThatWaits holds the folder's lock as a stopped process would.
func TestReadersDoNotWaitForAWriterThatWaits(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	set(t, s, "k", "v")
	lock, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 2 { // both need the room; one of them waits for the other
		wg.Go(func() {
			err := s.Set(ctx, key(i), store.Item{Value: make([]byte, 1<<20)})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Set: %v, want the deadline", err)
			}
		})
	}
	longest := time.Duration(0)
	for ctx.Err() == nil {
		begin := time.Now()
		want(t, s, "k", "v")
		longest = max(longest, time.Since(begin))
	}
	wg.Wait()
	if longest > time.Second {
		t.Errorf("a Get took %v", longest)
	}
	syscall.Flock(int(lock.Fd()), syscall.LOCK_UN)
	set(t, s, "k", "w")
	want(t, s, "k", "w")
}

func TestOthersSeeAClearAtOnce(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, disk.Options{}), open(t, dir, disk.Options{})
	for round := range 20 {
		if round%2 == 0 {
			set(t, a, "old", "x")
			want(t, b, "old", "x")
		}
		if err := b.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		set(t, b, "k", fmt.Sprint(round))
		want(t, a, "old", "")
		want(t, a, "k", fmt.Sprint(round))
		if err := a.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		want(t, b, "k", "")
	}
	wantClean(t, dir)
}

func TestClearWhileOthersWrite(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, disk.Options{MaxBytes: 8 << 20}), open(t, dir, disk.Options{})
	var done atomic.Bool
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; !done.Load(); i++ {
				k := key(g*1000 + i%1000)
				err := a.Set(context.Background(), k, store.Item{Value: filler(uint32(i), i%20_000)})
				if err != nil {
					t.Errorf("Set: %v", err)
					return
				}
			}
		})
	}
	for range 50 {
		if err := b.Clear(t.Context()); err != nil {
			t.Error(err)
		}
		if s, err := disk.Open(dir, disk.Options{}); err != nil {
			t.Error(err)
		} else {
			s.Close()
		}
	}
	done.Store(true)
	wg.Wait()
	if n := files(t, dir); n > 8<<20 {
		t.Errorf("%d bytes", n)
	}
	wantClean(t, dir)
}

func TestLockFileRemovedWhileOpen(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, disk.Options{MaxBytes: 4 << 20}), open(t, dir, disk.Options{})
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, s := range []*disk.Store{a, b} {
		wg.Go(func() { fillFolder(t, s, 2000, 10_000) })
	}
	wg.Wait()
	if stats, err := a.Stats(); err != nil || stats.Bytes != files(t, dir) {
		t.Errorf("Stats say %d bytes, the files have %d, %v", stats.Bytes, files(t, dir), err)
	}
	wantClean(t, dir)
}

func TestRebuildKeepsTheLimit(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 4 << 20})
	fillFolder(t, s, 3000, 2000)
	s.Close()
	patch(t, filepath.Join(dir, "index"), 20, []byte("garbage"))
	s = open(t, dir, disk.Options{})
	stats, err := s.Stats()
	if err != nil || stats.MaxBytes != 4<<20 || stats.Bytes != files(t, dir) || stats.Bytes > 4<<20 {
		t.Errorf("after a rebuild: %+v, %v; the files have %d bytes", stats, err, files(t, dir))
	}
}

func TestIndexCutShortWhileOpen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	fillFolder(t, s, 1000, 100)
	if err := os.Truncate(filepath.Join(dir, "index"), 0); err != nil {
		t.Fatal(err)
	}
	sound(t, s, 1000, 100)
	fillFolder(t, s, 1000, 100)
	if found := sound(t, s, 1000, 100); found != 1000 {
		t.Errorf("%d of 1000", found)
	}
	if err := os.Truncate(filepath.Join(dir, "index"), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestLimitBelowTheIndexIsRefusedAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 64 << 20})
	fillFolder(t, s, 60_000, 8)
	_, err := disk.Open(dir, disk.Options{MaxBytes: disk.MinMaxBytes})
	if !errors.Is(err, store.ErrTooLarge) || !strings.Contains(err.Error(), "Clear") {
		t.Errorf("Open: %v", err)
	}
	if found := sound(t, s, 60_000, 8); found != 60_000 {
		t.Errorf("%d of 60000 are left", found)
	}
	fillFolder(t, s, 100, 100)
}

func TestWriterLeftAfterClose(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir, disk.Options{}), open(t, dir, disk.Options{})
	w, err := s.Create(t.Context(), "k", store.Item{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3<<20)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("Write after the store's Close worked")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := other.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
	if stats, err := other.Stats(); err != nil || stats.Bytes != files(t, dir) {
		t.Errorf("Stats say %d bytes, the files have %d, %v", stats.Bytes, files(t, dir), err)
	}
}

func TestFolderRemovedWhileValuesAreWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	s := open(t, dir, disk.Options{})
	old, err := s.Create(t.Context(), "old", store.Item{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fillFolder(t, s, 100, 600_000) // the folder is made again
	late, err := s.Create(t.Context(), "late", store.Item{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Write(filler(3, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := old.Commit(); err == nil {
		t.Error("a value of the folder that was removed was committed")
	}
	if err := late.Commit(); err != nil {
		t.Error(err)
	}
	want(t, s, "old", "")
	want(t, s, "late", string(filler(3, 1<<20)))
	if stats, err := s.Stats(); err != nil || stats.Bytes != files(t, dir) {
		t.Errorf("Stats say %d bytes, the files have %d, %v", stats.Bytes, files(t, dir), err)
	}
}

// TestDamagedNameOfALargeFileRemovesNoOther flips bytes of the record that names a large file.
func TestDamagedNameOfALargeFileRemovesNoOther(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	big := string(filler(1, 1<<20))
	set(t, s, "other", big)
	set(t, s, "k", big)
	segment := glob(t, dir, "*.seg")[0]
	patch(t, segment, 64+64+48+1+15, []byte{0x7f}) // the size in the second record
	patch(t, segment, 64+64+48+1, []byte{1})       // and its number: that of the first
	set(t, s, "k", "new")
	want(t, s, "other", big)
	if stats, err := s.Stats(); err != nil || stats.Bytes < 0 {
		t.Errorf("Stats: %d bytes, %v", stats.Bytes, err)
	}
	if _, err := s.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stats, err := s.Stats(); err != nil || stats.Bytes != files(t, dir) || stats.Large != 1 {
		t.Errorf("after Repair: %+v, %v; the files have %d bytes", stats, err, files(t, dir))
	}
	want(t, s, "k", "new")
}

func TestRefusedRecordsCostNothing(t *testing.T) {
	s := open(t, t.TempDir(), disk.Options{MaxBytes: disk.MinMaxBytes})
	set(t, s, "k", "v")
	tags := []string{strings.Repeat("t", 60_000)}
	for range 100 {
		value := make([]byte, 8000)
		if err := s.Set(t.Context(), "no", store.Item{Value: value, Tags: tags}); !errors.Is(err, store.ErrTooLarge) {
			t.Fatal(err)
		}
	}
	want(t, s, "k", "v")
	if stats, _ := s.Stats(); stats.Segments != 1 {
		t.Errorf("%d segments", stats.Segments)
	}
}
