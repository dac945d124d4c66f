// name.go gives keys and tags names that Memcached takes.

package memcached

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"
)

// What a name is for, after the prefix. A hashed name has the capital.
const (
	kindItem    = "i"
	kindTag     = "t"
	counterName = "n"
)

// maxName is the length of the longest key that Memcached takes.
const maxName = 250

// name returns what key is called on the server. Different keys have different names: two of the
// same kind are either both as they are, or differ in SHA-256, or in the letter before them.
func (s *Store) name(kind, key string) string {
	if len(s.o.Prefix)+len(kind)+len(key) <= maxName && printable(key) {
		return s.o.Prefix + kind + key
	}
	sum := sha256.Sum256([]byte(key))
	return s.o.Prefix + strings.ToUpper(kind) + hex.EncodeToString(sum[:])
}

// printable reports whether s has nothing but ASCII characters that Memcached takes in keys.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// addrOf returns the address of a server, which is looked up at each connection.
func addrOf(addr string) net.Addr {
	if strings.Contains(addr, "/") {
		return serverAddr{"unix", addr}
	}
	return serverAddr{"tcp", addr}
}

type serverAddr struct{ network, addr string }

func (a serverAddr) Network() string { return a.network }
func (a serverAddr) String() string  { return a.addr }

// oneServer is where all keys are.
type oneServer struct{ addr net.Addr }

var _ memcache.ServerSelector = oneServer{}

func (s oneServer) PickServer(string) (net.Addr, error) { return s.addr, nil }
func (s oneServer) Each(f func(net.Addr) error) error   { return f(s.addr) }
