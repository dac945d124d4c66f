// arena.go starts contestants in front of an origin, and lets them take turns.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// contestant is a program that serves the bodies.
type contestant struct {
	name string
	// command returns the program that listens at addr and asks origin, a URL; dir is a folder for
	// what it needs. An error that is errMissing leaves the contestant out.
	command func(dir, addr, origin string) (*exec.Cmd, error)
}

// errMissing is a program that this machine or this tree does not have.
var errMissing = errors.New("not there")

func contestants() []contestant {
	return []contestant{
		{"larder", larder},
		{"package", larderPackage},
		{"plain", plain},
		{"nginx", nginx},
		{"varnish", varnish},
	}
}

// arena is where they meet.
type arena struct {
	dir         string
	origin      *origin
	diagnostics io.Writer
	running     []*server
}

// server is a contestant at work.
type server struct {
	name string
	url  string
	cmd  *exec.Cmd
}

// start starts all that are there.
func (a *arena) start(chosen []contestant) error {
	for _, c := range chosen {
		s, err := a.startOne(c)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(a.diagnostics, "%s is left out: %v\n", c.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		a.running = append(a.running, s)
	}
	return nil
}

func (a *arena) startOne(c contestant) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd, err := c.command(filepath.Join(a.dir, c.name), addr, a.origin.server.URL)
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to find its children
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{c.name, "http://" + addr, cmd}
	if err := await(addr); err != nil {
		s.stop()
		return nil, fmt.Errorf("%w\n%s", err, said.String())
	}
	return s, nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// await waits until somebody listens at addr.
func await(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop lets a server end its children by itself, but not for long.
func (s *server) stop() {
	family := -s.cmd.Process.Pid
	s.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(5*time.Second, func() { syscall.Kill(family, syscall.SIGKILL) })
	defer late.Stop()
	s.cmd.Wait()
	syscall.Kill(family, syscall.SIGKILL)
}

func (a *arena) close() {
	for _, s := range a.running {
		s.stop()
	}
	a.origin.server.Close()
}

func (a *arena) names() (names []string) {
	for _, s := range a.running {
		names = append(names, s.name)
	}
	return names
}

// measure lets all take turns with a body. Every round begins with another one: none always runs in
// the heat that the same other one has left.
func (a *arena) measure(ctx context.Context, b body, s settings, all measured) error {
	for _, server := range a.running {
		if err := warm(server.url+b.path(), b); err != nil {
			return fmt.Errorf("%s: %w", server.name, err)
		}
	}
	for round := range s.rounds {
		for turn := range a.running {
			server := a.running[(turn+round)%len(a.running)]
			before := a.origin.requests.Load()
			r, err := wrk(ctx, server.url+b.path(), s.seconds)
			if err == nil && a.origin.requests.Load() != before {
				err = errors.New("the origin was asked for what should be kept")
			}
			if err != nil {
				return fmt.Errorf("%s, %s: %w", server.name, b.name, err)
			}
			all.add(b, server.name, r)
		}
	}
	return nil
}

// warm asks twice for a body and checks that it comes as it should.
func warm(url string, b body) error {
	for range 2 {
		resp, err := http.Get(url)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || n != int64(b.size) {
			return fmt.Errorf("%s: status %d, %d bytes, %v", url, resp.StatusCode, n, err)
		}
		for name, value := range header(b) {
			if got := resp.Header.Get(name); got != value {
				return fmt.Errorf("%s: %s is %q, not %q", url, name, got, value)
			}
		}
	}
	return nil
}
