// redis.go starts Redis.

package servers

import (
	"net"
	"testing"
)

// Redis starts a redis-server that keeps nothing on disk, with args besides.
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	program := Program(t, "redis-server", "redis-server")
	addr := FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	all := []string{program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no"}
	return start(t, addr, t.TempDir(), append(all, args...)...)
}
