// process_other.go is for systems without Unix processes. The disk store refuses them, so that
// larder run passes everything on there and keeps nothing.

//go:build !unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// forwarded are the signals that a process gets when larder gets them.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt} }

// reached is true: the console tells all its processes.
func reached(os.Signal) bool { return true }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

func detached() *syscall.SysProcAttr { return nil }

func keepDescriptors() error { return errors.ErrUnsupported }
