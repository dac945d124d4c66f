// file_other.go is for systems whose files the standard library does not number.

//go:build !unix

package sqlite

import "io/fs"

// inode returns nothing: the name has to do.
func inode(fs.FileInfo) string { return "" }
