// trusted.go tells who a request comes from.

package proxy

import (
	"net/http"
	"net/netip"
	"strings"
)

// networks are those of proxies of our own.
type networks []netip.Prefix

func (n networks) has(a netip.Addr) bool {
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// hasPeer reports whether the other end of a connection is one of ours.
func (n networks) hasPeer(r *http.Request) bool {
	return len(n) > 0 && n.has(peerOf(r))
}

// peerOf returns the address of the other end; the zero address if it has none.
func peerOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// client returns the address a request comes from: of those that X-Forwarded-For names the last
// that is none of ours, if the other end is.
func (n networks) client(r *http.Request) netip.Addr {
	a := peerOf(r)
	fields := r.Header["X-Forwarded-For"]
	for i := len(fields) - 1; i >= 0 && n.has(a); i-- {
		hops := strings.Split(fields[i], ",")
		for j := len(hops) - 1; j >= 0 && n.has(a); j-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[j]))
			if err != nil {
				return a
			}
			a = hop.Unmap()
		}
	}
	return a
}
