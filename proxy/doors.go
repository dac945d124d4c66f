// doors.go listens at addresses, serves what comes in, and lets the last requests end.

package proxy

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxStreams is how many requests a connection of HTTP/2 may have open.
const maxStreams = 250

// doors are the addresses of a server, and who serves them.
type doors struct {
	plain, secure, admin *http.Server
	open                 []door
	packets              []net.PacketConn
	quic                 QUIC
}

// door is an address with the server for it.
type door struct {
	net.Listener
	server *http.Server
	serve  func(net.Listener) error
}

// listen opens all addresses of c.
func (s *Server) listen(c *Config) error {
	s.doors.plain = s.newServer(&c.Limits)
	s.doors.plain.Protocols.SetUnencryptedHTTP2(yes)
	s.doors.plain.ConnState = hearLanes
	s.doors.secure = s.newServer(&c.Limits)
	s.doors.secure.TLSConfig = tlsConfig(func() *certs { return s.now.Load().certs })
	for _, address := range c.Listen {
		if err := s.listenAt(address, s.doors.plain, s.doors.plain.Serve); err != nil {
			return err
		}
	}
	secure := func(l net.Listener) error { return s.doors.secure.ServeTLS(l, "", "") }
	for _, address := range c.ListenTLS {
		if err := s.listenAt(address, s.doors.secure, secure); err != nil {
			return err
		}
	}
	if c.HTTP3 {
		if err := s.listenQUIC(&c.Limits); err != nil {
			return err
		}
	}
	return s.listenAdmin(&c.Admin)
}

// yes reads better than true where a protocol is switched on.
const yes = true

func (s *Server) newServer(l *Limits) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(yes)
	protocols.SetHTTP2(yes)
	return &http.Server{
		Handler:           s,
		Protocols:         protocols,
		ReadHeaderTimeout: l.ReadHeader.Std(),
		IdleTimeout:       l.Idle.Std(),
		MaxHeaderBytes:    int(l.Header),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			WriteByteTimeout:     l.Stall.Std(),
			SendPingTimeout:      l.Idle.Std(),
		},
		ErrorLog: log.New(serverErrors{s.options.Say}, "", 0),
	}
}

func (s *Server) listenAt(a string, server *http.Server, serve func(net.Listener) error) error {
	l, err := net.Listen("tcp", a)
	if err != nil {
		return err
	}
	stall := func() time.Duration { return s.now.Load().config.Limits.Stall.Std() }
	wrap := func(c *conn) net.Conn { return c }
	if server == s.doors.plain {
		wrap = func(c *conn) net.Conn { return newLane(c, s) }
	}
	s.doors.open = append(s.doors.open, door{&gated{l, s.gate, stall, wrap}, server, serve})
	return nil
}

// listenQUIC opens the UDP ports of all addresses with TLS.
func (s *Server) listenQUIC(l *Limits) error {
	for _, d := range s.doors.open {
		if d.server != s.doors.secure {
			continue
		}
		p, err := net.ListenPacket("udp", d.Addr().String())
		if err != nil {
			return err
		}
		s.doors.packets = append(s.doors.packets, p)
	}
	config := tlsConfig(func() *certs { return s.now.Load().certs })
	s.doors.quic = s.options.HTTP3(config, s, *l)
	return nil
}

// altSvc tells clients where HTTP/3 is, for a day.
func (d *doors) altSvc() []string {
	if len(d.packets) == 0 {
		return nil
	}
	port := d.packets[0].LocalAddr().(*net.UDPAddr).Port
	return []string{fmt.Sprintf(`h3=":%d"; ma=86400`, port)}
}

// Addrs are the addresses at which a server listens.
type Addrs struct {
	Plain, TLS, QUIC []net.Addr
	Admin            net.Addr // nil if there is none
}

// Addrs returns the addresses as they are, also where :0 was asked for.
func (s *Server) Addrs() (a Addrs) {
	for _, d := range s.doors.open {
		switch d.server {
		case s.doors.plain:
			a.Plain = append(a.Plain, d.Addr())
		case s.doors.secure:
			a.TLS = append(a.TLS, d.Addr())
		default:
			a.Admin = d.Addr()
		}
	}
	for _, p := range s.doors.packets {
		a.QUIC = append(a.QUIC, p.LocalAddr())
	}
	return a
}

// Serve serves until ctx ends, lets requests under way end, for as long as the configuration says,
// and closes the server. The error is nil if nothing but ctx was the reason. Call it once.
func (s *Server) Serve(ctx context.Context) error {
	watch, stop := context.WithCancel(ctx)
	defer stop()
	s.watching.Go(func() { s.watchCerts(watch) })
	failed := make(chan error, len(s.doors.open)+len(s.doors.packets))
	for _, d := range s.doors.open {
		go func() { failed <- d.serve(d.Listener) }()
	}
	for _, p := range s.doors.packets {
		go func() { failed <- s.doors.quic.Serve(p) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("proxy: %w", err)
		if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
			err = nil // by Close
		}
	}
	stop()
	s.shutdown()
	return errors.Join(err, s.Close())
}

// shutdown closes all addresses, then waits for the last requests.
func (s *Server) shutdown() {
	most := s.now.Load().config.Limits.Shutdown.Std()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	var wait sync.WaitGroup
	for _, end := range s.doors.ends() {
		wait.Go(func() {
			if errors.Is(end(ctx), context.DeadlineExceeded) {
				s.options.Say(fmt.Sprintf("requests were cut that took over %v to end", most))
			}
		})
	}
	wait.Wait()
}

// ends are the ways to end all servers gently.
func (d *doors) ends() (all []func(context.Context) error) {
	for _, server := range d.servers() {
		all = append(all, server.Shutdown)
	}
	if d.quic != nil {
		all = append(all, d.quic.Shutdown)
	}
	return all
}

func (d *doors) servers() (all []*http.Server) {
	for _, server := range []*http.Server{d.plain, d.secure, d.admin} {
		if server != nil {
			all = append(all, server)
		}
	}
	return all
}

// close ends all servers at once, and closes what they had not been given yet.
func (d *doors) close() error {
	var err error
	for _, server := range d.servers() {
		err = errors.Join(err, server.Close())
	}
	if d.quic != nil {
		err = errors.Join(err, d.quic.Close())
	}
	for _, one := range d.open {
		_ = one.Close() // a server may have closed it
	}
	for _, p := range d.packets {
		_ = p.Close()
	}
	return err
}

// serverErrors is where net/http writes what it could not answer.
type serverErrors struct{ say func(string) }

// Write says the first line of a message, which is all but the stack of a panic. Clients that
// cannot agree on TLS are left out: anybody could fill a disk with them.
func (e serverErrors) Write(p []byte) (int, error) {
	line, _, _ := strings.Cut(string(p), "\n")
	if !strings.Contains(line, "TLS handshake error") {
		e.say(line)
	}
	return len(p), nil
}
