// process_other.go is for systems without groups of processes.

//go:build !unix

package thumb

import "os/exec"

func alone(*exec.Cmd) {}

func yield(int) {}
