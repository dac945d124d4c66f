// top_pty_linux_test.go watches larder top at a terminal.

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudoterminal in which a command runs.
type terminal struct {
	t           *testing.T
	master, tty *os.File
	before      unix.Termios
	cmd         *exec.Cmd

	mu   sync.Mutex // guards the field below
	seen bytes.Buffer
}

// newTerminal runs larder in a terminal of a size.
func newTerminal(t *testing.T, width, height uint16, env []string, args ...string) *terminal {
	hearSignals()
	s := &terminal{t: t}
	s.open()
	size := &unix.Winsize{Col: width, Row: height}
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	s.before = s.modes()
	s.cmd = exec.Command("larder", args...)
	s.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "NO_COLOR="), env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.tty, s.tty, s.tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	go s.read()
	return s
}

// open opens both ends of a new terminal.
func (s *terminal) open() {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		s.t.Skip("no pseudoterminals here: ", err)
	}
	s.t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		s.t.Skip("no pseudoterminals here: ", err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		s.t.Skip("no pseudoterminals here: ", err)
	}
	s.t.Cleanup(func() { tty.Close() })
	s.master, s.tty = master, tty
}

func (s *terminal) modes() unix.Termios {
	m, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *m
}

func (s *terminal) read() {
	var b [4096]byte
	for {
		n, err := s.master.Read(b[:])
		s.mu.Lock()
		s.seen.Write(b[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *terminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// sequences are the escape sequences that we send.
var sequences = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// screen returns the last frame that was drawn whole, without styles.
func (s *terminal) screen() string {
	whole, _, _ := cutLast(s.text(), "\x1b[J")
	_, frame, _ := cutLast(whole, "\x1b[H")
	return strings.ReplaceAll(sequences.ReplaceAllString(frame, ""), "\r\n", "\n")
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+len(sep):], true
}

// await waits until the screen matches a pattern.
func (s *terminal) await(pattern string) string {
	s.t.Helper()
	want := regexp.MustCompile(pattern)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if screen := s.screen(); want.MatchString(screen) {
			return screen
		}
	}
	s.t.Fatalf("the screen never shows %s:\n%s", pattern, s.screen())
	return ""
}

func (s *terminal) press(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the command, which must leave the terminal as it was.
func (s *terminal) ends(want int) {
	s.t.Helper()
	_ = s.cmd.Wait()
	if got := exitCode(s.cmd.ProcessState); got != want {
		s.t.Errorf("exit code %d, want %d: %q", got, want, s.text())
	}
	if now := s.modes(); now != s.before {
		s.t.Errorf("the terminal is left in %+v, it was %+v", now, s.before)
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if strings.HasSuffix(s.text(), leave) {
			return
		}
	}
	s.t.Errorf("the screen is not given back: %q", s.text()[max(0, len(s.text())-200):])
}

func TestTopIsUsedByKeys(t *testing.T) {
	program := newProgram()
	defer program.Close()
	s := newTerminal(t, 80, 24, nil, "top", "--interval", "100ms", program.URL)
	first := s.await(`> users +memory .* 12\.3k   12\.3k/20\.0k`)
	for line := range strings.Lines(first) {
		if columns(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("too long for 80 columns: %q", line)
		}
	}
	if n := strings.Count(first, "\n") + 1; n != 24 {
		t.Errorf("%d lines, want 24", n)
	}
	noControls(t, first)
	s.press("\x1b[B")
	s.await(`(?m)^> pages `)
	s.press("s")
	s.await(`s sorts: requests`)
	s.press("?")
	s.await(`99 of 100 took no longer`)
	s.press("\x1b")
	s.await(`(?m)^> pages `)
	s.press("k\r")
	s.await(`(?s)users  memory, LRU.*hits at other sizes.*½×.*80%.*1×.*90%.*← here`)
	s.press("G")
	noControls(t, s.await(`(?s)why entries left.*user:42.*slowest loads`))
	s.press("q")
	s.ends(0)
}

func TestTopFollowsTheSizeOfItsTerminal(t *testing.T) {
	program := newProgram()
	defer program.Close()
	s := newTerminal(t, 80, 24, nil, "top", "--interval", "1h", program.URL)
	s.await(`> users`)
	size := &unix.Winsize{Col: 200, Row: 50}
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	s.await(`(?s)limit  advice.*(\n.*){40}`)
	s.press("\x03") // Ctrl-C
	s.ends(0)
}

func TestSignalsRestoreTheTerminal(t *testing.T) {
	program := newProgram()
	defer program.Close()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		s := newTerminal(t, 80, 24, nil, "top", program.URL)
		s.await(`> users`)
		if err := s.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		s.ends(128 + int(sig))
	}
}

func TestTopSaysThatAProgramHasEndedAndThatItIsBack(t *testing.T) {
	program := newProgram()
	s := newTerminal(t, 80, 24, nil, "top", "--interval", "100ms", program.URL)
	s.await(`> users`)
	program.Close()
	s.await(`(?s)> users.*nobody listens there`)
	s.press("q")
	s.ends(0)
}

func TestNoColorMeansNone(t *testing.T) {
	program := newProgram()
	defer program.Close()
	s := newTerminal(t, 80, 24, []string{"NO_COLOR=1"}, "top", program.URL)
	s.await(`> users`)
	s.press("q")
	s.ends(0)
	if found := regexp.MustCompile(`\x1b\[[0-9;]*m`).FindString(s.text()); found != "" {
		t.Errorf("it is coloured: %q", found)
	}
}

func TestAWrongAddressIsSaidBeforeTheScreenIsTaken(t *testing.T) {
	s := newTerminal(t, 80, 24, nil, "top", "unix:"+filepath.Join(t.TempDir(), "none"))
	_ = s.cmd.Wait()
	s.awaitText("nobody listens there")
	if strings.Contains(s.text(), "\x1b") {
		t.Errorf("the terminal was taken: %q", s.text())
	}
}

func (s *terminal) awaitText(text string) {
	s.t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if strings.Contains(s.text(), text) {
			return
		}
	}
	s.t.Errorf("it says %q, not %s", s.text(), text)
}
