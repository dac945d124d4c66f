// sim_svg.go draws hit ratios by size as SVG: a file that needs nothing else, light or dark as the
// reader has it.

package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"
)

// The measures of a panel, in pixels.
const (
	svgWidth  = 900
	svgHeight = 500
	svgLeft   = 62
	svgRight  = 150 // for the names of the lines
	svgTop    = 78
	svgBottom = 66
	svgLine   = 16 // between two names
)

// svgColours are the colours of lines on white and on black: far apart in hue and lightness.
var svgColours = [][2]string{
	{"#1f6feb", "#58a6ff"}, {"#8c6d31", "#c9a35a"}, {"#6e7781", "#9aa4af"}, {"#6a7d00", "#b5c800"},
	{"#1b7c83", "#39c5cf"}, {"#d1242f", "#ff7b72"}, {"#8250df", "#bc8cff"}, {"#1a7f37", "#3fb950"},
	{"#bc4c00", "#f0883e"}, {"#0a3069", "#a5d6ff"}, {"#9a6700", "#e3b341"}, {"#d6177e", "#ff5fb7"},
	{"#a40e26", "#ffa198"},
}

const svgStyle = `
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.bg { fill: #ffffff; }
.title { font-size: 18px; font-weight: 600; }
.dim { fill: #656d76; font-size: 12px; }
.grid { stroke: #d8dee4; stroke-width: 1; }
.axis { stroke: #8c959f; stroke-width: 1; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.best { stroke-width: 3.2; }
.name-best { font-weight: 700; }
.optimum { stroke: #1f2328; stroke-dasharray: 6 5; }
.name-optimum { fill: #1f2328; }
.dot-optimum { fill: #1f2328; }
.lead { stroke-width: 1; opacity: .5; fill: none; }
`

const svgDark = `
text { fill: #e6edf3; }
.bg { fill: #0d1117; }
.dim { fill: #8d96a0; }
.grid { stroke: #262c36; }
.axis { stroke: #6e7681; }
.optimum { stroke: #e6edf3; }
.name-optimum { fill: #e6edf3; }
.dot-optimum { fill: #e6edf3; }
`

// svgOf draws the charts one below the other.
func svgOf(charts []chart) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" `+
		`height="%d" role="img">`+"\n", svgWidth, svgHeight*len(charts), svgWidth,
		svgHeight*len(charts))
	fmt.Fprintf(&b, "<title>Hit ratio by cache size</title>\n<style>%s%s", svgStyle, svgHues(0))
	fmt.Fprintf(&b, "@media (prefers-color-scheme: dark) {%s%s}\n</style>\n", svgDark, svgHues(1))
	fmt.Fprintln(&b, `<rect class="bg" width="100%" height="100%"/>`)
	for i := range charts {
		fmt.Fprintf(&b, `<g transform="translate(0 %d)">`+"\n", i*svgHeight)
		newPanel(&charts[i], &b).draw()
		fmt.Fprintln(&b, "</g>")
	}
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}

// svgHues are the rules for the colours of lines, their dots and names.
func svgHues(scheme int) string {
	var b strings.Builder
	for i, c := range svgColours {
		fmt.Fprintf(&b, ".s%d { stroke: %s; } .name%d, .dot%d { fill: %s; }\n", i, c[scheme], i, i,
			c[scheme])
	}
	return b.String()
}

// panel draws one chart.
type panel struct {
	*chart
	out             *bytes.Buffer
	low, high, step float64
	best            int // the line that is highest on the whole, without the optimum
}

func newPanel(c *chart, out *bytes.Buffer) *panel {
	p := &panel{chart: c, out: out, best: -1}
	p.low, p.high, p.step = c.reach()
	most := -1.0
	for i, l := range c.lines {
		sum := 0.0
		for _, y := range l.ys {
			sum += y
		}
		if !l.dashed && sum > most {
			p.best, most = i, sum
		}
	}
	return p
}

func (p *panel) x(at float64) float64 {
	return svgLeft + p.place(at)*(svgWidth-svgLeft-svgRight)
}

func (p *panel) y(percent float64) float64 {
	return svgTop + (p.high-percent)/(p.high-p.low)*(svgHeight-svgTop-svgBottom)
}

func (p *panel) draw() {
	p.text(svgLeft, 32, "title", "", "Hit ratio by cache size: "+p.title)
	p.text(svgLeft, 54, "dim", "", p.about)
	p.grid()
	p.sizes()
	for i := range p.lines {
		if i != p.best {
			p.line(i)
		}
	}
	if p.best >= 0 {
		p.line(p.best) // over the others
	}
	p.names()
}

func (p *panel) text(x, y float64, class, anchor, text string) {
	if anchor != "" {
		anchor = fmt.Sprintf(` text-anchor="%s"`, anchor)
	}
	fmt.Fprintf(p.out, `<text x="%.1f" y="%.1f" class="%s"%s>%s</text>`+"\n", x, y, class, anchor,
		html.EscapeString(printable(text)))
}

func (p *panel) grid() {
	const right = svgWidth - svgRight
	for percent := p.low; percent <= p.high+p.step/2; percent += p.step {
		y := p.y(percent)
		fmt.Fprintf(p.out, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" class="grid"/>`+"\n", svgLeft,
			y, right, y)
		p.text(svgLeft-10, y+4, "dim", "end", fmt.Sprintf("%.0f %%", percent))
	}
	const base = svgHeight - svgBottom
	fmt.Fprintf(p.out, `<line x1="%d" y1="%d" x2="%d" y2="%d" class="axis"/>`+"\n", svgLeft, base,
		right, base)
}

// sizes names the sizes below the axis, where there is room.
func (p *panel) sizes() {
	const base = svgHeight - svgBottom
	free := 0.0
	for _, m := range p.xs {
		x := p.x(m.at)
		fmt.Fprintf(p.out, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" class="axis"/>`+"\n", x, base,
			x, base+5)
		if half := 4 * float64(max(len(m.name), len(m.share))); x-half >= free {
			p.text(x, base+21, "", "middle", m.name)
			p.text(x, base+37, "dim", "middle", m.share)
			free = x + half + 6
		}
	}
	p.text((svgLeft+svgWidth-svgRight)/2, base+56, "dim", "middle",
		"cache size in "+p.axis+", and as a share of all distinct keys (logarithmic)")
}

// classes returns the classes of a line, of its dots and of its name.
func (p *panel) classes(i int) (line, dot, name string) {
	switch hue := i % len(svgColours); {
	case p.lines[i].dashed:
		return "line optimum", "dot-optimum", "name-optimum"
	case i == p.best:
		return fmt.Sprintf("line best s%d", hue), fmt.Sprintf("dot%d", hue),
			fmt.Sprintf("name%d name-best", hue)
	default:
		return fmt.Sprintf("line s%d", hue), fmt.Sprintf("dot%d", hue), fmt.Sprintf("name%d", hue)
	}
}

func (p *panel) line(i int) {
	line, dot, _ := p.classes(i)
	var points, dots strings.Builder
	for j, percent := range p.lines[i].ys {
		x, y := p.x(p.xs[j].at), p.y(percent)
		fmt.Fprintf(&points, "%.1f,%.1f ", x, y)
		fmt.Fprintf(&dots, `<circle cx="%.1f" cy="%.1f" r="3" class="%s"><title>%s: %.1f %% at %s`+
			"</title></circle>\n", x, y, dot, html.EscapeString(p.lines[i].name), percent, p.xs[j].name)
	}
	fmt.Fprintf(p.out, `<polyline points="%s" class="%s"/>`+"\n%s",
		strings.TrimSpace(points.String()), line, dots.String())
}

// names writes the name of each line at its end, apart from the others.
func (p *panel) names() {
	last := len(p.xs) - 1
	order := p.order()
	var wanted []float64
	for _, i := range order {
		wanted = append(wanted, p.y(p.lines[i].ys[last]))
	}
	const end = svgWidth - svgRight
	for n, y := range spread(wanted, svgLine, svgTop-6, svgHeight-svgBottom) {
		i := order[n]
		line, _, name := p.classes(i)
		hue := strings.Fields(line)
		fmt.Fprintf(p.out, `<path d="M%.1f %.1f L%d %.1f" class="lead %s"/>`+"\n",
			p.x(p.xs[last].at)+4, wanted[n], end+20, y, hue[len(hue)-1])
		p.text(end+24, y+4, name, "", fmt.Sprintf("%s  %.1f", p.lines[i].name, p.lines[i].ys[last]))
	}
}

// spread moves ascending positions so that they are a distance apart and between low and high, if
// there is room, as little as possible by the sum of squares: less its place in the row, each must
// not be before the last one, and those that are share their mean (pool adjacent violators).
func spread(wanted []float64, apart, low, high float64) []float64 {
	type pool struct {
		sum float64
		n   int
	}
	var pools []pool
	for i, y := range wanted {
		next := pool{y - float64(i)*apart, 1}
		for n := len(pools); n > 0; n-- {
			last := pools[n-1]
			if last.sum/float64(last.n) <= next.sum/float64(next.n) {
				break
			}
			next = pool{last.sum + next.sum, last.n + next.n}
			pools = pools[:n-1]
		}
		pools = append(pools, next)
	}
	most := max(low, high-float64(len(wanted)-1)*apart)
	var at []float64
	for _, p := range pools {
		y := min(max(p.sum/float64(p.n), low), most)
		for range p.n {
			at = append(at, y+float64(len(at))*apart)
		}
	}
	return at
}
