// css.go finds what a style sheet refers to, and lets it refer to fingerprinted names.

package browsercache

import (
	"bytes"
	"io/fs"
	"net/url"
	"path"
	"strings"
)

// link is a place in a style sheet that names a file.
type link struct {
	from, to int    // where the name is in the text
	target   string // the file
}

// linksOf returns the links of a style sheet that lead to files of the table.
func (t *table) linksOf(a *asset, prefix string) (links []link) {
	if path.Ext(a.name) != ".css" || a.body == nil {
		return nil
	}
	for _, r := range references(a.body) {
		target, ok := resolve(a.name, string(a.body[r.from:r.to]), prefix)
		if ok && t.plain[target] != nil {
			links = append(links, link{r.from, r.to, target})
		}
	}
	return links
}

// resolve returns the file that a reference in the file from leads to. References to other hosts,
// out of the file system, or written with escapes of CSS lead to none.
func resolve(from, reference, prefix string) (name string, ok bool) {
	reference, _ = cutPath(reference)
	u, err := url.Parse(reference)
	if err != nil || reference == "" || u.Scheme != "" || strings.HasPrefix(reference, "//") ||
		strings.Contains(reference, `\`) {
		return "", false
	}
	name, ok = strings.CutPrefix(u.Path, prefix)
	if !ok {
		if strings.HasPrefix(u.Path, "/") {
			return "", false
		}
		name = path.Join(path.Dir(from), u.Path)
	}
	return name, fs.ValidPath(name)
}

// cutPath cuts a reference before its query or fragment.
func cutPath(reference string) (path, rest string) {
	if i := strings.IndexAny(reference, "?#"); i >= 0 {
		return reference[:i], reference[i:]
	}
	return reference, ""
}

// rewrite returns css with fingerprints in its links. Only the last element of each is touched, so
// that it leads where it led, from wherever the file is served.
func rewrite(css []byte, links []link, t *table) []byte {
	var b bytes.Buffer
	done := 0
	for _, l := range links {
		b.Write(css[done:l.from])
		b.WriteString(pointTo(string(css[l.from:l.to]), t.plain[l.target]))
		done = l.to
	}
	b.Write(css[done:])
	return b.Bytes()
}

// pointTo puts the fingerprint of a file into a reference to it. A reference that is written so
// oddly that this leads elsewhere stays as it is, and leads to the plain name.
func pointTo(reference string, to *asset) string {
	old, rest := cutPath(reference)
	dir, last := path.Split(old)
	last = withPrint(last, to.tag)
	if plain, err := url.PathUnescape(last); err != nil || plain != path.Base(to.printed) {
		return reference
	}
	return dir + last + rest
}

// span is a part of a text.
type span struct{ from, to int }

// references returns what is in url(...), and the strings after @import, of a style sheet. What is
// not well formed, or written with escapes, is passed over.
func references(css []byte) (found []span) {
	s := sheet{css: css}
	for s.at < len(css) {
		if r, ok := s.next(); ok {
			found = append(found, r)
		}
	}
	return found
}

// sheet is a style sheet that is read from left to right.
type sheet struct {
	css       []byte
	at        int
	importing bool // a string is a reference, since it follows @import
}

// next reads one piece of text, and returns the reference in it, if it is one.
func (s *sheet) next() (span, bool) {
	importing := s.importing
	s.importing = false
	switch c := s.css[s.at]; {
	case s.begins("/*"):
		s.importing = importing
		s.skipPast("*/")
	case c == ' ', c == '\t', c == '\n', c == '\r', c == '\f':
		s.importing = importing
		s.at++
	case c == '"', c == '\'':
		r, ok := s.text()
		return r, ok && importing
	case c == '\\':
		s.at += 2
	case s.begins("@import"):
		s.at += len("@import")
		s.importing = !s.isName()
	case s.begins("url("):
		s.at += len("url(")
		return s.url()
	case s.isName(): // all of it, so that no end of a name is taken for url(
		for s.isName() {
			s.at++
		}
	default:
		s.at++
	}
	return span{}, false
}

// begins tells whether lower, in any case, comes next.
func (s *sheet) begins(lower string) bool {
	rest := s.css[s.at:]
	return len(rest) >= len(lower) && strings.EqualFold(string(rest[:len(lower)]), lower)
}

// isName tells whether a character of a name comes next.
func (s *sheet) isName() bool {
	if s.at >= len(s.css) {
		return false
	}
	c := s.css[s.at]
	return c >= 0x80 || c == '-' || c == '_' || '0' <= c && c <= '9' ||
		'a' <= c|0x20 && c|0x20 <= 'z'
}

// skipPast goes on behind what ends something, or to the end.
func (s *sheet) skipPast(end string) {
	i := bytes.Index(s.css[s.at:], []byte(end))
	if i < 0 {
		s.at = len(s.css)
		return
	}
	s.at += i + len(end)
}

// skipSpace goes on behind white space.
func (s *sheet) skipSpace() {
	s.at = len(s.css) - len(bytes.TrimLeft(s.css[s.at:], " \t\r\n\f"))
}

// text reads a string, quotes included, and returns what is between them. ok is false if it has
// escapes or does not end.
func (s *sheet) text() (r span, ok bool) {
	quote := s.css[s.at]
	s.at++
	r.from, ok = s.at, true
	for ; s.at < len(s.css); s.at++ {
		switch c := s.css[s.at]; c {
		case quote:
			r.to = s.at
			s.at++
			return r, ok
		case '\n', '\f', '\r':
			return r, false
		case '\\':
			ok = false
			s.at++
		}
	}
	return r, false
}

// url reads what follows url(.
func (s *sheet) url() (r span, ok bool) {
	s.skipSpace()
	if s.at < len(s.css) && (s.css[s.at] == '"' || s.css[s.at] == '\'') {
		if r, ok = s.text(); !ok {
			return r, false
		}
		s.skipSpace()
		return r, s.begins(")")
	}
	r.from = s.at
	for s.at < len(s.css) && !bytes.ContainsRune([]byte(" \t\r\n\f)\"'(\\"), rune(s.css[s.at])) {
		s.at++
	}
	r.to = s.at
	s.skipSpace()
	if s.begins(")") {
		return r, true
	}
	s.skipPast(")")
	return r, false
}
