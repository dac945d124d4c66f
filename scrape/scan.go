// scan.go cuts a page into tags and text, a good deal faster than a full tokenizer.

package scrape

import "bytes"

// scanner walks over HTML by the tokenization rules of the WHATWG standard, section 13.2.5, as far
// as they decide where tags begin and end. Attributes are skipped, comments dropped.
type scanner struct {
	src []byte
	pos int
}

// tag is what next stops at.
type tag struct {
	el         element
	name       []byte // as written, a part of the source
	end        bool   // </name>
	selfClosed bool   // <name/>
}

// next returns the text before the next tag, or before a comment, and the tag. Where there is no
// more tag it returns the rest of the text and false; after a comment the tag has no name.
func (s *scanner) next() (text []byte, t tag, ok bool) {
	start := s.pos
	for {
		i := bytes.IndexByte(s.src[s.pos:], '<')
		if i < 0 || s.pos+i+1 >= len(s.src) {
			s.pos = len(s.src)
			return s.src[start:], tag{}, false
		}
		at := s.pos + i
		s.pos = at + 1
		if t, ok = s.markup(); ok {
			return s.src[start:at], t, true
		}
	}
}

// markup reads what follows a <. It returns false, and reads nothing, if that is mere text.
func (s *scanner) markup() (tag, bool) {
	switch c := s.src[s.pos]; {
	case isLetter(c):
		return s.tag(), true
	case c == '!':
		s.declaration()
		return tag{}, true
	case c == '?':
		s.skipPast(">")
		return tag{}, true
	case c != '/' || s.pos+1 == len(s.src):
		return tag{}, false
	}
	s.pos++
	if !isLetter(s.src[s.pos]) { // </> or a comment by mistake
		s.skipPast(">")
		return tag{}, true
	}
	t := s.tag()
	t.end = true
	return t, true
}

// tag reads a name and skips to behind the tag.
func (s *scanner) tag() tag {
	start := s.pos
	for s.pos < len(s.src) && !endsName(s.src[s.pos]) {
		s.pos++
	}
	name := s.src[start:s.pos]
	s.attributes()
	closed := s.pos >= 2 && s.pos <= len(s.src) && s.src[s.pos-2] == '/' && s.src[s.pos-1] == '>'
	return tag{el: elementOf(name), name: name, selfClosed: closed}
}

// attributes skips to behind the > that ends a tag. Most tags hold no quotes; only a quote can hide
// that character.
func (s *scanner) attributes() {
	rest := s.src[s.pos:]
	i := bytes.IndexByte(rest, '>')
	if i < 0 {
		s.pos = len(s.src)
		return
	}
	if bytes.IndexByte(rest[:i], '=') < 0 {
		s.pos += i + 1
		return
	}
	for s.attribute() {
	}
}

// attribute skips one name and its value. It returns false behind the end of the tag.
func (s *scanner) attribute() bool {
	for s.pos < len(s.src) && (isSpace(s.src[s.pos]) || s.src[s.pos] == '/') {
		s.pos++
	}
	for first := s.pos; s.pos < len(s.src); s.pos++ {
		c := s.src[s.pos]
		if endsName(c) || c == '=' && s.pos > first {
			break
		}
	}
	s.skipSpace()
	if s.pos < len(s.src) && s.src[s.pos] == '=' {
		s.pos++
		s.value()
	}
	if s.pos < len(s.src) && s.src[s.pos] == '>' {
		s.pos++
		return false
	}
	return s.pos < len(s.src)
}

// value skips what follows an equals sign.
func (s *scanner) value() {
	s.skipSpace()
	if s.pos == len(s.src) {
		return
	}
	switch s.src[s.pos] {
	case '"':
		s.pos++
		s.skipPast(`"`)
	case '\'':
		s.pos++
		s.skipPast(`'`)
	default:
		for s.pos < len(s.src) && !isSpace(s.src[s.pos]) && s.src[s.pos] != '>' {
			s.pos++
		}
	}
}

// declaration skips a comment, a doctype or a comment by mistake.
func (s *scanner) declaration() {
	rest := s.src[s.pos:]
	switch {
	case !bytes.HasPrefix(rest, []byte("!--")):
		s.skipPast(">")
	case bytes.HasPrefix(rest, []byte("!-->")):
		s.pos += 4
	case bytes.HasPrefix(rest, []byte("!--->")):
		s.pos += 5
	default:
		s.pos += 3
		s.skipComment()
	}
}

// skipComment skips past the first --> or --!>.
func (s *scanner) skipComment() {
	for s.skipPast("--") {
		for s.pos < len(s.src) && s.src[s.pos] == '-' {
			s.pos++
		}
		rest := s.src[s.pos:]
		if bytes.HasPrefix(rest, []byte(">")) {
			s.pos++
			return
		}
		if bytes.HasPrefix(rest, []byte("!>")) {
			s.pos += 2
			return
		}
	}
}

// rawText returns what stands up to the end tag of a raw text element, and skips it and that tag.
// Nothing in it is a tag.
func (s *scanner) rawText(t tag) []byte {
	start := s.pos
	for s.skipPast("</") {
		if s.closes(t.name) {
			end := s.pos - len("</")
			s.pos += len(t.name)
			s.attributes()
			return s.src[start:end]
		}
	}
	return s.src[start:]
}

// closes reports whether the name of an end tag stands here.
func (s *scanner) closes(name []byte) bool {
	rest := s.src[s.pos:]
	return len(rest) > len(name) && endsName(rest[len(name)]) &&
		bytes.EqualFold(rest[:len(name)], name)
}

// script skips a script and its end tag. Inside <!-- a nested <script> hides one </script>.
func (s *scanner) script() {
	const plain, escaped, nested = 0, 1, 2
	name, state := []byte("script"), plain
	for s.pos < len(s.src) {
		if state == plain && !s.skipTo('<') {
			return
		}
		rest := s.src[s.pos:]
		s.pos++
		switch {
		case state == plain && bytes.HasPrefix(rest, []byte("<!--")):
			state = escaped
			s.pos++ // its hyphens may be those of -->
		case state != plain && bytes.HasPrefix(rest, []byte("-->")):
			state = plain
		case state == escaped && rest[0] == '<' && s.closes(name):
			state = nested
		case bytes.HasPrefix(rest, []byte("</")):
			s.pos++
			if !s.closes(name) {
				break
			}
			if state != nested {
				s.pos += len(name)
				s.attributes()
				return
			}
			state = escaped
		}
	}
}

// skipPast moves behind the next occurrence of what, or to the end, and says which.
func (s *scanner) skipPast(what string) bool {
	i := bytes.Index(s.src[s.pos:], []byte(what))
	if i < 0 {
		s.pos = len(s.src)
		return false
	}
	s.pos += i + len(what)
	return true
}

// skipTo moves to the next c, or to the end, and says which.
func (s *scanner) skipTo(c byte) bool {
	i := bytes.IndexByte(s.src[s.pos:], c)
	if i < 0 {
		s.pos = len(s.src)
		return false
	}
	s.pos += i
	return true
}

func (s *scanner) skipSpace() {
	for s.pos < len(s.src) && isSpace(s.src[s.pos]) {
		s.pos++
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'
}

func endsName(c byte) bool { return c == '>' || c == '/' || isSpace(c) }
