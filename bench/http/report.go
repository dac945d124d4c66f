// report.go makes medians and ratios of the turns, and prints them.

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// measured is all turns, by body and contestant.
type measured map[body]map[string][]result

func (m measured) add(b body, name string, r result) {
	if m[b] == nil {
		m[b] = map[string][]result{}
	}
	m[b][name] = append(m[b][name], r)
}

// rate is the median of a contestant's rates, 0 if it did not take part.
func (m measured) rate(b body, name string) float64 {
	var all []float64
	for _, r := range m[b][name] {
		all = append(all, r.rate)
	}
	return median(all)
}

// p99 is the median of a contestant's 99th percentiles.
func (m measured) p99(b body, name string) time.Duration {
	var all []float64
	for _, r := range m[b][name] {
		all = append(all, float64(r.p99))
	}
	return time.Duration(median(all))
}

func median(s []float64) float64 {
	if len(s) == 0 {
		return 0
	}
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func (m measured) print(w io.Writer, names []string) {
	fmt.Fprintf(w, "\nrequests/s and 99th percentile, wrk -t1 -c%d, medians\n", connections)
	fmt.Fprint(w, "\n| body |")
	for _, name := range names {
		fmt.Fprintf(w, " %s |", name)
	}
	fmt.Fprintf(w, "\n|---%s|\n", strings.Repeat("|---", len(names)))
	for _, b := range bodies {
		fmt.Fprintf(w, "| %s |", b.name)
		for _, name := range names {
			p99 := m.p99(b, name).Round(10 * time.Microsecond)
			fmt.Fprintf(w, " %.0f; %v |", m.rate(b, name), p99)
		}
		fmt.Fprintln(w)
	}
	m.printGoals(w, names)
}

// goal is a ratio of larder to another one.
type goal struct {
	body  body
	other string
	what  string
	least float64 // 0: none is set
	most  float64 // 0: none is set
	of    func(result) float64
}

func goals() (all []goal) {
	rate := func(r result) float64 { return r.rate }
	p99 := func(r result) float64 { return float64(r.p99) }
	all = []goal{
		{bodies[0], "plain", "requests/s", 0.95, 0, rate},
		{bodies[1], "plain", "requests/s", 0.95, 0, rate},
		{bodies[0], "varnish", "requests/s", 1.15, 0, rate},
		{bodies[2], "varnish", "requests/s", 0, 0, rate},
		{bodies[2], "nginx", "requests/s", 1, 0, rate},
	}
	for _, b := range bodies {
		all = append(all, goal{b, "nginx", "99th percentile", 0, 1.5, p99})
	}
	return all
}

// ratio is the median of those of each round: what was measured in the same half minute.
func (g goal) ratio(m measured, name string) float64 {
	var ratios []float64
	for round, r := range m[g.body][name] {
		ratios = append(ratios, g.of(r)/g.of(m[g.body][g.other][round]))
	}
	return median(ratios)
}

func (g goal) want() string {
	switch {
	case g.least > 0:
		return fmt.Sprintf(">= %.2f", g.least)
	case g.most > 0:
		return fmt.Sprintf("<= %.2f", g.most)
	}
	return "-"
}

func (g goal) missed(ratio float64) string {
	if g.least > 0 && ratio < g.least || g.most > 0 && ratio > g.most {
		return " missed"
	}
	return ""
}

// printGoals prints the ratios of the command, and of the package beside it.
func (m measured) printGoals(w io.Writer, names []string) {
	fmt.Fprint(w, "\nratios, medians of those of each round\n")
	fmt.Fprint(w, "\n| body | ratio to | of | goal | larder | package |\n")
	fmt.Fprint(w, "|---|---|---|---|---|---|\n")
	for _, g := range goals() {
		if !slices.Contains(names, g.other) {
			continue
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |", g.body.name, g.other, g.what, g.want())
		for _, name := range []string{"larder", "package"} {
			if !slices.Contains(names, name) {
				fmt.Fprint(w, " - |")
				continue
			}
			ratio := g.ratio(m, name)
			fmt.Fprintf(w, " %.2f%s |", ratio, g.missed(ratio))
		}
		fmt.Fprintln(w)
	}
}
