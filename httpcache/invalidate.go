// invalidate.go says which stored responses a response of the origin makes outdated.

package httpcache

import (
	"net/http"
	"net/url"
)

// invalidated returns the URLs whose stored responses must no longer be used once req was answered
// by resp (RFC 9111, section 4.4): after a success or redirect of an unsafe method its own target,
// and what Location and Content-Location name, if it is of the same origin.
func invalidated(req *http.Request, resp *http.Response) []*url.URL {
	if safe(method(req)) || resp.StatusCode < 200 || resp.StatusCode > 399 || req.URL.Opaque != "" {
		return nil
	}
	urls := []*url.URL{req.URL}
	for _, name := range []string{"Location", "Content-Location"} {
		value := resp.Header.Get(name)
		if value == "" {
			continue
		}
		if u, err := req.URL.Parse(value); err == nil && sameOrigin(req.URL, u) {
			urls = append(urls, u)
		}
	}
	return urls
}

// safe reports whether a method asks for no change (RFC 9110, section 9.2.1). One that is unknown
// may.
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, methodQuery:
		return true
	}
	return false
}

// sameOrigin compares scheme, host and port (RFC 9110, section 4.3.1).
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && b.Opaque == "" &&
		hostOf(a.Scheme, a.Host) == hostOf(b.Scheme, b.Host)
}

// supersedes reports whether resp shows that an older response to GET is of no more use, though
// resp itself is not stored. An error, or a refusal to this caller, does not.
func supersedes(req *http.Request, resp *http.Response) bool {
	if method(req) != http.MethodGet {
		return false
	}
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		return true
	}
	return resp.StatusCode/100 == 2
}
