//go:build unix

// sys_unix.go asks the system for shared memory and for locks that die with their process.

package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps span bytes of f, which may be more than it has yet.
func mapFile(f *os.File, span int64, readOnly bool) ([]byte, error) {
	prot := unix.PROT_READ | unix.PROT_WRITE
	if readOnly {
		prot = unix.PROT_READ
	}
	m, err := unix.Mmap(int(f.Fd()), 0, int(span), prot, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return m, nil
}

func unmapFile(m []byte) {
	if m != nil {
		_ = unix.Munmap(m) // it fails only for a slice that mapFile did not return
	}
}

// tryLock takes the lock of the open file f; ok is false while another open file has it.
func tryLock(f *os.File) (ok bool, err error) {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, os.NewSyscallError("flock", err)
		}
	}
}

func unlockFile(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// alive reports whether a process of that id may exist. No system numbers them above 1<<22.
func alive(pid int) bool {
	return pid > 0 && pid <= 1<<22 && !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// fill makes f size bytes long by writing zeros: the blocks are then there, as after fallocate.
func fill(f *os.File, from, size int64) error {
	zeros := make([]byte, min(size-from, 256<<10))
	for from < size {
		n, err := f.WriteAt(zeros[:min(size-from, int64(len(zeros)))], from)
		if err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}
