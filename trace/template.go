// template.go makes a key of the fields of a line.

package trace

import (
	"fmt"
	"slices"
	"strings"
)

// template is a text with names of fields in it. The text stands before the field.
type template struct {
	parts []part
	tail  string
}

type part struct{ text, field string }

// parseTemplate reads {host}{path}, or the name of one field without braces.
func parseTemplate(text string) (template, error) {
	if text != "" && !strings.ContainsAny(text, "{}") {
		return template{parts: []part{{field: text}}}, nil
	}
	var t template
	rest := text
	for {
		before, after, open := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return template{}, fmt.Errorf("key %q: a brace is closed that was not opened", text)
		}
		if !open {
			t.tail = before
			break
		}
		field, next, closed := strings.Cut(after, "}")
		if !closed || field == "" || strings.Contains(field, "{") {
			return template{}, fmt.Errorf("key %q: write a name between braces: {host}{path}", text)
		}
		t.parts = append(t.parts, part{before, field})
		rest = next
	}
	if text != "" && len(t.parts) == 0 {
		return template{}, fmt.Errorf("key %q: names no field", text)
	}
	return t, nil
}

func (t template) has(field string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.field == field })
}

// bound is a template whose fields are known by number.
type bound struct {
	template
	columns []int
}

// bind looks up the fields.
func (t template) bind(find func(field string) (int, bool), known string) (bound, error) {
	b := bound{template: t}
	for _, p := range t.parts {
		column, ok := find(p.field)
		if !ok {
			return bound{}, fmt.Errorf("%w: %q: one of %s", ErrKey, p.field, known)
		}
		b.columns = append(b.columns, column)
	}
	return b, nil
}

// fill appends the key of a line to buf. ok is false if the line has too few fields, or the key is
// empty.
func (b *bound) fill(buf []byte, fields [][]byte) (key []byte, ok bool) {
	start := len(buf)
	for i, p := range b.parts {
		if b.columns[i] >= len(fields) {
			return buf, false
		}
		buf = append(append(buf, p.text...), fields[b.columns[i]]...)
	}
	buf = append(buf, b.tail...)
	return buf, len(buf) > start
}
