// top_address.go reads the address at which a program shows its caches.

package main

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strings"
)

// usualPath is where a program shows its caches if nobody says otherwise.
const usualPath = "/debug/cache"

// debugAddress is where a program shows its caches: a URL, and the socket that leads there, "" for
// the host of the URL.
type debugAddress struct {
	url    *url.URL
	socket string
}

// String writes the address for people, without a password.
func (a debugAddress) String() string {
	if a.socket != "" {
		return "unix:" + a.socket
	}
	return a.url.Redacted()
}

var errAddress = errors.New("not an address: write 127.0.0.1:6060, http://host/debug/cache or" +
	" unix:/path")

// parseDebugAddress reads host:port, a URL, or unix:/path. Without a path it is usualPath, without
// a host this machine.
func parseDebugAddress(text string) (debugAddress, error) {
	if socket, ok := strings.CutPrefix(text, "unix:"); ok {
		if socket == "" {
			return debugAddress{}, errAddress
		}
		return debugAddress{
			url: &url.URL{Scheme: "http", Host: "localhost", Path: usualPath}, socket: socket,
		}, nil
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return debugAddress{}, errAddress
	}
	if u.Hostname() == "" {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
	u.Path = cmp.Or(strings.TrimSuffix(u.Path, "/"), usualPath)
	u.RawPath, u.RawQuery, u.Fragment = "", "", ""
	return debugAddress{url: u}, nil
}
