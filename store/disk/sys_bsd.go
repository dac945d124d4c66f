//go:build unix && !linux

// sys_bsd.go makes room in files where the system has no fallocate.

package disk

import "os"

func grow(f *os.File, from, size int64) error { return fill(f, from, size) }

// punch does nothing: the blocks are free when the last process has closed the file.
func punch(*os.File, int64) {}

// bootID is not known: a folder is not checked again after the machine has started anew.
func bootID() uint64 { return 0 }

func processSpace() uint64 { return 0 }
