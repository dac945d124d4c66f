// explain_print.go writes an explanation for people: the verdict, why, and what to do better.

package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/httpcache"
)

const (
	labelWidth = 12   // where the text of a line begins
	maxRow     = 1000 // bytes of a text that may come from a response
	maxSaid    = 16   // lines of what caches said
)

// page is text that is being laid out. Everything that comes from a response is made printable.
type page struct {
	strings.Builder
	width    int
	coloured bool
}

// newPage returns a page of the width of the terminal.
func newPage() *page {
	return &page{width: chartWidth(), coloured: colours() != nil}
}

// The styles of a terminal (ECMA-48, SGR).
const (
	bold   = "1"
	red    = "31"
	yellow = "33"
	cyan   = "36"
)

func (p *page) paint(text, style string) string {
	if !p.coloured || style == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// row writes text behind a label, wrapped at the width of the page. Without text it writes nothing.
func (p *page) row(label, style, text string) {
	if text == "" {
		return
	}
	label = fmt.Sprintf("%-*s", labelWidth, label)
	if len(text) > maxRow {
		text = strings.ToValidUTF8(text[:maxRow], "") + "…"
	}
	for _, line := range wrapped(printable(text), p.width-labelWidth) {
		fmt.Fprintln(p, strings.TrimRight(p.paint(label, style)+line, " "))
		label, style = strings.Repeat(" ", labelWidth), ""
	}
}

// wrapped cuts text into lines of width characters between words; a longer word stays whole.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		long := utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width
		switch {
		case line == "":
			line = word
		case long:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// render returns an explanation as text.
func (p *page) render(e explained) string {
	for _, line := range wrapped(printable(e.Verdict), p.width) {
		fmt.Fprintln(p, p.paint(line, bold))
	}
	fmt.Fprintln(p)
	p.row("response", "", strings.Join(strings.Fields(fmt.Sprintln(e.Method, e.URL, "gave",
		e.Status, http.StatusText(e.Status))), " "))
	if e.Location != "" && e.next == nil {
		p.row("redirect", "", e.Location+" (--follow explains that, too)")
	}
	p.treatment("shared", e.Shared, e.Explanation)
	if e.Shared != nil && e.Private != nil && e.Private.Stored && *e.Shared == *e.Private {
		p.row("browsers", bold, "the same; on a reload "+next(e.Private.Reload, e.Condition))
	} else {
		p.treatment("browsers", e.Private, e.Explanation)
	}
	p.common(e.Explanation)
	p.findings(e.Findings)
	return p.String()
}

// because writes the section of an RFC behind a text.
func because(text, rule string) string {
	if rule == "" {
		return text
	}
	return text + " (" + rule + ")"
}

// treatment says what one kind of cache does.
func (p *page) treatment(label string, t *httpcache.Treatment, e httpcache.Explanation) {
	switch {
	case t == nil:
		return
	case !t.Stored:
		p.row(label, bold, because("not stored: "+t.Reason, t.Rule))
		return
	}
	p.row(label, bold, "stored; "+lifetime(t.Freshness))
	switch {
	case t.AlwaysAsks:
		p.row("", "", because("never served without asking the origin: no-cache", t.Rule))
	case t.FreshFor > 0:
		text := "fresh until " + t.FreshUntil.UTC().Format(http.TimeFormat)
		if e.Age.Current > 0 {
			text += ", " + t.FreshFor.String() + " after it came"
		}
		p.row("", "", text)
	case t.Freshness.Lifetime > 0:
		p.row("", "", fmt.Sprintf("stale when it came: it was %v old", e.Age.Current))
	}
	p.row("", "", windows(t))
	p.row("", "", "then "+next(t.Then, e.Condition))
	if label == "browsers" {
		p.row("", "", "on a reload "+next(t.Reload, e.Condition))
	}
}

// lifetime says how long a response is fresh and why, with the numbers.
func lifetime(f httpcache.Freshness) string {
	span := "lifetime " + f.Lifetime.String()
	switch f.Source {
	case httpcache.FromNothing:
		return "nothing says how long it is fresh: " + span
	case httpcache.FromExpires:
		if f.To.IsZero() {
			return because(span+": Expires is no date", f.Rule)
		}
		return because(span+": Expires "+clock(f.To)+" − Date "+clock(f.From), f.Rule)
	case httpcache.FromHeuristic:
		return because(span+": a guess, a tenth of the time from Last-Modified "+clock(f.From)+
			" to Date "+clock(f.To)+", at most a day", f.Rule)
	}
	text := fmt.Sprintf("%s: %s=%d", span, f.Source, f.Lifetime)
	if f.Field != "" {
		text += " in " + f.Field
	}
	return because(text, f.Rule)
}

func clock(t time.Time) string { return t.UTC().Format(time.DateTime) }

// windows says how long a response may be served stale.
func windows(t *httpcache.Treatment) string {
	var all []string
	if t.StaleWhileRevalidate > 0 {
		all = append(all, "served stale for "+t.StaleWhileRevalidate.String()+
			" while the origin is asked (RFC 5861, section 3)")
	}
	if t.StaleIfError > 0 {
		all = append(all, "in place of an error of the origin for "+t.StaleIfError.String()+
			" (RFC 5861, section 4)")
	}
	if len(all) == 0 && t.NeverStale {
		return "never served stale (RFC 9111, section 4.2.4)"
	}
	return strings.Join(all, ", ")
}

// next says what a cache does.
func next(n httpcache.Next, condition http.Header) string {
	switch n {
	case httpcache.NextServe:
		return "served without asking (RFC 8246, section 2)"
	case httpcache.NextValidate:
		var fields []string
		for _, name := range slices.Sorted(maps.Keys(condition)) {
			fields = append(fields, name+": "+condition.Get(name))
		}
		return "asked with " + strings.Join(fields, ", ") + " (RFC 9111, section 4.3.1)"
	}
	return "asked for whole: nothing names its version"
}

// common writes what is the same for all caches.
func (p *page) common(e httpcache.Explanation) {
	if e.Age.Current > 0 {
		p.row("age", bold, fmt.Sprintf("%v: %v since Date, %v by Age and the time it took"+
			" (RFC 9111, section 4.2.3)", e.Age.Current, e.Age.Apparent,
			e.Age.Reported+e.Age.Delay))
	}
	p.row("variants", bold, selectors(e.Selectors))
	p.row("query", bold, query(e.Query))
	p.row("groups", bold, strings.Join(e.Groups, ", "))
	p.row("tags", bold, strings.Join(e.Tags, ", "))
	p.said(e)
	p.row("asked again", bold, second(e))
	if e.Second != nil && len(e.Second.Reports) > 0 {
		nearest := e.Second.Reports[len(e.Second.Reports)-1]
		p.row("", "", "Cache-Status: "+reported(nearest))
	}
}

// said writes what caches on the way said.
func (p *page) said(e httpcache.Explanation) {
	var all []string
	for _, r := range e.Reports {
		all = append(all, "Cache-Status: "+reported(r))
	}
	all = append(all, e.Hints...)
	label := "said"
	for _, text := range all[:min(len(all), maxSaid)] {
		p.row(label, bold, text)
		label = ""
	}
	if more := len(all) - maxSaid; more > 0 {
		p.row("", "", fmt.Sprintf("and %d lines more", more))
	}
}

// crowds are the words for how many variants there may be.
var crowds = map[httpcache.Crowd]string{
	httpcache.CrowdFew: "a few", httpcache.CrowdMany: "dozens to hundreds",
	httpcache.CrowdEndless: "about as many as clients", httpcache.CrowdUnknown: "nobody knows",
	httpcache.CrowdUnusable: "none that can be used",
}

func selectors(all []httpcache.Selector) string {
	var words []string
	for _, s := range all {
		text := s.Field + " (" + crowds[s.Crowd] + ")"
		if s.Implied {
			text += ", which Vary forgets"
		}
		words = append(words, text)
	}
	if words == nil {
		return ""
	}
	return "by " + strings.Join(words, ", ") + " (RFC 9111, section 4.1)"
}

func query(q *httpcache.Query) string {
	if q == nil {
		return ""
	}
	var words []string
	switch names := strings.Join(q.Names, ", "); {
	case q.Only && names == "":
		words = append(words, "no parameter counts")
	case q.Only:
		words = append(words, "these count alone: "+names)
	case names != "":
		words = append(words, "these do not count: "+names)
	}
	if q.AnyOrder {
		words = append(words, "their order does not count")
	}
	return strings.Join(words, "; ") + " (No-Vary-Search)"
}

func reported(r httpcache.Report) string {
	text := r.Cache
	if r.Hit {
		text += ": hit"
	} else if r.Forward != "" {
		text += ": asked further, " + r.Forward
	}
	if r.TTL != nil {
		text += fmt.Sprintf(", fresh for %d seconds", *r.TTL)
	}
	if r.Stored {
		text += ", stored"
	}
	if r.Detail != "" {
		text += ", because: " + r.Detail
	}
	return text
}

// second says what came of asking twice.
func second(e httpcache.Explanation) string {
	s := e.Second
	switch {
	case s == nil:
		return ""
	case s.Confirmed:
		return "304: the validators work"
	}
	text := fmt.Sprintf("%d %s, with another body", s.Status, http.StatusText(s.Status))
	if s.SameBody {
		text = fmt.Sprintf("%d %s, with the same body", s.Status, http.StatusText(s.Status))
	}
	if s.Status == http.StatusNotModified {
		text = "304, but of another version"
	}
	return text + ": no validation"
}

// findings writes mistakes and advice.
func (p *page) findings(all []httpcache.Finding) {
	styles := map[httpcache.Severity]string{
		httpcache.Mistake: red, httpcache.Risk: yellow, httpcache.Advice: cyan,
	}
	for _, f := range all {
		fmt.Fprintln(p)
		p.row(string(f.Severity), styles[f.Severity], f.What)
		p.row("", "", because(f.Why, f.Rule))
		if f.Instead != "" {
			p.row("", "", "→ "+f.Instead)
		}
	}
}
