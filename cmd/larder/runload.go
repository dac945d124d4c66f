// runload.go runs the command of larder run, passes its output on and keeps it.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"time"

	"github.com/larder-go/larder/store"
)

// failedRun is why the output of a command that ended by itself was not kept.
type failedRun struct {
	code int
	said string // the last line of its stderr
}

func (f failedRun) Error() string {
	if f.said == "" {
		return fmt.Sprintf("exit status %d", f.code)
	}
	return fmt.Sprintf("exit status %d: %s", f.code, f.said)
}

// load runs the command, passes its output on and keeps it. It returns the exit code that follows
// from the command, and why the output was not kept if it was not.
func (r *runner) load(ctx context.Context) (code int, unkept error) {
	rec := recorder{limit: int64(r.maxOutput)}
	before := r.lookBefore()
	started := time.Now()
	end, err := child{
		argv: r.argv, stdin: r.stdin, timeout: time.Duration(r.timeout),
		stdout: rec.stdout(r.stdout), stderr: rec.stderr(r.stderr),
	}.run(ctx)
	switch {
	case err != nil:
		return r.notRun(err)
	case end.timedOut:
		return exitTimeout, fmt.Errorf("%s: stopped after %s: give it a longer --timeout",
			r.argv[0], formatDuration(time.Duration(r.timeout)))
	case end.interrupted || !r.accepts(end.code):
		return end.code, failedRun{end.code, lastLine(rec.err.Bytes())}
	}
	if err := r.checkMade(before); err != nil {
		return exitFailed, err
	}
	return end.code, r.keep(ctx, &rec, record{
		exit: end.code, started: started, took: time.Since(started), argv: r.argv,
	})
}

// notRun returns the exit code and the words of a shell for a command that could not be run.
func (r *runner) notRun(err error) (int, error) {
	switch {
	case errors.Is(err, errPassOn):
		return exitFailed, err
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitNotFound, fmt.Errorf("%s: command not found: check the name and PATH", r.argv[0])
	}
	return exitNotExecutable, fmt.Errorf("%s: cannot be executed: %w", r.argv[0], innermost(err))
}

var errOver = errors.New("more than --max-output")

// keep stores what was recorded, unless it is too long, or made of files that changed meanwhile:
// then it belongs under no key.
func (r *runner) keep(ctx context.Context, rec *recorder, done record) error {
	if rec.over() {
		return fmt.Errorf("%w %s", errOver, formatSize(rec.limit))
	}
	files, err := hashFiles(ctx, r.hasher, r.files)
	if err != nil {
		return err
	}
	if !slices.Equal(files, r.recipe.files) {
		return errors.New("a --file changed while the command ran")
	}
	done.stdout, done.stderr = rec.out.Bytes(), rec.err.Bytes()
	return r.keepWithMade(ctx, done, r.item(time.Now()))
}

// item describes what is kept at now, without its value.
func (o runOptions) item(now time.Time) store.Item {
	item := store.Item{Created: now, Tags: o.tags}
	if o.ttl == forever {
		return item
	}
	item.FreshUntil = now.Add(time.Duration(o.ttl))
	if o.stale != forever {
		item.GoneAfter = item.FreshUntil.Add(time.Duration(o.stale))
	}
	return item
}

// finish turns what load returned into how larder ends. A command that failed has said why by
// itself.
func (r *runner) finish(code int, unkept error) error {
	var failed failedRun
	switch {
	case unkept == nil || errors.As(unkept, &failed):
		return exitWith(code)
	case !r.accepts(code), errors.Is(unkept, errUnmade):
		return exitf(code, "run: %w", unkept)
	}
	r.g.say("run: output not kept: %v", unkept)
	return exitWith(code)
}
