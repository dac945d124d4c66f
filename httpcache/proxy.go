// proxy.go is the door of a reverse proxy: it caches what an origin behind it answers.

package httpcache

import (
	"net/http"
	"net/url"
)

// Origin is a server behind a proxy.
type Origin struct {
	// URL is where it is: http or https, host, and a path that is put before those asked for.
	URL *url.URL
	// Transport makes the requests. nil means one of its own, without proxy, that verifies
	// certificates.
	Transport http.RoundTripper
	// Host is sent to the origin as Host; "" means that of URL. "*" means what the client sent.
	Host string
	// TrustForwarded hands on X-Forwarded-For, -Host and -Proto of the client, which must then be a
	// proxy of our own. Otherwise they are replaced.
	TrustForwarded Trust
	// Forward names request fields that are handed on although they are known to change what an
	// origin answers while no cache counts them: X-Original-Url, X-Http-Method-Override and others
	// (see docs/security.md). Those named become part of the key.
	Forward []string
	// View says what the key is made of, and what is shared.
	View View
}

// Trust says whether what a client says of whom it speaks for is believed.
type Trust uint8

// What to believe.
const (
	TrustNobody  Trust = iota // the client speaks for itself
	TrustClients              // the clients are proxies of our own
)
