//go:build !unix

// sys_other.go refuses systems on which the folder's shared memory is not implemented.

package disk

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func mapFile(*os.File, int64, bool) ([]byte, error) {
	return nil, fmt.Errorf("disk: %w on %s", errors.ErrUnsupported, runtime.GOOS)
}

func unmapFile([]byte) {}

func tryLock(*os.File) (bool, error) { return true, nil }

func unlockFile(*os.File) {}

func alive(int) bool { return true }

func grow(f *os.File, _, size int64) error { return f.Truncate(size) }

func punch(*os.File, int64) {}

func bootID() uint64 { return 0 }

func processSpace() uint64 { return 0 }
