// guard.go keeps requests out of private networks, looking at the address that is really dialled.

package scrape

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// maxHeader bounds the header of a response, in bytes.
const maxHeader = 256 << 10

// newTransport returns the way to the network. A refuse function, if not nil, sees every address
// before it is dialled, whatever name led to it. Then no proxy of the environment is used, since
// behind a proxy it is the proxy that dials.
func newTransport(refuse func(netip.Addr) error) *http.Transport {
	d := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8,
		MaxIdleConns:           64,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
	if refuse == nil {
		t.Proxy = http.ProxyFromEnvironment
		return t
	}
	d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrPrivateAddress, address)
		}
		return refuse(ap.Addr())
	}
	return t
}

// PublicTransport returns a way to the network for other clients than a [Fetcher], such as one of
// pictures: it refuses to dial addresses in private networks and on this machine with
// [ErrPrivateAddress], whatever name or redirect led to them, and uses no proxy.
func PublicTransport() *http.Transport { return newTransport(refusePrivate) }

// refusePrivate returns an error that wraps ErrPrivateAddress unless addr is a public one.
func refusePrivate(addr netip.Addr) error {
	if isPublic(addr) {
		return nil
	}
	return fmt.Errorf("%s is %w", addr, ErrPrivateAddress)
}

// refuseLiteral is refusePrivate for a host that is written as an address; names pass.
func refuseLiteral(u *url.URL) error {
	addr, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return nil
	}
	return refusePrivate(addr)
}

// isPublic reports whether addr is globally reachable by the registries of special addresses (RFC
// 6890). An address that carries an IPv4 address (mapped, NAT64) is judged by that one.
func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if b := addr.As16(); addr.Is6() && nat64.Contains(addr) {
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !addr.IsValid() || addr.Is6() && !globalUnicast.Contains(addr) {
		return false
	}
	for _, p := range special {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}
