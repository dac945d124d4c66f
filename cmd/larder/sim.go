// sim.go is the command sim: which policy, for this traffic.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/internal/spelling"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

func simCommand(g *globals) *cobra.Command {
	s := simulation{globals: g}
	cmd := &cobra.Command{
		Use:   "sim [FLAGS] TRACE... | -",
		Short: "replay a trace through every policy",
		Example: "  larder sim access.log\n" +
			"  larder sim --policy lru,sieve --size 1000,10000,1% --svg chart.svg keys.txt.gz",
		Long: "Prints the hit ratio of each policy at each size; the best of each size has a star.\n" +
			"The optimum knows the future: no policy can beat it.\n" + traceHelp,
		Args: someTraces,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd, args) },
	}
	s.bind(cmd)
	return cmd
}

// simulation is what sim is asked to do.
type simulation struct {
	*globals
	traceFlags
	policies []string
	sizes    []string
	weights  bool
	optimum  bool
	chart    bool
	svg      string
	asJSON   bool
	charts   []chart // one for each trace, for the file svg
}

// defaultSizes are shares of the distinct keys.
var defaultSizes = []string{"0.5%", "1%", "2%", "5%", "10%", "20%", "30%", "50%"}

func (s *simulation) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&s.policies, "policy", "p", []string{"all"},
		"policies, by `NAME`: all, or some of "+policyNames())
	flags.StringSliceVarP(&s.sizes, "size", "s", defaultSizes, "`SIZE`s: entries (1000) or a share"+
		" of all distinct keys (5%); with --weights bytes (64MiB)")
	flags.BoolVarP(&s.weights, "weights", "w", false, "weigh entries by their size in bytes"+
		" instead of counting them")
	flags.BoolVar(&s.optimum, "optimum", true, "show what a cache that knows the future would"+
		" hit; not with --weights, where nobody can tell")
	flags.BoolVar(&s.chart, "chart", false, "draw a chart (default: if stdout is a terminal)")
	flags.StringVar(&s.svg, "svg", "", "write the chart to `FILE`, for a browser")
	s.traceFlags.bind(flags)
	bindJSON(flags, &s.asJSON)
}

func (s *simulation) run(cmd *cobra.Command, paths []string) error {
	policies, err := policiesOf(cmd, s.policies)
	if err != nil {
		return err
	}
	if err := cmp.Or(s.checkTrace(cmd), s.checkSizes(cmd)); err != nil {
		return err
	}
	if !cmd.Flags().Changed("chart") {
		s.chart = !s.asJSON && isTerminal(os.Stdout)
	}
	err = s.eachTrace(cmd, s.globals, paths, func(name string, t *trace.Trace) error {
		return s.simulate(cmd.Context(), cmd.OutOrStdout(), name, t, policies)
	})
	if s.svg == "" || len(s.charts) == 0 {
		return err
	}
	if failed := os.WriteFile(s.svg, svgOf(s.charts), 0o644); failed != nil {
		return inCommand(cmd, failed)
	}
	return err
}

// checkSizes refuses what no trace could make sense of.
func (s *simulation) checkSizes(cmd *cobra.Command) error {
	if s.weights && s.optimum && cmd.Flags().Changed("optimum") {
		return usagef("%s--optimum: not with --weights: where entries are weighed, nobody can "+
			"tell the optimum", within(cmd))
	}
	if len(s.sizes) == 0 {
		return usagef("%s--size: which sizes: 1000 or 5%%", within(cmd))
	}
	for _, text := range s.sizes {
		if _, err := parseCapacity(text, s.weights, 1<<62); err != nil {
			return usagef("%s--size %q: %w", within(cmd), text, err)
		}
	}
	return nil
}

func (s *simulation) simulate(
	ctx context.Context, w io.Writer, name string, t *trace.Trace, policies []policy.Named,
) error {
	if s.weights && t.Sizes == nil {
		return exitf(exitUsage, "%s: --weights: the trace (%s) has no sizes", name, t.Format)
	}
	r := findings{name: name, trace: t, weighed: s.weights, sizes: s.sizesOf(t)}
	if err := s.replay(ctx, &r, policies); err != nil {
		return err
	}
	c := r.chart()
	s.charts = append(s.charts, c)
	switch {
	case s.asJSON:
		return r.writeJSON(w)
	case s.chart:
		return writeAll(w, r.table()+"\n"+c.text(chartWidth(), colours())+"\n")
	}
	return writeAll(w, r.table()+"\n")
}

// sizesOf returns the sizes in ascending order, each once.
func (s *simulation) sizesOf(t *trace.Trace) []uint64 {
	whole := uint64(t.Distinct)
	if s.weights {
		whole = t.Footprint()
	}
	var sizes []uint64
	for _, text := range s.sizes {
		if n, err := parseCapacity(text, s.weights, whole); err == nil {
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	return slices.Compact(sizes)
}

// replay fills in the results.
func (s *simulation) replay(ctx context.Context, r *findings, policies []policy.Named) (err error) {
	cells := sim.Cells(policies, r.sizes)
	bar := newProgress(s.globals)
	defer bar.end()
	n := 0
	done := func(last sim.Result) {
		n++
		bar.line(fmt.Sprintf("%d of %d simulations, %s", n, len(cells), last.Policy))
	}
	if s.weights {
		r.results, err = sim.ReplayAllWeighed(ctx, r.trace, cells, done)
		return err
	}
	if r.results, err = sim.ReplayAll(ctx, r.trace, cells, done); err != nil || !s.optimum {
		return err
	}
	r.optimum, err = sim.Optimum(ctx, r.trace, r.sizes)
	return err
}

// policiesOf finds policies by their names.
func policiesOf(cmd *cobra.Command, names []string) ([]policy.Named, error) {
	var found []policy.Named
	for _, name := range names {
		p, ok := policy.ByName(strings.TrimSpace(name))
		switch {
		case strings.EqualFold(name, "all"):
			return policy.All(), nil
		case !ok:
			return nil, usagef("%s--policy %q: unknown: %s", within(cmd), name, nearPolicy(name))
		case !slices.ContainsFunc(found, func(q policy.Named) bool { return q.Name == p.Name }):
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, usagef("%s--policy: which one: %s", within(cmd), policyNames())
	}
	return found, nil
}

func policyNames() string {
	var names []string
	for _, p := range policy.All() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// nearPolicy names the policy that was probably meant, or all.
func nearPolicy(name string) string {
	best, least := "", 3
	for _, p := range policy.All() {
		d := spelling.Distance(strings.ToLower(name), strings.ToLower(p.Name))
		if d < least && d < len(p.Name) {
			best, least = p.Name, d
		}
	}
	if best == "" {
		return "all, or some of " + policyNames()
	}
	return "did you mean " + best + "?"
}
