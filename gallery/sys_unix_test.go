//go:build unix

package gallery_test

import (
	"context"
	"encoding/base64"
	"syscall"
	"testing"
)

// makePipe makes a pipe that nobody writes into.
func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// idOf is the id of a path.
func idOf(path string) string { return base64.RawURLEncoding.EncodeToString([]byte(path)) }

// contextOf ends with the test at the latest.
func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}
