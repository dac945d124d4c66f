// place.go is where files with a name are, and what becomes of those of killed processes.

package artifact

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// placePrefix begins the names of all that is temporary.
const placePrefix = "larder-artifact-"

// place is a folder for one file. While its process lives it is locked.
type place struct {
	path   string
	lock   *os.File // nil where folders cannot be locked
	remove func()
}

// maxTries is how often a folder is made that is swept before it is locked.
const maxTries = 10

// newPlace makes a folder below dir, and removes there what dead processes have left.
func newPlace(dir string) (*place, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	sweep(dir)
	var err error
	for range maxTries {
		p := &place{}
		if p.path, err = os.MkdirTemp(dir, placePrefix); err != nil {
			return nil, err
		}
		if p.lock, err = lockFolder(p.path); err == nil {
			p.remove = sync.OnceFunc(p.drop)
			return p, nil
		}
	}
	return nil, err
}

func (p *place) drop() {
	os.RemoveAll(p.path)
	if p.lock != nil {
		p.lock.Close()
	}
}

// sweep removes the folders whose processes are dead. What cannot be removed stays.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), placePrefix) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if lock := inheritFolder(path); lock != nil {
			os.RemoveAll(path)
			lock.Close()
		}
	}
}
