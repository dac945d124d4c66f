// process_unix.go keeps programs in a group of their own, behind everything else.

//go:build unix

package thumb

import (
	"os/exec"
	"syscall"
)

// inherits says that programs can be given open files.
const inherits = true

// alone gives a program a group of its own, and has the whole group end with its context.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// yield lets everything else go first. That is a courtesy: nothing depends on it.
func yield(pid int) { _ = syscall.Setpriority(syscall.PRIO_PGRP, pid, 10) }
