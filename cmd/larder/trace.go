// trace.go is the command trace: what a trace is like, and the same in another format.

package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/trace"
)

func traceCommand(g *globals) *cobra.Command {
	d := description{globals: g}
	cmd := &cobra.Command{
		Use:   "trace [FLAGS] TRACE... | -",
		Short: "describe a trace, or convert it",
		Example: "  larder trace --top 10 access.log\n" +
			"  larder trace --to u32 -o small.u32.zst huge.log.gz",
		Long: "Says how many accesses and keys there are, what the best hit ratio is that any cache\n" +
			"could have, and how many keys are in use at a time.\n" + traceHelp,
		Args: someTraces,
		RunE: func(cmd *cobra.Command, args []string) error { return d.run(cmd, args) },
	}
	d.bind(cmd)
	return cmd
}

// description is what trace is asked to do.
type description struct {
	*globals
	traceFlags
	top    int
	to     string
	output string
	asJSON bool
}

func (d *description) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&d.top, "top", 0, "show the `N` keys that are asked for most")
	flags.StringVar(&d.to, "to", "", "convert to a `FORMAT`: "+
		strings.Join(trace.WriteFormats(), ", ")+"; keys become numbers, except in text")
	flags.StringVarP(&d.output, "output", "o", "", "`FILE` to write to, compressed if its name ends"+
		" in .gz or .zst; - for stdout")
	d.traceFlags.bind(flags)
	bindJSON(flags, &d.asJSON)
}

func (d *description) run(cmd *cobra.Command, paths []string) error {
	if err := cmp.Or(d.checkTrace(cmd), d.checkOutput(cmd, paths)); err != nil {
		return err
	}
	d.KeepKeys = d.top > 0 || strings.EqualFold(d.to, "text")
	return d.eachTrace(cmd, d.globals, paths, func(name string, t *trace.Trace) error {
		if d.to != "" {
			return d.convert(cmd.OutOrStdout(), t)
		}
		figures := d.figuresOf(name, t)
		if d.asJSON {
			return writeJSON(cmd.OutOrStdout(), figures)
		}
		return writeAll(cmd.OutOrStdout(), figures.text())
	})
}

// checkOutput refuses what cannot be meant.
func (d *description) checkOutput(cmd *cobra.Command, paths []string) error {
	known := slices.ContainsFunc(trace.WriteFormats(), func(format string) bool {
		return strings.EqualFold(format, d.to)
	})
	switch {
	case d.top < 0:
		return usagef("%s--top %d: give 0 or more", within(cmd), d.top)
	case d.to == "" && d.output == "":
		return nil
	case d.to == "":
		return usagef("%s--output: in which format: give --to, one of %s", within(cmd),
			strings.Join(trace.WriteFormats(), ", "))
	case !known:
		return usagef("%s--to %q: cannot be written: one of %s", within(cmd), d.to,
			strings.Join(trace.WriteFormats(), ", "))
	case d.output == "":
		return usagef("%s--to: where to: give --output FILE, or - for stdout", within(cmd))
	case len(paths) > 1:
		return usagef("%s--to takes one trace, got %d", within(cmd), len(paths))
	}
	return nil
}

func (d *description) convert(stdout io.Writer, t *trace.Trace) error {
	if d.output == "-" {
		return trace.Write(stdout, t, d.to)
	}
	if err := trace.Create(d.output, t, d.to); err != nil {
		return err
	}
	size := ""
	if info, err := os.Stat(d.output); err == nil {
		size = ", " + formatSize(info.Size())
	}
	d.say("trace: wrote %s to %s%s", formatNumbers(len(t.Keys), "access", "accesses"), d.output, size)
	return nil
}

// figures are what trace prints.
type figures struct {
	Trace       string       `json:"trace"`
	Format      string       `json:"format"`
	Compression string       `json:"compression,omitempty"`
	Accesses    int          `json:"accesses"`
	Keys        int          `json:"keys"`
	Once        int          `json:"once"` // keys that are asked for a single time
	Ceiling     float64      `json:"ceiling"`
	Bytes       uint64       `json:"bytes,omitempty"`     // asked for
	Footprint   uint64       `json:"footprint,omitempty"` // of all keys
	Writes      int          `json:"writes"`
	Skipped     int          `json:"skipped"`
	Cut         bool         `json:"cut"`
	Bad         badLines     `json:"bad"`
	WorkingSet  []workingSet `json:"working_set"`
	Top         []topKey     `json:"top,omitempty"`
}

type badLines struct {
	Count int             `json:"count"`
	First []trace.BadLine `json:"first,omitempty"`
}

type workingSet struct {
	Window int     `json:"window"`
	Keys   float64 `json:"keys"`
}

type topKey struct {
	Key      string  `json:"key"`
	Accesses int     `json:"accesses"`
	Share    float64 `json:"share"`
}

func (d *description) figuresOf(name string, t *trace.Trace) *figures {
	f := &figures{
		Trace: name, Format: t.Format, Compression: t.Compression, Accesses: len(t.Keys),
		Keys: t.Distinct, Once: t.Once(), Ceiling: t.Ceiling(), Footprint: t.Footprint(),
		Writes: t.Writes, Skipped: t.Skipped, Cut: t.Cut, Bad: badLines{t.Bad.Count, t.Bad.First},
		WorkingSet: []workingSet{},
	}
	for _, n := range t.Sizes {
		f.Bytes += uint64(n)
	}
	for window := 100; window <= len(t.Keys); window *= 10 {
		f.WorkingSet = append(f.WorkingSet, workingSet{window, t.WorkingSet(window)})
	}
	for _, c := range t.Top(d.top) {
		share := float64(c.Count) / float64(len(t.Keys))
		f.Top = append(f.Top, topKey{t.Name(c.Key), c.Count, share})
	}
	return f
}

func (f *figures) text() string {
	var b rows
	b.add("trace", "%s", printable(f.Trace))
	b.add("format", "%s", f.formatText())
	b.add("accesses", "%s%s", formatNumber(f.Accesses), f.leftOut())
	b.add("keys", "%s, of them %s asked for once", formatNumber(f.Keys), formatNumber(f.Once))
	b.add("ceiling", "%s hits in a cache without bound", formatPercent(f.Ceiling))
	if f.Footprint > 0 {
		b.add("bytes", "%s asked for, %s for one of each key", formatSize(int64(f.Bytes)),
			formatSize(int64(f.Footprint)))
	}
	for _, w := range f.WorkingSet {
		b.add("working set", "%9s keys in %s accesses", formatNumber(int(w.Keys+0.5)),
			formatNumber(w.Window))
	}
	for _, bad := range f.Bad.First {
		b.add("bad lines", "%d: %s", bad.Line, bad.Reason)
	}
	if more := f.Bad.Count - len(f.Bad.First); more > 0 {
		b.add("bad lines", "and %s more", formatNumber(more))
	}
	for _, k := range f.Top {
		b.add("top keys", "%9s %6.2f %%  %s", formatNumber(k.Accesses), 100*k.Share,
			printable(k.Key))
	}
	return b.String()
}

// rows are lines that begin with a name. One that is the same as in the line above is left out.
type rows struct {
	strings.Builder
	last string
}

func (r *rows) add(name, format string, args ...any) {
	shown := name
	if name == r.last {
		shown = ""
	}
	r.last = name
	fmt.Fprintf(r, "%-12s %s\n", shown, fmt.Sprintf(format, args...))
}

func (f *figures) formatText() string {
	text := f.Format
	for _, known := range trace.Formats() {
		if known.Name == f.Format {
			text += " (" + known.About + ")"
		}
	}
	if f.Compression != "" {
		text += ", " + f.Compression
	}
	return text
}

// leftOut says what of the file is no access.
func (f *figures) leftOut() string {
	var parts []string
	if f.Writes > 0 {
		parts = append(parts, formatNumbers(f.Writes, "write", "writes"))
	}
	if f.Skipped > 0 {
		parts = append(parts, formatNumbers(f.Skipped, "other", "others"))
	}
	if f.Bad.Count > 0 {
		parts = append(parts, formatNumbers(f.Bad.Count, "bad line", "bad lines"))
	}
	text := ""
	if len(parts) > 0 {
		text = "; left out " + strings.Join(parts, ", ")
	}
	if f.Cut {
		text += "; there are more"
	}
	return text
}
