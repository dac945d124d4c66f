// lines.go finds the lines of keys in a TOML file, to say where a mistake is.

package proxy

import (
	"strconv"
	"strings"
)

// source is where a configuration was read.
type source struct {
	file  string // "" where a program made it
	lines lines
}

// lines are the lines of keys, counted from 1. The second site's origin is "site.1.to".
type lines map[string]int

// linesOf finds the lines of all keys that stand on lines of their own. It leaves it to the TOML
// package to say whether text is TOML.
func linesOf(text string) lines {
	s := lineScan{found: lines{}, tables: map[string]int{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		s.line(strings.TrimSpace(line), number)
	}
	return s.found
}

type lineScan struct {
	found  lines
	tables map[string]int // how many of an array of tables there were
	table  string         // with its number, and a dot
	open   int            // brackets of an array that goes on
	quote  string         // that ends a string of several lines
}

func (s *lineScan) line(line string, number int) {
	switch {
	case s.quote != "" || s.open > 0:
	case strings.HasPrefix(line, "[["):
		s.table = plainKey(strings.TrimPrefix(line, "[["))
		n := s.tables[s.table]
		s.tables[s.table]++
		s.table += "." + strconv.Itoa(n) + "."
		s.note("", number)
		return
	case strings.HasPrefix(line, "["):
		s.table = plainKey(line[1:]) + "."
		s.note("", number)
		return
	default:
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			return
		}
		s.note(plainKey(key), number)
		line = value
	}
	s.value(line)
}

// note remembers where a key of the table is; "" is the table itself.
func (s *lineScan) note(key string, number int) {
	path := strings.TrimSuffix(s.table+key, ".")
	if _, ok := s.found[path]; !ok {
		s.found[path] = number
	}
}

// value looks for what goes on in the next line.
func (s *lineScan) value(text string) {
	for text != "" {
		if s.quote != "" {
			_, rest, ended := strings.Cut(text, s.quote)
			if !ended {
				if len(s.quote) == 1 {
					s.quote = ""
				}
				return
			}
			s.quote, text = "", rest
			continue
		}
		text = s.bare(text)
	}
}

// bare reads one character, or the beginning of a string, and returns what follows.
func (s *lineScan) bare(text string) string {
	switch c := text[0]; c {
	case '#':
		return ""
	case '[', '{':
		s.open++
	case ']', '}':
		s.open = max(0, s.open-1)
	case '"', '\'':
		s.quote = text[:1]
		if triple := strings.Repeat(s.quote, 3); strings.HasPrefix(text, triple) {
			s.quote = triple
		}
		return text[len(s.quote):]
	}
	return text[1:]
}

// plainKey returns a key or the name of a table without quotes and what follows.
func plainKey(text string) string {
	text, _, _ = strings.Cut(text, "]")
	parts := strings.Split(text, ".")
	for i, part := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(part), `"'`)
	}
	return strings.Join(parts, ".")
}

// of returns the line of a key, or of the table it belongs to; 0 where neither is in the file.
func (l lines) of(key string) int {
	for {
		if n, ok := l[key]; ok {
			return n
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return 0
		}
		key = key[:i]
	}
}

// ofUnknown returns the first line of a key that is given without the numbers of tables.
func (l lines) ofUnknown(key []string) int {
	first := 0
	for path, n := range l {
		if unnumbered(path) == strings.Join(key, ".") && (first == 0 || n < first) {
			first = n
		}
	}
	return first
}

func unnumbered(path string) string {
	parts := strings.Split(path, ".")
	kept := parts[:0]
	for _, part := range parts {
		if _, err := strconv.Atoi(part); err != nil {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ".")
}
