//go:build !linux

// sys_other.go: only Linux can bind a process to the life of another.

package servers

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }
