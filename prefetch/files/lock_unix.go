// lock_unix.go locks a file until its program ends, however that happens.

//go:build unix

package files

import (
	"os"
	"syscall"
)

// hold takes the lock of f, or fails if another program has it.
func hold(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
