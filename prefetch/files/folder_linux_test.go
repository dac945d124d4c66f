// folder_linux_test.go has a small disk, and a folder with what is no lock.

package files_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/larder-go/larder/prefetch/files"
)

func TestADiskThatIsFullBeforeTheBoundIsTheBound(t *testing.T) {
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("mounting a small file system needs root: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	names, _ := fill(t, t.TempDir(), 40, 1_000_000)
	f := open(t, names, files.Options{Dir: dir})
	for i, name := range names {
		path, release, err := f.Hold(t.Context(), i)
		if err != nil {
			t.Fatalf("%s: %v; %+v", name, err, f.Stats())
		}
		if stat, err := os.Stat(path); err != nil || stat.Size() != int64(1_000_000+i) {
			t.Errorf("%s: %v, %v", name, stat, err)
		}
		release()
	}
	if s := f.Stats(); s.Weight > 4<<20 || s.Used < 20 {
		t.Errorf("a full disk is no reason not to load ahead: %+v", s)
	}
}

func TestWhatIsNoLockHoldsNobodyUp(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "larder-files-odd")
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(odd, "lock"), 0o600); err != nil {
		t.Fatal(err)
	}
	names, _ := fill(t, t.TempDir(), 1, 100)
	open(t, names, files.Options{Dir: dir})
	if _, err := os.Stat(odd); err != nil {
		t.Error(err)
	}
}
