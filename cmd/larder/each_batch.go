// each_batch.go works through the files of larder each.

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/larder-go/larder/prefetch/files"
)

// batch is one call of larder each.
type batch struct {
	*each
	files *files.Files
	names []string
	argv  []string
	lines *progress
	begun time.Time

	output sync.Mutex // guards lines, and what is written to stdout and stderr; taken before mu

	mu      sync.Mutex // guards the fields below
	moved   *sync.Cond // is told when take may go on
	next    int        // the file that nobody works on yet
	done    int
	failed  int
	work    time.Duration // of all commands, summed
	fatal   error         // why it makes no sense to go on
	waiting map[int]*task // whose output waits for its turn
	turn    int           // whose turn it is
	due     []*task       // whose turn has come
	printed int           // how many were printed
}

// mostWaiting is how many outputs may wait for their turn, for each command that runs, and in
// all: each may have two open files.
const (
	mostWaiting    = 16
	mostWaitingAll = 512
)

// task is a command for one file.
type task struct {
	i        int
	out, err *held
	wrong    error // why there is no good result
}

func newBatch(e *each, all *files.Files, names, argv []string) *batch {
	b := &batch{
		each: e, files: all, names: names, argv: argv, lines: newProgress(e.g),
		begun: time.Now(), waiting: map[int]*task{},
	}
	b.moved = sync.NewCond(&b.mu)
	return b
}

// run works until all files are done, or ctx ends.
func (b *batch) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ctx, b.wake)()
	var workers sync.WaitGroup
	for range min(b.jobs, len(b.names)) {
		workers.Go(func() {
			for {
				i, ok := b.take(ctx)
				if !ok {
					return
				}
				b.finish(ctx, b.workOn(ctx, i))
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		if b.output.TryLock() { // else nobody reads it
			b.lines.clear()
		}
		return err
	}
	b.lines.clear()
	if b.fatal != nil {
		return b.fatal
	}
	b.sum()
	return b.exit()
}

// wake has those look again who wait in take.
func (b *batch) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.moved.Broadcast()
}

// take returns the next file to work on. It waits while too many outputs wait for their turn. The
// one whose turn it is is being worked on then, so that this ends.
func (b *batch) take(ctx context.Context) (i int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	most := min(mostWaiting*b.jobs, mostWaitingAll)
	for ctx.Err() == nil && b.fatal == nil && b.next-b.printed >= most {
		b.moved.Wait()
	}
	if ctx.Err() != nil || b.fatal != nil || b.next == len(b.names) {
		return 0, false
	}
	b.next++
	return b.next - 1, true
}

// workOn waits for the copy of a file and runs the command on it.
func (b *batch) workOn(ctx context.Context, i int) *task {
	j := &task{i: i}
	path, release, err := b.files.Hold(ctx, i)
	if err != nil {
		j.wrong = err
		return j
	}
	defer release()
	stdout, stderr := b.outputs(j)
	begun := time.Now()
	end, err := child{
		argv: fillIn(b.argv, path, b.names[i]), stdout: stdout, stderr: stderr,
	}.run(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.work += time.Since(begun)
	switch {
	case err != nil:
		j.wrong = b.notRunLocked(err)
	case end.code != 0:
		j.wrong = fmt.Errorf("exit status %d", end.code)
	}
	return j
}

// notRunLocked says why a command could not be run at all, which ends everything.
func (b *batch) notRunLocked(err error) error {
	switch {
	case errors.Is(err, errPassOn):
		b.fatal = notPassedOn(err)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		b.fatal = exitf(exitNotFound, "each: %s: command not found: check the name and PATH",
			b.argv[0])
	default:
		b.fatal = exitf(exitNotExecutable, "each: %s: cannot be executed: %w", b.argv[0],
			innermost(err))
	}
	return b.fatal
}

// notPassedOn says why output was not passed on. Who reads no more needs no words.
func notPassedOn(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return exitWith(128 + int(syscall.SIGPIPE))
	}
	return fmt.Errorf("each: %w", err)
}

// outputs returns where a command writes: straight to ours if it is alone, else to what holds it,
// so that the outputs of several do not mix.
func (b *batch) outputs(j *task) (stdout, stderr io.Writer) {
	if b.jobs == 1 {
		b.output.Lock()
		defer b.output.Unlock()
		b.lines.clear()
		return os.Stdout, os.Stderr
	}
	j.out, j.err = &held{}, &held{}
	return j.out, j.err
}

// finish notes that a task is done and has printed what there is to print. Once ctx has ended it
// waits for that only for a moment: perhaps nobody reads it.
func (b *batch) finish(ctx context.Context, j *task) {
	b.note(j)
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		b.printDue()
	}()
	select {
	case <-printed:
		return
	case <-ctx.Done():
	}
	select {
	case <-printed:
	case <-time.After(lastOutput):
	}
}

// note counts a task that is done, and finds out whose turn has come by that.
func (b *batch) note(j *task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.moved.Broadcast()
	b.done++
	if j.wrong != nil {
		b.failed++
	}
	if !b.inOrder {
		b.due = append(b.due, j)
		return
	}
	b.waiting[j.i] = j
	for ; b.waiting[b.turn] != nil; b.turn++ {
		b.due = append(b.due, b.waiting[b.turn])
		delete(b.waiting, b.turn)
	}
}

// printDue prints the outputs of those whose turn has come.
func (b *batch) printDue() {
	b.output.Lock()
	defer b.output.Unlock()
	for j := b.firstDue(); j != nil; j = b.firstDue() {
		b.lines.clear()
		b.print(j)
		b.wasPrinted()
	}
	b.lines.line(b.state())
}

func (b *batch) firstDue() *task {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.due) == 0 {
		return nil
	}
	j := b.due[0]
	b.due = b.due[1:]
	return j
}

func (b *batch) wasPrinted() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.printed++
	b.moved.Broadcast()
}

// state says in a line how far it is.
func (b *batch) state() string {
	s := b.files.Stats()
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%d of %d files, %d failed; %d ahead; share %s/s", b.done, len(b.names),
		b.failed, max(s.Items-b.keep, 0), formatSize(rate(s.Bytes, s.Busy)))
}

// print prints the output of a task, and what was wrong with it.
func (b *batch) print(j *task) {
	var lost error
	for _, part := range []struct {
		from *held
		to   io.Writer
	}{{j.out, os.Stdout}, {j.err, os.Stderr}} {
		if part.from == nil {
			continue
		}
		if err := part.from.pour(part.to); err != nil && lost == nil {
			lost = notPassedOn(fmt.Errorf("%w: %w", errPassOn, err))
		}
	}
	if b.goesOn(lost) && j.wrong != nil && !errors.Is(j.wrong, context.Canceled) {
		why := b.names[j.i] + ": " + innermost(j.wrong).Error()
		fmt.Fprintf(os.Stderr, "larder: each: %s\n", oneLine(why))
	}
}

// goesOn tells whether it makes sense to go on, after an error or nil.
func (b *batch) goesOn(err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fatal = cmp.Or(b.fatal, err)
	return b.fatal == nil
}

// sum says what the share and the work have cost.
func (b *batch) sum() {
	s := b.files.Stats()
	found := ""
	if s.Found > 0 {
		found = fmt.Sprintf(", %d from the cache", s.Found)
	}
	b.g.say("each: %d files in %s, %d failed; work %s, share %s (%s, %s/s)%s, waited %s",
		len(b.names), roughly(time.Since(b.begun)), b.failed, roughly(b.work), roughly(s.Busy),
		formatSize(s.Bytes), formatSize(rate(s.Bytes, s.Busy)), found, roughly(s.Stall))
}

// roughly leaves out digits that say nothing.
func roughly(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

// rate is n a second.
func rate(n int64, d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64(float64(n) / d.Seconds())
}

func (b *batch) exit() error {
	switch b.failed {
	case 0:
		return nil
	case len(b.names):
		return exitWith(exitFailed)
	}
	return exitWith(exitPartly)
}

// held is output that waits for its turn.
type held struct {
	start bytes.Buffer // at most shortOutput
	rest  *os.File     // without a name; nil if there is none
}

// shortOutput is how many bytes of an output are held in memory.
const shortOutput = 16 << 10

func (h *held) Write(b []byte) (int, error) {
	if h.rest == nil && h.start.Len()+len(b) <= shortOutput {
		return h.start.Write(b)
	}
	if h.rest == nil {
		f, err := os.CreateTemp("", "larder-each-")
		if err != nil {
			return 0, err
		}
		_ = os.Remove(f.Name()) // where that is not possible it stays until the system cleans up
		h.rest = f
	}
	return h.rest.Write(b)
}

// pour writes all to w and lets go of it.
func (h *held) pour(w io.Writer) error {
	if h.rest != nil {
		defer h.rest.Close()
	}
	_, err := w.Write(h.start.Bytes())
	if err != nil || h.rest == nil {
		return err
	}
	if _, err := h.rest.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(w, h.rest)
	return err
}
