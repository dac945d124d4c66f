// sys_linux.go makes and frees room in files the way Linux can.

package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// grow makes f size bytes long and reserves the blocks, so that a full disk shows here and not as
// a fault when the mapped file is written.
func grow(f *os.File, from, size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, from, size-from)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EOPNOTSUPP):
			return fill(f, from, size)
		case !errors.Is(err, unix.EINTR):
			return os.NewSyscallError("fallocate", err)
		}
	}
}

// punch gives the blocks of f back while others may still have it mapped; they then read zeros.
func punch(f *os.File, size int64) {
	mode := uint32(unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE)
	_ = unix.Fallocate(int(f.Fd()), mode, 0, size) // where it cannot be had, closing frees them
}

// bootID tells one start of the machine from the next.
func bootID() uint64 {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return 0
	}
	return fold(b)
}

// processSpace tells the process numbers of one container from those of another.
func processSpace() uint64 {
	link, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return 0
	}
	return fold([]byte(link))
}
