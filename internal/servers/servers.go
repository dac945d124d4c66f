// servers.go starts a server's program, and does to it what bad days do.

// Package servers starts real servers for tests, on free ports of the loopback interface.
package servers

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a program that listens on a port. It ends with its test.
type Server struct {
	Addr string // host:port

	t     testing.TB
	args  []string
	dir   string
	as    *syscall.Credential // who runs it; nil: who runs the test
	ready func() bool         // whether it serves, once it listens; nil: it does

	mu  sync.Mutex // guards the fields below
	cmd *exec.Cmd
	out bytes.Buffer
}

// startTime is how long a server may take until it listens.
const startTime = 20 * time.Second

// Program returns the path of a program. Where it is not installed the test is skipped, and says
// which Debian package to install; under CI=true it fails.
func Program(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	why := fmt.Sprintf("%s is not installed: apt-get install %s", name, debian)
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// FreeAddr returns an address of the loopback interface at which nobody listens.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a program in dir that will listen at addr, and waits until it does.
func start(t testing.TB, addr, dir string, args ...string) *Server {
	t.Helper()
	return begin(&Server{Addr: addr, t: t, args: args, dir: dir})
}

// begin starts s for the first time.
func begin(s *Server) *Server {
	s.t.Helper()
	s.t.Cleanup(s.Kill)
	s.Start()
	return s
}

// Start starts the server again after Kill.
func (s *Server) Start() {
	s.t.Helper()
	cmd := exec.Command(s.args[0], s.args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &s.out, &s.out
	cmd.SysProcAttr = s.attributes()
	s.mu.Lock()
	err := cmd.Start()
	s.cmd = cmd
	s.mu.Unlock()
	if err != nil {
		s.t.Fatal(err)
	}
	for late := time.Now().Add(startTime); ; {
		c, err := net.Dial("tcp", s.Addr)
		if err == nil {
			c.Close()
		}
		if err == nil && (s.ready == nil || s.ready()) {
			return
		}
		if time.Now().After(late) {
			s.t.Fatalf("%v does not listen at %s: %v", s.args, s.Addr, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// attributes are those of the process.
func (s *Server) attributes() *syscall.SysProcAttr {
	a := dieWithParent()
	if s.as != nil {
		if a == nil {
			a = &syscall.SysProcAttr{}
		}
		a.Credential = s.as
	}
	return a
}

// Kill ends the server and its children at once, and waits until they have ended.
func (s *Server) Kill() {
	s.mu.Lock()
	cmd := s.cmd
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	cmd.Process.Signal(syscall.SIGSTOP) // no child is born any more
	family := children(cmd.Process.Pid)
	cmd.Process.Kill()
	for _, pid := range family {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	cmd.Wait()
	for _, pid := range family {
		awaitEnd(pid)
	}
}

// awaitEnd waits until a process has ended that somebody else looks after, but not for ever.
func awaitEnd(pid int) {
	for late := time.Now().Add(startTime); isRunning(pid) && time.Now().Before(late); {
		time.Sleep(time.Millisecond)
	}
}

// Stop lets the server hang: it keeps its connections and answers nothing. When it returns, all its
// threads have stopped.
func (s *Server) Stop() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		awaitStop(s.cmd.Process.Pid)
	}
}

// Continue ends Stop.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatal(err)
	}
	for _, pid := range children(s.cmd.Process.Pid) {
		syscall.Kill(pid, sig)
	}
}
