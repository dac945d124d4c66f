// process_other.go is for systems without groups of processes.

//go:build !unix

package thumb

import "os/exec"

// inherits says that programs cannot be given open files, so that none is run.
const inherits = false

func alone(*exec.Cmd) {}

func yield(int) {}
