// proxy.go is the door of a reverse proxy: it caches what an origin behind it answers.

package httpcache

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"
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
	// Trust says whether X-Forwarded-For, -Host and -Proto of the client are believed: the key is made
	// of the host and scheme they name, and they are handed on. Otherwise they are replaced.
	Trust Trust
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

// Proxy returns a handler that asks an origin and caches what it answers. It panics if o.URL is
// not the URL of an http or https server.
//
// Paths and queries reach the origin as they came, byte for byte, and are part of the key as they
// came: what the origin thinks is the same the cache may keep twice, what it tells apart the cache
// never mixes up.
func (c *Cache) Proxy(o Origin) http.Handler {
	if o.URL == nil || o.URL.Host == "" || o.URL.Scheme != "http" && o.URL.Scheme != "https" {
		panic(fmt.Sprintf("httpcache: origin %v is no URL of a server", o.URL))
	}
	if o.Transport == nil {
		o.Transport = originTransport(c.o.FillTimeout)
	}
	o.Forward = canonicalNames(o.Forward)
	p := &forwarder{o: o, via: "1.1 " + c.o.Name}
	h := &handler{
		view: o.View, origin: o.Transport, outgoing: p.outgoing, extra: o.Forward, forwards: true,
		trust: o.Trust,
	}
	h.pass = &httputil.ReverseProxy{
		Rewrite: p.rewrite, Transport: o.Transport, FlushInterval: -1,
		ErrorHandler: c.passFailed,
	}
	return c.handle(h)
}

// canonicalNames returns the names of fields as net/http writes them, sorted.
func canonicalNames(names []string) []string {
	var canonical []string
	for _, name := range names {
		canonical = append(canonical, http.CanonicalHeaderKey(name))
	}
	slices.Sort(canonical)
	return slices.Compact(canonical)
}

// originTransport is a transport for many requests to one server.
func originTransport(timeout time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:         Dial(&net.Dialer{Timeout: min(timeout, 10*time.Second)}),
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        1024,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		// What waits for a body has a limit of its own; this one is for requests that pass.
		ResponseHeaderTimeout:  timeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxEnvelope,
		DisableCompression:     true,
	}
}

// passFailed answers for an origin that failed a request that passes the cache.
func (c *Cache) passFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		c.engine.note(err)
	}
	w.Header()["Cache-Control"] = []string{"no-store"}
	status := statusOf(err)
	http.Error(w, fmt.Sprintf("%d %s", status, http.StatusText(status)), status)
}

// forwarder makes the requests that an origin gets.
type forwarder struct {
	o   Origin
	via string
}

// outgoing returns what the origin gets for r, without a body and without what the cache answers
// itself.
func (p *forwarder) outgoing(r *http.Request, ctx context.Context) *http.Request {
	out := r.Clone(ctx)
	out.Body, out.ContentLength, out.RequestURI, out.Close = nil, 0, "", false
	dropHopByHop(out.Header)
	p.rewrite(&httputil.ProxyRequest{In: r, Out: out})
	return out
}

// rewrite turns a request to the proxy into one to the origin. Its hop-by-hop fields are gone.
func (p *forwarder) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(p.o.URL)
	r.Out.URL.RawQuery, r.Out.URL.User = r.In.URL.RawQuery, nil
	switch p.o.Host {
	case "":
	case "*":
		_, r.Out.Host = p.o.Trust.siteOf(r.In)
	default:
		r.Out.Host = p.o.Host
	}
	for name := range r.Out.Header {
		if (steers(name) || strings.Contains(name, "_")) && !slices.Contains(p.o.Forward, name) {
			delete(r.Out.Header, name)
		}
	}
	if !isWebSocket(r.In.Header) {
		delete(r.Out.Header, "Upgrade")
		delete(r.Out.Header, "Connection")
	}
	p.forwarded(r)
	via := append(slices.Clip(r.In.Header["Via"]), fmt.Sprintf("%d.%d%s",
		r.In.ProtoMajor, r.In.ProtoMinor, p.via[len("1.1"):]))
	r.Out.Header["Via"] = []string{strings.Join(via, ", ")}
	if r.Out.Header["User-Agent"] == nil {
		r.Out.Header["User-Agent"] = nil // or net/http would add its own
	}
}

// forwarded says for whom we ask.
func (p *forwarder) forwarded(r *httputil.ProxyRequest) {
	const client = "X-Forwarded-For"
	if p.o.Trust == TrustClients && r.In.Header[client] != nil {
		r.Out.Header[client] = slices.Clone(r.In.Header[client])
	}
	r.SetXForwarded()
	scheme, host := p.o.Trust.siteOf(r.In) // as they are in the key
	r.Out.Header["X-Forwarded-Host"] = []string{host}
	r.Out.Header["X-Forwarded-Proto"] = []string{scheme}
}

// isWebSocket reports whether a request with the header h asks for a WebSocket, the one protocol that
// passes (RFC 6455, section 4.1).
func isWebSocket(h http.Header) bool {
	return len(h["Upgrade"]) == 1 && strings.EqualFold(h["Upgrade"][0], "websocket")
}

// steering are request fields that make some origins answer something else than what the URL says,
// which a cache that does not count them would then give to everybody.
var steering = []string{
	"Forwarded", "X-Host", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override",
	"X-Real-Ip", "X-Wap-Profile", "X-Http-Destinationurl", "X-Http-Host-Override", "X-Arbitrary",
	"Client-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Proxy",
	"Front-End-Https", "X-Url-Scheme", "X-Scheme", "X-Script-Name", "X-Override-Url",
	"X-Backend-Host",
}

// steeringPrefixes begin the names of more of them, some known to few.
var steeringPrefixes = []string{
	"X-Forward", "X-Original", "X-Rewrite", "X-Accel", "X-Envoy", "X-Middleware", "X-Invoke",
	"X-Now", "X-Originating", "X-Remote",
}

// steers reports whether a field is one of them.
func steers(name string) bool {
	begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return slices.Contains(steering, name) || slices.ContainsFunc(steeringPrefixes, begins)
}

// dropHopByHop removes what concerns one connection only (RFC 9110, section 7.6.1).
func dropHopByHop(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			delete(h, http.CanonicalHeaderKey(trim(name)))
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}
