// each_end_linux_test.go ends larder each by signals where something hangs: a reader, a share, what
// a command has left running.

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/slowshare"
)

// numbered makes n files, and returns their names.
func (s *scene) numbered(n int) (names []string) {
	s.t.Helper()
	for i := range n {
		name := filepath.Join(s.dir, strconv.Itoa(i)+".txt")
		if err := os.WriteFile(name, []byte(strconv.Itoa(i)), 0o600); err != nil {
			s.t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// copiesGone checks that larder has left no copies.
func (s *scene) copiesGone() {
	s.t.Helper()
	left, err := os.ReadDir(filepath.Join(s.dir, "cache", "each"))
	if err != nil || len(left) != 0 {
		s.t.Errorf("of the copies there is left %v, %v", left, err)
	}
}

// signals sends a signal to larder, which must end by it, and soon.
func (s *scene) signals(cmd *exec.Cmd, sig syscall.Signal) {
	s.t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
	stuck := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	s.ends(cmd, 128+int(sig))
}

func TestASignalEndsEachThoughNobodyReadsItsOutput(t *testing.T) {
	for _, flags := range [][]string{nil, {"--jobs", "2"}, {"--jobs", "2", "--in-order"}} {
		s := newScene(t)
		args := append(append([]string{"each"}, flags...), s.numbered(3)...)
		cmd := exec.Command("larder", append(args, "--", "sh", "-c", "head -c 300000 /dev/zero")...)
		cmd.Dir, cmd.Env = s.dir, s.environ()
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // and no more
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		state, err := cmd.Process.Wait() // cmd.Wait would close the pipe
		if err != nil || state.ExitCode() != 128+int(syscall.SIGTERM) {
			t.Errorf("%v: %v, %v", flags, state, err)
		}
		out.Close()
		s.copiesGone()
	}
}

func TestASignalEndsTheWaitForWhatACommandLeftRunning(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, args := range [][]string{{"each", "0.txt", "--"}, {"run", "--"}} {
			s := newScene(t)
			s.numbered(1)
			cmd, _ := s.start(append(args, "sh", "-c", "sleep 1000 & echo $! > began")...)
			left, err := s.began.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			s.signals(cmd, sig)
			pid, err := strconv.Atoi(strings.TrimSpace(left))
			if err != nil {
				t.Fatal(err)
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func TestASignalOfTheTerminalEndsEachAndNotOnlyItsCommand(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT} {
		s := newScene(t)
		args := append(append([]string{"each"}, s.numbered(3)...), "--", "sh", "-c", job)
		cmd, _ := s.start(args...)
		s.awaitJob()
		s.signals(cmd, sig)
		s.copiesGone()
		if n := s.runs(); n != 1 {
			t.Errorf("%v: %d commands were run, want 1", sig, n)
		}
	}
}

func TestASignalEndsEachThoughTheShareHangs(t *testing.T) {
	s := newScene(t)
	s.numbered(2)
	share := slowshare.Mount(t, s.dir, slowshare.Options{Latency: time.Hour})
	cmd, _ := s.start("each", filepath.Join(share.Dir, "0.txt"), "--", "cat")
	for share.Opens.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	s.signals(cmd, syscall.SIGINT)
}
