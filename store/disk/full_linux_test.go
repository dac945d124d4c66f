// full_linux_test.go fills a disk.

package disk_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// TestFullDisk has a file system of 2 MiB for a folder of 1 GiB.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		if !errors.Is(err, syscall.EPERM) {
			t.Fatal(err)
		}
		t.Skip("mounting a small file system needs root: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := open(t, dir, disk.Options{})
	var full error
	n := 0
	for ; full == nil && n < 100_000; n++ {
		full = s.Set(t.Context(), key(n), store.Item{Value: value(n, rand.New(rand.NewPCG(1, 1)), 500)})
	}
	if !errors.Is(full, syscall.ENOSPC) || strings.Contains(full.Error(), "\n") {
		t.Fatalf("after %d sets: %v, want one line with ENOSPC", n, full)
	}
	if found := sound(t, s, n-1, 500); found != n-1 {
		t.Errorf("%d of %d are there when the disk is full", found, n-1)
	}
	if err := s.Set(t.Context(), "large", store.Item{Value: make([]byte, 3<<20)}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("large value: %v", err)
	}
	if err := s.Delete(t.Context(), key(0)); err != nil {
		t.Errorf("Delete: %v", err)
	}
	fillTheRest(t, dir)
	if _, err := s.GC(t.Context()); err != nil {
		t.Errorf("GC: %v", err)
	}
	if found := sound(t, s, n-1, 500); found < n-2 {
		t.Errorf("%d of %d are there after GC", found, n-2)
	}
	if err := s.Clear(t.Context()); err != nil {
		t.Errorf("Clear: %v", err)
	}
	if err := s.Set(t.Context(), "k", store.Item{Value: []byte("v")}); err != nil {
		t.Errorf("after Clear: %v", err)
	}
	wantClean(t, dir)
}

// fillTheRest leaves no byte free.
func fillTheRest(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "somebody-else"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
