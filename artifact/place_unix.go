// place_unix.go locks a folder until its process ends, however that happens.

//go:build unix

package artifact

import (
	"fmt"
	"os"
	"syscall"
)

// lockFolder locks a folder that was made just now. It fails if somebody sweeps it. Where the file
// system has no locks there is none, and no error.
func lockFolder(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	switch err := hold(f); {
	case err == nil && leadsTo(path, f):
		return f, nil
	case err == nil, err == syscall.EWOULDBLOCK:
		f.Close()
		return nil, fmt.Errorf("%s is being removed", path)
	}
	f.Close()
	return nil, nil
}

// inheritFolder locks a folder that a dead process of this user has left; nil if it has not.
func inheritFolder(path string) *os.File {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	if !ours(f) || hold(f) != nil || !leadsTo(path, f) {
		f.Close()
		return nil
	}
	return f
}

func ours(f *os.File) bool {
	stat, err := f.Stat()
	if err != nil {
		return false
	}
	sys, ok := stat.Sys().(*syscall.Stat_t)
	return ok && int(sys.Uid) == os.Getuid()
}

// leadsTo tells whether f is still what is at path.
func leadsTo(path string, f *os.File) bool {
	stat, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(stat, now)
}

// hold takes the lock of f, or fails if another has it.
func hold(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
