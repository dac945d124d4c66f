// top_view.go is what larder top shows on a terminal, and what keys change of that. It is a
// function of what came, and neither reads nor writes.

package main

import (
	"fmt"
	"slices"
	"time"
)

// sheet is what the screen shows.
type sheet int

const (
	sheetParts sheet = iota
	sheetPart
)

// view is what a screen shows.
type view struct {
	address  string
	overview overview
	detail   *detail // of the part that is open; nil until it came
	sheet    sheet
	helps    bool // instead of it
	chosen   partName
	ranking  int    // of rankings
	first    int    // the first line shown, where the lines are not rows
	trouble  string // why the last question had no answer
	height   int    // of the last frame
}

// effect is what follows from a key.
type effect int

const (
	effectNone effect = iota
	effectAsk         // something is shown that has to be asked for
	effectEnd
)

// press does what a key means. What is on the screen is asked for anew when it is another.
func (v *view) press(p press) effect {
	switch {
	case p == pressEnd:
		return effectEnd
	case v.helps: // any key leads back
		v.helps = p == noPress
	case p == pressHelp:
		v.helps = true
	case p == pressSort:
		v.ranking = (v.ranking + 1) % len(rankings)
	case p == pressOpen && v.sheet == sheetParts && len(v.overview.Parts) > 0:
		v.chosen = v.parts()[v.index()].id()
		return v.turn(sheetPart)
	case p == pressBack && v.sheet == sheetPart:
		return v.turn(sheetParts)
	default:
		v.move(p)
	}
	return effectNone
}

// turn shows another sheet.
func (v *view) turn(to sheet) effect {
	v.sheet, v.first, v.detail = to, 0, nil
	return effectAsk
}

// steps are how many lines keys move.
func (v *view) steps(p press) int {
	const far = 1 << 20
	page := max(v.height-4, 1)
	return map[press]int{
		pressUp: -1, pressDown: 1, pressPageUp: -page, pressPageDown: page,
		pressFirst: -far, pressLast: far,
	}[p]
}

// move chooses another row, or shows other lines.
func (v *view) move(p press) {
	step := v.steps(p)
	if v.sheet != sheetParts {
		v.first = max(v.first+step, 0)
		return
	}
	if parts := v.parts(); len(parts) > 0 {
		v.chosen = parts[min(max(v.index()+step, 0), len(parts)-1)].id()
	}
}

// parts returns the parts in the order in which they are shown.
func (v *view) parts() []observed { return rankings[v.ranking].sorted(v.overview.Parts) }

// index returns the row of the part that is chosen, the first one if that has gone.
func (v *view) index() int {
	return max(0, slices.IndexFunc(v.parts(), func(p observed) bool { return p.id() == v.chosen }))
}

// take takes what came.
func (v *view) take(a told) {
	if a.err != nil {
		v.trouble = a.err.Error()
		return
	}
	v.trouble = ""
	switch {
	case a.detail != nil && v.sheet == sheetPart && a.of == v.chosen:
		v.detail = a.detail
	case a.overview != nil:
		v.overview = *a.overview
	}
}

// frame lays out the screen in so many columns and lines.
func (v *view) frame(width, height int) []spans {
	v.height = height
	body := max(height-2, 1)
	lines := append([]spans{v.title(width)}, v.body(width, body)...)
	for len(lines) < body+1 {
		lines = append(lines, nil)
	}
	return append(lines[:body+1], v.foot())
}

// title is the first line.
func (v *view) title(width int) spans {
	when := ""
	if !v.overview.Taken.IsZero() {
		when = v.overview.Taken.Local().Format(time.TimeOnly)
	}
	left := "larder top  " + printable(v.address)
	return spans{{padded(left, width-len(when)-1) + " " + when, bold}}
}

// foot is the last line: what keys do, or what is wrong.
func (v *view) foot() spans {
	if v.trouble != "" {
		return spans{{oneLine(v.trouble), red}}
	}
	switch {
	case v.helps:
		return spans{{"any key leads back   q ends", faint}}
	case v.sheet == sheetPart:
		return spans{{"↑↓ scroll   ← back   ? help   q ends", faint}}
	}
	return spans{{fmt.Sprintf("↑↓ choose   Enter opens   s sorts: %s   ? help   q ends",
		rankings[v.ranking].name), faint}}
}

// body is what is between the first line and the last.
func (v *view) body(width, height int) []spans {
	switch {
	case v.helps:
		return helpOfTop()
	case v.sheet == sheetParts:
		return v.rows(width, height)
	case v.detail == nil:
		return []spans{nil, plainly("  " + v.chosen.name + ": asked, no answer yet")}
	}
	return v.scrolled(v.detail.lines(width, v.overview.Taken), height)
}

// scrolled returns the lines that are shown, at most as far down as there is something to see.
func (v *view) scrolled(lines []spans, height int) []spans {
	v.first = max(0, min(v.first, len(lines)-height))
	return lines[v.first:min(len(lines), v.first+height)]
}

// rows returns the table, around the row that is chosen.
func (v *view) rows(width, height int) []spans {
	parts, chosen := v.parts(), v.index()
	t := newTable(parts, width)
	if len(parts) == 0 {
		return []spans{t.head(), nil, plainly("  no caches yet: the program has not added one")}
	}
	brief := len(parts)*2 >= height // then only the row that is chosen has its advice below
	var lines []spans
	end := 0
	for i := range parts {
		if i == chosen {
			lines = append(lines, t.row(&parts[i], "> ", inverse))
			lines = append(lines, v.advice(t, &parts[i], width)...)
			end = len(lines)
			continue
		}
		lines = append(lines, t.row(&parts[i], "  ", ""))
		if one := firstAdvice(&parts[i]); !brief && !t.beside() && one.text != "" {
			lines = append(lines, spans{{"    ", ""}, one})
		}
	}
	first := max(0, end-(height-1))
	return append([]spans{t.head()}, lines[first:]...)
}

// advice is the advice below the row that is chosen, whole.
func (v *view) advice(t table, p *observed, width int) (lines []spans) {
	one := firstAdvice(p)
	if t.beside() || one.text == "" {
		return nil
	}
	for _, text := range wrapped(printable(one.text), width-4) {
		lines = append(lines, spans{{"    " + text, one.style}})
	}
	return lines
}

// helpOfTop says what is seen, and what keys do.
func helpOfTop() (lines []spans) {
	for _, text := range []string{
		"",
		"  hit 1m, all    answered without a load: in the last minute, since it began",
		"  req/s          requests a second",
		"  loads/s, p99   calls of the origin a second; 99 of 100 took no longer",
		"  weight/limit   what is taken and what may be: bytes, where they are counted",
		"                 (612M is 612 MiB), else entries or weights, in thousands",
		"  –              not known, or not yet",
		"",
		"  ↑ ↓  k j       choose a part, or scroll; PgUp PgDn, Home End go further",
		"  Enter →        open the part: what other sizes would hit, why it missed,",
		"                 which keys and loads cost most",
		"  ← Esc          back",
		"  s              sort: requests, misses, loads, p99, entries, name, as given",
		"  q  Ctrl-C      end",
		"",
		"  +  all is well    ?  could be better    !  something is wrong",
	} {
		lines = append(lines, plainly(text))
	}
	return lines
}
