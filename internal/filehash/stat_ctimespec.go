//go:build darwin || freebsd || netbsd

// stat_ctimespec.go reads what macOS and its relatives know of a file besides.

package filehash

import (
	"io/fs"
	"syscall"
)

// system returns when the file or what is said of it last changed, and its number.
func system(stat fs.FileInfo) (changed int64, inode uint64) {
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return sys.Ctimespec.Nano(), uint64(sys.Ino)
}
