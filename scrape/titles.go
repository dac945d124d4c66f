// titles.go finds the title and the headings of a page without building a tree of it.

package scrape

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Title is one heading of a page.
type Title struct {
	Level int    `json:"level"` // 1 for h1, to 3 for h3
	Text  string `json:"text"`  // runs of white space are one space
}

// Titles returns the text of the title element of p and of its headings h1 to h3, in the order of
// the page. Tags inside a heading leave their text; scripts, styles, noscript and templates do not
// count, and neither do headings without text. A heading that is never closed ends at the next one
// or with the block around it. Control characters are dropped, those of the direction of text too.
//
// It reads the tags as they stand: what a script would write into the page is not there.
func Titles(p *Page) (title string, headings []Title) {
	o := outline{}
	o.read(&scanner{src: p.UTF8()})
	return o.title, o.headings
}

// outline is what has been found so far, and where we are.
type outline struct {
	title    string
	titled   bool
	headings []Title

	level     int // of the open heading; 0 if none is
	text      line
	blocks    int // opened inside the open heading
	templates int // open ones
	foreign   int // open svg and math elements
}

func (o *outline) read(s *scanner) {
	for {
		text, t, ok := s.next()
		o.addText(text)
		switch {
		case !ok:
			o.closeHeading()
			return
		case t.end:
			o.endTag(t)
		case t.name == nil:
		case o.foreign > 0 && t.selfClosed:
		case t.el == title:
			o.setTitle(s.rawText(t))
		case t.el == script:
			s.script()
		case t.el == rawText:
			s.rawText(t)
		case t.el == plainText:
			s.pos = len(s.src)
		default:
			o.startTag(t)
		}
	}
}

func (o *outline) addText(text []byte) {
	if o.level > 0 && o.templates == 0 {
		o.text.add(text)
	}
}

func (o *outline) setTitle(text []byte) {
	if o.titled || o.foreign > 0 || o.templates > 0 {
		return
	}
	var l line
	l.add(text)
	o.title, o.titled = l.String(), true
}

func (o *outline) startTag(t tag) {
	switch {
	case t.el == template:
		o.templates++
	case o.templates > 0:
	case t.el == foreign && !t.selfClosed:
		o.foreign++
	case t.el >= heading1 && t.el <= heading6:
		o.closeHeading()
		o.level, o.blocks = int(t.el-heading1)+1, 0
	case t.el == block:
		o.text.space()
		o.blocks++
	case t.el == lineBreak:
		o.text.space()
	}
}

func (o *outline) endTag(t tag) {
	switch {
	case t.el == template:
		o.templates = max(0, o.templates-1)
	case o.templates > 0:
	case t.el == foreign:
		o.foreign = max(0, o.foreign-1)
	case t.el >= heading1 && t.el <= heading6:
		o.closeHeading()
	case t.el == block && o.blocks == 0:
		o.closeHeading()
	case t.el == block:
		o.text.space()
		o.blocks--
	}
}

func (o *outline) closeHeading() {
	if text := o.text.String(); text != "" && o.level <= 3 && o.level > 0 {
		o.headings = append(o.headings, Title{Level: o.level, Text: text})
	}
	o.level = 0
	o.text.reset()
}

// line collects text on one line.
type line struct {
	buf []byte
	gap bool // white space stands between buf and what comes next
}

func (l *line) String() string { return string(l.buf) }

func (l *line) reset() { l.buf, l.gap = l.buf[:0], false }

func (l *line) space() { l.gap = true }

// add appends text as it stands in the source.
func (l *line) add(text []byte) {
	if bytes.IndexByte(text, '&') >= 0 {
		text = []byte(html.UnescapeString(string(text)))
	}
	l.addDecoded(text)
}

func (l *line) addDecoded(text []byte) {
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(text[i:])
		}
		i += n
		switch {
		case unicode.IsSpace(r):
			l.gap = true
		case !unicode.IsControl(r) && !turnsText(r):
			l.addRune(r)
		}
	}
}

// turnsText reports whether r changes the direction of what follows it, beyond the end of a line of
// ours, so that text could be shown as another one.
func turnsText(r rune) bool {
	return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

func (l *line) addRune(r rune) {
	if l.gap && len(l.buf) > 0 {
		l.buf = append(l.buf, ' ')
	}
	l.gap = false
	l.buf = utf8.AppendRune(l.buf, r)
}

// oneLine returns text with runs of white space made one space.
func oneLine(text string) string {
	var l line
	l.addDecoded([]byte(text))
	return l.String()
}
