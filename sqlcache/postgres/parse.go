// parse.go turns text into a tree, and refuses text that would cost the parser too much.

package postgres

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wasilibs/go-pgquery/parser"
)

const (
	// maxStatement is the length of the longest statement that is read, in bytes.
	maxStatement = 1 << 20
	// maxDepth bounds the depth of a tree, as depth estimates it. The parser keeps its tree on a
	// stack of 64 KiB and runs wild beyond it: at 281 nested CASE, 597 signs of addition in a row.
	maxDepth = 150
	// maxCopied is the longest text with an assignment to a row, in bytes: the tree has a copy of
	// its right side for each column.
	maxCopied = 8 << 10
)

// fields are those of a node of the tree, by name.
type fields = map[string]any

// parse returns the statements of a text, as nodes.
func (d *Dialect) parse(text string) (statements []any, err error) {
	switch {
	case len(text) > maxStatement:
		return nil, fmt.Errorf("it is longer than %d bytes", maxStatement)
	case !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		return nil, errors.New("it is no text")
	}
	tree, err := d.tree(text)
	if err != nil {
		return nil, err
	}
	var result struct {
		Statements []struct {
			Statement any `json:"stmt"`
		} `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(tree), &result); err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	for _, s := range result.Statements {
		statements = append(statements, s.Statement)
	}
	return statements, nil
}

// tree returns the tree of a text as JSON.
func (d *Dialect) tree(text string) (tree string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser broke down: %v", r)
		}
	}()
	scanned, err := parser.ScanToProtobuf(text)
	if err != nil {
		return "", err
	}
	if err := checkShape(text, scanned); err != nil {
		return "", err
	}
	return parser.ParseToJSON(text)
}

// token is a word or sign of a text.
type token struct {
	text    string
	keyword bool
}

// checkShape refuses a text whose tree would be too deep or too large, by its words and signs as
// the scanner of PostgreSQL found them.
func checkShape(text string, scanned []byte) error {
	s := shape{levels: []level{{}}}
	for t := range tokens(text, scanned) {
		s.add(t)
		if s.depth() > maxDepth {
			return errors.New("it is nested too deeply")
		}
	}
	if s.rows && (s.nested || len(text) > maxCopied) {
		return errors.New("it assigns to rows in too long a text")
	}
	return nil
}

// tokens yields the tokens of a text but for its comments. scanned is a ScanResult of libpg_query.
func tokens(text string, scanned []byte) func(yield func(token) bool) {
	return func(yield func(token) bool) {
		for field, message := range messages(scanned) {
			if field != 2 { // tokens
				continue
			}
			var value [6]uint64 // 1: start, 2: end, 5: kind of keyword
			for f, v := range numbers(message) {
				value[min(f, 5)] = v
			}
			start, end := int(value[1]), int(value[2])
			if start > end || end > len(text) {
				continue
			}
			word := strings.ToLower(text[start:end])
			if strings.HasPrefix(word, "--") || strings.HasPrefix(word, "/*") {
				continue
			}
			if !yield(token{word, value[5] > 0}) {
				return
			}
		}
	}
}

// messages yields the fields of a message that are messages, by number.
func messages(b []byte) func(yield func(uint64, []byte) bool) {
	return func(yield func(uint64, []byte) bool) {
		for len(b) > 0 {
			tag, n := binary.Uvarint(b)
			if n <= 0 {
				return
			}
			value, m := binary.Uvarint(b[n:])
			if m <= 0 {
				return
			}
			b = b[n+m:]
			if tag&7 != 2 {
				continue
			}
			if value > uint64(len(b)) || !yield(tag>>3, b[:value]) {
				return
			}
			b = b[value:]
		}
	}
}

// numbers yields the fields of a message that has but numbers.
func numbers(b []byte) func(yield func(uint64, uint64) bool) {
	return func(yield func(uint64, uint64) bool) {
		for len(b) > 0 {
			tag, n := binary.Uvarint(b)
			if n <= 0 {
				return
			}
			value, m := binary.Uvarint(b[n:])
			if m <= 0 || !yield(tag>>3, value) {
				return
			}
			b = b[n+m:]
		}
	}
}
