// top_resize_other.go is for systems that do not tell when the terminal gets another size: the next
// refresh sees it.

//go:build !unix

package main

import "os"

func onResize() (resized <-chan os.Signal, stop func()) { return nil, func() {} }
