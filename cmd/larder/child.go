// child.go runs one process: passes its output on, hands it signals, stops it in time.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// grace is how long a process may clean up after SIGTERM before it is killed.
	grace = 5 * time.Second
	// tail is how long to read on after a stopped process ended: what it started may hold its
	// pipes open for ever.
	tail = 100 * time.Millisecond
	// lastOutput is how long who reads from larder may take for the rest of the output once larder
	// was told to end.
	lastOutput = time.Second
)

// errPassOn is wrapped by the error of a writer that did not take the output.
var errPassOn = errors.New("pass the output on")

// child is a process to run.
type child struct {
	argv    []string
	stdin   *os.File // nil: empty
	stdout  io.Writer
	stderr  io.Writer
	timeout time.Duration // 0: none
}

// ending is how a process ended.
type ending struct {
	code        int       // 128+n if signal n ended it, or nothing but its output
	interrupted bool      // larder got a signal meanwhile
	by          os.Signal // that signal, the last of several
	timedOut    bool
}

// run runs the process to its end, and until its output ends. Like a shell it waits for what the
// process left running with its stdout or stderr open. It gets the signals that ctx listens to.
func (c child) run(ctx context.Context) (ending, error) {
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	if errors.Is(cmd.Err, exec.ErrDot) {
		cmd.Err = nil // the user's PATH is the user's choice
	}
	if c.stdin != nil {
		cmd.Stdin = c.stdin
	}
	signals, deaf := hear(ctx)
	defer deaf()
	pipes, err := start(cmd, c.stdout, c.stderr)
	if err != nil {
		return ending{}, err
	}
	end := watch(cmd, signals, c.timeout)
	err = drain(pipes, signals, &end)
	return end, err
}

// start starts cmd with its output piped to stdout and stderr.
func start(cmd *exec.Cmd, stdout, stderr io.Writer) ([]*pipe, error) {
	out, err := newPipe()
	if err != nil {
		return nil, err
	}
	talk, err := newPipe()
	if err != nil {
		out.close()
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = out.w, talk.w
	err = cmd.Start()
	out.w.Close()
	talk.w.Close()
	if err != nil {
		out.r.Close()
		talk.r.Close()
		return nil, err
	}
	go out.pass(stdout)
	go talk.pass(stderr)
	return []*pipe{out, talk}, nil
}

// watch waits for the end of the process, hands it the signals that come, and stops it after
// timeout.
func watch(cmd *exec.Cmd, signals <-chan os.Signal, timeout time.Duration) ending {
	var end ending
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its end is in cmd.ProcessState
		close(done)
	}()
	stop, kill := after(timeout), (<-chan time.Time)(nil)
	for {
		select {
		case <-done:
			end.code = exitCode(cmd.ProcessState)
			end.interrupted = end.interrupted || len(signals) > 0
			return end
		case s := <-signals:
			end.interrupted, end.by = true, s
			if !reached(s) {
				_ = cmd.Process.Signal(s)
			}
		case <-stop:
			end.timedOut = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			kill = after(grace)
		case <-kill:
			_ = cmd.Process.Kill()
		}
	}
}

// after is time.After, but never for 0.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
}

// pipe carries one stream of a process.
type pipe struct {
	r, w *os.File
	done chan error // gets one value when all is passed on
}

func newPipe() (*pipe, error) {
	r, w, err := os.Pipe()
	return &pipe{r, w, make(chan error, 1)}, err
}

func (p *pipe) close() {
	p.r.Close()
	p.w.Close()
}

// pass copies the stream to w until it ends. If w fails, the process gets a broken pipe.
func (p *pipe) pass(w io.Writer) {
	defer p.r.Close()
	_, err := io.Copy(w, p.r)
	p.done <- err
}

// errUnread is why output is not passed on that nobody reads.
var errUnread = errors.New("nobody reads it")

// drain waits until all output is passed on; of a stopped process, and after a signal, only for a
// moment.
func drain(pipes []*pipe, signals <-chan os.Signal, end *ending) error {
	var late <-chan time.Time
	if end.interrupted {
		late = time.After(lastOutput)
	}
	if end.interrupted || end.timedOut {
		hurry(pipes)
	}
	var errs []error
	for left := pipes; len(left) > 0; {
		select {
		case err := <-left[0].done:
			left = left[1:]
			if errors.Is(err, os.ErrDeadlineExceeded) {
				end.cut()
			} else if err != nil {
				errs = append(errs, fmt.Errorf("%w: %w", errPassOn, err))
			}
		case s := <-signals:
			end.interrupted, end.by = true, s
			hurry(pipes)
			late = time.After(lastOutput)
		case <-late:
			return errors.Join(append(errs, fmt.Errorf("%w: %w", errPassOn, errUnread))...)
		}
	}
	return errors.Join(errs...)
}

// cut notes that the process had ended, and its output had not: a signal has ended that.
func (e *ending) cut() {
	if n, ok := e.by.(syscall.Signal); ok && e.code == 0 {
		e.code = 128 + int(n)
	}
}

// hurry lets output be read only for a moment more.
func hurry(pipes []*pipe) {
	for _, p := range pipes {
		_ = p.r.SetReadDeadline(time.Now().Add(tail))
	}
}
