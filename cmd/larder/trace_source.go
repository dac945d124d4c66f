// trace_source.go reads the traces that sim, size and trace are given.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder/trace"
)

// traceHelp is the end of what the commands that read traces do.
const traceHelp = "A trace is any list of accesses: one key a line, CSV with a header, an access log\n" +
	"of nginx or Apache, redis-cli MONITOR, a trace of libCacheSim, LIRS or ARC, or plain\n" +
	"uint32 or uint64; also with gzip or zstd, or - for stdin. The format is found out."

// traceFlags are the flags that say how to read a trace.
type traceFlags struct{ trace.Options }

func (f *traceFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.Key, "key", "", "what the key is, as a `TEMPLATE` of fields: {host}{path}"+
		" of a log, a column of CSV (default {host}{url}, the first known column)")
	flags.StringVar(&f.SizeColumn, "size-column", "",
		"`COLUMN` of CSV that holds the size (default: the first known one)")
	flags.StringVar(&f.Format, "format", "", "`NAME` of the format: "+formatNames()+
		" (default: found out)")
	flags.IntVar(&f.Limit, "limit", 0, "read the first `N` accesses (default 134217728)")
}

func formatNames() string {
	var names []string
	for _, f := range trace.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// checkTrace refuses flags that no trace can be read with.
func (f *traceFlags) checkTrace(cmd *cobra.Command) error {
	if err := f.Check(); err != nil {
		return usagef("%s--%w", within(cmd), err)
	}
	return nil
}

// someTraces wants one argument at least.
func someTraces(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("%swhich trace: give a file, or - for stdin", within(cmd))
	}
	return nil
}

// load reads a trace and says what is wrong with it.
func (f *traceFlags) load(ctx context.Context, g *globals, path string) (*trace.Trace, error) {
	t, err := await(ctx, func() (*trace.Trace, error) {
		if path == "-" {
			return trace.Read(os.Stdin, f.Options)
		}
		return openTrace(path, f.Options)
	})
	if err != nil {
		return nil, traceTrouble(path, err)
	}
	if bad := t.Bad; bad.Count > 0 {
		g.say("%s: %s left out, the first is %d: %s", traceName(path),
			formatCount(int64(bad.Count), "bad line", "bad lines"), bad.First[0].Line,
			bad.First[0].Reason)
	}
	if t.Cut {
		g.say("%s: read %d accesses, there are more: see --limit", traceName(path), len(t.Keys))
	}
	return t, nil
}

// openTrace refuses a folder, which can be opened but not read.
func openTrace(path string, o trace.Options) (*trace.Trace, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, errors.New("is a folder: name a file in it")
	}
	return trace.Open(path, o)
}

// traceTrouble adds what to do to an error of reading a trace.
func traceTrouble(path string, err error) error {
	var open *os.PathError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &open):
		return err // names the path
	case errors.Is(err, trace.ErrTruncated):
		return fmt.Errorf("%s: %w: fetch it again, or read what is there: zcat FILE | larder ... -",
			traceName(path), err)
	case errors.Is(err, trace.ErrNoAccess):
		return fmt.Errorf("%s: %w: is it another --format?", traceName(path), err)
	case errors.Is(err, trace.ErrKey):
		return exitf(exitUsage, "%s: %w: see --key", traceName(path), err)
	}
	return fmt.Errorf("%s: %w", traceName(path), err)
}

func traceName(path string) string {
	if path == "-" {
		return "stdin"
	}
	return path
}

// eachTrace reads one trace after the other and hands each to do. With several, one that fails does
// not keep the others from being read, and the exit code is 3.
func (f *traceFlags) eachTrace(
	cmd *cobra.Command, g *globals, paths []string, do func(name string, t *trace.Trace) error,
) error {
	failed := 0
	var last error
	for _, path := range paths {
		t, err := f.load(cmd.Context(), g, path)
		if err == nil {
			err = do(traceName(path), t)
		}
		if err == nil {
			continue
		}
		err = inCommand(cmd, err)
		if len(paths) == 1 || cmd.Context().Err() != nil {
			return err
		}
		failed, last = failed+1, err
		report(cmd.ErrOrStderr(), err, nil)
	}
	switch code, _ := codeOf(last, nil); failed {
	case 0:
		return nil
	case len(paths):
		return exitError{code: code}
	}
	return exitError{code: exitPartly}
}

// inCommand puts the name of the command in front of an error and keeps its exit code.
func inCommand(cmd *cobra.Command, err error) error {
	var exit exitError
	if errors.As(err, &exit) {
		return exitf(exit.code, "%s%w", within(cmd), exit.err)
	}
	return fmt.Errorf("%s%w", within(cmd), err)
}

// summary says what a trace is in one line.
func summary(name string, t *trace.Trace) string {
	format := t.Format
	if t.Compression != "" {
		format += ", " + t.Compression
	}
	return fmt.Sprintf("%s: %s; %s of %s; ceiling %s", printable(filepath.Base(name)), format,
		formatNumbers(len(t.Keys), "access", "accesses"),
		formatNumbers(t.Distinct, "key", "keys"), formatPercent(t.Ceiling()))
}

// formatNumber writes n with a space between thousands: 1 234 567.
func formatNumber[N int | uint64](n N) string {
	digits := strconv.FormatUint(uint64(n), 10)
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

func formatNumbers[N int | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return formatNumber(n) + " " + many
}

// formatPercent writes a share: 95.0 %.
func formatPercent(share float64) string {
	return tenths(share) + " %"
}

// errShare is what is wrong with a share that cannot be read.
var errShare = errors.New("not a share: write 95% or 0.95")

// parseShare reads a share of 0 to 1.
func parseShare(text string) (float64, error) {
	number, isPercent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share <= 1) {
		return 0, errShare
	}
	return share, nil
}

// writeAll writes text that was put together before.
func writeAll(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}
