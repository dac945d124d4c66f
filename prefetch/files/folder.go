// folder.go is where copies are, and what becomes of those of programs that were killed.

package files

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// prefix begins the names of folders with copies.
const prefix = "larder-files-"

// lockName is a file that a living program holds the lock of.
const lockName = "lock"

// folder holds the copies of one Files. Each copy has a folder of its own, since it keeps its name.
type folder struct {
	path string
	lock *os.File
	last atomic.Int64
}

// newFolder makes a folder below dir, and removes there what dead programs have left.
func newFolder(dir string) (*folder, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sweep(dir)
	path, err := os.MkdirTemp(dir, prefix)
	if err != nil {
		return nil, err
	}
	lock, err := take(filepath.Join(path, lockName))
	if err != nil {
		os.RemoveAll(path)
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &folder{path: path, lock: lock}, nil
}

// sweep removes the folders whose programs are dead. What cannot be removed stays.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if lock, ok := inherit(filepath.Join(path, lockName)); ok {
			os.RemoveAll(path)
			lock.Close()
		}
	}
}

// place returns a path for a copy of the i-th file. Each try has its own: another may still be
// in use.
func (f *folder) place(i int, name string) (string, error) {
	dir := filepath.Join(f.path, strconv.Itoa(i)+"-"+strconv.FormatInt(f.last.Add(1), 10))
	return filepath.Join(dir, name), os.Mkdir(dir, 0o700)
}

// size returns how many bytes the copies have, with those that are being made.
func (f *folder) size() (n int64) {
	_ = filepath.WalkDir(f.path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // removed meanwhile
		}
		if stat, err := e.Info(); err == nil {
			n += stat.Size()
		}
		return nil
	})
	return n
}

// remove removes a copy. If that fails, close does it.
func (f *folder) remove(path string) { os.RemoveAll(filepath.Dir(path)) }

func (f *folder) close() error {
	err := os.RemoveAll(f.path)
	f.lock.Close()
	return err
}
