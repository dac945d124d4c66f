// folder.go is where copies are, and what becomes of those of programs that were killed.

package files

import (
	"fmt"
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
func newFolder(dir string) (f *folder, err error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sweep(dir)
	for range 3 { // another program may sweep between the making of a folder and its locking
		if f, err = makeFolder(dir); err == nil {
			return f, nil
		}
	}
	return nil, err
}

func makeFolder(dir string) (*folder, error) {
	path, err := os.MkdirTemp(dir, prefix)
	if err != nil {
		return nil, err
	}
	lock, err := os.Create(filepath.Join(path, lockName))
	if err == nil {
		err = hold(lock)
	}
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
		lock, err := os.Open(filepath.Join(path, lockName))
		if err != nil { // somebody is just making it, or it is not ours
			continue
		}
		if hold(lock) == nil {
			os.RemoveAll(path)
		}
		lock.Close()
	}
}

// place returns a path for a copy of the i-th file. Each try has its own: another may still be
// in use.
func (f *folder) place(i int, name string) (string, error) {
	dir := filepath.Join(f.path, strconv.Itoa(i)+"-"+strconv.FormatInt(f.last.Add(1), 10))
	return filepath.Join(dir, name), os.Mkdir(dir, 0o700)
}

// remove removes a copy. If that fails, close does it.
func (f *folder) remove(path string) { os.RemoveAll(filepath.Dir(path)) }

func (f *folder) close() error {
	err := os.RemoveAll(f.path)
	f.lock.Close()
	return err
}
