// top_format.go writes numbers in a few columns, and lines of a terminal that never get too long.

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// unknown stands for a number that is not known.
const unknown = "–"

// The styles of a view, beside those of a page.
const (
	faint   = "2"
	inverse = "7"
)

// shortCount writes a number in at most five columns: 0, 0.5, 12.3, 9999, 12.3k, 4.56M.
func shortCount(n float64) string {
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0) || n < 0:
		return unknown
	case n >= 1e18:
		return fmt.Sprintf("%.0e", n)
	case n < 99.95 && n != math.Trunc(n):
		return strings.TrimSuffix(strconv.FormatFloat(n, 'f', 1, 64), ".0")
	case n < 9999.5:
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	i := -1
	for ; n >= 999.5; i++ {
		n /= 1000
	}
	return threeDigits(n) + "kMGTPE"[i:i+1]
}

// threeDigits writes a number below 1000 with three digits.
func threeDigits(n float64) string {
	switch {
	case n < 9.995:
		return strconv.FormatFloat(n, 'f', 2, 64)
	case n < 99.95:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return strconv.FormatFloat(n, 'f', 0, 64)
}

// shortTime writes a duration in at most six columns: 850ns, 1.23ms, 12.3s, 5.0m, 3.2h, 12d.
func shortTime(d time.Duration) string {
	switch s := d.Seconds(); {
	case d <= 0:
		return unknown
	case d < time.Microsecond:
		return strconv.Itoa(int(d)) + "ns"
	case d < time.Millisecond-500:
		return threeDigits(s*1e6) + "µs"
	case s < 0.9995:
		return threeDigits(s*1e3) + "ms"
	case s < 99.95:
		return threeDigits(s) + "s"
	case s < 3600:
		return strconv.FormatFloat(s/60, 'f', 1, 64) + "m"
	case s < 48*3600:
		return strconv.FormatFloat(s/3600, 'f', 1, 64) + "h"
	default:
		return shortCount(math.Round(s/86400)) + "d"
	}
}

// shortPercent writes a share from 0 to 1 in at most five columns; nil is not known.
func shortPercent(ratio *float64) string {
	if ratio == nil || math.IsNaN(*ratio) || *ratio < 0 || *ratio > 1 {
		return unknown
	}
	return strings.TrimSuffix(strconv.FormatFloat(*ratio*100, 'f', 1, 64), ".0") + "%"
}

// shortRate writes a number of things per second; nil is not known.
func shortRate(n *float64) string {
	if n == nil {
		return unknown
	}
	return shortCount(*n)
}

// shortBytes writes bytes in a binary unit of one letter, as ls -h does.
func shortBytes(n float64) string {
	if math.IsNaN(n) || n < 0 || n >= math.MaxInt64 {
		return unknown
	}
	return strings.TrimSuffix(formatSize(int64(n)), "iB")
}

// span is text of one style.
type span struct{ text, style string }

// spans are a line of a terminal.
type spans []span

func plainly(text string) spans { return spans{{text, ""}} }

// render writes the line in at most width columns; 0 is any number. What is no graphic character
// is escaped, whoever it came from.
func (s spans) render(width int, coloured bool) string {
	var b strings.Builder
	left := width
	for _, one := range s {
		text := printable(one.text)
		if width > 0 {
			text = clipped(text, left)
			left -= columns(text)
		}
		b.WriteString(styled(text, one.style, coloured))
	}
	if !coloured {
		return strings.TrimRight(b.String(), " ")
	}
	return b.String()
}

// styled puts a style on text.
func styled(text, style string, coloured bool) string {
	if !coloured || style == "" || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// clipped cuts text to so many columns, and says by … that it did.
func clipped(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	used := 1 // by …
	for i, r := range text {
		if used += columnsOf(r); used > width {
			if width < 1 {
				return ""
			}
			return text[:i] + "…"
		}
	}
	return text
}

// padded cuts text to so many columns or fills them with spaces, to the right of it, or to the left
// for a negative width.
func padded(text string, width int) string {
	if width < 0 {
		text = clipped(text, -width)
		return strings.Repeat(" ", -width-columns(text)) + text
	}
	text = clipped(text, width)
	return text + strings.Repeat(" ", width-columns(text))
}

// columns returns how wide text is on a terminal.
func columns(text string) (n int) {
	if len(text) == utf8.RuneCountInString(text) {
		return len(text)
	}
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

// wide are the blocks whose characters take two columns (UAX #11, W and F).
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, {Lo: 0x2e80, Hi: 0x303e, Stride: 1},
		{Lo: 0x3041, Hi: 0xa4cf, Stride: 1}, {Lo: 0xa960, Hi: 0xa97f, Stride: 1},
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, {Lo: 0xf900, Hi: 0xfaff, Stride: 1},
		{Lo: 0xfe30, Hi: 0xfe6f, Stride: 1}, {Lo: 0xff00, Hi: 0xff60, Stride: 1},
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x16fe0, Hi: 0x1b2ff, Stride: 1}, {Lo: 0x1f300, Hi: 0x1faff, Stride: 1},
		{Lo: 0x20000, Hi: 0x3fffd, Stride: 1},
	},
}

// columnsOf returns how many columns a character takes.
func columnsOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
