// socket_unix.go makes a socket that only its owner can use, from its first moment.

//go:build unix

package proxy

import (
	"context"
	"net"
	"os"
	"syscall"
)

// listenSocket listens at a path. Linux makes the file of a socket with the mode of its descriptor;
// elsewhere there is a moment in which others could connect.
func listenSocket(path string) (net.Listener, error) {
	private := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
	}}
	l, err := private.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
