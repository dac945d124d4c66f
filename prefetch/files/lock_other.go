// lock_other.go is for systems where nothing here tells a dead program's files from a living one's.

//go:build !unix

package files

import (
	"os"
	"time"
)

// hold fails for a lock that was not made just now: what killed programs have left stays.
func hold(f *os.File) error {
	stat, err := f.Stat()
	if err == nil && time.Since(stat.ModTime()) > time.Second {
		err = os.ErrExist
	}
	return err
}
