// lock_unix.go locks a file until its program ends, however that happens.

//go:build unix

package files

import (
	"errors"
	"os"
	"syscall"
)

// take makes the file path and takes its lock. It has that name only once it is locked, so that
// nobody finds it unlocked while its program lives.
func take(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err = hold(f); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// inherit takes the lock of a dead program, or tells that there is none: the program lives, or what
// is there was not made by take, or not for this user.
func inherit(path string) (f *os.File, ok bool) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, false
	}
	if !ours(f) || hold(f) != nil || !leadsTo(path, f) {
		f.Close()
		return nil, false
	}
	return f, true
}

// ours tells whether f is a plain file of this user.
func ours(f *os.File) bool {
	stat, err := f.Stat()
	if err != nil || !stat.Mode().IsRegular() {
		return false
	}
	sys, ok := stat.Sys().(*syscall.Stat_t)
	return ok && int(sys.Uid) == os.Getuid()
}

// leadsTo tells whether f is still what is at path: another may have removed it.
func leadsTo(path string, f *os.File) bool {
	stat, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(stat, now)
}

// hold takes the lock of f, or fails if another program has it.
func hold(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// isFull tells whether err says that a disk, or what this user may have of it, is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
