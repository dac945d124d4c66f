// nonblock_unix.go keeps the opening of a pipe from waiting for somebody who writes into it.

//go:build unix

package gallery

import "syscall"

const nonBlocking = syscall.O_NONBLOCK
