// top_detail.go lays out what is known of one part.

package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/stats"
)

const (
	mostKeys   = 8  // of each order
	mostBar    = 40 // columns
	keyNumbers = 20 // columns of the numbers in front of a key
)

// paper is lines that are being laid out.
type paper struct {
	width int
	lines []spans
}

func (p *paper) add(line ...span) { p.lines = append(p.lines, line) }

// section begins a part of the sheet.
func (p *paper) section(title string) {
	p.add()
	p.add(span{title, bold})
}

// row writes text behind a label, wrapped. Without text it writes nothing.
func (p *paper) row(label, text, style string) {
	if text == "" {
		return
	}
	for _, line := range wrapped(printable(text), p.width-labelWidth) {
		p.add(span{padded(label, labelWidth), bold}, span{line, style})
		label = ""
	}
}

// bar draws a share from 0 to 1 in a width.
func bar(share float64, width int) string {
	if !(share > 0) || width < 1 {
		return ""
	}
	eighths := int(math.Round(min(share, 1) * float64(width) * 8))
	text := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return text
}

// lines lays out all of it; now is when the numbers were taken.
func (d *detail) lines(width int, now time.Time) []spans {
	p := &paper{width: width}
	one := &d.Part
	p.add(span{one.Name, bold}, span{"  " + one.Kind + policyOf(one), ""})
	p.row("", one.Note, "")
	p.facts(one)
	for _, a := range one.Advice {
		p.add()
		said := advised(a)
		p.row("advice", said.text, said.style)
	}
	p.curve(one)
	p.shares("why it missed", one, stats.Misses, missWords)
	p.shares("why entries left", one, stats.Departures, departureWords)
	p.shares("answered", one, stats.Requests, nil)
	p.keys("keys by time lost in loads", d.Top[stats.ByLost], lostKey)
	p.keys("keys by hits", d.Top[stats.ByHits], hitKey)
	p.keys("keys by weight", d.Top[stats.ByWeight], func(k *stats.Key) string {
		return one.weigh(k.Weight)
	})
	p.loads(d.Slowest, now)
	return p.lines
}

func policyOf(o *observed) string {
	if o.Policy == "" {
		return ""
	}
	return ", " + o.Policy
}

// facts writes the numbers of the row, and more.
func (p *paper) facts(o *observed) {
	p.row("hits", fmt.Sprintf("%s in the last minute, %s in ten, %s of all %s requests; %s/s",
		shortPercent(o.HitRatio1), shortPercent(o.HitRatio10), shortPercent(o.HitRatio),
		shortCount(o.Sum(stats.Requests)), shortRate(o.Requests)), "")
	if o.Durations != nil && o.Durations.Count > 0 {
		p.row("loads", fmt.Sprintf("%s, %s/s; half within %s, 99 of 100 within %s, mean %s",
			shortCount(float64(o.Durations.Count)), shortRate(o.Loads), shortTime(o.Median),
			shortTime(o.Slow), shortTime(o.Mean)), "")
	}
	if o.Saved > 0 {
		p.row("saved", shortTime(o.Saved)+" of loading", "")
	}
	p.row("room", entries(o)+" entries; "+strings.Replace(room(o), "/", " of ", 1), "")
	if failed, _ := o.Value(stats.Loads, stats.LoadError); failed > 0 {
		p.row("errors", shortCount(failed)+" loads failed", red)
	}
}

// curve draws what other sizes and policies would hit.
func (p *paper) curve(o *observed) {
	c := o.Curve
	if c == nil || len(c.Points) == 0 {
		if o.Curved {
			p.add()
			p.row("other sizes", "not known: it has seen too little, or does not observe itself", "")
		}
		return
	}
	p.section("hits at other sizes")
	for _, point := range c.Points {
		here := ""
		if point.Factor == 1 {
			here = " ← here"
		}
		p.point(fmt.Sprintf("%5s× %9s", shortFactor(point.Factor), o.weigh(point.Size)),
			point.Ratio, here)
	}
	if len(c.Policies) == 0 {
		return
	}
	p.section("hits with other policies")
	for _, policy := range c.Policies {
		here := ""
		if policy.Policy == c.Policy {
			here = " ← here"
		}
		p.point(padded(printable(policy.Policy), 16), policy.Ratio, here)
	}
}

// point is a row of a chart: a label, a percentage, and a bar.
func (p *paper) point(label string, share float64, note string) {
	room := min(p.width-columns(label)-len("    100.0%  ")-len(" < here"), mostBar)
	p.add(span{"  " + label + " " + padded(shortPercent(&share), -6) + " ", ""},
		span{bar(share, room), cyan}, span{note, bold})
}

// shortFactor writes 0.25 as ¼.
func shortFactor(f float64) string {
	for text, value := range map[string]float64{"⅛": 0.125, "¼": 0.25, "½": 0.5, "¾": 0.75} {
		if f == value {
			return text
		}
	}
	return shortCount(f)
}

// missWords and departureWords say what the series mean.
var (
	missWords = map[string]string{
		stats.MissNew: "never seen", stats.MissEvicted: "evicted for room",
		stats.MissExpired: "expired", stats.MissDeleted: "deleted",
		stats.MissFailed: "the load failed",
	}
	departureWords = map[string]string{
		stats.LeftRoom: "for room", stats.LeftExpired: "expired", stats.LeftReplaced: "replaced",
		stats.LeftDeleted: "deleted", stats.LeftTag: "by tag", stats.LeftCleared: "cleared",
	}
)

// shares draws the series of a metric, the largest first.
func (p *paper) shares(title string, o *observed, m stats.Metric, words map[string]string) {
	all := o.Sum(m)
	if !(all > 0) {
		return
	}
	p.section(title)
	samples := slices.Clone(o.Samples)
	slices.SortStableFunc(samples, func(a, b stats.Sample) int {
		return cmp.Compare(b.Value, a.Value)
	})
	for _, s := range samples {
		if s.Metric != m.Name || s.Value <= 0 {
			continue
		}
		name := s.Label
		if word := words[name]; word != "" {
			name = word
		}
		p.point(padded(printable(name), 18)+padded(shortCount(s.Value), -6), s.Value/all, "")
	}
}

// keys writes the first keys of an order.
func (p *paper) keys(title string, keys []stats.Key, number func(*stats.Key) string) {
	if len(keys) == 0 {
		return
	}
	p.section(title)
	for i := range keys[:min(len(keys), mostKeys)] {
		k := &keys[i]
		p.add(span{"  " + padded(number(k), keyNumbers) + " ", ""}, span{k.Key, ""})
	}
}

func lostKey(k *stats.Key) string {
	if k.Loads == 1 {
		return shortTime(k.Lost) + " in 1 load"
	}
	return fmt.Sprintf("%s in %s loads", shortTime(k.Lost), shortCount(float64(k.Loads)))
}

func hitKey(k *stats.Key) string {
	return fmt.Sprintf("%s hits, %s", shortCount(float64(k.Hits)), shortPercent(&k.Share))
}

// weigh writes a weight: bytes, where the part counts them.
func (o *observed) weigh(n int64) string {
	if _, ok := o.Value(stats.Bytes, ""); ok {
		return shortBytes(float64(n))
	}
	return shortCount(float64(n))
}

// loads writes the slowest loads.
func (p *paper) loads(slowest []stats.Load, now time.Time) {
	if len(slowest) == 0 {
		return
	}
	p.section("slowest loads")
	for _, l := range slowest[:min(len(slowest), mostKeys)] {
		took := shortTime(l.Took) + ", " + formatAge(now.Sub(l.At)) + " ago"
		p.add(span{"  " + padded(took, keyNumbers) + " " + printable(l.Key) + "  ", ""},
			span{l.Err, red})
	}
}
