// changetime_bsd.go asks when a file was changed in any way, where that field is called otherwise.

//go:build darwin || freebsd || netbsd

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
	return sys.Ctimespec.Nano()
}
