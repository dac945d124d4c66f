// each.go is the command each: one command for many files of a slow share.

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder/prefetch"
	"github.com/larder-go/larder/prefetch/files"
)

func eachCommand(g *globals) *cobra.Command {
	e := each{g: g, jobs: 1, keep: prefetch.DefaultKeep, maxBytes: files.DefaultMaxBytes}
	cmd := &cobra.Command{
		Use:   "each [FLAGS] FILE... | - -- COMMAND [ARGUMENT | {}]...",
		Short: "run a command for each file of a slow share, reading ahead",
		Example: "  larder each /mnt/nas/*.tif -- ./segment {}\n" +
			"  larder each --jobs 4 --in-order /mnt/nas/*.jpg -- identify {} > sizes.txt\n" +
			"  find /mnt/nas -name '*.log' -print0 | larder each --null - -- grep -c error {}",
		Long: "Runs COMMAND once for each FILE, on a local copy. While it works on one, the next ones\n" +
			"are being copied, as many at a time as the share is worth. In the arguments {} stands\n" +
			"for the copy, {/} for its name, {orig} for the file as it was given; without any of\n" +
			"them the copy comes last. With - names are read from stdin, one a line, as they stand.\n\n" +
			"Copies are in the folder of the cache and go with larder; what COMMAND writes into\n" +
			"them goes nowhere. Those that COMMANDs work on are there even if --max-bytes has no\n" +
			"room for them. A file that cannot be read, or for which COMMAND fails, is named\n" +
			"on stderr, and the others go on.\n\n" +
			"Exit codes: 0 done for all files, 1 for none, 2 usage, 3 for some, 127 no COMMAND.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			names, argv := splitAt(args, cmd.ArgsLenAtDash())
			return e.run(cmd.Context(), cmd.InOrStdin(), names, argv)
		},
	}
	e.bind(cmd.Flags())
	return cmd
}

// splitAt cuts arguments where "--" stood; -1: nowhere.
func splitAt(args []string, dash int) (before, after []string) {
	if dash < 0 {
		return args, nil
	}
	return args[:dash], args[dash:]
}

// each is what the command each was told.
type each struct {
	g        *globals
	jobs     int
	inOrder  bool
	keep     int
	maxBytes size
	ttl      duration
	null     bool
}

func (e *each) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.IntVar(&e.jobs, "jobs", e.jobs, "at most `N` commands at once, 1 to 256")
	flags.BoolVar(&e.inOrder, "in-order", false,
		"with --jobs: print output in the order of the files, not of their ends")
	flags.IntVar(&e.keep, "keep", e.keep,
		"the `N` files worked on last stay as copies meanwhile, for commands that look back")
	flags.Var(&e.maxBytes, "max-bytes", "bound of all copies at any moment")
	flags.Var(&e.ttl, "ttl", "also keep what was read in the cache, so that another run reads"+
		" nothing: 30m, 7d or forever (default: not)")
	flags.Lookup("ttl").DefValue = "0"
	flags.BoolVarP(&e.null, "null", "0", false, "names from stdin end with a zero byte, not a line")
}

// check refuses what can only be a slip.
func (e *each) check(names, argv []string) error {
	switch {
	case len(argv) == 0 || argv[0] == "":
		return usagef("each: which command: write larder each FILE... -- COMMAND {}")
	case len(names) == 0:
		return usagef("each: no file: give some before --, or - to read their names from stdin")
	case e.jobs < 1 || e.jobs > 256:
		return usagef("each: --jobs %d: give 1 to 256", e.jobs)
	case e.keep < 0:
		return usagef("each: --keep %d: give 0 or more", e.keep)
	case e.maxBytes < 1:
		return usagef("each: --max-bytes 0: give at least one byte")
	case e.null && (len(names) != 1 || names[0] != "-"):
		return usagef("each: --null is about names from stdin: give - for FILE")
	}
	return nil
}

func (e *each) run(ctx context.Context, stdin io.Reader, names, argv []string) error {
	if err := e.check(names, argv); err != nil {
		return err
	}
	if len(names) == 1 && names[0] == "-" {
		var err error
		names, err = await(ctx, func() ([]string, error) { return e.readNames(stdin) })
		if err != nil {
			return fmt.Errorf("each: read names: %w", err)
		}
	}
	all, closeAll, err := e.open(names)
	if err != nil {
		return err
	}
	defer closeAll()
	broken := make(chan os.Signal, 1) // the error of the write says the same
	notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	b := newBatch(e, all, names, argv)
	return b.run(ctx)
}

// open prepares the copying of the files; close ends it and removes the copies.
func (e *each) open(names []string) (all *files.Files, close func(), err error) {
	o := files.Options{
		MaxBytes: int64(e.maxBytes), Keep: e.keep,
		OnError: func(err error) { e.g.say("each: cache: %v", err) },
	}
	if e.keep == 0 {
		o.Keep = -1
	}
	if dir, err := e.g.folder(); err == nil {
		o.Dir = filepath.Join(dir, "each")
	}
	closeStore := func() {}
	if e.ttl > 0 {
		s := e.g.openOrPass("each")
		o.Store, closeStore = s, func() { s.Close() }
		if e.ttl != forever {
			o.TTL = time.Duration(e.ttl)
		}
	}
	if all, err = e.begin(names, o); err != nil {
		closeStore()
		return nil, nil, fmt.Errorf("each: %w", err)
	}
	return all, func() { finally(func() { all.Close(); closeStore() }) }, nil
}

// begin makes the folder of the copies, elsewhere if that of the cache cannot be written.
func (e *each) begin(names []string, o files.Options) (*files.Files, error) {
	all, err := files.New(names, o)
	if err != nil && o.Dir != "" {
		e.g.say("each: copies are in %s: %v", os.TempDir(), err)
		o.Dir = ""
		all, err = files.New(names, o)
	}
	return all, err
}

// lastReads is how long reads of the share may take that are under way at the end.
const lastReads = 2 * time.Second

// finally calls end, and waits for it unless the share hangs: then a read stays where it is until
// the process ends, and the copies until the next call.
func finally(end func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		end()
	}()
	select {
	case <-done:
	case <-time.After(lastReads):
	}
}

// readNames reads the names of files from stdin.
func (e *each) readNames(stdin io.Reader) (names []string, err error) {
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, 1<<20)
	lines.Split(splitAfter('\n'))
	if e.null {
		lines.Split(splitAfter(0))
	}
	for lines.Scan() {
		if lines.Text() != "" {
			names = append(names, lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is none on stdin")
	}
	return names, nil
}

// splitAfter is bufio.ScanLines for what ends with a byte, and nothing else is left out: the name
// of a file may end with \r.
func splitAfter(end byte) bufio.SplitFunc {
	return func(b []byte, atEOF bool) (advance int, token []byte, err error) {
		if i := bytes.IndexByte(b, end); i >= 0 {
			return i + 1, b[:i], nil
		}
		if atEOF && len(b) > 0 {
			return len(b), b, nil
		}
		return 0, nil, nil
	}
}

// fillIn puts the copy at path, of the file orig, into the arguments of a command.
func fillIn(argv []string, path, orig string) []string {
	words := strings.NewReplacer("{}", path, "{/}", filepath.Base(orig), "{orig}", orig)
	filled, any := make([]string, len(argv), len(argv)+1), false
	for i, arg := range argv {
		filled[i] = words.Replace(arg)
		any = any || filled[i] != arg
	}
	if !any {
		filled = append(filled, path)
	}
	return filled
}
