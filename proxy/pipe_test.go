// pipe_test.go makes a file that nobody reads.

//go:build unix

package proxy_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/larder-go/larder/proxy"
)

// blockedPipe makes a pipe at a path; writing to it blocks until somebody reads.
func blockedPipe(t *testing.T, path string) *os.File {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no pipes: ", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestLogThatBlocksBlocksNoRequest(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	reader := blockedPipe(t, fifo)
	c := config(newOrigin(t, hello))
	c.Log = proxy.Log{Access: fifo, Format: "json"}
	s, browser := serve(t, c), client(t)
	long := "/" + strings.Repeat("a", 8000)
	for s.Stats().LinesLost == 0 { // ends only if lines are dropped
		get(t, browser, s.url(long))
	}
	go io.Copy(io.Discard, reader) // or Close would wait
}
