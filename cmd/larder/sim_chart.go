// sim_chart.go draws hit ratios by size in a terminal.

package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// chart is a few lines over the same sizes.
type chart struct {
	title, about string
	axis         string // what the sizes count
	xs           []mark
	lines        []line
}

// mark is a size.
type mark struct {
	at    float64
	name  string
	share string // of all keys
}

// line is a policy.
type line struct {
	name   string
	dashed bool
	ys     []float64 // percent at each size
}

// place returns where a size stands on a logarithmic axis, 0 to 1.
func (c *chart) place(x float64) float64 {
	first, last := c.xs[0].at, c.xs[len(c.xs)-1].at
	if first == last {
		return 0.5
	}
	return math.Log(x/first) / math.Log(last/first)
}

// reach returns the percents that the chart shows: whole steps around all values.
func (c *chart) reach() (low, high, step float64) {
	low, high = 100, 0
	for _, l := range c.lines {
		low, high = min(low, slices.Min(l.ys)), max(high, slices.Max(l.ys))
	}
	step = 1
	for _, s := range []float64{2, 5, 10, 20} {
		if high-low > 5*step {
			step = s
		}
	}
	low, high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	if high == low {
		high += step
	}
	return low, high, step
}

const chartRows = 18

func chartWidth() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width < 40 {
		return 80
	}
	return min(width, 120)
}

// colours returns the colours of lines in a terminal, none if they are not wanted.
func colours() []int {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || !isTerminal(os.Stdout) {
		return nil
	}
	return []int{33, 208, 35, 160, 98, 30, 170, 142, 37, 130, 67, 105, 72}
}

// text draws the chart in so many columns: each line has a letter at each size and dots between.
func (c *chart) text(width int, colours []int) string {
	const left = 5 // for the percents
	low, high, step := c.reach()
	p := newPlot(width - left - 1)
	for _, i := range c.order() {
		p.draw(c, i, low, high)
	}
	var b strings.Builder
	for row := range chartRows {
		label := ""
		for percent := low; percent <= high; percent += step {
			if rowOf(percent, low, high) == row {
				label = fmt.Sprintf("%.0f%%", percent)
			}
		}
		fmt.Fprintf(&b, "%*s│%s\n", left-1, label, p.row(row, colours))
	}
	b.WriteString(strings.Repeat(" ", left-1) + "└" + strings.Repeat("─", p.width) + "\n")
	b.WriteString(strings.Repeat(" ", left) + c.ticks(p.width) + " " + c.axis + "\n")
	return b.String() + c.legend(width, colours)
}

// rowOf returns the row of a percent, from the top.
func rowOf(percent, low, high float64) int {
	return int(math.Round((high - percent) / (high - low) * (chartRows - 1)))
}

// plot is a grid of letters; who says whose they are.
type plot struct {
	width int
	cells [][]rune
	who   [][]int
}

func newPlot(width int) *plot {
	p := &plot{width: width}
	for range chartRows {
		p.cells = append(p.cells, []rune(strings.Repeat(" ", width)))
		p.who = append(p.who, make([]int, width))
	}
	return p
}

// draw adds line i. Letters win over dots.
func (p *plot) draw(c *chart, i int, low, high float64) {
	set := func(x, y float64, r rune) {
		column := int(math.Round(x * float64(p.width-1)))
		row := rowOf(y, low, high)
		if old := p.cells[row][column]; old == ' ' || r != '·' && old == '·' {
			p.cells[row][column], p.who[row][column] = r, i
		}
	}
	ys := c.lines[i].ys
	for j := range ys {
		set(c.place(c.xs[j].at), ys[j], c.letter(i))
	}
	for j := range ys[1:] {
		from, to := c.place(c.xs[j].at), c.place(c.xs[j+1].at)
		steps := max(1, int((to-from)*float64(p.width)))
		for k := 1; k < steps; k++ {
			way := float64(k) / float64(steps)
			set(from+way*(to-from), ys[j]+way*(ys[j+1]-ys[j]), '·')
		}
	}
}

func (p *plot) row(row int, colours []int) string {
	var b strings.Builder
	for i, r := range p.cells[row] {
		b.WriteString(coloured(string(r), p.who[row][i], colours, r != ' '))
	}
	return strings.TrimRight(b.String(), " ")
}

func coloured(text string, i int, colours []int, wanted bool) string {
	if !wanted || len(colours) == 0 {
		return text
	}
	return fmt.Sprintf("\x1b[38;5;%dm%s\x1b[0m", colours[i%len(colours)], text)
}

// letter stands for line i: o for the optimum.
func (c *chart) letter(i int) rune {
	if c.lines[i].dashed {
		return 'o'
	}
	return []rune("abcdefghijklmnpqrstuvwxyz")[i%25]
}

// ticks names the sizes below the axis, where there is room.
func (c *chart) ticks(width int) string {
	text := []rune(strings.Repeat(" ", width))
	next := 0
	for _, x := range c.xs {
		name := []rune(x.name)
		at := int(c.place(x.at)*float64(width-1)) - len(name)/2
		at = min(max(at, 0), width-len(name))
		if at >= next {
			copy(text[at:], name)
			next = at + len(name) + 1
		}
	}
	return string(text)
}

// order returns the lines, the highest at the largest size first.
func (c *chart) order() []int {
	order := make([]int, len(c.lines))
	for i := range order {
		order[i] = i
	}
	last := len(c.xs) - 1
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(c.lines[j].ys[last], c.lines[i].ys[last])
	})
	return order
}

// legend names the lines.
func (c *chart) legend(width int, colours []int) string {
	var b strings.Builder
	column := 0
	for _, i := range c.order() {
		word := fmt.Sprintf("%c %s", c.letter(i), c.lines[i].name)
		if column > 0 && column+len(word)+3 > width {
			b.WriteString("\n")
			column = 0
		}
		b.WriteString("   " + coloured(word, i, colours, true))
		column += len(word) + 3
	}
	return b.String() + "\n"
}
