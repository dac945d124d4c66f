// proxy.go stands between a client and a server, and does what bad networks do.

package servers

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
)

// Proxy passes what comes to Addr on to a server, and back. Its methods are safe for concurrent
// use, and tell of what is under way as of what comes later. It ends with its test.
type Proxy struct {
	Addr string // host:port

	t     testing.TB
	proxy *toxiproxy.Proxy
}

// NewProxy starts a proxy in front of the server at upstream.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	server := silent(toxiproxy.NewServer, toxiproxy.NewMetricsContainer(nil))
	p := &Proxy{t: t, proxy: toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", upstream)}
	if err := p.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	p.Addr = p.proxy.Listen
	t.Cleanup(p.proxy.Stop)
	return p
}

// silent makes a toxiproxy that logs nothing: the zero logger is one.
func silent[M, L any](newServer func(M, L) *toxiproxy.ApiServer, m M) *toxiproxy.ApiServer {
	var nothing L
	return newServer(m, nothing)
}

// Cut closes all connections, and refuses new ones until Restore.
func (p *Proxy) Cut() { p.proxy.Stop() }

// Restore ends whatever was done to the proxy. A connection from which something was withheld is
// closed.
func (p *Proxy) Restore() {
	p.t.Helper()
	p.proxy.Toxics.ResetToxics(context.Background())
	if err := p.proxy.Start(); err != nil && err != toxiproxy.ErrProxyAlreadyStarted {
		p.t.Fatal(err)
	}
}

// Delay lets every answer come later by d.
func (p *Proxy) Delay(d time.Duration) {
	p.t.Helper()
	p.add("latency", "downstream", fmt.Sprintf(`{"latency":%d}`, d.Milliseconds()))
}

// CutAfter closes each connection after bytes of answers from now on: in the middle of one.
func (p *Proxy) CutAfter(bytes int64) {
	p.t.Helper()
	p.add("limit_data", "downstream", fmt.Sprintf(`{"bytes":%d}`, bytes))
}

// BlackHole takes everything and passes on nothing, in either direction. New connections stand, and
// hear nothing.
func (p *Proxy) BlackHole() {
	p.t.Helper()
	p.add("timeout", "upstream", `{"timeout":0}`)
	p.add("timeout", "downstream", `{"timeout":0}`)
}

func (p *Proxy) add(kind, stream, attributes string) {
	p.t.Helper()
	toxic := fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, kind, stream, attributes)
	if _, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		p.t.Fatal(err)
	}
}
