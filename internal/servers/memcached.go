// memcached.go starts Memcached.

package servers

import (
	"net"
	"os/user"
	"testing"
)

// Memcached starts a memcached, with args besides.
func Memcached(t testing.TB, args ...string) *Server {
	t.Helper()
	program := Program(t, "memcached", "memcached")
	addr := FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	all := []string{program, "-l", host, "-p", port, "-U", "0"}
	if u, err := user.Current(); err == nil && u.Uid == "0" { // it refuses to run as root unasked
		all = append(all, "-u", u.Username)
	}
	return start(t, addr, t.TempDir(), append(all, args...)...)
}
