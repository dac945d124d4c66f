// proxy_http3.go gives larder proxy HTTP/3.

package main

import (
	"crypto/tls"
	"net/http"

	"github.com/larder-go/larder/proxy"
	"github.com/larder-go/larder/proxy/http3"
)

func serveHTTP3(t *tls.Config, h http.Handler, l proxy.Limits) proxy.QUIC {
	return http3.New(http3.Options{
		TLS: t, Handler: h, Header: int(l.Header), Idle: l.Idle.Std(), Connections: l.Connections,
	})
}
