// guard_internal_test.go checks which addresses are public, and that the one dialled is judged.

package scrape

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"64:ff9b::8.8.8.8": true, "100.128.0.1": true, "172.32.0.1": true, "2a00::1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.1.2.3": false, "127.0.0.1": false,
		"127.9.9.9": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "100.64.0.1": false, "100.100.100.200": false, "192.0.0.192": false,
		"168.63.129.16": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false,
		"198.18.0.1": false, "203.0.113.7": false, "::": false, "::1": false, "fe80::1": false,
		"fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"fec0::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false,
		"64:ff9b::10.0.0.1": false, "64:ff9b::127.0.0.1": false, "64:ff9b:1::1": false,
		"2002:7f00:1::": false, "2001:0:1::1": false, "2001:db8::1": false, "100::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("isPublic(%s) = %v, want %v", text, got, want)
		}
	}
	if isPublic(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	reached := false
	address := newServer(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) { reached = true })
	port := address[strings.LastIndex(address, ":"):]
	f := New(Options{})
	defer f.Close()
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		_, err := f.Fetch(t.Context(), "http://"+host+port+"/x")
		if !errors.Is(err, ErrPrivateAddress) || !strings.Contains(err.Error(), "AllowPrivate") {
			t.Errorf("%s: error = %v, want ErrPrivateAddress", host, err)
		}
	}
	if reached {
		t.Error("a private address was asked")
	}
}

// TestTheDialledAddressIsJudged lets 127.0.0.1 stand for the Internet and 127.0.0.2 for what is
// private: a redirect leads there, and so does the robots.txt of a host.
func TestTheDialledAddressIsJudged(t *testing.T) {
	private := newServer(t, "127.0.0.2:0", func(w http.ResponseWriter, _ *http.Request) {
		t.Error("the private host was asked")
	})
	public := newServer(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, private+"/secret", http.StatusFound)
		}
	})
	hidden := newServer(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, private+"/robots.txt", http.StatusFound)
	})
	refuse := func(a netip.Addr) error {
		if a.String() == "127.0.0.2" {
			return fmt.Errorf("%s is %w", a, ErrPrivateAddress)
		}
		return nil
	}
	f := New(Options{AllowPrivate: true, Transport: newTransport(refuse)})
	defer f.Close()
	for _, url := range []string{public + "/away", hidden + "/x"} {
		_, err := f.Fetch(t.Context(), url)
		if !errors.Is(err, ErrPrivateAddress) || !strings.Contains(err.Error(), "127.0.0.2") {
			t.Errorf("%s: error = %v, want ErrPrivateAddress", url, err)
		}
	}
}

func newServer(t *testing.T, address string, h http.HandlerFunc) string {
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("needs the address %s: %v", address, err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func TestNoProxyBehindTheGuard(t *testing.T) {
	if newTransport(refusePrivate).Proxy != nil {
		t.Error("the guard is there and a proxy too")
	}
	if newTransport(nil).Proxy == nil {
		t.Error("without the guard the proxy of the environment is not used")
	}
}
