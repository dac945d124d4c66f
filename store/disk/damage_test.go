//go:build unix

// damage_test.go damages folders: what is read afterwards is right or a miss.

package disk_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// fillFolder sets n values of up to most bytes.
func fillFolder(t *testing.T, s *disk.Store, n, most int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for k := range n {
		if err := s.Set(t.Context(), key(k), store.Item{Value: value(k, r, most)}); err != nil {
			t.Fatal(err)
		}
	}
}

// sound counts the keys below n that can be read; all must have the right bytes.
func sound(t *testing.T, s *disk.Store, n, most int) (found int) {
	t.Helper()
	for k := range n {
		item, err := s.Get(t.Context(), key(k))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err == nil {
			err = checkValue(k, item.Value, most)
		}
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	return found
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, dir, err)
	}
	return names
}

func TestVerifyFindsEveryFlippedByte(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	want := []byte("the only value, of some length, in this folder")
	if err := s.Set(t.Context(), "the key", store.Item{Value: want, Tags: []string{"tag"}}); err != nil {
		t.Fatal(err)
	}
	segment := glob(t, dir, "*.seg")[0]
	whole, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.Index(whole, want) + len(want)
	for off := 64; off < end; off++ {
		if off == 66 || off == 67 { // says for a rebuild that the record was deleted; and padding
			continue
		}
		patch(t, segment, int64(off), []byte{whole[off] ^ 0x10})
		if item, err := s.Get(t.Context(), "the key"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("byte %d flipped: Get = %q, %v", off, item.Value, err)
		}
		report, err := s.Verify(t.Context())
		if err != nil || len(report.Damaged) != 1 || report.Damaged[0].Offset != 64 {
			t.Errorf("byte %d flipped: Verify = %+v, %v", off, report, err)
		}
		patch(t, segment, int64(off), whole[off:off+1])
	}
	if item, err := s.Get(t.Context(), "the key"); err != nil || !bytes.Equal(item.Value, want) {
		t.Errorf("after all was mended: %q, %v", item.Value, err)
	}
	if stats, _ := s.Stats(); stats.Damaged == 0 {
		t.Error("damaged reads were not counted")
	}
}

func TestVerifyFindsFlippedBytesOfLargeFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 16 << 20})
	want := filler(1, 300_000)
	if err := s.Set(t.Context(), "k", store.Item{Value: want}); err != nil {
		t.Fatal(err)
	}
	large := glob(t, dir, "large/*/*")[0]
	whole, err := os.ReadFile(large)
	if err != nil {
		t.Fatal(err)
	}
	for off := 0; off < len(whole); off += 1 + off/3 {
		patch(t, large, int64(off), []byte{whole[off] ^ 1})
		if _, err := s.Get(t.Context(), "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("byte %d flipped: Get: %v", off, err)
		}
		wantNoWrongByte(t, s, want)
		if report, err := s.Verify(t.Context()); err != nil || len(report.Damaged) != 1 {
			t.Errorf("byte %d flipped: Verify = %+v, %v", off, report, err)
		}
		patch(t, large, int64(off), whole[off:off+1])
	}
	if err := os.Truncate(large, 100_000); err != nil {
		t.Fatal(err)
	}
	wantNoWrongByte(t, s, want)
	report, err := s.Repair(t.Context())
	if err != nil || len(report.Damaged) != 1 {
		t.Errorf("Repair = %+v, %v", report, err)
	}
	wantClean(t, dir)
	if names, _ := filepath.Glob(filepath.Join(dir, "large/*/*")); len(names) != 0 {
		t.Errorf("Repair left %q", names)
	}
}

// wantNoWrongByte streams the damaged value: what comes out is the beginning of the right one.
func wantNoWrongByte(t *testing.T, s *disk.Store, want []byte) {
	t.Helper()
	_, r, err := s.Open(t.Context(), "k")
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil || !bytes.HasPrefix(want, got) {
		t.Errorf("a damaged stream gave %d bytes and the error %v", len(got), err)
	}
}

func TestDamagedSegmentCostsOnlyItsRecords(t *testing.T) {
	const n, most = 2000, 3000
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 64 << 20})
	fillFolder(t, s, n, most)
	segments := glob(t, dir, "*.seg")
	patch(t, segments[0], 100_000, make([]byte, 50_000))
	lost := n - sound(t, s, n, most)
	if lost == 0 || lost > 200 {
		t.Errorf("50 kB of zeros cost %d of %d records", lost, n)
	}
	report, err := s.Repair(t.Context())
	if err != nil || len(report.Damaged) != lost {
		t.Errorf("Repair: %d damaged, %v; %d were lost", len(report.Damaged), err, lost)
	}
	wantClean(t, dir)
	if stats, _ := s.Stats(); stats.Entries != int64(n-lost) {
		t.Errorf("%d entries, want %d", stats.Entries, n-lost)
	}
}

// TestSegmentCutShortWhileOpen is the fault (SIGBUS) that mapped files threaten with.
func TestSegmentCutShortWhileOpen(t *testing.T) {
	const n, most = 2000, 3000
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: 64 << 20})
	fillFolder(t, s, n, most)
	for _, segment := range glob(t, dir, "*.seg") {
		if err := os.Truncate(segment, 20_000); err != nil {
			t.Fatal(err)
		}
	}
	if found := sound(t, s, n, most); found == n {
		t.Error("nothing was lost")
	}
	for range s.List(t.Context(), "") {
	}
	if _, err := s.Repair(t.Context()); err != nil {
		t.Error(err)
	}
	fillFolder(t, s, n, most)
	if found := sound(t, s, n, most); found != n {
		t.Errorf("after Repair %d of %d", found, n)
	}
	wantClean(t, dir)
}

// TestSegmentCutShortHeals never calls Repair: who needs room finds the damage.
func TestSegmentCutShortHeals(t *testing.T) {
	for _, size := range []int64{0, 10, 100, 5000} {
		dir := t.TempDir()
		s := open(t, dir, disk.Options{MaxBytes: 4 << 20})
		fillFolder(t, s, 2000, 3000)
		if err := os.Truncate(glob(t, dir, "*.seg")[1], size); err != nil {
			t.Fatal(err)
		}
		failed := 0
		for k := range 5000 {
			item := store.Item{Value: filler(uint32(k), 1000)}
			if s.Set(t.Context(), key(k), item) != nil {
				failed++
			}
		}
		if failed > 0 {
			t.Errorf("cut to %d: %d sets failed", size, failed)
		}
		other := open(t, dir, disk.Options{})
		fillFolder(t, other, 2000, 3000)
		wantClean(t, dir)
		if n := files(t, dir); n > 4<<20 {
			t.Errorf("cut to %d: %d bytes", size, n)
		}
	}
}

func TestSegmentsRemovedWhileOpen(t *testing.T) {
	const n, most = 500, 3000
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	fillFolder(t, s, n, most)
	s.Close()
	for _, segment := range glob(t, dir, "*.seg") {
		os.Remove(segment)
	}
	s = open(t, dir, disk.Options{})
	if found := sound(t, s, n, most); found != 0 {
		t.Errorf("%d of nothing", found)
	}
	fillFolder(t, s, n, most)
	if found := sound(t, s, n, most); found != n {
		t.Errorf("%d of %d", found, n)
	}
}

func TestFolderRemovedWhileOpen(t *testing.T) {
	const n, most = 500, 30_000
	dir := filepath.Join(t.TempDir(), "cache")
	s := open(t, dir, disk.Options{MaxBytes: 64 << 20})
	fillFolder(t, s, n, most)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fillFolder(t, s, n, most) // some go to the folder that is gone, until it is noticed
	if _, err := os.Stat(filepath.Join(dir, "index")); err != nil {
		t.Errorf("the folder was not made again: %v", err)
	}
	fillFolder(t, s, n, most)
	if found := sound(t, s, n, most); found != n {
		t.Errorf("%d of %d", found, n)
	}
	wantClean(t, dir)
}

func TestIndexIsRebuiltFromSegments(t *testing.T) {
	const n, most = 3000, 3000
	damages := map[string]func(t *testing.T, index string){
		"removed": func(t *testing.T, index string) { os.Remove(index) },
		"empty":   func(t *testing.T, index string) { os.Truncate(index, 0) },
		"head":    func(t *testing.T, index string) { patch(t, index, 20, []byte("garbage")) },
		"region":  func(t *testing.T, index string) { patch(t, index, 4096, []byte("garbage!")) },
		"words":   func(t *testing.T, index string) { patch(t, index, 40, filler(1, 160)) },
		"ones":    func(t *testing.T, index string) { patch(t, index, 40, bytes.Repeat([]byte{1}, 160)) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, disk.Options{MaxBytes: 32 << 20})
			fillFolder(t, s, n, most)
			fillFolder(t, s, n/2, most) // now the first half has older records, too
			if err := s.Set(t.Context(), "large", store.Item{Value: filler(7, 1<<20)}); err != nil {
				t.Fatal(err)
			}
			for _, k := range []string{key(0), key(1)} {
				if err := s.Delete(t.Context(), k); err != nil {
					t.Fatal(err)
				}
			}
			s.Close()
			damage(t, filepath.Join(dir, "index"))
			s = open(t, dir, disk.Options{MaxBytes: 32 << 20})
			if found := sound(t, s, n, most); found != n-2 {
				t.Errorf("%d of %d after the rebuild", found, n-2)
			}
			if item, err := s.Get(t.Context(), "large"); err != nil || !bytes.Equal(item.Value, filler(7, 1<<20)) {
				t.Errorf("large value: %v", err)
			}
			fillFolder(t, s, n, most)
			if found := sound(t, s, n, most); found != n {
				t.Errorf("%d of %d after another fill", found, n)
			}
			wantClean(t, dir)
		})
	}
}

// TestRebuildRefusesSegmentsOfAnotherFormat must not remove what a newer version has written.
func TestRebuildRefusesSegmentsOfAnotherFormat(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	fillFolder(t, s, 10, 100)
	s.Close()
	segment := glob(t, dir, "*.seg")[0]
	head, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	head[8] = 9
	sum := crc32.Checksum(head[:32], crc32.MakeTable(crc32.Castagnoli))
	patch(t, segment, 0, binary.LittleEndian.AppendUint32(head[:32:32], sum))
	os.Remove(filepath.Join(dir, "index"))
	if _, err := disk.Open(dir, disk.Options{}); err == nil || !strings.Contains(err.Error(), "format 9") {
		t.Errorf("Open: %v", err)
	}
	if _, err := os.Stat(segment); err != nil {
		t.Errorf("the segment is gone: %v", err)
	}
}

// TestRebuildDoesNotBelieveValues stores a value that contains a whole record of another key, and
// damages what stands before it, so that a rebuild looks inside of the value.
func TestRebuildDoesNotBelieveValues(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	if err := s.Set(t.Context(), "victim", store.Item{Value: []byte("forged")}); err != nil {
		t.Fatal(err)
	}
	segment := glob(t, dir, "*.seg")[0]
	whole, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	record := whole[64 : 64+64]
	if err := s.Set(t.Context(), "victim", store.Item{Value: []byte("right")}); err != nil {
		t.Fatal(err)
	}
	forged := bytes.Repeat(record, 20)
	if err := s.Set(t.Context(), strings.Repeat("k", 16), store.Item{Value: forged}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	whole, err = os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	patch(t, segment, int64(bytes.LastIndex(whole, []byte(strings.Repeat("k", 16)))), []byte("X"))
	os.Remove(filepath.Join(dir, "index"))
	s = open(t, dir, disk.Options{})
	if item, err := s.Get(t.Context(), "victim"); err != nil || string(item.Value) != "right" {
		t.Errorf("Get = %q, %v", item.Value, err)
	}
	n := 0
	for range s.List(t.Context(), "") {
		n++
	}
	if n != 1 {
		t.Errorf("%d items, want 1", n)
	}
}

func TestRandomDamageIsNeverServed(t *testing.T) {
	const n, most = 300, 40_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 9))
	for round := range 10 {
		dir := t.TempDir()
		s := open(t, dir, disk.Options{MaxBytes: 16 << 20})
		fillFolder(t, s, n, most)
		damageFiles(t, dir, r)
		sound(t, s, n, most)
		s.Close()
		s, err := disk.Open(dir, disk.Options{})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("round %d: %v", round, err)
			}
			continue // it says why: another format, another byte order
		}
		sound(t, s, n, most)
		if _, err := s.Repair(t.Context()); err != nil {
			t.Errorf("round %d: Repair: %v", round, err)
		}
		fillFolder(t, s, n, most)
		sound(t, s, n, most)
		s.Close()
	}
}

// damageFiles writes some garbage to some places of some files.
func damageFiles(t *testing.T, dir string, r *rand.Rand) {
	t.Helper()
	names := append(glob(t, dir, "*.seg"), filepath.Join(dir, "index"))
	for range 1 + r.IntN(8) {
		name := names[r.IntN(len(names))]
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		garbage := filler(r.Uint32(), 1+r.IntN(64))
		patch(t, name, r.Int64N(max(1, info.Size()-64)), garbage)
	}
}

func FuzzSegment(f *testing.F) {
	dir := f.TempDir()
	s, err := disk.Open(dir, disk.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for k := range 3 {
		item := store.Item{Value: filler(uint32(k), k*100), Tags: []string{fmt.Sprint(k)}}
		if err := s.Set(f.Context(), key(k), item); err != nil {
			f.Fatal(err)
		}
	}
	s.DeleteTag(f.Context(), "0")
	s.Close()
	names, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	whole, err := os.ReadFile(names[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:2048], uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, flip byte) {
		if len(b) == 0 || len(b) > 1<<20 {
			return
		}
		dir := t.TempDir()
		b = bytes.Clone(b)
		b[int(at)%len(b)] ^= flip
		path := filepath.Join(dir, filepath.Base(names[0]))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, disk.Options{})
		for k := range 3 { // what is found has the right bytes
			item, err := s.Get(t.Context(), key(k))
			if err == nil && !bytes.Equal(item.Value, filler(uint32(k), k*100)) {
				t.Errorf("key %d: wrong bytes", k)
			}
		}
		if report, err := s.Verify(t.Context()); err != nil || len(report.Damaged) > 0 {
			t.Errorf("Verify after a rebuild: %+v, %v", report, err)
		}
		s.Close()
	})
}
