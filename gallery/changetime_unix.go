// changetime_unix.go asks when a file was changed in any way: nobody can set that time back.

//go:build linux || openbsd || dragonfly || solaris

package gallery

import (
	"io/fs"
	"syscall"
)

// changeTime returns that time in nanoseconds since 1970; 0 if the file system does not say.
func changeTime(stat fs.FileInfo) int64 {
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return sys.Ctim.Nano()
}
