// lock_other.go is for systems where nothing here tells a dead program's files from a living one's.

//go:build !unix

package files

import (
	"errors"
	"os"
	"syscall"
)

// take makes the file path.
func take(path string) (*os.File, error) { return os.Create(path) }

// inherit never takes a lock: what killed programs have left stays.
func inherit(string) (*os.File, bool) { return nil, false }

// isFull tells whether err says that a disk is full.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
