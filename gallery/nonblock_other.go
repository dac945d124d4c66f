// nonblock_other.go is for systems where files in a folder are files.

//go:build !unix

package gallery

const nonBlocking = 0
