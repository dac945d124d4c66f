// listen.go serves a page to browsers, on this machine unless told otherwise.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// usualAddr is where a gallery is served if nobody says: a bookmark should last.
const usualAddr = "127.0.0.1:8484"

// lastRequests is how long requests may take that are under way when the server ends.
const lastRequests = time.Second

// serve serves pages until ctx ends, which is how it is meant to end.
func (s *show) serve(ctx context.Context, pages http.Handler) error {
	listener, err := s.listener()
	if err != nil {
		return fmt.Errorf("gallery: %w: give another --listen", err)
	}
	server := &http.Server{
		Handler:           s.mount(pages),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	for _, url := range reachable(listener.Addr().(*net.TCPAddr)) {
		s.g.say("gallery: %s%s/", url, strings.TrimSuffix(s.prefix, "/"))
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("gallery: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), lastRequests)
	defer cancel()
	if err := server.Shutdown(last); errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return nil
}

func (s *show) listener() (net.Listener, error) {
	if s.listen != "" {
		return net.Listen("tcp", s.listen)
	}
	l, err := net.Listen("tcp", usualAddr)
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}

// mount puts pages below the prefix, for browsers that ask under a name that is ours.
func (s *show) mount(pages http.Handler) http.Handler {
	if prefix := strings.TrimSuffix(s.prefix, "/"); prefix != "" {
		pages = below(prefix, pages)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.knows(r.Host) {
			refuse(w, http.StatusForbidden, fmt.Sprintf(
				"%s is not a name of this gallery: start it with --host %[1]s", hostOf(r.Host)))
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// below puts pages below a prefix, which may have any characters.
func below(prefix string, pages http.Handler) http.Handler {
	stripped := http.StripPrefix(prefix, pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, raw := r.URL.Path, r.URL.RawPath
		if path != prefix && !strings.HasPrefix(path, prefix+"/") ||
			raw != "" && !strings.HasPrefix(raw, prefix) {
			refuse(w, http.StatusNotFound, "404 page not found")
			return
		}
		stripped.ServeHTTP(w, r)
	})
}

// refuse answers a request that never gets to the pages, as strictly as they would.
func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	http.Error(w, why, code)
}

// knows tells whether host is a name that this server goes by. A page of a stranger may have its
// own name lead here (DNS rebinding), and would then be let in as one of ours.
func (s *show) knows(host string) bool {
	name := strings.ToLower(hostOf(host))
	return net.ParseIP(strings.Trim(name, "[]")) != nil || name == "localhost" ||
		strings.HasSuffix(name, ".localhost") || slices.Contains(s.hosts, name)
}

// hostOf is a Host without its port.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// reachable returns the addresses at which one gets to a.
func reachable(a *net.TCPAddr) (urls []string) {
	if !a.IP.IsUnspecified() {
		return []string{"http://" + a.String()}
	}
	urls = []string{fmt.Sprintf("http://localhost:%d", a.Port)}
	all, _ := net.InterfaceAddrs() // without them the name has to do
	for _, one := range all {
		ip, ok := one.(*net.IPNet)
		if ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			urls = append(urls, fmt.Sprintf("http://%s:%d", ip.IP, a.Port))
		}
	}
	return urls
}
