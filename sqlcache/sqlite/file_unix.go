// file_unix.go tells a file from another of the same name.

//go:build unix

package sqlite

import (
	"fmt"
	"io/fs"
	"syscall"
)

// inode returns the numbers of a file and of its device.
func inode(info fs.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", s.Dev, s.Ino)
	}
	return ""
}
