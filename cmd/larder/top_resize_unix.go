// top_resize_unix.go hears when the terminal gets another size.

//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// onResize returns a channel that hears of a new size until stop is called.
func onResize() (resized <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH)
	return c, func() { signal.Stop(c) }
}
