// http3_test.go asks by HTTP/3.

package proxy_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"github.com/larder-go/larder/proxy"
	larder3 "github.com/larder-go/larder/proxy/http3"
)

// withHTTP3 gives a server what it needs for HTTP/3.
func withHTTP3(o *proxy.Options) {
	o.HTTP3 = func(t *tls.Config, h http.Handler, l proxy.Limits) proxy.QUIC {
		return larder3.New(larder3.Options{TLS: t, Handler: h, Header: int(l.Header),
			Connections: l.Connections})
	}
}

// clientOf3 is a client that speaks nothing else.
func clientOf3(t *testing.T) *http.Client {
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(func() { transport.Close() })
	return &http.Client{Transport: transport}
}

func TestSpeaksHTTP3AndSaysSo(t *testing.T) {
	var asked atomic.Int64
	c, _ := secure(t, newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=60")
		b, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, " ", string(b))
	}))
	c.HTTP3 = true
	s := serve(t, c, withHTTP3)
	port := s.Addrs().TLS[0].String()[len("127.0.0.1:"):]
	resp, _ := get(t, insecure(t), s.secureURL("/"))
	if got := resp.Header.Get("Alt-Svc"); !strings.HasPrefix(got, `h3=":`+port+`"`) {
		t.Errorf("Alt-Svc is %q", got)
	}
	browser := clientOf3(t)
	resp, text := get(t, browser, s.secureURL("/"))
	if resp.Proto != "HTTP/3.0" || text != "GET " || resp.Header.Get("Alt-Svc") != "" {
		t.Errorf("got %s %q %v", resp.Proto, text, resp.Header)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the origin was asked %d times: nobody had what HTTP/2 loaded", n)
	}
	if _, text := do(t, browser, request(t, http.MethodPost, s.secureURL("/"), "x")); text != "POST x" {
		t.Errorf("got %q", text)
	}
	if resp, _ := get(t, browser, s.secureURL("/x/%2e%2e/y")); resp.StatusCode != 400 {
		t.Errorf("dots: %s", resp.Status)
	}
}
