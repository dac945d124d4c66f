// run.go is the command run: a command's output, from the cache or from the command.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder/internal/filehash"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// failedTag marks an entry whose last refresh failed, so that a listing shows it.
const failedTag = "larder:refresh-failed"

// runOptions are the flags of run.
type runOptions struct {
	ttl       duration
	stale     duration
	timeout   duration
	maxOutput size
	envs      []string
	files     []string
	makes     []string
	tags      []string
	key       string
	accept    []int
	stdin     bool
	anyDir    bool
	refresh   bool
	offline   bool
}

func runCommand(g *globals) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [FLAGS] -- COMMAND [ARGUMENT...]",
		Short: "print the output of a command, at once the second time",
		Example: "  larder run --ttl 15m --stale 1h -- gh api /orgs/golang/repos\n" +
			"  larder run --ttl forever --file train.py --file data.csv --makes model.pkl" +
			" -- python train.py",
		Long: "Runs COMMAND and keeps its stdout, stderr and exit code; until --ttl is over, the\n" +
			"same command prints them again without running. The same command: the same words, the\n" +
			"same working directory, the same --env, --file, --stdin, --key and --makes. Files that\n" +
			"it --makes are kept with its output and put back. Failures are not kept. Many at once\n" +
			"run it once. The exit code is that of COMMAND; 1: larder failed, 2: usage,\n" +
			"4: --offline and not in the cache, 124: --timeout, 126: not executable, 127: not found,\n" +
			"128+n: ended by signal n.",
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
		RunE: func(cmd *cobra.Command, argv []string) error {
			return runCached(cmd.Context(), g, o, argv)
		},
	}
	o.bind(cmd.Flags())
	return cmd
}

func (o *runOptions) bind(flags *pflag.FlagSet) {
	flags.SetInterspersed(false) // what follows the command is the command's
	flags.SortFlags = false
	o.ttl, o.maxOutput = duration(15*time.Minute), 64<<20
	flags.Var(&o.ttl, "ttl", "how long output is fresh: 30s, 15m, 7d or forever")
	flags.Var(&o.stale, "stale", "how much longer it is printed while a refresh runs behind")
	flags.StringArrayVar(&o.envs, "env", nil,
		"environment variable `NAME` that the output depends on; repeatable")
	flags.StringArrayVar(&o.files, "file", nil,
		"`PATH` of a file or folder whose content the output depends on; repeatable")
	flags.StringArrayVar(&o.makes, "makes", nil,
		"`PATH` of a file that the command makes, to be kept and put back; repeatable")
	flags.BoolVar(&o.stdin, "stdin", false,
		"give the command all of stdin, as part of the key (default: an empty stdin)")
	flags.StringVar(&o.key, "key", "", "any `TEXT` that the output depends on, such as a version")
	flags.BoolVar(&o.anyDir, "any-dir", false, "share the output between working directories")
	flags.StringArrayVar(&o.tags, "tag", nil,
		"`NAME` under which cache rm --tag finds it; repeatable")
	flags.IntSliceVar(&o.accept, "accept", nil,
		"exit `CODE` besides 0 that is no failure (grep: 1); repeatable")
	flags.BoolVar(&o.refresh, "refresh", false, "run now, and keep the new output")
	flags.BoolVar(&o.offline, "offline", false, "never run: print what is kept, else exit 4")
	flags.Var(&o.timeout, "timeout", "stop the command after 30s, 5m, … (default: never)")
	flags.Lookup("timeout").DefValue = "0" // hides a second default
	flags.Var(&o.maxOutput, "max-output", "print more than 64MiB, 10MB, … but do not keep it")
}

// check finds what is wrong with the command line before anything is opened.
func (o *runOptions) check(argv []string) error {
	switch {
	case len(argv) == 0 || argv[0] == "":
		return usagef("run: which command: write larder run -- COMMAND")
	case o.refresh && o.offline:
		return usagef("run: --refresh and --offline contradict each other: leave one out")
	case slices.ContainsFunc(o.accept, badCode):
		return usagef("run: --accept takes exit codes, which are 0 to 255")
	case slices.ContainsFunc(o.envs, badName):
		return usagef("run: --env takes the name of a variable alone, such as --env HOME")
	}
	return o.checkMakes()
}

func badCode(code int) bool { return code < 0 || code > 255 }

// runner is one call of larder run.
type runner struct {
	runOptions
	g      *globals
	store  store.Store
	hasher filehash.Hasher
	argv   []string
	stdin  *os.File // nil: empty
	key    string
	recipe recipe
	called time.Time
	stdout io.Writer
	stderr io.Writer
	// unserved is why what is kept could not be printed, nil if it could or there is nothing.
	unserved error
}

func runCached(ctx context.Context, g *globals, o runOptions, argv []string) error {
	stdin, sum, err := o.spool(ctx, os.Stdin)
	if err != nil {
		return fmt.Errorf("run: keep stdin: %w", err)
	}
	called := time.Now()
	s := g.openOrPass("run")
	defer s.Close()
	hasher := filehash.Hasher{Memory: notes{s}}
	recipe, err := o.gather(ctx, hasher, argv, sum)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	r := &runner{
		runOptions: o, g: g, store: s, hasher: hasher, argv: argv, stdin: stdin, called: called,
		recipe: recipe, key: recipe.key(), stdout: os.Stdout, stderr: os.Stderr,
	}
	if g.behind != 0 {
		return r.behind(ctx)
	}
	return r.run(ctx)
}

// run prints what is kept, if it may be printed, or else runs the command.
func (r *runner) run(ctx context.Context) error {
	k, found := r.lookup(ctx)
	switch r.decide(k, found) {
	case serve:
		if done, err := r.serve(ctx, k); done {
			return err
		}
	case serveStale:
		return r.printStale(ctx, k)
	}
	if r.offline {
		return r.absent()
	}
	return r.coalesce(ctx)
}

// absent says that --offline has nothing to print.
func (r *runner) absent() error {
	if r.unserved != nil {
		return exitf(exitAbsent, "run: cannot put back %w", r.unserved)
	}
	return exitf(exitAbsent, "run: not in the cache: %s", commandLine(r.argv, 60))
}

// coalesce runs the command, unless another process does: then it waits for that one and prints
// its output. When that one failed, this one runs next.
func (r *runner) coalesce(ctx context.Context) error {
	release, err := r.lease(ctx)
	if err != nil {
		return err
	}
	defer release()
	k, found := r.lookup(ctx)
	if r.decide(k, found) == serve {
		if done, err := r.serve(ctx, k); done {
			return err
		}
	}
	if r.unserved != nil && ctx.Err() == nil {
		r.g.say("run: running the command: cannot put back %v", r.unserved)
	}
	free, err := r.hold(ctx)
	if err != nil {
		return err
	}
	defer free()
	return r.finish(r.load(ctx))
}

// lease waits until no other process runs the command. Where the store has no leases, or they
// fail, each process runs it for itself.
func (r *runner) lease(ctx context.Context) (release func(), err error) {
	release, err = released(store.TakeLease(ctx, r.store, r.key))
	if err == nil || ctx.Err() != nil {
		return release, ctx.Err()
	}
	if !errors.Is(err, disk.ErrReadOnly) { // then it is said that nothing is kept
		r.g.say("run: not coalesced: %v", err)
	}
	return func() {}, nil
}

// released returns how a lease is given back; where the store has none there is nothing to do.
func released(l store.Lease, err error) (release func(), _ error) {
	if errors.Is(err, errors.ErrUnsupported) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	return l.Release, nil
}

// kept is an output in the cache.
type kept struct {
	record
	item store.Item
}

// lookup returns what is kept. What cannot be read is a miss.
func (r *runner) lookup(ctx context.Context) (kept, bool) {
	item, err := r.store.Get(ctx, r.key)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
			r.g.say("run: cannot look into the cache: %v", err)
		}
		return kept{}, false
	}
	rec, err := decodeRecord(item.Value)
	return kept{rec, item}, err == nil
}

// verdict is what to do with what was found.
type verdict int

const (
	load       verdict = iota // run the command
	serve                     // print what is kept
	serveStale                // print it, and refresh it behind
)

// judge decides by the flags of this call, not of the call that kept the output: who asks for
// --ttl 1m never gets anything older. After --refresh only a run begun since then will do.
func (o runOptions) judge(k kept, found bool, now, called time.Time) verdict {
	age := now.Sub(k.item.Created)
	switch {
	case !found || !o.accepts(k.exit) || age < -store.Skew:
		return load
	case o.refresh && k.started.Before(called):
		return load
	case o.refresh || o.offline || age < time.Duration(o.ttl):
		return serve
	case age-time.Duration(o.ttl) < time.Duration(o.stale):
		return serveStale
	}
	return load
}

func (r *runner) decide(k kept, found bool) verdict {
	return r.judge(k, found, time.Now(), r.called)
}

// accepts reports whether a command that ended with code did its work.
func (o runOptions) accepts(code int) bool { return code == 0 || slices.Contains(o.accept, code) }

// print writes what is kept and ends as the command did.
func (r *runner) print(k kept) error {
	if _, err := r.stdout.Write(k.stdout); err != nil {
		return fmt.Errorf("run: print: %w", err)
	}
	if _, err := r.stderr.Write(k.stderr); err != nil {
		return fmt.Errorf("run: print: %w", err)
	}
	return exitWith(k.exit)
}

func (r *runner) printStale(ctx context.Context, k kept) error {
	if k.failure != "" {
		now := time.Now()
		r.g.say("run: refresh failed %s ago: %s: this output is %s old", formatAge(
			now.Sub(k.failed)), k.failure, formatAge(now.Sub(k.item.Created)))
	}
	if err := r.startBehind(ctx); err != nil {
		r.g.say("run: cannot refresh: %v", err)
	}
	return r.print(k)
}
