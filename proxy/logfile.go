// logfile.go writes lines to a file without holding up those who have them.

package proxy

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	maxPending  = 1 << 20 // bytes of lines that wait to be written; more are dropped
	lossesEvery = time.Minute
	closeLog    = 5 * time.Second
)

// logFile is a file to which one goroutine writes. What is told of it goes to say.
type logFile struct {
	path string
	say  func(string)
	wake chan struct{} // has one when there is something to do
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards the fields below
	pending []byte
	lost    int64 // lines dropped since that was said
	dropped int64 // lines dropped in all
	reopen  bool
	ended   bool
}

// openLog opens a file to append to, - for stdout, and starts its goroutine, which Close ends.
func openLog(path string, say func(string)) (*logFile, error) {
	out, err := openToAppend(path)
	if err != nil {
		return nil, err
	}
	l := &logFile{
		path: path, say: say,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go l.run(out)
	return l, nil
}

func openToAppend(path string) (io.WriteCloser, error) {
	if path == "-" {
		return keptOpen{os.Stdout}, nil
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
}

// keptOpen is a writer that others need when we are done.
type keptOpen struct{ io.Writer }

func (keptOpen) Close() error { return nil }

// add queues a line. It never waits for the file: if too much is queued the line is dropped.
func (l *logFile) add(line []byte) {
	l.mu.Lock()
	if l.ended || len(l.pending)+len(line) > maxPending {
		l.lost++
		l.dropped++
	} else {
		l.pending = append(l.pending, line...)
	}
	l.mu.Unlock()
	l.poke()
}

func (l *logFile) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Reopen begins with the file of the path anew, after what is queued: the old one was moved away.
func (l *logFile) Reopen() {
	l.mu.Lock()
	l.reopen = true
	l.mu.Unlock()
	l.poke()
}

// Close writes what is queued and closes the file. Where nobody takes it, as from a pipe, it gives
// up after closeLog.
func (l *logFile) Close() error {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.poke()
	select {
	case <-l.done:
		return nil
	case <-time.After(closeLog):
		return fmt.Errorf("access log: %s takes nothing any more", l.path)
	}
}

// losses returns how many lines were dropped.
func (l *logFile) losses() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

func (l *logFile) run(out io.WriteCloser) {
	defer close(l.done)
	tick := time.NewTicker(lossesEvery)
	defer tick.Stop()
	var lines []byte
	for ended := false; !ended; {
		select {
		case <-l.wake:
		case <-tick.C:
			l.sayLosses()
		}
		var reopen bool
		lines, reopen, ended = l.take(lines[:0])
		l.write(out, lines)
		if reopen {
			out = l.reopened(out)
		}
	}
	l.sayLosses()
	if err := out.Close(); err != nil {
		l.say(fmt.Sprintf("access log: %v", err))
	}
}

// take returns what is queued and leaves spare for what comes next.
func (l *logFile) take(spare []byte) (lines []byte, reopen, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, l.pending = l.pending, spare
	reopen, l.reopen = l.reopen, false
	return lines, reopen, l.ended
}

// write writes lines; those that the disk does not take are lost.
func (l *logFile) write(out io.Writer, lines []byte) {
	if len(lines) == 0 {
		return
	}
	n, err := out.Write(lines)
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range lines[n:] {
		if c == '\n' {
			l.lost++
			l.dropped++
		}
	}
}

// reopened returns the file of the path as it is now, or the old one if that fails.
func (l *logFile) reopened(old io.WriteCloser) io.WriteCloser {
	out, err := openToAppend(l.path)
	if err == nil {
		err = old.Close()
	} else {
		out = old
	}
	if err != nil {
		l.say(fmt.Sprintf("access log: %v", err))
	}
	return out
}

// sayLosses says how many lines were dropped since it was said last.
func (l *logFile) sayLosses() {
	l.mu.Lock()
	n := l.lost
	l.lost = 0
	l.mu.Unlock()
	if n > 0 {
		l.say(fmt.Sprintf("access log: %d lines lost: %s does not keep up, or its disk is full",
			n, l.path))
	}
}
