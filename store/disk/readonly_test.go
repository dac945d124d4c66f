//go:build unix

// readonly_test.go opens folders that let us read but not write, and folders that are none.

package disk_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// readOnlyRole opens a folder that it may not write, and says what it could do.
func readOnlyRole(dir string) error {
	s, err := disk.Open(dir, disk.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx := context.Background()
	item, err := s.Get(ctx, "k")
	if err != nil || string(item.Value) != "v" {
		return fmt.Errorf("Get = %q, %w", item.Value, err)
	}
	if _, err := s.TryLease(ctx, "k"); !errors.Is(err, disk.ErrReadOnly) {
		return fmt.Errorf("TryLease: %w", err)
	}
	for _, err := range []error{s.Set(ctx, "k", store.Item{}), s.Delete(ctx, "k"), s.Clear(ctx)} {
		if !errors.Is(err, disk.ErrReadOnly) || !strings.Contains(err.Error(), dir) {
			return fmt.Errorf("change: %w, want ErrReadOnly with the folder's name", err)
		}
	}
	report, err := s.Verify(ctx)
	if err != nil || report.Entries != 1 {
		return fmt.Errorf("Verify = %+v, %w", report, err)
	}
	return nil
}

func TestReadOnlyFolder(t *testing.T) {
	dir := sharedTemp(t)
	s := open(t, dir, disk.Options{})
	if err := s.Set(t.Context(), "k", store.Item{Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if e.IsDir() {
			return os.Chmod(path, 0o555)
		}
		return os.Chmod(path, 0o444)
	})
	cmd := command("readonly", dir)
	if os.Getuid() == 0 { // nothing is read-only for root: be somebody else
		cmd.Path = copyProgram(t, cmd.Path)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	os.Chmod(dir, 0o755)
}

// copyProgram copies a program to where any user may run it.
func copyProgram(t *testing.T, path string) string {
	t.Helper()
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(sharedTemp(t), "program")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// sharedTemp is a temporary folder that any user may enter.
func sharedTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "larder-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadOnlyOptionCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := disk.Open(dir, disk.Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open = %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made")
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer")
	open(t, newer, disk.Options{}).Close()
	patch(t, filepath.Join(newer, "index"), 8, []byte{9, 0, 0, 0})
	for _, c := range []struct {
		dir  string
		o    disk.Options
		want string
	}{
		{file, disk.Options{}, "not a directory"},
		{filepath.Join(file, "below"), disk.Options{}, "not a directory"},
		{newer, disk.Options{}, "has format 9, this version of larder reads 1; upgrade larder"},
		{newer, disk.Options{ReadOnly: true}, "has format 9"},
		{filepath.Join(dir, "small"), disk.Options{MaxBytes: 1000}, "must be at least 1048576"},
		{filepath.Join(dir, "negative"), disk.Options{MaxBytes: -1}, "must be at least 1048576"},
	} {
		_, err := disk.Open(c.dir, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open(%s, %+v) = %v, want one line with %q", c.dir, c.o, err, c.want)
		}
	}
	if b, err := os.ReadFile(filepath.Join(newer, "index")); err != nil || b[8] != 9 {
		t.Error("the newer folder was changed")
	}
}

// patch overwrites bytes of a file.
func patch(t *testing.T, path string, off int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
}
