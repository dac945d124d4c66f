// each_batch.go works through the files of larder each.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
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

	mu      sync.Mutex // guards the fields below, and what is written to stdout and stderr
	next    int        // the file that nobody works on yet
	done    int
	failed  int
	work    time.Duration // of all commands, summed
	fatal   error         // why it makes no sense to go on
	printed int           // up to which file output is printed, in order
	waiting map[int]*task // whose output waits for its turn
}

// task is a command for one file.
type task struct {
	i        int
	out, err *held
	wrong    error // why there is no good result
}

func newBatch(e *each, all *files.Files, names, argv []string) *batch {
	return &batch{
		each: e, files: all, names: names, argv: argv, lines: newProgress(e.g),
		begun: time.Now(), waiting: map[int]*task{},
	}
}

// run works until all files are done, or ctx ends.
func (b *batch) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var workers sync.WaitGroup
	for range min(b.jobs, len(b.names)) {
		workers.Go(func() {
			for {
				i, ok := b.take(ctx)
				if !ok {
					return
				}
				b.finish(b.workOn(ctx, i))
			}
		})
	}
	workers.Wait()
	b.lines.clear()
	if b.fatal != nil {
		return b.fatal
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.sum()
	return b.exit()
}

// take returns the next file to work on.
func (b *batch) take(ctx context.Context) (i int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
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
	stdout, stderr, err := b.outputs(j)
	if err != nil {
		j.wrong = err
		return j
	}
	begun := time.Now()
	end, err := child{
		argv: fillIn(b.argv, path, b.names[i]), stdout: stdout, stderr: stderr,
	}.run()
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
		b.fatal = fmt.Errorf("each: %w", err)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		b.fatal = exitf(exitNotFound, "each: %s: command not found: check the name and PATH", b.argv[0])
	default:
		b.fatal = exitf(exitNotExecutable, "each: %s: cannot be executed: %w", b.argv[0], innermost(err))
	}
	return b.fatal
}

// outputs returns where a command writes: straight to ours if it is alone, else to files, so that
// the outputs of several do not mix.
func (b *batch) outputs(j *task) (stdout, stderr io.Writer, err error) {
	if b.jobs == 1 {
		b.lines.clear()
		return os.Stdout, os.Stderr, nil
	}
	if j.out, err = hold(); err != nil {
		return nil, nil, err
	}
	if j.err, err = hold(); err != nil {
		j.out.close()
		return nil, nil, err
	}
	return j.out, j.err, nil
}

// finish prints what there is to print of a job, when it is its turn.
func (b *batch) finish(j *task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	if j.wrong != nil {
		b.failed++
	}
	if !b.inOrder {
		b.printLocked(j)
	} else {
		b.waiting[j.i] = j
		for ; b.waiting[b.printed] != nil; b.printed++ {
			b.printLocked(b.waiting[b.printed])
			delete(b.waiting, b.printed)
		}
	}
	s := b.files.Stats()
	b.lines.line(fmt.Sprintf("%d of %d files, %d failed; %d ahead; share %s/s", b.done, len(b.names),
		b.failed, max(s.Items-b.keep, 0), formatSize(rate(s.Bytes, s.Busy))))
}

func (b *batch) printLocked(j *task) {
	b.lines.clear()
	for _, part := range []struct {
		from *held
		to   io.Writer
	}{{j.out, os.Stdout}, {j.err, os.Stderr}} {
		if part.from == nil {
			continue
		}
		if err := part.from.pour(part.to); err != nil && b.fatal == nil {
			b.fatal = fmt.Errorf("each: %w: %w", errPassOn, err)
		}
	}
	if j.wrong != nil && b.fatal == nil && !errors.Is(j.wrong, context.Canceled) {
		fmt.Fprintf(os.Stderr, "larder: each: %s\n", oneLine(b.names[j.i]+": "+innermost(j.wrong).Error()))
	}
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

// held is output that waits for its turn, in a file without a name.
type held struct{ file *os.File }

func hold() (*held, error) {
	f, err := os.CreateTemp("", "larder-each-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where that is not possible it stays until the system cleans up
	return &held{f}, nil
}

func (h *held) Write(b []byte) (int, error) { return h.file.Write(b) }

// pour writes all to w and lets go of it.
func (h *held) pour(w io.Writer) error {
	defer h.close()
	if _, err := h.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, h.file)
	return err
}

func (h *held) close() { h.file.Close() }
