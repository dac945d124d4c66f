// mistake.go says in one line what is wrong with a configuration.

package proxy

import (
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong with a configuration.
type Mistake struct {
	File string // "" where there is none
	Line int    // from 1; 0 where it is not known
	Key  string // such as site.0.to: the origin of the first site
	What string // is wrong, and what to do
}

// Error returns the mistake in one line: file:line: key: what.
func (m Mistake) Error() string {
	text := m.What
	if m.Key != "" {
		text = m.Key + ": " + text
	}
	switch {
	case m.File == "":
		return text
	case m.Line == 0:
		return m.File + ": " + text
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, text)
}

// Mistakes are all that was found wrong, at least one.
type Mistakes []Mistake

// Error returns the mistakes, each in a line of its own.
func (m Mistakes) Error() string {
	all := make([]string, len(m))
	for i, one := range m {
		all[i] = one.Error()
	}
	return strings.Join(all, "\n")
}

// sorted returns m in the order of lines.
func (m Mistakes) sorted() Mistakes {
	slices.SortStableFunc(m, func(a, b Mistake) int { return a.Line - b.Line })
	return m
}

// err returns m as an error, nil if there are none.
func (m Mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

// wrong is a mistake in the value of a key.
func (c *Config) wrong(key, format string, args ...any) Mistake {
	m := Mistake{File: c.source.file, Key: key, What: fmt.Sprintf(format, args...)}
	if m.File != "" {
		m.Line, m.Key = c.source.lines.of(key), unnumbered(key)
	}
	return m
}
