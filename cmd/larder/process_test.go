// process_test.go proves what happens between processes: many at once, signals, sudden death.

//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// scene is a folder in which processes meet. The job tells that it began, waits for a line from
// the gate, and prints it.
type scene struct {
	t     *testing.T
	dir   string
	began *bufio.Reader
	gate  *os.File
}

const job = `echo run >> runs; echo $$ > began; read line < gate; echo "$line"`

func newScene(t *testing.T) *scene {
	hearSignals()
	s := &scene{t: t, dir: t.TempDir()}
	s.began = bufio.NewReader(s.fifo("began"))
	s.gate = s.fifo("gate")
	return s
}

// hearSignals lets the commands of a scene hear their signals also where the tests themselves were
// told to ignore them, by nohup or by a shell's &: what a program ignores its children ignore too,
// what it handles they do not.
var hearSignals = sync.OnceFunc(func() {
	for _, sig := range forwarded() {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
})

// fifo makes a pipe with a name. Opened for both directions it neither blocks nor ends.
func (s *scene) fifo(name string) *os.File {
	path := filepath.Join(s.dir, name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		s.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { f.Close() })
	return f
}

// start starts larder away from the terminal, whose keys are not what is tested.
func (s *scene) start(args ...string) (*exec.Cmd, *bytes.Buffer) {
	return s.startWith(nil, args...)
}

// startWith is start with a stdin, unless that is nil.
func (s *scene) startWith(stdin *os.File, args ...string) (*exec.Cmd, *bytes.Buffer) {
	var out bytes.Buffer
	cmd := exec.Command("larder", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &out, &out
	if stdin != nil {
		cmd.Stdin = stdin
	}
	cmd.Env = s.environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return cmd, &out
}

func (s *scene) environ() []string {
	return append(os.Environ(), "GORACE="+raceOptions,
		"LARDER_CACHE_DIR="+filepath.Join(s.dir, "cache"))
}

// awaitJob waits until a job has begun.
func (s *scene) awaitJob() {
	if _, err := s.began.ReadString('\n'); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) open(line string) {
	if _, err := io.WriteString(s.gate, line+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) runs() int {
	content, err := os.ReadFile(filepath.Join(s.dir, "runs"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Count(string(content), "run\n")
}

// ends waits for the end of cmd and checks its exit code.
func (s *scene) ends(cmd *exec.Cmd, want int) {
	s.t.Helper()
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != want {
		s.t.Errorf("%v: exit code %d, want %d", cmd.Args[1:], got, want)
	}
}

func TestFiftyAtOnceRunItOnce(t *testing.T) {
	s := newScene(t)
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range 50 {
		cmd, out := s.start("run", "--", "sh", "-c", job)
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	s.awaitJob()
	s.open("hello")
	for i, cmd := range cmds {
		s.ends(cmd, 0)
		if got := outs[i].String(); got != "hello\n" {
			t.Errorf("process %d printed %q, want hello", i, got)
		}
	}
	if got := s.runs(); got != 1 {
		t.Errorf("it ran %d times, want once", got)
	}
}

func TestNextRunsWhenTheFirstFails(t *testing.T) {
	s := newScene(t)
	failing := job + `; test "$line" = fine`
	first, out1 := s.start("run", "--", "sh", "-c", failing)
	s.awaitJob()
	second, out2 := s.start("run", "--", "sh", "-c", failing)
	s.open("bad")
	s.ends(first, 1)
	s.awaitJob()
	s.open("fine")
	s.ends(second, 0)
	if out1.String() != "bad\n" || out2.String() != "fine\n" {
		t.Errorf("printed %q and %q, want bad and fine", out1, out2)
	}
}

func TestNextRunsWhenTheFirstIsKilled(t *testing.T) {
	s := newScene(t)
	blocked := `echo run >> runs; echo $$ > began; test -e free || read line < gate; echo done`
	first, _ := s.start("run", "--", "sh", "-c", blocked)
	s.awaitJob()
	second, out := s.start("run", "--", "sh", "-c", blocked)
	if err := os.WriteFile(filepath.Join(s.dir, "free"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.ends(first, -1)
	s.awaitJob() // of the second, though that of the first is still there
	s.ends(second, 0)
	if out.String() != "done\n" || s.runs() != 2 {
		t.Errorf("printed %q after %d runs, want done after 2", out, s.runs())
	}
	s.open("leave")
}

func TestSignalsReachTheCommand(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{
		syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129,
	} {
		s := newScene(t)
		cmd, out := s.start("run", "--", "sh", "-c", "echo $$ > began; exec cat gate")
		s.awaitJob()
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		s.ends(cmd, want)
		if out.Len() > 0 {
			t.Errorf("%v: said %q, want nothing", sig, out)
		}
	}
}

func TestInterruptedOutputIsNotKept(t *testing.T) {
	s := newScene(t)
	args := []string{"run", "--", "sh", "-c",
		`trap "echo half; exit 0" TERM; echo $$ > began; while :; do sleep 0.01; done`}
	cmd, out := s.start(args...)
	s.awaitJob()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.ends(cmd, 0)
	if out.String() != "half\n" {
		t.Errorf("printed %q, want half", out)
	}
	again, _ := s.start(append([]string{"run", "--offline"}, args[1:]...)...)
	s.ends(again, exitAbsent)
}

func TestWaiterLeavesOnInterrupt(t *testing.T) {
	s := newScene(t)
	first, _ := s.start("run", "--", "sh", "-c", job)
	s.awaitJob()
	second, out := s.start("run", "--", "sh", "-c", job)
	if err := second.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait() // by the signal itself if it came before larder listened
	status := second.ProcessState.Sys().(syscall.WaitStatus)
	if status.ExitStatus() != 130 && status.Signal() != syscall.SIGINT || out.Len() > 0 {
		t.Errorf("ended with %v and said %q, want 130 and nothing", status, out)
	}
	s.open("done")
	s.ends(first, 0)
}

// TestSignalsEndAWaitForStdin has larder read more than a pipe holds, so that it listens when that
// is written, and wait for the rest.
func TestSignalsEndAWaitForStdin(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		for _, args := range [][]string{
			{"titles", "-"}, {"fetch", "-"}, {"run", "--stdin", "--", "cat"},
		} {
			s := newScene(t)
			stdin := s.fifo("stdin")
			cmd, out := s.startWith(stdin, args...)
			if _, err := io.WriteString(stdin, strings.Repeat("# nothing\n", 50_000)); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			s.ends(cmd, want)
			if out.Len() > 0 {
				t.Errorf("%q, %v: said %q, want nothing", args, sig, out)
			}
		}
	}
}

func TestIgnoredSignalStaysIgnored(t *testing.T) {
	s := newScene(t)
	cmd := exec.Command("sh", "-c", `trap "" INT; exec larder run -- sh -c "$0"`, job)
	cmd.Dir = s.dir
	cmd.Env = s.environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.awaitJob()
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.open("on")
	s.ends(cmd, 0)
}
