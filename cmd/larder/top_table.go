// top_table.go lays out a row for each part.

package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/larder-go/larder/stats"
)

const (
	leastName  = 12  // columns of a name, if there is no room for more
	mostName   = 60  // and if there is
	besideFrom = 140 // columns from which an advice stands beside its row, not below
)

// column is one of the numbers of a row. Width is the number of columns, below 0 to the right.
type column struct {
	title string
	width int
	text  func(*observed) string
}

// numbers are the columns behind the name.
var numbers = []column{
	{"kind", 8, func(p *observed) string { return p.Kind }},
	{"hit 1m", -6, func(p *observed) string { return shortPercent(p.HitRatio1) }},
	{"all", -5, func(p *observed) string { return shortPercent(p.HitRatio) }},
	{"req/s", -6, func(p *observed) string { return p.rate(stats.Requests, p.Requests) }},
	{"loads/s", -7, func(p *observed) string { return p.rate(stats.Loads, p.Loads) }},
	{"p99", -6, func(p *observed) string { return shortTime(p.Slow) }},
	{"entries", -7, entries},
	{"weight/limit", -13, room},
}

func entries(p *observed) string { return counted(p, stats.Entries) }

// counted writes a number that a part reports.
func counted(p *observed, m stats.Metric) string {
	if n, ok := p.Value(m, ""); ok {
		return shortCount(n)
	}
	return unknown
}

// rate writes how often something happens that the part counts.
func (p *observed) rate(of stats.Metric, perSecond *float64) string {
	counts := func(s stats.Sample) bool { return s.Metric == of.Name }
	if !slices.ContainsFunc(p.Samples, counts) {
		return unknown
	}
	return shortRate(perSecond)
}

// room writes what is taken and what may be: bytes where the part knows them, else weights.
func room(p *observed) string {
	for _, in := range []struct {
		taken, limit stats.Metric
		write        func(float64) string
	}{
		{stats.Bytes, stats.BytesLimit, shortBytes},
		{stats.Weight, stats.WeightLimit, shortCount},
	} {
		taken, ok := p.Value(in.taken, "")
		if !ok {
			continue
		}
		text := in.write(taken)
		if limit, ok := p.Value(in.limit, ""); ok && limit > 0 {
			text += "/" + in.write(limit)
		}
		return text
	}
	return unknown
}

// table lays parts out in rows.
type table struct {
	width int // of the terminal; 0 is any
	name  int // of the names
}

// newTable makes a table for parts: their names get what the numbers leave.
func newTable(parts []observed, width int) table {
	longest := leastName
	for i := range parts {
		longest = max(longest, columns(printable(parts[i].Name)))
	}
	t := table{width: width, name: min(longest, mostName)}
	if width > 0 {
		t.name = min(t.name, max(leastName, t.room()))
	}
	return t
}

// room returns how many columns there are for a name: what the numbers leave, and half of that
// where the other half is for advice.
func (t table) room() int {
	if t.beside() {
		return (t.width - t.fixed()) / 2
	}
	return t.width - t.fixed()
}

// fixed returns how many columns all but the name take.
func (t table) fixed() int {
	n := len("> ")
	for _, c := range numbers {
		n += 1 + max(c.width, -c.width)
	}
	return n
}

// beside reports whether advice stands beside its row.
func (t table) beside() bool { return t.width == 0 || t.width >= besideFrom }

func (t table) head() spans {
	text := "  " + padded("name", t.name)
	for _, c := range numbers {
		text += " " + padded(c.title, c.width)
	}
	if t.beside() {
		text += "  advice"
	}
	return spans{{text, bold}}
}

// row is the row of a part; mark stands in front of it.
func (t table) row(p *observed, mark, style string) spans {
	text := mark + padded(printable(p.Name), t.name)
	for _, c := range numbers {
		text += " " + padded(printable(c.text(p)), c.width)
	}
	line := spans{{text, style}}
	if t.beside() {
		line = append(line, span{"  ", ""}, firstAdvice(p))
	}
	return line
}

// firstAdvice is what matters most about a part.
func firstAdvice(p *observed) span {
	if len(p.Advice) == 0 {
		return span{p.Note, ""}
	}
	return advised(p.Advice[0])
}

// levels are how advice is marked, also where there is no colour.
var levels = map[stats.Level]struct{ mark, style string }{
	stats.Good: {"+ ", ""}, stats.Hint: {"? ", cyan}, stats.Warn: {"! ", yellow},
}

func advised(a stats.Advice) span {
	return span{levels[a.Level].mark + a.Text, levels[a.Level].style}
}

// ranking is a way to sort rows.
type ranking struct {
	name string
	less func(a, b *observed) int // nil is as they come
}

// rankings are the ways to sort rows, in the order of the key s.
var rankings = []ranking{
	{"as given", nil},
	{"requests", most(func(p *observed) float64 { return value(p.Requests) })},
	{"misses", most(func(p *observed) float64 { return -ratio(p.HitRatio1) })},
	{"loads", most(func(p *observed) float64 { return value(p.Loads) })},
	{"p99", most(func(p *observed) float64 { return float64(p.Slow) })},
	{"entries", most(number)},
	{"name", func(a, b *observed) int { return strings.Compare(a.Name, b.Name) }},
}

// most ranks by a number, the largest first.
func most(of func(*observed) float64) func(a, b *observed) int {
	return func(a, b *observed) int { return cmp.Compare(of(b), of(a)) }
}

func value(n *float64) float64 {
	if n == nil {
		return -1
	}
	return *n
}

// ratio is a hit ratio; one that is not known comes last.
func ratio(n *float64) float64 {
	if n == nil {
		return 2
	}
	return *n
}

func number(p *observed) float64 {
	n, ok := p.Value(stats.Entries, "")
	if !ok {
		return -1
	}
	return n
}

// sorted returns parts in an order; those that are equal stay as they come.
func (r ranking) sorted(parts []observed) []observed {
	if r.less == nil {
		return parts
	}
	all := slices.Clone(parts)
	slices.SortStableFunc(all, func(a, b observed) int { return r.less(&a, &b) })
	return all
}

// lines returns the table as text for a pipe or a terminal that is not written over.
func (t table) lines(parts []observed) (lines []spans) {
	lines = append(lines, t.head())
	for i := range parts {
		lines = append(lines, t.row(&parts[i], "  ", ""))
		if one := firstAdvice(&parts[i]); !t.beside() && one.text != "" {
			lines = append(lines, spans{{"    ", ""}, one})
		}
	}
	return lines
}
