// origin.go makes requests to an origin, and notices when it is down.

package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/larder-go/larder/httpcache"
)

const (
	dialTimeout      = 5 * time.Second
	maxOriginHeader  = 256 << 10 // bytes; an origin with more is refused
	idleOriginConns  = 256       // kept for the next requests
	idleOriginTime   = 90 * time.Second
	healthEvery      = 5 * time.Second
	maxHealthTimeout = 5 * time.Second
	maxHealthBody    = 64 << 10
)

// origin is a server behind the proxy. It is an http.RoundTripper that fails at once with an
// OpenError while the server is down. Sites with the same origin share one.
type origin struct {
	name    string // scheme and host, for people
	base    *http.Transport
	circuit circuit
	check   healthCheck
	stop    context.CancelFunc // of the checks; nil if there are none
	leave   func()             // takes it out of what the server reports; nil if it is not in
	tally   tally
}

// originKey is what makes two sites share an origin, and an origin outlive a reload.
type originKey struct {
	base, ca string
	changed  stamp // of the file ca
	fill     Duration
	check    healthCheck
}

func keyOf(s *Site, to *url.URL, fill Duration) originKey {
	return originKey{
		base: to.Scheme + "://" + to.Host, ca: s.CA, changed: stampOf(s.CA), fill: fill,
		check: checkOf(s, to),
	}
}

// newOrigin returns an origin that nobody checks yet.
func newOrigin(k originKey) (*origin, error) {
	roots, err := rootsOf(k.ca)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &origin{name: k.base, check: k.check, base: &http.Transport{
		DialContext:            httpcache.Dial(dialer),
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  time.Duration(k.fill),
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxOriginHeader,
		MaxIdleConnsPerHost:    idleOriginConns,
		IdleConnTimeout:        idleOriginTime,
		DisableCompression:     true, // codings are the cache's matter
		ForceAttemptHTTP2:      true,
	}}, nil
}

// rootsOf reads the certificates that vouch for an origin, nil for those of the system.
func rootsOf(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: has no certificate in PEM", path)
	}
	return pool, nil
}

// RoundTrip implements http.RoundTripper.
func (o *origin) RoundTrip(r *http.Request) (*http.Response, error) {
	wait, ok := o.circuit.enter(time.Now())
	if !ok {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, &OpenError{Origin: o.name, After: wait}
	}
	how, done := unclear, o.tally.begin(time.Now())
	defer func() {
		now := time.Now()
		o.circuit.leave(now, how)
		done(now, how)
	}()
	resp, err := o.base.RoundTrip(r)
	if err == nil {
		how = worked
		return resp, nil
	}
	if slip := bodyError(r.Context()); slip != nil {
		return nil, slip
	}
	if !errors.Is(context.Cause(r.Context()), context.Canceled) { // by a client that left
		how = failed
	}
	return nil, err
}

// drop ends what the origin does by itself, when no site has it any more. Requests under way go on.
func (o *origin) drop() {
	if o.stop != nil {
		o.stop()
	}
	if o.leave != nil {
		o.leave()
	}
	o.base.CloseIdleConnections()
}
