// sim_report.go shows what sim found out, as a table, JSON or a chart.

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

// findings are the results for one trace.
type findings struct {
	name    string
	trace   *trace.Trace
	weighed bool
	sizes   []uint64
	results []sim.Result // policy by policy, each at all sizes
	optimum []sim.Result // empty if it was not asked for
}

// rows returns the results of each policy, and the optimum last.
func (f *findings) rows() [][]sim.Result {
	rows := slices.Collect(slices.Chunk(f.results, len(f.sizes)))
	if len(f.optimum) > 0 {
		rows = append(rows, f.optimum)
	}
	return rows
}

// best returns the highest ratio of the policies at each size.
func (f *findings) best(ratio func(sim.Result) float64) []float64 {
	best := make([]float64, len(f.sizes))
	for i, r := range f.results {
		at := i % len(f.sizes)
		best[at] = max(best[at], ratio(r))
	}
	return best
}

// table shows the hit ratios, and those of bytes where entries were weighed.
func (f *findings) table() string {
	text := summary(f.name, f.trace) + "\n\n" + f.ratios("hit ratio, %", sim.Result.HitRatio)
	if f.weighed {
		text += "\n" + f.ratios("bytes hit, %", sim.Result.HitByteRatio)
	}
	return text
}

func (f *findings) ratios(title string, ratio func(sim.Result) float64) string {
	t := textTable{}
	t.add(append([]string{"size"}, f.sizeNames()...)...)
	t.add(append([]string{"of all"}, f.shares()...)...)
	t.rows[0] = append(t.rows[0], "")
	t.rows[1] = append(t.rows[1], "M/s")
	best := f.best(ratio)
	for _, row := range f.rows() {
		t.add(f.cells(row, best, ratio)...)
	}
	return title + "\n" + t.String()
}

// cells is a row: the name, the ratios, the mean speed.
func (f *findings) cells(row []sim.Result, best []float64, ratio func(sim.Result) float64) []string {
	cells := []string{row[0].Policy}
	var accesses, seconds float64
	for i, r := range row {
		text, mark := tenths(ratio(r)), " "
		if text == tenths(best[i]) && best[i] > 0 && r.Policy != sim.OptimumName {
			mark = "*" // as far as one can see
		}
		cells = append(cells, text+mark)
		accesses += float64(r.Accesses)
		seconds += r.Took.Seconds()
	}
	if seconds < 1e-3 {
		return append(cells, "-") // too short to tell
	}
	return append(cells, strconv.FormatFloat(accesses/seconds/1e6, 'f', 0, 64))
}

// tenths writes a share in percent, without the sign.
func tenths(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) }

func (f *findings) sizeNames() []string {
	var names []string
	for _, n := range f.sizes {
		names = append(names, f.sizeName(n)+" ")
	}
	return names
}

func (f *findings) sizeName(n uint64) string {
	if f.weighed {
		return formatSize(int64(n))
	}
	return strconv.FormatUint(n, 10)
}

// shares says which part of all distinct keys, or of their bytes, each size is.
func (f *findings) shares() []string {
	whole := float64(f.trace.Distinct)
	if f.weighed {
		whole = float64(max(1, f.trace.Footprint())) // a trace of 304s has no bytes
	}
	var shares []string
	for _, n := range f.sizes {
		percent := strconv.FormatFloat(100*float64(n)/whole, 'g', 2, 64)
		if float64(n) >= 0.995*whole {
			percent = strconv.FormatFloat(100*float64(n)/whole, 'f', 0, 64)
		}
		shares = append(shares, percent+"% ")
	}
	return shares
}

// found is one result in JSON.
type found struct {
	Trace     string  `json:"trace"`
	Policy    string  `json:"policy"`
	Size      uint64  `json:"size"`
	Unit      string  `json:"unit"`
	Accesses  uint64  `json:"accesses"`
	Hits      uint64  `json:"hits"`
	HitRatio  float64 `json:"hit_ratio"`
	Evictions *uint64 `json:"evictions,omitempty"` // not of the optimum
	Refused   *uint64 `json:"refused,omitempty"`   // of a weighed one
	Bytes     *uint64 `json:"bytes,omitempty"`     // of a trace with sizes
	HitBytes  *uint64 `json:"hit_bytes,omitempty"`
	Seconds   float64 `json:"seconds"`
}

func (f *findings) writeJSON(w io.Writer) error {
	for _, row := range f.rows() {
		for _, r := range row {
			if err := writeJSON(w, f.found(r)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *findings) found(r sim.Result) found {
	one := found{
		Trace: f.name, Policy: r.Policy, Size: r.Max, Unit: "entries", Accesses: r.Accesses,
		Hits: r.Hits, HitRatio: r.HitRatio(), Seconds: r.Took.Seconds(),
	}
	if f.weighed {
		one.Unit, one.Refused = "bytes", &r.Refused
	}
	if r.Policy != sim.OptimumName {
		one.Evictions = &r.Evictions
	}
	if r.Bytes > 0 {
		one.Bytes, one.HitBytes = &r.Bytes, &r.HitBytes
	}
	return one
}

// chart is the hit ratio by size, of policies and optimum.
func (f *findings) chart() chart {
	c := chart{
		title: filepath.Base(f.name),
		about: fmt.Sprintf("%s of %s", formatNumbers(len(f.trace.Keys), "access", "accesses"),
			formatNumbers(f.trace.Distinct, "key", "keys")),
		axis: "entries",
	}
	if f.weighed {
		c.axis = "bytes"
	}
	shares := f.shares()
	for i, n := range f.sizes {
		c.xs = append(c.xs, mark{float64(n), f.sizeName(n), strings.TrimSpace(shares[i])})
	}
	for _, row := range f.rows() {
		l := line{name: row[0].Policy, dashed: row[0].Policy == sim.OptimumName}
		for _, r := range row {
			l.ys = append(l.ys, 100*r.HitRatio())
		}
		c.lines = append(c.lines, l)
	}
	return c
}

// textTable aligns cells: the first column left, the others right.
type textTable struct{ rows [][]string }

func (t *textTable) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *textTable) String() string {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		fmt.Fprintf(&line, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(&line, "  %*s", widths[i+1], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
