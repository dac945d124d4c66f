// http3.go serves HTTP/3 by quic-go.

// Package http3 serves HTTP/3 for package proxy. Who does not want it does not link quic-go.
package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Options of New.
type Options struct {
	// TLS has the certificates. It is not changed.
	TLS *tls.Config
	// Handler answers all requests.
	Handler http.Handler
	// Header bounds the head of a request, in bytes; 0 means 1 MiB.
	Header int
	// Idle is how long a connection may be silent; 0 means 30 s.
	Idle time.Duration
	// Connections bounds those that are open at a time; more are refused. 0 means no limit.
	Connections int
}

// maxStreams is how many requests a connection may have open.
const maxStreams = 250

// busy is the share of Connections from which on clients must prove their address first, which
// takes them one more round trip.
const busy = 0.25

// Server serves HTTP/3. It is safe for concurrent use.
type Server struct {
	options Options
	server  http3.Server
	open    atomic.Int64

	mu         sync.Mutex // guards the fields below
	transports []*quic.Transport
	closed     bool
}

// New returns a server. Requests that a client repeats from an earlier connection (0-RTT) are not
// taken before the connection is agreed on, since anybody could repeat them.
func New(o Options) *Server {
	s := &Server{options: o}
	s.server.Handler = o.Handler
	s.server.MaxHeaderBytes = o.Header
	s.server.IdleTimeout = o.Idle
	return s
}

// Serve serves what comes in at a connection until Shutdown or Close; then the error is
// http.ErrServerClosed. It leaves it to the caller to close the connection.
func (s *Server) Serve(c net.PacketConn) error {
	transport := &quic.Transport{Conn: c, VerifySourceAddress: s.suspects}
	if !s.keep(transport) {
		return http.ErrServerClosed
	}
	l, err := transport.ListenEarly(http3.ConfigureTLSConfig(s.options.TLS), &quic.Config{
		MaxIncomingStreams: maxStreams,
		MaxIdleTimeout:     s.options.Idle,
	})
	if err != nil {
		return err
	}
	defer l.Close()
	return s.server.ServeListener(&counted{l, s})
}

// keep remembers a transport for Close; false after it.
func (s *Server) keep(t *quic.Transport) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.transports = append(s.transports, t)
	}
	return !s.closed
}

// suspects reports whether a client must prove that it is where it says.
func (s *Server) suspects(net.Addr) bool {
	most := s.options.Connections
	return most > 0 && float64(s.open.Load()) > busy*float64(most)
}

// counted is a listener that refuses connections beyond a bound.
type counted struct {
	http3.QUICListener
	s *Server
}

// Accept implements http3.QUICListener.
func (l *counted) Accept(ctx context.Context) (*quic.Conn, error) {
	for {
		c, err := l.QUICListener.Accept(ctx)
		if err != nil {
			return nil, err
		}
		n, most := l.s.open.Add(1), l.s.options.Connections
		context.AfterFunc(c.Context(), func() { l.s.open.Add(-1) })
		if most == 0 || n <= int64(most) {
			return c, nil
		}
		_ = c.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeExcessiveLoad), "too many")
	}
}

// Shutdown takes no more requests and waits for those under way, until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.server.Shutdown(ctx) }

// Close ends all connections at once. It may be called twice.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	err := s.server.Close()
	for _, t := range s.transports {
		err = errors.Join(err, t.Close())
	}
	s.transports = nil
	return err
}
