// size.go is the command size: how large a cache has to be.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

func sizeCommand(g *globals) *cobra.Command {
	s := sizing{globals: g}
	cmd := &cobra.Command{
		Use:   "size [FLAGS] TRACE | -",
		Short: "find the size that gives a hit ratio",
		Example: "  larder size --hit 80% access.log\n" +
			"  larder size --hit 0.9 --policy sieve,w-tinylfu --sample 1% trace.zst",
		Long: "Answers in a sentence, then shows what less and more room would give. With a sample\n" +
			"it says how sure it is.\n" + traceHelp,
		Args: oneArgument("trace"),
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd, args) },
	}
	s.bind(cmd)
	return cmd
}

// sizing is what size is asked to do.
type sizing struct {
	*globals
	traceFlags
	hit      string
	policies []string
	sample   string
	weights  bool
	asJSON   bool
	ratio    float64
	rate     float64 // of the sample; 0 is exact, -1 whatever suits
}

func (s *sizing) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.hit, "hit", "95%", "hit `RATIO` to reach: 95% or 0.95")
	flags.StringSliceVarP(&s.policies, "policy", "p", []string{"LRU"},
		"policies, by `NAME`: all, or some of "+policyNames())
	flags.StringVar(&s.sample, "sample", "", "`RATE` of the keys to look at, ten times over, up to"+
		" 10%; or exact (default: exact if that is quick)")
	flags.BoolVarP(&s.weights, "weights", "w", false, "weigh entries by their size in bytes"+
		" instead of counting them")
	s.traceFlags.bind(flags)
	bindJSON(flags, &s.asJSON)
}

func (s *sizing) run(cmd *cobra.Command, paths []string) error {
	policies, err := policiesOf(cmd, s.policies)
	if err != nil {
		return err
	}
	if err := cmp.Or(s.checkTrace(cmd), s.parse(cmd)); err != nil {
		return err
	}
	return s.eachTrace(cmd, s.globals, paths, func(name string, t *trace.Trace) error {
		if s.weights && t.Sizes == nil {
			return exitf(exitUsage, "%s: --weights: the trace (%s) has no sizes", name, t.Format)
		}
		return s.answer(cmd.Context(), cmd.OutOrStdout(), name, t, policies)
	})
}

// parse reads the ratio and the rate.
func (s *sizing) parse(cmd *cobra.Command) (err error) {
	if s.ratio, err = parseShare(s.hit); err != nil || s.ratio == 0 {
		return usagef("%s--hit %q: %w", within(cmd), s.hit, cmp.Or(err, errors.New("give over 0%")))
	}
	switch s.sample {
	case "":
		s.rate = -1
		return nil
	case "exact":
		return nil
	}
	if s.rate, err = parseShare(s.sample); err != nil {
		return usagef("%s--sample %q: write 1%%, 0.01 or exact", within(cmd), s.sample)
	}
	if s.rate == 0 || s.rate > sim.MaxRate {
		return usagef("%s--sample %q: give over 0 to %v%%, or exact", within(cmd), s.sample,
			100*sim.MaxRate)
	}
	return nil
}

func (s *sizing) answer(
	ctx context.Context, w io.Writer, name string, t *trace.Trace, policies []policy.Named,
) error {
	var answers []answer
	bar := newProgress(s.globals)
	defer bar.end()
	for _, p := range policies {
		bar.line("looking for the size of " + p.Name)
		a, err := s.find(ctx, t, p)
		if err != nil {
			return err
		}
		a.Trace = name
		answers = append(answers, a)
	}
	bar.end()
	if !s.asJSON {
		return writeAll(w, s.sentences(answers)+"\n"+s.table(answers)+"\n"+summary(name, t)+"\n")
	}
	for _, a := range answers {
		if err := writeJSON(w, a); err != nil {
			return err
		}
	}
	return nil
}

// answer is what was found for a policy, and what --json prints.
type answer struct {
	Trace   string      `json:"trace"`
	Policy  string      `json:"policy"`
	Wanted  float64     `json:"wanted"`
	Reached bool        `json:"reached"`
	Unit    string      `json:"unit"`
	Size    uint64      `json:"size,omitempty"` // smallest that reaches it
	Low     uint64      `json:"low,omitempty"`
	High    uint64      `json:"high,omitempty"`
	Sample  float64     `json:"sample,omitempty"` // rate, 0 if exact
	Ceiling float64     `json:"ceiling"`
	Enough  uint64      `json:"enough,omitempty"` // for nearly the ceiling, if it is not reached
	Near    []sizeRatio `json:"near"`
	few     bool        // the sample is too small for so small a cache
}

// sizeRatio is what a size gives.
type sizeRatio struct {
	Size     uint64  `json:"size"`
	HitRatio float64 `json:"hit_ratio"`
	Within   float64 `json:"within,omitempty"`
}

// nearly is how much of the ceiling is enough where it is all that can be had.
const nearly = 0.99

func (s *sizing) find(ctx context.Context, t *trace.Trace, p policy.Named) (answer, error) {
	a := answer{Policy: p.Name, Wanted: s.ratio, Unit: "entries", Ceiling: t.Ceiling()}
	if s.weights {
		a.Unit = "bytes"
	}
	o, err := s.oracle(ctx, t, p)
	if err != nil {
		return a, err
	}
	a.Sample = o.rate
	target := s.ratio
	if a.Reached = target <= a.Ceiling; !a.Reached {
		target = nearly * a.Ceiling
	}
	r, ok, err := o.find(target)
	if err != nil {
		return a, err
	}
	a.Reached = a.Reached && ok
	if a.few = o.rate > 0 && float64(r.Size)*o.rate < 100; a.Reached {
		a.Size, a.Low, a.High = r.Size, r.Low, r.High
	} else {
		a.Enough = r.Size
	}
	a.Near, err = o.around(cmp.Or(r.Size, o.most))
	return a, err
}

// oracle tells the hit ratio of a policy at any size.
type oracle struct {
	rate float64 // of the sample, 0 if it is exact
	most uint64  // the size that holds everything
	at   func(size uint64) (sim.Estimate, error)
	find func(ratio float64) (sim.Range, bool, error)
}

// around returns what a size gives, and some less and more.
func (o *oracle) around(size uint64) ([]sizeRatio, error) {
	var sizes []uint64
	for _, factor := range []float64{0.125, 0.25, 0.5, 1, 2, 4} {
		n := uint64(max(1, math.Round(float64(size)*factor)))
		sizes = append(sizes, min(n, max(size, o.most)))
	}
	var near []sizeRatio
	for _, n := range slices.Compact(sizes) {
		e, err := o.at(n)
		if err != nil {
			return nil, err
		}
		near = append(near, sizeRatio{n, e.Ratio, e.Within})
	}
	return near, nil
}

// sentences says what was found, a line for each policy.
func (s *sizing) sentences(answers []answer) string {
	text := ""
	for _, a := range answers {
		text += a.sentence() + "\n"
	}
	if a := answers[0]; a.Ceiling < s.ratio {
		text += fmt.Sprintf("%s is the ceiling: the first access to a key misses in any cache.\n",
			formatPercent(a.Ceiling))
	}
	return text
}

func (a *answer) sentence() string {
	size := a.amount(cmp.Or(a.Size, a.Enough))
	how := "exact"
	if a.Policy != "LRU" {
		how = "by simulation"
	}
	switch {
	case a.Sample > 0 && a.High == 0 && a.Reached:
		how = fmt.Sprintf("95 %% confidence: at least %s", a.amount(a.Low))
	case a.Sample > 0 && a.Reached:
		how = fmt.Sprintf("95 %% confidence: %s to %s", a.amount(a.Low), a.amount(a.High))
	case a.Sample > 0:
		how = fmt.Sprintf("by a sample of %v %%", math.Round(1e4*a.Sample)/100)
	}
	if a.few {
		how += "; so few are hard to tell by a sample: try --sample exact"
	}
	switch {
	case a.Reached:
		return fmt.Sprintf("%s %s %s hits with %s (%s)", size, a.verb(),
			formatPercent(max(a.Wanted, a.ratioAt(a.Size))), a.Policy, how)
	case a.Enough > 0:
		return fmt.Sprintf("no size gives %s hits with %s; %s %s %s (%s)", formatPercent(a.Wanted),
			a.Policy, size, a.verb(), formatPercent(a.ratioAt(a.Enough)), how)
	}
	return fmt.Sprintf("no size gives %s hits with %s (%s)", formatPercent(a.Wanted), a.Policy, how)
}

// ratioAt returns the hit ratio of a size that is in the table.
func (a *answer) ratioAt(size uint64) float64 {
	for _, near := range a.Near {
		if near.Size == size {
			return near.HitRatio
		}
	}
	return 0
}

func (a *answer) verb() string {
	if a.Unit == "entries" && cmp.Or(a.Size, a.Enough) != 1 {
		return "give"
	}
	return "gives"
}

func (a *answer) amount(n uint64) string {
	if a.Unit == "bytes" {
		return formatSize(int64(n))
	}
	return formatNumbers(n, "entry", "entries")
}

// table shows what less and more room gives, policy by policy.
func (s *sizing) table(answers []answer) string {
	t := textTable{}
	t.add("policy", "size", "hits, %", "")
	for _, a := range answers {
		for i, n := range a.Near {
			name, within := a.Policy, ""
			if i > 0 {
				name = ""
			}
			if n.Within > 0 {
				within = "± " + tenths(n.Within)
			}
			size := formatNumber(n.Size)
			if s.weights {
				size = formatSize(int64(n.Size))
			}
			t.add(name, size, tenths(n.HitRatio), within)
		}
	}
	return t.String()
}
