//go:build !linux

// sys_other.go: only Linux can bind a process to the life of another, and say who its children are.

package servers

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }

func children(int) []int { return nil }

func isRunning(pid int) bool { return syscall.Kill(pid, 0) == nil }

func awaitStop(int) {}
